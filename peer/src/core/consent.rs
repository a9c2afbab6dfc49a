//! The click: the agent asks its person, the operator's end waits for the word.
//!
//! Before an acceptance no path is opened, no desktop command leaves, and no leg
//! that a server hands out is taken (T1, S29). Silence refuses; so does an answer
//! that comes later than the manifest lets a session start.

use std::time::{Duration, Instant};

use tasuki_protocol::blob::Blob;
use tasuki_protocol::consent::{Answer, Consent};
use tasuki_protocol::dsse;
use tasuki_protocol::ids::{Digest, Role};
use tasuki_protocol::message::{EndReason, EndToEnd};
use tasuki_protocol::rights::Rights;

use super::authority::{Authority, able};
use super::door::{Introduced, reason_of};
use super::io::{EndedBy, HumanAct, Input, Output, Question, SessionEvent};
use super::line::Heard;
use super::outbox::Outbox;
use super::session::{Beginning, Evidence, Own, Session};
use super::setup::EndSetup;
use super::snapshot::{Snapshot, StageName, Who};

/// How much later than the agent's own limit its answer may reach the operator.
const ON_THE_WAY: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct AwaitingAnswer {
    asked: Asked,
    introduced: Box<Introduced>,
    setup: Box<EndSetup>,
    until: Instant,
    server_gone: Option<Instant>,
}

#[derive(Debug)]
enum Asked {
    /// The person at this end is asked.
    Here { grantable: Rights },
    /// The person at the other end is.
    There,
}

#[derive(Debug)]
pub(super) enum Answered {
    Waits(AwaitingAnswer),
    Accepted(Box<Session>),
    Over(EndReason, EndedBy),
}

impl AwaitingAnswer {
    pub(super) fn ask(
        introduced: Box<Introduced>,
        setup: &EndSetup,
        time_out: Duration,
        now: Instant,
        out: &mut Outbox,
    ) -> Self {
        let manifest = introduced.manifest.manifest();
        let ceiling = manifest.mode.ceiling().and(manifest.capabilities).and(able());
        let grantable = match manifest.mode.host() {
            Role::Agent => ceiling.and(setup.local),
            Role::Operator => ceiling,
        };
        let until = (now + time_out).min(introduced.manifest.start_by());
        out.push(Output::AskConsent(Question {
            organisation: setup.organisation.clone(),
            manifest: Box::new(manifest.clone()),
            grantable,
            seconds: until.saturating_duration_since(now).as_secs(),
        }));
        let (asked, setup) = (Asked::Here { grantable }, Box::new(setup.clone()));
        Self { asked, introduced, setup, until, server_gone: None }
    }

    pub(super) fn wait(introduced: Box<Introduced>, setup: &EndSetup) -> Self {
        let until = introduced.manifest.start_by() + ON_THE_WAY;
        let (asked, setup) = (Asked::There, Box::new(setup.clone()));
        Self { asked, introduced, setup, until, server_gone: None }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.without_server().map_or(self.until, |until| until.min(self.until))
    }

    fn without_server(&self) -> Option<Instant> {
        self.server_gone.map(|gone| gone + self.setup.times.without_server)
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let manifest = self.introduced.manifest.manifest();
        Snapshot {
            who: Some(Who::of(manifest)),
            host: Some(manifest.mode.host()),
            recording: manifest.recording.into(),
            ..Snapshot::bare(&self.setup.organisation, StageName::Question)
        }
    }

    pub(super) fn mode(&self) -> tasuki_protocol::rights::Mode {
        self.introduced.manifest.manifest().mode
    }

    pub(super) fn turn(mut self, input: Input, now: Instant, out: &mut Outbox) -> Answered {
        if now >= self.until {
            return self.silence(out);
        }
        if self.without_server().is_some_and(|until| now >= until) {
            return self.leave(EndReason::ConnectionLost, EndedBy::Server, out);
        }
        match input {
            Input::ServerUp => {
                self.server_gone = None;
                self.introduced.line.server_up(out);
            }
            Input::ServerDown => {
                self.introduced.line.server_down();
                self.server_gone.get_or_insert(now);
                out.tell(SessionEvent::ServerGone);
            }
            Input::FromServer(message) => {
                let heard = self.introduced.line.take(message, out);
                return self.hear(heard, now, out);
            }
            Input::Human(act) => return self.act(act, now, out),
            Input::Path(..) | Input::Desktop(_) | Input::Wake => {}
        }
        Answered::Waits(self)
    }

    fn act(self, act: HumanAct, now: Instant, out: &mut Outbox) -> Answered {
        match (act, &self.asked) {
            (HumanAct::Accept { granted, shown }, Asked::Here { grantable, .. }) => {
                let granted = granted.and(*grantable);
                self.answer(Answer::Accepted, granted, shown, now, out)
            }
            (HumanAct::Refuse { shown }, Asked::Here { .. }) => {
                self.answer(Answer::Refused, Rights::NONE, shown, now, out)
            }
            (HumanAct::End(reason), _) => self.end(reason, EndedBy::ThisEnd, out),
            (
                HumanAct::Accept { .. }
                | HumanAct::Refuse { .. }
                | HumanAct::Operate(_)
                | HumanAct::ShowMonitor(_)
                | HumanAct::TookScreenshot
                | HumanAct::AskRights { .. }
                | HumanAct::Answer { .. }
                | HumanAct::TakeAway(_)
                | HumanAct::GiveBack(_)
                | HumanAct::Pause
                | HumanAct::Resume
                | HumanAct::Chat(_),
                Asked::Here { .. } | Asked::There,
            ) => Answered::Waits(self),
        }
    }

    fn answer(
        mut self,
        answer: Answer,
        granted: Rights,
        shown: Digest,
        now: Instant,
        out: &mut Outbox,
    ) -> Answered {
        let Asked::Here { .. } = &self.asked else { return Answered::Waits(self) };
        let consent = Consent {
            transcript: self.introduced.transcript,
            manifest: self.introduced.manifest.digest(),
            shown,
            answer,
            granted,
        };
        let envelope = Blob(dsse::sign(&consent, &self.setup.device));
        self.introduced.line.say(EndToEnd::Consent { envelope: envelope.clone() }, out);
        self.decide(consent, envelope, EndedBy::ThisEnd, now, out)
    }

    fn decide(
        mut self,
        consent: Consent,
        envelope: Blob,
        by: EndedBy,
        now: Instant,
        out: &mut Outbox,
    ) -> Answered {
        let mode = self.mode();
        out.tell(SessionEvent::Consent { mode, granted: consent.granted });
        let reason = match consent.answer {
            Answer::Accepted => return Answered::Accepted(self.begin(consent, envelope, now, out)),
            Answer::Refused => EndReason::UserRefused,
            Answer::Silent => EndReason::NobodyAnswered,
        };
        self.introduced.line.close(out);
        Answered::Over(reason, by)
    }

    fn begin(self, consent: Consent, envelope: Blob, now: Instant, out: &mut Outbox) -> Box<Session> {
        let Introduced { line, keys, manifest, envelope: signed, peer, transcript } = *self.introduced;
        let EndSetup { device, local, paths, times, organisation, record, .. } = *self.setup;
        let evidence =
            Evidence { session: line.session, transcript, manifest: signed, consent: envelope };
        let own = Own { key: Box::new(device), peer: peer.device, record };
        let authority = Authority::new(manifest, consent, local);
        let beginning =
            Beginning { line, keys, authority, policy: paths, times, organisation, evidence, own };
        Box::new(Session::begin(beginning, now, out))
    }

    fn hear(mut self, heard: Heard, now: Instant, out: &mut Outbox) -> Answered {
        match heard {
            Heard::Said(EndToEnd::Consent { envelope }) => self.read(&envelope, now, out),
            Heard::Said(EndToEnd::End(reason)) => {
                self.leave(reason.of_the_other_end(), EndedBy::OtherEnd, out)
            }
            Heard::Broken | Heard::NotPaired => {
                out.tell(SessionEvent::TranscriptMismatch);
                self.leave(EndReason::Violation, EndedBy::Server, out)
            }
            Heard::Closed(reason) => {
                self.introduced.line.finish();
                out.tell(SessionEvent::ServerClosed { reason });
                self.leave(reason_of(reason), EndedBy::Server, out)
            }
            Heard::Refused(reason) => {
                out.tell(SessionEvent::ServerRefused { reason });
                if self.introduced.line.is_resuming() {
                    return self.leave(EndReason::ConnectionLost, EndedBy::Server, out);
                }
                Answered::Waits(self)
            }
            Heard::Said(EndToEnd::Candidate { .. } | EndToEnd::Software { .. })
            | Heard::Leg(_)
            | Heard::OtherEndBack
            | Heard::Nothing => Answered::Waits(self),
        }
    }

    /// The other end's signed word, which counts only for this very pairing and manifest.
    fn read(self, envelope: &Blob, now: Instant, out: &mut Outbox) -> Answered {
        let Asked::There = &self.asked else { return Answered::Waits(self) };
        let opened = dsse::open::<Consent>(&envelope.0, &[self.introduced.peer.device]);
        let manifest = &self.introduced.manifest;
        let most = manifest.manifest().mode.ceiling().and(manifest.manifest().capabilities);
        match opened {
            Ok(consent)
                if consent.transcript == self.introduced.transcript
                    && consent.manifest == manifest.digest()
                    && consent.granted.is_within(most) =>
            {
                self.decide(consent, envelope.clone(), EndedBy::OtherEnd, now, out)
            }
            Ok(_) | Err(_) => self.end(EndReason::Violation, EndedBy::OtherEnd, out),
        }
    }

    fn silence(mut self, out: &mut Outbox) -> Answered {
        if let Asked::Here { .. } = &self.asked {
            let consent = Consent {
                transcript: self.introduced.transcript,
                manifest: self.introduced.manifest.digest(),
                shown: Digest([0; 32]),
                answer: Answer::Silent,
                granted: Rights::NONE,
            };
            let envelope = Blob(dsse::sign(&consent, &self.setup.device));
            self.introduced.line.say(EndToEnd::Consent { envelope }, out);
            out.tell(SessionEvent::Consent { mode: self.mode(), granted: Rights::NONE });
        }
        self.leave(EndReason::NobodyAnswered, EndedBy::ThisEnd, out)
    }

    /// Ends here, and says so to the other end.
    fn end(mut self, reason: EndReason, by: EndedBy, out: &mut Outbox) -> Answered {
        self.introduced.line.say(EndToEnd::End(reason), out);
        self.leave(reason, by, out)
    }

    fn leave(mut self, reason: EndReason, by: EndedBy, out: &mut Outbox) -> Answered {
        if let Asked::Here { .. } = self.asked {
            out.push(Output::WithdrawQuestion);
        }
        self.introduced.line.close(out);
        Answered::Over(reason, by)
    }
}
