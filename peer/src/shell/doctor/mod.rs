//! Examines the way to the server and this desktop, step by step, and names the
//! obstacle: `doctor` of both programs, and "why is it slow?" of the windows (F23).
//!
//! Decides in which order, and what is an obstacle. Sends nothing about this
//! computer or its person to anybody, and opens no session.

mod line;
mod network;
mod obstacles;
mod words;

use std::time::Duration;
use tasuki_media::desktop::{self, Hands, OwnScreen};
use tasuki_media::input::Injector as _;
use tasuki_media::screen::{Screen as _, ScreenError};

use super::fault::Fault;
use super::proxy::Proxies;
use super::texts::Lang;
use super::trust::Trust;
use words::Words;

/// What is examined.
#[derive(Debug, Clone)]
pub struct Patient {
    pub trust: Trust,
    pub proxies: Proxies,
    pub desk: Desk,
}

/// What of this desktop is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Desk {
    /// As in DISPLAY.
    At(String),
    Missing,
    /// It is in use, or nothing of it is wanted.
    LetBe,
}

impl Desk {
    pub fn of(display: Option<String>) -> Self {
        display.filter(|display| !display.is_empty()).map_or(Self::Missing, Self::At)
    }
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Fine,
    /// Everything works, though not as well as it might.
    Note,
    /// This must be mended before a session can be.
    Obstacle,
}

/// One thing found: a sentence for the person, one to be forwarded to whoever runs
/// the network, and a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub verdict: Verdict,
    /// A stable name, like `udp_blocked`.
    pub code: String,
    english: [String; 2],
    japanese: [String; 2],
}

impl Finding {
    pub fn for_person(&self, lang: Lang) -> &str {
        &self.of(lang)[0]
    }

    pub fn for_network(&self, lang: Lang) -> &str {
        &self.of(lang)[1]
    }

    fn of(&self, lang: Lang) -> &[String; 2] {
        match lang {
            Lang::En => &self.english,
            Lang::Ja => &self.japanese,
        }
    }

    fn new(verdict: Verdict, words: Words, values: &[String]) -> Self {
        let [english, japanese] = words.both(values);
        Self { verdict, code: words.code().to_owned(), english, japanese }
    }

    /// The fault's own sentence says to the person what to do.
    fn of_fault(fault: &Fault) -> Self {
        let person = [Lang::En, Lang::Ja].map(|lang| fault.sentence(lang));
        let network = obstacles::for_network(fault).unwrap_or_else(|| person.clone());
        let ([person_en, person_ja], [network_en, network_ja]) = (person, network);
        let (english, japanese) = ([person_en, network_en], [person_ja, network_ja]);
        Self { verdict: Verdict::Obstacle, code: fault.code(), english, japanese }
    }
}

/// Everything that is found, in order; `tell` hears each as it comes.
///
/// # Errors
/// The first obstacle, after everything that can still be examined was.
pub async fn examine(patient: &Patient, mut tell: impl FnMut(&Finding) + Send) -> Result<(), Fault> {
    let mut chart = Chart { tell: &mut tell, first: None };
    network::examine(&patient.trust, &patient.proxies, &mut chart).await;
    match patient.desk.clone() {
        Desk::LetBe => {}
        Desk::Missing if desktop::named() == Err(ScreenError::OtherSystem) => {
            chart.note(Words::OtherSystem, &[]);
        }
        Desk::Missing => chart.note(Words::NoDesktop, &[]),
        Desk::At(display) => {
            let tried = tokio::task::spawn_blocking(move || (try_desktop(&display), display)).await;
            match tried {
                Ok((Ok(size), display)) => {
                    chart.fine(Words::DesktopFine, &[display.clone(), size]);
                    chart.fine(Words::HandsFine, &[display]);
                }
                Ok((Err(why), _)) => chart.obstacle(Fault::Desktop { why: why.to_string() }),
                Err(why) => chart.obstacle(Fault::System { what: "a thread", why: why.to_string() }),
            }
        }
    }
    chart.first.map_or(Ok(()), Err)
}

/// A made-up examination, for windows without a server: a slow line behind a translator that changes
/// the address for each destination.
pub fn made_up() -> Vec<Finding> {
    let server = "support.minato.example:443".to_owned();
    let host = "support.minato.example".to_owned();
    let line = ["38", "740", "310", &server].map(str::to_owned);
    let own = ["192.168.1.23", "203.0.113.40"].map(str::to_owned);
    let fine = |words, values: &[String]| Finding::new(Verdict::Fine, words, values);
    vec![
        fine(Words::NameFound, &[host, "203.0.113.5".to_owned()]),
        fine(Words::NoProxy, std::slice::from_ref(&server)),
        fine(Words::PortOpen, &[server.clone(), "38".to_owned()]),
        fine(Words::KeyRight, &[server.clone(), "TLS 1.3, AES-256-GCM".to_owned()]),
        fine(Words::WebSocketOpen, std::slice::from_ref(&server)),
        fine(Words::ClockRight, &["0".to_owned()]),
        fine(Words::RelayReached, &[server, "81".to_owned()]),
        Finding::new(Verdict::Note, Words::LineSlow, &line),
        Finding::new(Verdict::Note, Words::UdpPerDestination, &own),
        fine(Words::TurnOpen, &["203.0.113.5:443".to_owned()]),
    ]
}

/// One picture, dropped at once, and a hand that does nothing.
fn try_desktop(display: &str) -> Result<String, ScreenError> {
    let mut screen = OwnScreen::open(Some(display))?;
    let grab = screen.grab(Duration::from_secs(2))?;
    let size = grab.picture.map(|picture| format!("{}x{}", picture.width, picture.height));
    Hands::open(Some(display))?.release_all();
    size.ok_or(ScreenError::Lost)
}

/// What was found so far.
struct Chart<'a> {
    tell: &'a mut (dyn FnMut(&Finding) + Send),
    first: Option<Fault>,
}

impl Chart<'_> {
    fn fine(&mut self, words: Words, values: &[String]) {
        (self.tell)(&Finding::new(Verdict::Fine, words, values));
    }

    fn note(&mut self, words: Words, values: &[String]) {
        (self.tell)(&Finding::new(Verdict::Note, words, values));
    }

    fn obstacle(&mut self, fault: Fault) {
        (self.tell)(&Finding::of_fault(&fault));
        self.first.get_or_insert(fault);
    }

    /// An obstacle with words of its own; `fault` is what the program ends with.
    fn obstacle_as(&mut self, words: Words, values: &[String], fault: Fault) {
        (self.tell)(&Finding::new(Verdict::Obstacle, words, values));
        self.first.get_or_insert(fault);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s100_an_obstacle_says_to_each_what_he_can_do_and_carries_its_code() {
        let fault = Fault::ProxyPassword { proxy: "http://proxy:3128".to_owned() };
        let finding = Finding::of_fault(&fault);
        assert_eq!((finding.verdict, finding.code.as_str()), (Verdict::Obstacle, "proxy_password"));
        assert!(finding.for_person(Lang::En).contains("settings.toml"));
        assert!(
            finding.for_network(Lang::En).contains("407")
                && !finding.for_person(Lang::En).contains("407")
        );
        let desk = Finding::of_fault(&Fault::NoDisplay);
        assert_eq!(desk.for_network(Lang::Ja), desk.for_person(Lang::Ja), "no matter of the network");
        let note = Finding::new(Verdict::Note, Words::UdpBlocked, &["help.example:443".to_owned()]);
        assert!(note.for_person(Lang::En).contains("relayed"));
        assert!(note.for_network(Lang::En).contains("help.example:443"));
    }
}
