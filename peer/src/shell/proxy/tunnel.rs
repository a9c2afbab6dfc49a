//! CONNECT through an HTTP proxy. Sends name and password only to a proxy that a
//! setting names, and waits for nothing that is not an answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tasuki_protocol::http_answer::{Answer, MAX_HEAD_BYTES, read as read_answer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

use super::address::Proxy;

/// Why a proxy lets nothing through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::shell) enum Refusal {
    /// It asks for name and password, or for others than were sent.
    Password,
    /// It asks for a kind of sign-in that this program does not speak.
    OtherSignIn,
    Status(u16),
    /// What it says is no answer to CONNECT.
    Nonsense,
}

/// After it every byte of `stream` is the far end's.
///
/// # Errors
/// See [`Refusal`].
pub(in crate::shell) async fn open<S>(stream: &mut S, proxy: &Proxy, place: &str) -> Result<(), Refusal>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = request(proxy, place);
    match ask(stream, request.as_bytes()).await? {
        Answer::Open => Ok(()),
        Answer::AsksForBasic => Err(Refusal::Password),
        Answer::AsksForOther => Err(Refusal::OtherSignIn),
        Answer::Refused { status } => Err(Refusal::Status(status)),
        Answer::Switched => Err(Refusal::Nonsense),
    }
}

/// Says `request` and reads one answer, not a byte more.
///
/// # Errors
/// [`Refusal::Nonsense`]: what came was none, or the stream ended.
pub(in crate::shell) async fn ask<S>(stream: &mut S, request: &[u8]) -> Result<Answer, Refusal>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(request).await.map_err(|_| Refusal::Nonsense)?;
    stream.flush().await.map_err(|_| Refusal::Nonsense)?;
    let mut head = Vec::new();
    loop {
        let mut chunk = [0; 1024];
        let room = chunk.len().min(MAX_HEAD_BYTES - head.len());
        let read = stream.read(&mut chunk[..room]).await.map_err(|_| Refusal::Nonsense)?;
        if read == 0 {
            return Err(Refusal::Nonsense);
        }
        head.extend_from_slice(&chunk[..read]);
        if let Some(answer) = read_answer(&head).map_err(|_| Refusal::Nonsense)? {
            return Ok(answer);
        }
    }
}

fn request(proxy: &Proxy, place: &str) -> Zeroizing<String> {
    let mut request = format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n");
    if let Some(sign_in) = &proxy.sign_in {
        let pair = Zeroizing::new(format!("{}:{}", sign_in.name, sign_in.password));
        let basic = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
        request.push_str(&format!("Proxy-Authorization: Basic {}\r\n", basic.as_str()));
    }
    request.push_str("\r\n");
    Zeroizing::new(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn with_answer(answer: &'static [u8]) -> (Result<(), Refusal>, String) {
        let (mut near, mut far) = tokio::io::duplex(64 * 1024);
        let proxy: Proxy = "http://hanako:geheim@proxy:3128".parse().unwrap();
        let far = tokio::spawn(async move {
            let mut asked = vec![0; 1024];
            let length = far.read(&mut asked).await.unwrap();
            far.write_all(answer).await.unwrap();
            String::from_utf8(asked[..length].to_vec()).unwrap()
        });
        let opened = open(&mut near, &proxy, "help.example:443").await;
        (opened, far.await.unwrap())
    }

    #[tokio::test]
    async fn s84_a_tunnel_is_asked_for_with_name_and_password() {
        let (opened, asked) = with_answer(b"HTTP/1.0 200 ok\r\n\r\n").await;
        assert_eq!(opened, Ok(()));
        assert_eq!(
            asked,
            "CONNECT help.example:443 HTTP/1.1\r\nHost: help.example:443\r\n\
             Proxy-Authorization: Basic aGFuYWtvOmdlaGVpbQ==\r\n\r\n"
        );
    }

    #[tokio::test]
    async fn a_proxy_that_refuses_hangs_up_or_babbles_is_told_apart() {
        let answers: [(&[u8], Refusal); 5] = [
            (b"HTTP/1.1 407 x\r\nProxy-Authenticate: Basic\r\n\r\n", Refusal::Password),
            (b"HTTP/1.1 407 x\r\nProxy-Authenticate: NTLM\r\n\r\n", Refusal::OtherSignIn),
            (b"HTTP/1.1 403 no\r\n\r\n", Refusal::Status(403)),
            (b"HTTP/1.1 200 cut", Refusal::Nonsense),
            (b"\x16\x03\x01 something else", Refusal::Nonsense),
        ];
        for (answer, refusal) in answers {
            assert_eq!(with_answer(answer).await.0, Err(refusal));
        }
    }
}
