//! An HTTP proxy as companies have them: CONNECT to port 443 only, name and password wanted,
//! answers in HTTP/1.0.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    thread,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

const MAX_HEAD: usize = 8 * 1024;

/// Serves until the process ends. `sign_in` is `NAME:PASSWORD`.
///
/// # Errors
/// The listener is gone.
pub fn serve(listener: &TcpListener, sign_in: &str) -> io::Result<()> {
    let wanted = format!("proxy-authorization: basic {}", STANDARD.encode(sign_in)).to_lowercase();
    loop {
        let (near, _) = listener.accept()?;
        let wanted = wanted.clone();
        // A client that goes away is no matter of the proxy's.
        thread::spawn(move || attend(near, &wanted).ok());
    }
}

fn attend(mut near: TcpStream, wanted: &str) -> io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && head.len() < MAX_HEAD {
        near.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut words = head.split(' ');
    let (verb, place) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if !head.lines().any(|line| line.to_lowercase() == wanted) {
        return near
            .write_all(b"HTTP/1.0 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"lab\"\r\n\r\n");
    }
    if verb != "CONNECT" || !place.ends_with(":443") {
        return near.write_all(b"HTTP/1.0 403 Forbidden\r\n\r\n");
    }
    let Ok(far) = TcpStream::connect(place) else {
        return near.write_all(b"HTTP/1.0 502 Bad Gateway\r\n\r\n");
    };
    near.write_all(b"HTTP/1.0 200 Connection established\r\n\r\n")?;
    for stream in [&near, &far] {
        stream.set_nodelay(true)?;
    }
    let (back, forth) = ((far.try_clone()?, near.try_clone()?), (near, far));
    let other = thread::spawn(move || pour(back));
    pour(forth);
    other.join().map_err(|_| io::Error::other("a thread of the proxy broke"))
}

fn pour((mut from, mut to): (TcpStream, TcpStream)) {
    // Either end may vanish; the other hears of it below.
    io::copy(&mut from, &mut to).ok();
    to.shutdown(Shutdown::Write).ok();
}
