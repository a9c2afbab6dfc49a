//! What a line of a person or script comes to during a session.
//!
//! Only passes on: a refusal comes from the core or from the other end.

use std::io::ErrorKind;
use std::path::PathBuf;

use tasuki_protocol::input::InputEvent;
use tasuki_protocol::rights::Capability;
use tasuki_protocol::screen::MonitorId;

use super::{Console, Link, Stage, Watched};
use crate::core::io::HumanAct;
use crate::programs::commands::{Act, Line, Wait};
use crate::programs::granting::Grant;
use crate::programs::say::{self, Added, Form};
use crate::programs::waiting::{Done, Waiting};
use crate::shell::desktop::viewer::Spot;
use crate::shell::fault::Fault;
use crate::shell::pictures::{self, Kept, Place, Unkept};
use crate::shell::reasons::IS_THERE;
use crate::shell::texts::{self, SessionText, Text};

impl Console<'_> {
    pub(super) async fn carry_out(&mut self, command: Line) {
        match command {
            Line::Nothing => {}
            Line::End => self.end(self.own_end()).await,
            Line::Wait(wait) => self.wait(wait),
            Line::Stats => self.stats().await,
            Line::Watch(spot) => {
                self.watched = spot.map(|spot| Watched { spot, colour: None, count: 0 });
            }
            Line::Acts(_)
            | Line::Monitor(_)
            | Line::Chat(_)
            | Line::Screenshot(_)
            | Line::Grant(_)
            | Line::Pause
            | Line::Resume
                if self.stage == Stage::Before =>
            {
                self.complain(Text::NoSession, &[]);
            }
            Line::Acts(_) | Line::Monitor(_) | Line::Screenshot(_) | Line::Grant(Grant::Ask { .. })
                if self.shows() =>
            {
                self.complain_of("only_the_viewer", self.live(SessionText::OnlyTheViewer));
            }
            Line::Pause | Line::Resume | Line::Grant(Grant::Take(_) | Grant::Back(_))
                if !self.shows() =>
            {
                self.complain_of("only_the_host", self.live(SessionText::OnlyTheHost));
            }
            Line::Grant(grant) => self.grant(grant).await,
            Line::Pause => self.front.act(HumanAct::Pause).await,
            Line::Resume => self.front.act(HumanAct::Resume).await,
            Line::Acts(acts) => self.acts(acts).await,
            Line::Monitor(monitor) => {
                let known = self.front.viewer.layout().map(|layout| layout.monitors);
                if let Some(known) = known
                    && known.iter().all(|one| one.id != monitor)
                {
                    let values = [monitor.0.to_string(), known.len().to_string()];
                    let values = values.each_ref().map(String::as_str);
                    let text = SessionText::NoSuchMonitor.fill(self.manner.lang, &values);
                    return self.complain_of("no_such_monitor", text);
                }
                self.tell_when_it_goes_out();
                self.front.act(HumanAct::ShowMonitor(monitor)).await;
            }
            Line::Chat(line) => {
                self.tell_when_it_goes_out();
                self.front.act(HumanAct::Chat(line)).await;
            }
            Line::Screenshot(file) => self.screenshot(file).await,
        }
    }

    /// Whether this end's own screen is what the session shows.
    fn shows(&self) -> bool {
        self.host == Some(self.manner.role)
    }

    /// What is kept for later is said to be.
    pub(super) fn tell_when_it_goes_out(&self) {
        if self.link == Link::Away {
            self.complain_of("goes_out_later", self.live(SessionText::GoesOutLater));
        }
    }

    async fn acts(&mut self, acts: Vec<Act>) {
        self.seen = self.front.viewer.shown().count;
        let layout = self.front.viewer.layout();
        let monitor = layout.map_or(MonitorId(0), |layout| layout.shown);
        for act in acts {
            let event = match act {
                Act::Move { x, y } => InputEvent::PointerMove { monitor, x, y },
                Act::Other(event) => event,
            };
            self.front.act(HumanAct::Operate(event)).await;
        }
    }

    fn wait(&mut self, wait: Wait) {
        let waiting = Waiting::begin(wait, self.seen);
        self.waiting = Some(waiting);
        if self.stage == Stage::Up {
            self.stand();
        }
    }

    pub(super) fn waited(&mut self, done: Done) {
        self.waiting = None;
        match done {
            Done::Yes { what, frame } => {
                self.seen = self.seen.max(frame);
                if self.manner.form == Form::Json {
                    say::json(&Added::Waited { what, frame });
                }
            }
            Done::TooLate { patience } => {
                self.complain(Text::WaitedTooLong, &[&patience.as_millis().to_string()]);
            }
        }
    }

    pub(super) fn looked(&mut self) {
        let Some(watched) = &mut self.watched else { return };
        let shown = self.front.viewer.shown();
        watched.count = shown.count;
        let colour = self.front.viewer.colour(watched.spot);
        if colour == watched.colour {
            return;
        }
        watched.colour = colour;
        let Some([red, green, blue]) = colour else { return };
        let colour = format!("{red:02x}{green:02x}{blue:02x}");
        let Spot { x, y } = watched.spot;
        say::json(&Added::Pixel { x, y, colour, frame: shown.frame, at_us: shown.at_us });
    }

    async fn stats(&self) {
        let Some(report) = self.front.report().await else { return };
        match self.manner.form {
            Form::Json => say::json(&Added::Stats { report: &report }),
            Form::Plain => {
                say::stats(&report, self.manner.lang).iter().for_each(|line| say::print(line))
            }
        }
    }

    /// S7, S22: the viewer's picture as a file, told to the host.
    async fn screenshot(&mut self, file: PathBuf) {
        let lang = self.manner.lang;
        if !self.granted.has(Capability::Screenshot) {
            let right = texts::right(Capability::Screenshot).say(lang);
            return self.complain(Text::NotAllowedHere, &[right]);
        }
        let make = move || new_file(file);
        match pictures::keep(self.front.orders.clone(), self.front.viewer.clone(), make).await {
            Ok(kept) => self.kept(&kept),
            Err(Unkept::NoPicture) => self.complain(Text::NoPicture, &[]),
            // The core has said why.
            Err(Unkept::Untold) => {}
            Err(Unkept::Unwritten(fault)) => self.complain_of(&fault.code(), fault.sentence(lang)),
        }
    }

    fn kept(&mut self, Kept { file, width, height }: &Kept) {
        self.receipt.pictures += 1;
        let (width, height) = (*width, *height);
        let file = file.display().to_string();
        let values = [file.as_str(), &width.to_string(), &height.to_string()];
        self.tell(&Text::ScreenshotKept.fill(self.manner.lang, &values));
        if self.manner.form == Form::Json {
            say::json(&Added::Screenshot { file, width, height });
        }
    }
}

/// What was kept before is never written over.
fn new_file(file: PathBuf) -> Result<Place, Fault> {
    match pictures::new_file(&file) {
        Ok(opened) => Ok(Place { file, opened }),
        Err(why) if why.kind() == ErrorKind::AlreadyExists => {
            Err(Fault::CannotWrite { file, why: IS_THERE.to_owned() })
        }
        Err(why) => Err(Fault::CannotWrite { file, why: why.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn s7_a_picture_takes_no_other_files_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("shot.png");
        new_file(file.clone()).unwrap().opened.write_all(b"first").unwrap();
        let why = IS_THERE.to_owned();
        let refused = new_file(file.clone()).unwrap_err();
        assert_eq!(refused, Fault::CannotWrite { file: file.clone(), why });
        assert_eq!(std::fs::read(&file).unwrap(), b"first");
    }
}
