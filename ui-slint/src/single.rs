//! One window a person: a second start hands its link to the first and ends.
//!
//! The meeting place is a file in the person's own run-time folder, which nobody else can
//! enter. What arrives there is a link and nothing else; it fills the number in (T70).

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tasuki_peer::shell::profile::Profile;
use tasuki_protocol::link::MAX_LINK_BYTES;

use crate::system::{self, Meeting, Visitor};

/// The other one is on this machine and has nothing else to do.
const PATIENCE: Duration = Duration::from_secs(2);

/// What became of this start.
#[derive(Debug)]
pub enum Start {
    /// This is the window.
    First(Option<Door>),
    /// Another one has it, and knows of the link.
    Second,
}

/// Where a second start knocks; gone with the window.
#[derive(Debug)]
pub struct Door {
    meeting: Meeting,
    place: PathBuf,
}

/// `program` meets its own kind in its person's run-time folder, or in the profile's where one is named.
/// That folder is made for its owner alone. A system without such files has no single window, which is
/// a lesser evil than none.
pub fn start(program: &str, profile: &Profile, link: Option<&str>) -> Start {
    start_in(&meeting_place(profile), program, link)
}

/// The person's own run-time folder; where a profile is named, that one's programs meet alone.
fn meeting_place(profile: &Profile) -> PathBuf {
    let runtime =
        std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|dir| dir.is_absolute());
    match runtime {
        Some(folder) if profile.config != profile.state => folder.join("tasuki"),
        Some(_) | None => Path::new(&profile.state).to_owned(),
    }
}

fn start_in(folder: &Path, program: &str, link: Option<&str>) -> Start {
    let place = folder.join(program).with_extension("socket");
    if system::make_private_folder(folder).is_err() {
        return Start::First(None);
    }
    if let Ok(first) = system::visit(&place, PATIENCE)
        && hand_over(first, link.unwrap_or_default()).is_ok()
    {
        return Start::Second;
    }
    // Nobody answers there: what lies there is of a program that was killed.
    let _ = std::fs::remove_file(&place);
    Start::First(Meeting::at(&place).ok().map(|meeting| Door { meeting, place }))
}

impl Door {
    /// Calls `opened` for each later start, from a thread of its own.
    pub fn attend(self, opened: impl Fn(String) + Send + 'static) {
        let thread = std::thread::Builder::new().name("tasuki-door".to_owned());
        let attending = thread.spawn(move || {
            for visitor in self.meeting.visitors() {
                if let Ok(link) = take(visitor) {
                    opened(link);
                }
            }
        });
        if let Err(why) = attending {
            tracing::warn!(%why, "a second start cannot reach this window");
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.place);
    }
}

fn hand_over(mut first: Visitor, link: &str) -> std::io::Result<()> {
    first.write_all(&link.as_bytes()[..link.len().min(MAX_LINK_BYTES + 1)])?;
    first.shutdown(std::net::Shutdown::Write)?;
    let mut taken = [0; 1];
    first.read_exact(&mut taken)
}

fn take(mut visitor: Visitor) -> std::io::Result<String> {
    visitor.set_read_timeout(Some(PATIENCE))?;
    let limit = u64::try_from(MAX_LINK_BYTES + 1).unwrap_or(u64::MAX);
    let mut link = String::new();
    (&visitor).take(limit).read_to_string(&mut link)?;
    visitor.write_all(&[1])?;
    Ok(link)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;

    #[test]
    fn a_second_start_hands_its_link_to_the_first_and_a_dead_socket_is_no_first() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("one.socket"), "left over").unwrap();
        let start = |link| start_in(folder.path(), "one", link);
        let Start::First(Some(door)) = start(None) else { panic!("nobody is first") };
        let (told, heard) = sync_channel(1);
        door.attend(move |link| told.send(link).unwrap());
        let second = start(Some("tasuki://join/48291#1234567"));
        assert!(matches!(second, Start::Second));
        assert_eq!(heard.recv().unwrap(), "tasuki://join/48291#1234567");
        let junk = "x".repeat(100_000);
        assert!(matches!(start(Some(&junk)), Start::Second));
        assert!(heard.recv().unwrap().len() <= MAX_LINK_BYTES + 1);
        let other = start_in(folder.path(), "other", None);
        assert!(matches!(other, Start::First(Some(_))), "each program has one window of its own");
    }
}
