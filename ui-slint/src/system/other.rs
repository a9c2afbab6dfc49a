//! Where there are no socket files: a port of this computer alone, whose number lies in a file beside a secret
//! that a visitor must know.

use std::fs::OpenOptions;
use std::io::{Error, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

pub(crate) type Visitor = TcpStream;

const SECRET_BYTES: usize = 32;
/// A visitor that says nothing keeps nobody else waiting for longer.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Meeting {
    listener: TcpListener,
    secret: [u8; SECRET_BYTES],
}

/// A user's own folders are hers alone there by what they inherit.
pub(crate) fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).create(folder)
}

impl Meeting {
    pub(crate) fn at(place: &Path) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let mut secret = [0; SECRET_BYTES];
        getrandom::fill(&mut secret).map_err(|why| Error::other(why.to_string()))?;
        let port = listener.local_addr()?.port().to_be_bytes();
        let mut file = OpenOptions::new().write(true).create_new(true).open(place)?;
        file.write_all(&port)?;
        file.write_all(&secret)?;
        Ok(Self { listener, secret })
    }

    /// Those that know the secret.
    pub(crate) fn visitors(&self) -> impl Iterator<Item = Visitor> + '_ {
        self.listener.incoming().flatten().filter_map(|mut visitor| {
            visitor.set_read_timeout(Some(PATIENCE)).ok()?;
            let mut told = [0; SECRET_BYTES];
            visitor.read_exact(&mut told).ok()?;
            (told == self.secret).then_some(visitor)
        })
    }
}

pub(crate) fn visit(place: &Path, patience: Duration) -> std::io::Result<Visitor> {
    let known = std::fs::read(place)?;
    let (Some((port, secret)), true) =
        (known.split_first_chunk::<2>(), known.len() == 2 + SECRET_BYTES)
    else {
        return Err(ErrorKind::InvalidData.into());
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, u16::from_be_bytes(*port)));
    let mut visitor = TcpStream::connect_timeout(&address, patience)?;
    visitor.set_write_timeout(Some(patience))?;
    visitor.set_read_timeout(Some(patience))?;
    visitor.write_all(secret)?;
    Ok(visitor)
}

/// What this thread has cost so far, and others meanwhile: `GetThreadTimes` is not called here.
pub(crate) fn thread_cpu() -> Duration {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    FIRST.get_or_init(Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_knows_the_secret_is_a_visitor_and_a_place_of_a_dead_program_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("own/one");
        make_private_folder(&own).unwrap();
        let place = own.join("one.socket");
        let wait = Duration::from_secs(10);
        let meeting = Meeting::at(&place).unwrap();
        let port = meeting.listener.local_addr().unwrap();
        let mut stranger = TcpStream::connect(port).unwrap();
        stranger.write_all(&[7; SECRET_BYTES]).unwrap();
        let mut friend = visit(&place, wait).unwrap();
        friend.write_all(b"hello").unwrap();
        let mut heard = [0; 5];
        meeting.visitors().next().unwrap().read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"hello");
        drop(meeting);
        assert!(visit(&place, wait).is_err(), "nobody is there any more");
        std::fs::write(&place, "left over").unwrap();
        assert!(visit(&place, wait).is_err());
    }

    #[test]
    fn what_a_thread_has_cost_only_grows() {
        let before = thread_cpu();
        assert!(thread_cpu() >= before);
    }
}
