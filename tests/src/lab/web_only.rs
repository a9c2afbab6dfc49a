//! A firewall that lets through only what browsers speak: it reads the names in a ClientHello's
//! ALPN extension, which stand there unencrypted (RFC 7301 §3.1), and cuts off all others.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// What it knows not to be the web.
const STRANGE: &[u8] = b"tasuki-relay";

/// Stands in front of one server until the process ends.
#[derive(Debug)]
pub struct WebOnly {
    pub port: u16,
    cut: Arc<AtomicUsize>,
}

impl WebOnly {
    /// # Errors
    /// No port is to be had.
    pub fn before(server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let cut = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&cut);
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let counter = Arc::clone(&counter);
                // A client that goes away is no matter of the firewall's.
                thread::spawn(move || pass(near, server, &counter).ok());
            }
        });
        Ok(Self { port, cut })
    }

    /// Connections cut off so far.
    pub fn cut(&self) -> usize {
        self.cut.load(Ordering::Relaxed)
    }
}

fn pass(mut near: TcpStream, server: SocketAddr, cut: &AtomicUsize) -> io::Result<()> {
    let mut hello = vec![0; 4096];
    let length = near.read(&mut hello)?;
    if hello[..length].windows(STRANGE.len()).any(|window| window == STRANGE) {
        cut.fetch_add(1, Ordering::Relaxed);
        return Ok(());
    }
    let mut far = TcpStream::connect(server)?;
    for stream in [&near, &far] {
        stream.set_nodelay(true)?;
    }
    far.write_all(&hello[..length])?;
    let (mut back, mut forth) = (far.try_clone()?, near.try_clone()?);
    let other = thread::spawn(move || {
        io::copy(&mut back, &mut forth).ok();
        forth.shutdown(Shutdown::Write).ok();
    });
    io::copy(&mut near, &mut far).ok();
    far.shutdown(Shutdown::Write).ok();
    other.join().map_err(|_| io::Error::other("a thread of the firewall broke"))
}
