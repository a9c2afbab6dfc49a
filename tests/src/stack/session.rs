//! One session as its two people have it: the operator's program, the agent, and what each says.
//!
//! Knows the commands and events of the programs (design §6), and nothing of what is inside them.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tasuki_peer::shell::{acquaintance::meet, profile::Profile};
use tasuki_protocol::{bundle::Bundle, ids::Role, rights::Mode};

use super::House;
use crate::{
    desktop::{Desktop, Picture},
    running::{Mark, Process, program, until},
};

/// So much of the ends' doings that the ciphers are among it.
const LOGGED: &str = "warn,tasuki_peer::shell::paths=info";

/// Which way a session is told to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Direct,
    Relayed,
    Auto,
}

impl Way {
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Relayed => "relayed",
            Self::Auto => "auto",
        }
    }
}

/// Two desktops: whose help is asked, and who asks.
#[derive(Debug)]
pub struct Desks {
    pub operator: Desktop,
    pub user: Desktop,
}

impl Desks {
    pub fn of(&self, role: Role) -> &Desktop {
        match role {
            Role::Operator => &self.operator,
            Role::Agent => &self.user,
        }
    }

    pub fn of_mut(&mut self, role: Role) -> &mut Desktop {
        match role {
            Role::Operator => &mut self.operator,
            Role::Agent => &mut self.user,
        }
    }
}

/// Dropped, both programs are killed.
#[derive(Debug)]
pub struct Session {
    pub operator: Process,
    pub agent: Process,
    mode: Mode,
    number: String,
    /// The agent's last question came after this.
    asked_since: Mark,
    answered: Option<(Instant, Mark)>,
}

impl Session {
    /// Goes as far as the question on the user's terminal: number given, typed in, both ends
    /// paired. Nobody has answered.
    ///
    /// # Errors
    /// A program refused or fell silent.
    pub fn ring(house: &House, desks: &Desks, mode: Mode, way: Way) -> Result<Self> {
        Self::ring_from(start_operator(house, &desks.operator, mode, way)?, house, desks, mode)
    }

    /// As [`Self::ring`], with an operator's program that was started already.
    ///
    /// # Errors
    /// As [`Self::ring`].
    pub fn ring_from(operator: Process, house: &House, desks: &Desks, mode: Mode) -> Result<Self> {
        let (number, _) = operator.event(Mark::default(), "number", |e| e["event"] == "number")?;
        let number = number["number"].as_str().context("the number is no text")?.to_owned();
        let mut agent = start_agent(house, &desks.user)?;
        agent.say(&number)?;
        agent.event(Mark::default(), "question", |e| e["event"] == "question")?;
        Ok(Self { operator, agent, mode, number, asked_since: Mark::default(), answered: None })
    }

    /// As [`Self::ring`], then yes, then a first frame.
    ///
    /// # Errors
    /// As [`Self::ring`], or no frame came.
    pub fn start(house: &House, desks: &Desks, mode: Mode, way: Way) -> Result<Self> {
        let mut session = Self::ring(house, desks, mode, way)?;
        session.answer("yes")?;
        session.first_frame()?;
        Ok(session)
    }

    /// Reads the question like a person, then types `word`.
    ///
    /// # Errors
    /// The agent is gone.
    pub fn answer(&mut self, word: &str) -> Result<()> {
        an_answer_counts(&self.agent, self.asked_since)?;
        self.asked_since = self.agent.log().mark();
        let mark = self.viewer_mark();
        self.answered = Some((Instant::now(), mark));
        self.agent.say(word)
    }

    /// How long it took from the answer to the viewer's first decoded frame.
    ///
    /// # Errors
    /// Nobody answered, or no frame came.
    pub fn first_frame(&self) -> Result<Duration> {
        let (answered, mark) = self.answered.context("nobody has answered")?;
        let (_, at) = self.viewer().event(mark, "first frame", |e| e["event"] == "first_frame")?;
        Ok(at.duration_since(answered))
    }

    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// As the operator read it out.
    pub fn number(&self) -> &str {
        &self.number
    }

    fn viewer_mark(&self) -> Mark {
        self.viewer().log().mark()
    }

    pub fn end_of(&self, role: Role) -> &Process {
        match role {
            Role::Operator => &self.operator,
            Role::Agent => &self.agent,
        }
    }

    pub fn end_of_mut(&mut self, role: Role) -> &mut Process {
        match role {
            Role::Operator => &mut self.operator,
            Role::Agent => &mut self.agent,
        }
    }

    pub fn viewer(&self) -> &Process {
        self.end_of(self.mode.viewer())
    }

    pub fn viewer_mut(&mut self) -> &mut Process {
        self.end_of_mut(self.mode.viewer())
    }

    pub fn host(&self) -> &Process {
        self.end_of(self.mode.host())
    }

    /// Clicks at a point and types a line there, as the viewer.
    ///
    /// # Errors
    /// The viewer's program is gone.
    pub fn type_line(&mut self, at: (i16, i16), line: &str) -> Result<()> {
        let viewer = self.viewer_mut();
        viewer.say(&format!("click {} {}", at.0, at.1))?;
        viewer.say(&format!("type {line}"))?;
        viewer.say("key Return")
    }

    /// The viewer's account of the session now.
    ///
    /// # Errors
    /// None came.
    pub fn stats(&mut self) -> Result<Value> {
        stats_of(self.viewer_mut())
    }

    /// What the viewer sees now: its decoded picture.
    ///
    /// # Errors
    /// The program did not write it.
    pub fn picture(&mut self, path: &Path) -> Result<Picture> {
        // A picture of before must not be taken for this one.
        let _ = fs::remove_file(path);
        let viewer = self.viewer_mut();
        let mark = viewer.log().mark();
        viewer.say(&format!("screenshot {}", path.display()))?;
        viewer.event(mark, "screenshot", |e| e["event"] == "screenshot")?;
        Picture::load(path)
    }

    /// Waits until the viewer's picture is like the host's screen by `decibels`, and gives the two
    /// (host, viewer).
    ///
    /// # Errors
    /// It never was; says how like it was at best.
    pub fn alike(&mut self, desks: &Desks, path: &Path, decibels: f64) -> Result<(Picture, Picture)> {
        let mut best = 0.0_f64;
        let mode = self.mode;
        let found = until("the two pictures to be alike", || {
            let host = desks.of(mode.host()).picture()?;
            let seen = self.picture(path)?;
            let likeness = host.likeness(&seen).unwrap_or(0.0);
            best = best.max(likeness);
            Ok((likeness >= decibels).then_some((host, seen)))
        });
        found
            .with_context(|| format!("the viewer's picture is like the host's by {best:.1} dB at best"))
    }

    /// Waits until the viewer's picture shows something at a point.
    ///
    /// # Errors
    /// It never did; says what was there.
    pub fn wait_colour(&mut self, path: &Path, at: (usize, usize), colour: [u8; 3]) -> Result<()> {
        let mut last = None;
        let found = until("a colour to arrive", || {
            let picture = self.picture(path)?;
            last = Some(picture.at(at.0, at.1));
            Ok(picture.is_near(at, colour, 24).then_some(()))
        });
        found.with_context(|| format!("awaited {colour:?} at {at:?}, seen {last:?}"))
    }

    /// Ends it as the operator and waits for both programs to close.
    ///
    /// # Errors
    /// One of them stays.
    pub fn end(&mut self) -> Result<()> {
        self.operator.say("end")?;
        for process in [&mut self.operator, &mut self.agent] {
            let mark = Mark::default();
            process.event(mark, "end of the session", |e| e["event"] == "ended")?;
            process.wait_end()?;
        }
        Ok(())
    }
}

/// One end's account of the session now.
///
/// # Errors
/// None came.
pub fn stats_of(process: &mut Process) -> Result<Value> {
    let mark = process.log().mark();
    process.say("stats")?;
    Ok(process.event(mark, "stats", |e| e["event"] == "stats")?.0)
}

/// The operator's program, on his desktop.
///
/// # Errors
/// It cannot be started.
pub fn start_operator(house: &House, desk: &Desktop, mode: Mode, way: Way) -> Result<Process> {
    let mut command = desk.command(program("tasuki")?);
    command.args(["open", "--mode", mode.name(), "--path", way.name(), "--json"]);
    command.args(["--log", LOGGED, "--profile"]).arg(house.profile());
    Process::start("tasuki", command)
}

/// The user's agent, on his desktop, at a terminal.
///
/// # Errors
/// It cannot be started.
pub fn start_agent(house: &House, desk: &Desktop) -> Result<Process> {
    let mut command = desk.command(program("tasuki-agentd")?);
    command.arg("--tenant").arg(house.bundle()).args(["--json", "--log", LOGGED]);
    let profile = house.folder().join("agent");
    is_met(house, &profile)?;
    command.arg("--profile").arg(profile);
    Process::start_at_terminal("tasuki-agentd", &command)
}

/// An agent with this profile has met the organisation before, and leaves less time to read.
fn is_met(house: &House, profile: &Path) -> Result<()> {
    let root = Bundle::open_first(&fs::read(house.bundle())?)?.root;
    fs::create_dir_all(profile)?;
    meet(&Profile::at(profile), &root)?;
    Ok(())
}

/// The same, given a number, and the user's yes as soon as one counts.
///
/// # Errors
/// It was asked nothing.
pub fn accept_at_terminal(house: &House, user: &Desktop, number: &str) -> Result<Process> {
    let mut agent = start_agent(house, user)?;
    agent.say(number)?;
    agent.event(Mark::default(), "question", |e| e["event"] == "question")?;
    an_answer_counts(&agent, Mark::default())?;
    agent.say("yes")?;
    Ok(agent)
}

/// The question has stood for as long as an agent ignores what is typed (S29, T2).
///
/// # Errors
/// The agent is gone, or asks nothing.
pub fn an_answer_counts(agent: &Process, since: Mark) -> Result<()> {
    agent.event(since, "an answer that counts", |e| e["event"] == "question_open")?;
    Ok(())
}

/// The name of a cipher suite or profile that uses AES with 256-bit keys in GCM (R7).
///
/// # Errors
/// It is another.
pub fn assert_aes_256(cipher: &str) -> Result<()> {
    let plain: String = cipher.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_uppercase();
    // Noise names its only AES, which is of 256 bits, without the number (Noise §12.6).
    let is_strong = plain.contains("AES256GCM") || plain.ends_with("AESGCMSHA256");
    ensure!(is_strong && !plain.contains("AES128"), "{cipher:?} is not AES-256-GCM");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s45_weaker_ciphers_are_not_taken_for_aes_256() {
        for good in [
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_AES_256_GCM_SHA384",
            "SRTP_AEAD_AES_256_GCM",
            "Noise_NNpsk0_25519_AESGCM_SHA256",
            "TLS13_AES_256_GCM_SHA384",
        ] {
            assert!(assert_aes_256(good).is_ok(), "{good}");
        }
        for bad in [
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "SRTP_AES128_CM_SHA1_80",
            "Noise_NN_25519_ChaChaPoly_SHA256",
            "",
        ] {
            assert!(assert_aes_256(bad).is_err(), "{bad}");
        }
    }
}
