//! WebSockets: bounded, timed, pinged. One that misbehaves is closed alone (T59).

use std::future::pending;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use tasuki_protocol::ids::{Challenge, PROTOCOL_VERSION};
use tasuki_protocol::signal::{
    self, AgentToServer, DEVICE_PROOF, OperatorToServer, RefusalReason, ServerToOperator,
};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::accounts::{Wrong, signed};
use super::clock;
use super::config::SocketRules;
use super::kinds::Kind;
use super::ledger::{Job, Then, Work};
use super::listen::Guest;
use super::store::Event;
use super::tokens::Bearer;
use super::web::Site;
use crate::core::admission::Outside;
use crate::core::rooms::{ConnectionId, Input, Operator};

/// How long a message may take to leave.
const SEND: Duration = Duration::from_secs(10);
/// Frames that an operator's end may send until it has proved itself, its proof included.
const FRAMES_BEFORE: u8 = 16;

/// An agent's WebSocket, from its upgrade to its end.
pub(crate) async fn agent(site: Arc<Site>, guest: Guest, address: IpAddr, socket: WebSocket) {
    let Some((connection, texts)) = site.desk.connect() else { return };
    site.desk.agent_here(connection, address);
    let line = Line { socket, rules: site.rules };
    let desk = &site.desk;
    let pinged = || desk.turn(Input::Pinged { connection });
    let hear = |text: &str| match signal::decode::<AgentToServer>(text) {
        Ok(message) => {
            desk.turn(Input::FromAgent { connection, message });
            Heard::Understood
        }
        Err(_) => {
            desk.turn(Input::NotUnderstood { connection, reason: why_not(text) });
            Heard::Not
        }
    };
    line.converse(texts, None, hear, pinged).await;
    desk.disconnect(connection);
    drop(guest);
}

/// An operator's WebSocket; its device proves itself first (T9, T55).
pub(crate) async fn operator(
    site: Arc<Site>,
    guest: Guest,
    address: IpAddr,
    bearer: Bearer,
    socket: WebSocket,
) {
    let mut line = Line { socket, rules: site.rules };
    let Some((connection, texts)) = site.desk.connect() else { return };
    let asked = AtomicBool::new(false);
    if let Some(ends) = prove(&site, &mut line, &bearer, address, connection).await {
        let desk = &site.desk;
        let pinged = || desk.turn(Input::Pinged { connection });
        let hear = |text: &str| match signal::decode::<OperatorToServer>(text) {
            Ok(message) => {
                asked.store(true, Ordering::Relaxed);
                desk.turn(Input::FromOperator { connection, message });
                Heard::Understood
            }
            Err(_) => {
                desk.turn(Input::NotUnderstood { connection, reason: why_not(text) });
                Heard::Not
            }
        };
        let over = line.converse(texts, Some(ends), hear, pinged).await;
        // Before the database is asked for anything: his numbers answer nobody from now on.
        desk.disconnect(connection);
        tell_of_end(&site, &bearer, over).await;
    } else {
        site.desk.disconnect(connection);
    }
    // Who asked for anything used it until now; where the row is gone there is none to count. A program that only waits
    // keeps no sign-in alive.
    if asked.load(Ordering::Relaxed) {
        site.accounts.touch(&bearer).await.ok();
    }
    drop(guest);
}

/// When a connection must end: with its token, its certificate or the allowed hours, whichever they are by then.
struct Ends {
    token: Instant,
    until: watch::Receiver<std::time::Instant>,
}

impl Ends {
    fn at(&self) -> Instant {
        self.token.min(Instant::from_std(*self.until.borrow()))
    }

    /// They are others now.
    async fn changed(ends: &mut Option<Self>) {
        if let Some(ends) = ends
            && ends.until.changed().await.is_ok()
        {
            return;
        }
        pending().await
    }
}

/// When the connection must end; `None`: now.
async fn prove(
    site: &Site,
    line: &mut Line,
    bearer: &Bearer,
    address: IpAddr,
    connection: ConnectionId,
) -> Option<Ends> {
    let challenge = Challenge(clock::random().ok()?);
    line.send(signal::encode(&ServerToOperator::Challenge { challenge })).await?;
    let text = timeout(line.rules.first_message, line.hear()).await.ok()??;
    let message = [DEVICE_PROOF, &challenge.0, &bearer.token_digest].concat();
    let proven = match signal::decode::<OperatorToServer>(&text) {
        Ok(OperatorToServer::Prove { signature }) => signed(&bearer.device, &message, &signature.0),
        Ok(_) | Err(_) => false,
    };
    let changes = site.desk.changes();
    let found = admitted(site, bearer, address).await;
    if !proven && found.is_ok() {
        site.bearer_refused(bearer, address, Wrong::Device).await;
        return line.refuse(RefusalReason::SignIn).await;
    }
    let operator = match found {
        Ok(Ok(operator)) => operator,
        Ok(Err(kept_out)) => return kept_out.tell(site, line, bearer, address).await,
        Err(_) => return line.refuse(RefusalReason::Unavailable).await,
    };
    let until = site.desk.operator_here(connection, address, operator);
    let ends = Ends { token: Instant::now() + site.accounts.token_left(bearer), until };
    if site.desk.changes() == changes {
        return Some(ends);
    }
    // Somebody was signed out, disabled or limited between the look at the rows and the room's door:
    // once more, from inside.
    let renewed = site.renew(bearer.operator, &bearer.device).await;
    match renewed.and(admitted(site, bearer, address).await) {
        Ok(Ok(_)) => Some(ends),
        Ok(Err(kept_out)) => kept_out.tell(site, line, bearer, address).await,
        Err(_) => line.refuse(RefusalReason::Unavailable).await,
    }
}

/// Why a device that has proven itself is not let in.
enum KeptOut {
    /// Its sign-in is none any more, or counts for nothing where it is.
    SignIn,
    /// By the account's hours alone (S63).
    Hours,
}

impl KeptOut {
    async fn tell<T>(
        self,
        site: &Site,
        line: &mut Line,
        bearer: &Bearer,
        address: IpAddr,
    ) -> Option<T> {
        let opening = match self {
            Self::SignIn => return line.refuse(RefusalReason::SignIn).await,
            Self::Hours => site.accounts.opening(bearer.operator).await,
        };
        site.bearer_refused(bearer, address, Wrong::Outside(Outside::Hours)).await;
        let Ok((opens, zone)) = opening else { return line.refuse(RefusalReason::Unavailable).await };
        line.send(signal::encode(&ServerToOperator::OutsideHours { opens, zone })).await;
        None
    }
}

/// Whoever was connected until his time was over, or until his account or device was taken away, is
/// signed out by it; what he did himself has its own record.
async fn tell_of_end(site: &Site, bearer: &Bearer, over: Over) {
    let kind = match over {
        Over::ItsTime => Kind::LineExpired,
        Over::Otherwise => match site.accounts.operator(bearer).await {
            Ok(None) => Kind::LineRevoked,
            Ok(Some(_)) | Err(_) => return,
        },
    };
    let mut event = Event::new(kind);
    event.operator = Some(bearer.operator.0);
    site.desk.witness(&event);
    site.desk.put(Job { work: Work::Happened(event), then: Then::Nobody });
}

/// Who the bearer is, if his token is still one (T55) and counts where he is.
async fn admitted(
    site: &Site,
    bearer: &Bearer,
    address: IpAddr,
) -> Result<Result<Operator, KeptOut>, sqlx::Error> {
    if !site.accounts.is_current(bearer).await? {
        return Ok(Err(KeptOut::SignIn));
    }
    let Some(operator) = site.accounts.operator(bearer).await? else {
        return Ok(Err(KeptOut::SignIn));
    };
    Ok(match site.accounts.still_admits(bearer.operator, address).await? {
        Ok(()) => Ok(operator),
        Err(Outside::Hours) => Err(KeptOut::Hours),
        Err(Outside::Address | Outside::Mac | Outside::Unreadable) => Err(KeptOut::SignIn),
    })
}

fn why_not(text: &str) -> RefusalReason {
    match signal::version_of(text.as_bytes()) {
        Some(version) if version != PROTOCOL_VERSION => {
            RefusalReason::Version { server: PROTOCOL_VERSION }
        }
        Some(_) | None => RefusalReason::Message,
    }
}

enum Heard {
    Understood,
    /// The answer is on its way, and the connection is closed behind it.
    Not,
}

struct Line {
    socket: WebSocket,
    rules: SocketRules,
}

impl Line {
    /// Until either side ends it, it falls silent, or its end has come.
    async fn converse(
        mut self,
        mut texts: mpsc::Receiver<String>,
        mut ends: Option<Ends>,
        mut hear: impl FnMut(&str) -> Heard,
        pinged: impl Fn(),
    ) -> Over {
        let opened = Instant::now();
        let mut first = ends.is_none();
        let mut heard_at = opened;
        let mut pings = interval(self.rules.ping_every);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let mut patience = heard_at + self.rules.silence;
            if first {
                patience = patience.min(opened + self.rules.first_message);
            }
            patience = ends.as_ref().map_or(patience, |ends| ends.at().min(patience));
            tokio::select! {
                text = texts.recv() => match text {
                    Some(text) => if self.send(text).await.is_none() { return Over::Otherwise },
                    None => break,
                },
                message = self.socket.recv() => {
                    heard_at = Instant::now();
                    match Self::take(message) {
                        Taken::Text(text) => {
                            first = false;
                            if let Heard::Not = hear(&text) {
                                // Who takes no text is not waited for once more with the next.
                                while let Ok(text) = texts.try_recv() {
                                    if self.send(text).await.is_none() {
                                        return Over::Otherwise;
                                    }
                                }
                                break;
                            }
                        }
                        Taken::Nothing => pinged(),
                        Taken::End => break,
                    }
                },
                _ = pings.tick() => {
                    let ping = self.socket.send(Message::Ping(Vec::new().into()));
                    if !matches!(timeout(SEND, ping).await, Ok(Ok(()))) {
                        return Over::Otherwise;
                    }
                },
                () = Ends::changed(&mut ends) => {}
                () = tokio::time::sleep_until(patience) => break,
            }
        }
        self.close().await;
        if ends.is_some_and(|ends| ends.at() <= Instant::now()) {
            Over::ItsTime
        } else {
            Over::Otherwise
        }
    }

    fn take(message: Option<Result<Message, axum::Error>>) -> Taken {
        match message {
            Some(Ok(Message::Text(text))) => Taken::Text(text.as_str().to_owned()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Taken::Nothing,
            Some(Ok(Message::Binary(_) | Message::Close(_)) | Err(_)) | None => Taken::End,
        }
    }

    /// The first text of a connection that nobody is behind yet.
    async fn hear(&mut self) -> Option<String> {
        for _ in 0..FRAMES_BEFORE {
            let message = self.socket.recv().await;
            match Self::take(message) {
                Taken::Text(text) => return Some(text),
                Taken::Nothing => {}
                Taken::End => return None,
            }
        }
        None
    }

    async fn send(&mut self, text: String) -> Option<()> {
        let sent = timeout(SEND, self.socket.send(Message::text(text))).await;
        matches!(sent, Ok(Ok(()))).then_some(())
    }

    async fn refuse<T>(&mut self, reason: RefusalReason) -> Option<T> {
        self.send(signal::encode(&ServerToOperator::Refused { reason })).await;
        None
    }

    async fn close(&mut self) {
        let frame = CloseFrame { code: close_code::NORMAL, reason: "".into() };
        timeout(SEND, self.socket.send(Message::Close(Some(frame)))).await.ok();
    }
}

/// Why a conversation is over.
enum Over {
    ItsTime,
    Otherwise,
}

enum Taken {
    Text(String),
    Nothing,
    End,
}
