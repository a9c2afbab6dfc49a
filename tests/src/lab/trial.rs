//! One session through the lab: the programs as people start them, and which path they came to.

use std::{
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tasuki_protocol::rights::Mode;

use super::{Kind, Layout, Line, PROXY_SIGN_IN, Path, Side, expected, layout};
use crate::{
    desktop::{Desktop, Size},
    running::{Mark, Process, until},
    stack::{House, Way, an_answer_counts, stats_of},
};

/// What a server has where its administrator says nothing (R1).
const DISCLOSURE: &str = "address_disclosure=public";
/// How long a session that must stay relayed is watched.
const WATCH: Duration = Duration::from_secs(4);

/// A small Internet with a server in it, a proxy, and a desktop to be seen.
#[derive(Debug)]
pub struct Lab {
    // Dropped in this order: programs before the networks they run in.
    line: Option<Process>,
    house: House,
    _proxy: Process,
    desk: Desktop,
    layout: Layout,
}

/// What came of one pair.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub operator: Kind,
    pub agent: Kind,
    pub path: Path,
    /// From the person's yes to the first decoded picture, on whichever path.
    pub first_frame: Duration,
    /// From the yes to the session's move onto the direct path.
    pub direct_after: Option<Duration>,
    /// Addresses of his that the operator's program told the other end (R1).
    pub told: Vec<String>,
}

/// How a session is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    pub mode: Mode,
    pub way: Way,
}

/// Two programs in a session. Dropped, both are killed.
#[derive(Debug)]
pub struct Meeting {
    pub operator: Process,
    pub agent: Process,
    /// From the typed number to the question.
    pub paired_after: Duration,
    said: Instant,
    seen: Instant,
}

impl Meeting {
    /// From the person's yes to the first decoded picture, on whichever path.
    pub fn first_frame(&self) -> Duration {
        self.seen.saturating_duration_since(self.said)
    }

    /// Ends it as the operator.
    ///
    /// # Errors
    /// A program stays.
    pub fn end(&mut self) -> Result<()> {
        self.operator.say("end")?;
        for process in [&mut self.operator, &mut self.agent] {
            process.wait_end()?;
        }
        Ok(())
    }
}

impl Lab {
    /// # Errors
    /// A network could not be made, or a program did not start.
    pub fn set_up() -> Result<Self> {
        let layout = Layout::new()?;
        let mut house = House::set_up_at(layout.site())?;
        house.set(&[DISCLOSURE])?;
        let mut command = layout.command_in("px", "lab")?;
        command.args(["proxy", layout::PROXY, PROXY_SIGN_IN]);
        let proxy = Process::start("proxy", command)?;
        proxy.wait_for(Mark::default(), "listening")?;
        let desk = Desktop::start_bare(Size::new(1280, 720))?;
        Ok(Self { line: None, house, _proxy: proxy, desk, layout })
    }

    /// With a relay that speaks TURN.
    ///
    /// # Errors
    /// As [`Self::set_up`].
    pub fn set_up_with_turn() -> Result<Self> {
        let mut lab = Self::set_up()?;
        lab.house.set(&[layout::TURN_ADDRESS])?;
        Ok(lab)
    }

    /// One session between two kinds of network, to its end, with a relay that speaks TURN.
    ///
    /// # Errors
    /// A program failed, or the session never showed a picture.
    pub fn attempt(&mut self, operator: Kind, agent: Kind) -> Result<Outcome> {
        let mut session = self.start(operator, agent)?;
        let asks = &session.operator;
        let path = expected(operator, agent);
        let direct = match path {
            Path::Direct => Some(asks.event(Mark::default(), "the direct path", is_direct)?.1),
            Path::Turn => {
                asks.event(Mark::default(), "a way by TURN", is_turn)?;
                None
            }
            Path::Relayed => {
                thread::sleep(WATCH);
                ensure!(!asks.events(Mark::default()).iter().any(is_turn), "UDP where none can be");
                None
            }
        };
        if path == Path::Turn {
            until("the session to move to it", || {
                let stats = stats_of(&mut session.operator)?;
                Ok((stats["ciphers"]["kind"] == "direct").then_some(()))
            })?;
        }
        let asks = &session.operator;
        let all = asks.events(Mark::default());
        ensure!(direct.is_some() || !all.iter().any(is_direct), "a direct path where none can be");
        let events = asks.events(Mark::default());
        let told = events.iter().filter(|event| event["event"] == "disclosed");
        let told = told.filter_map(|event| event["address"].as_str()).map(str::to_owned).collect();
        session.end()?;
        Ok(Outcome {
            operator,
            agent,
            path,
            first_frame: session.first_frame(),
            direct_after: direct.map(|at| at.saturating_duration_since(session.said)),
            told,
        })
    }

    /// A session that has shown its first picture.
    ///
    /// # Errors
    /// As [`Self::attempt`].
    pub fn start(&mut self, operator: Kind, agent: Kind) -> Result<Meeting> {
        self.line = None;
        self.layout.connect(operator, agent)?;
        self.meet(operator, agent, Call { mode: Mode::View, way: Way::Auto })
    }

    /// A session that has shown its first picture, between an open network and one behind a router
    /// at the end of a long line.
    ///
    /// # Errors
    /// As [`Self::attempt`].
    pub fn start_far(&mut self, line: Line, call: Call) -> Result<Meeting> {
        let (operator, agent) = (Kind::Open, Kind::PortRestricted);
        self.line = None;
        self.layout.connect(operator, agent)?;
        self.line = Some(self.layout.lengthen(Side::Agent, line)?);
        self.meet(operator, agent, call)
    }

    fn meet(&self, operator: Kind, agent: Kind, call: Call) -> Result<Meeting> {
        let asks = self.start_operator(operator, call)?;
        let (number, _) = asks.event(Mark::default(), "number", |e| e["event"] == "number")?;
        let number = number["number"].as_str().context("the number is no text")?.to_owned();
        let typed = Instant::now();
        let mut helped = self.start_agent(agent, &number)?;
        let (_, asked) = helped.event(Mark::default(), "question", |e| e["event"] == "question")?;
        let paired_after = asked.saturating_duration_since(typed);
        an_answer_counts(&helped, Mark::default())?;
        let said = Instant::now();
        helped.say("yes")?;
        let (_, seen) = asks.event(Mark::default(), "first frame", |e| e["event"] == "first_frame")?;
        Ok(Meeting { operator: asks, agent: helped, paired_after, said, seen })
    }

    /// The screen that is seen.
    pub fn desk(&self) -> &Desktop {
        &self.desk
    }

    /// The networks, to be tampered with.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    fn start_operator(&self, kind: Kind, call: Call) -> Result<Process> {
        let mut command = self.program(Side::Operator, kind, "tasuki")?;
        command.args(["open", "--mode", call.mode.name(), "--path", call.way.name(), "--json"]);
        command.arg("--profile").arg(self.house.profile());
        Process::start("tasuki", command)
    }

    fn start_agent(&self, kind: Kind, number: &str) -> Result<Process> {
        let mut command = self.program(Side::Agent, kind, "tasuki-agentd")?;
        command.arg("--tenant").arg(self.house.bundle()).args(["--json", "--number", number]);
        command.arg("--profile").arg(self.house.folder().join("agent"));
        Process::start_at_terminal("tasuki-agentd", &command)
    }

    fn program(&self, side: Side, kind: Kind, name: &str) -> Result<Command> {
        // `command` names the desktop; the network is put in front.
        let mut command = self.desk.command("ip");
        let inner = self.layout.command(side, name)?;
        command.args(inner.get_args());
        for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "XDG_CURRENT_DESKTOP"]
        {
            command.env_remove(variable);
        }
        if kind == Kind::Proxied {
            let (sign_in, place) = (PROXY_SIGN_IN.replace(' ', "%20"), layout::PROXY);
            command.env("HTTPS_PROXY", format!("http://{sign_in}@{place}"));
        }
        Ok(command)
    }

    /// What `doctor` finds at an end of this kind, as codes, without what is found everywhere.
    ///
    /// # Errors
    /// It did not run to its end.
    pub fn diagnose(&mut self, kind: Kind) -> Result<Vec<String>> {
        const EVERYWHERE: [&str; 8] = [
            "name_found",
            "port_open",
            "key_right",
            "websocket_open",
            "relay_reached",
            "line_fine",
            "clock_right",
            "desktop_fine",
        ];
        self.line = None;
        self.layout.connect(kind, Kind::Open)?;
        let mut command = self.program(Side::Operator, kind, "tasuki")?;
        command.args(["doctor", "--json", "--profile"]).arg(self.house.profile());
        let codes = examined(command)?;
        for code in EVERYWHERE {
            ensure!(codes.iter().any(|found| found == code), "no {code} among {codes:?}");
        }
        Ok(codes.into_iter().filter(|code| !EVERYWHERE.contains(&code.as_str())).collect())
    }

    /// What `doctor` finds at the end user's end of a long line, as codes.
    ///
    /// # Errors
    /// It did not run to its end.
    pub fn diagnose_far(&mut self, line: Line) -> Result<Vec<String>> {
        let kind = Kind::PortRestricted;
        self.line = None;
        self.layout.connect(Kind::Open, kind)?;
        self.line = Some(self.layout.lengthen(Side::Agent, line)?);
        let mut command = self.program(Side::Agent, kind, "tasuki-agentd")?;
        command.args(["doctor", "--json", "--tenant"]).arg(self.house.bundle());
        command.arg("--profile").arg(self.house.folder().join("agent"));
        examined(command)
    }
}

fn examined(command: Command) -> Result<Vec<String>> {
    let mut process = Process::start("doctor", command)?;
    process.close_input();
    process.event(Mark::default(), "its end", |e| e["event"] == "examined")?;
    process.wait_end()?;
    let findings = process.events(Mark::default());
    let codes = findings.iter().filter_map(|finding| finding["code"].as_str());
    Ok(codes.map(str::to_owned).collect())
}

/// WebRTC's ciphers on a path that is told as relayed.
fn is_turn(event: &Value) -> bool {
    event["event"] == "path_up" && event["path"] == "relayed" && event["ciphers"]["kind"] == "direct"
}

fn is_direct(event: &Value) -> bool {
    event["event"] == "path_chosen" && event["path"] == "direct"
}
