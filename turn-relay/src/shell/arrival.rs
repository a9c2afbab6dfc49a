//! A connection before it is joined: its ticket, its haste, its farewell.
//!
//! Bytes that come behind the ticket belong to the other end and are kept,
//! up to one buffer, without a look at them.

use std::io;

use tasuki_protocol::ticket::RelayAnswer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::pair::{BUFFER_BYTES, End};
use crate::core::frame::{MAX_FRAME_BYTES, ticket_frame};

/// The sealed ticket. `None` when the connection ended or does not begin with a ticket.
pub(crate) async fn read_ticket<S: AsyncRead + Unpin>(end: &mut End<S>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(frame) = ticket_frame(&bytes).ok()? {
            end.early = frame.rest.to_vec();
            return Some(frame.sealed.to_vec());
        }
        let mut chunk = [0; MAX_FRAME_BYTES];
        let room = MAX_FRAME_BYTES - bytes.len();
        let read = end.stream.read(&mut chunk[..room]).await.ok()?;
        if read == 0 {
            return None;
        }
        bytes.extend_from_slice(&chunk[..read]);
    }
}

/// Notices that a waiting end leaves, and keeps what it says too early up to
/// one buffer; a fuller one is left to TCP's window.
pub(crate) async fn listen_ahead<S: AsyncRead + Unpin>(end: &mut End<S>) -> Option<()> {
    let room = BUFFER_BYTES - end.early.len();
    if room == 0 {
        return std::future::pending().await;
    }
    let mut chunk = [0; 1024];
    let read = end.stream.read(&mut chunk[..room.min(1024)]).await.ok()?;
    end.early.extend_from_slice(&chunk[..read]);
    (read > 0).then_some(())
}

/// Says the answer, closes, and reads on until the bearer has closed too:
/// closing over unread bytes would reset the connection and destroy the answer.
///
/// # Errors
/// The connection is gone; nobody hears the answer.
pub(crate) async fn farewell<S>(stream: &mut S, answer: RelayAnswer) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(&[answer as u8]).await?;
    stream.shutdown().await?;
    let mut chunk = [0; 1024];
    let mut most = BUFFER_BYTES;
    while most > 0 {
        let read = stream.read(&mut chunk).await?;
        if read == 0 {
            break;
        }
        most = most.saturating_sub(read);
    }
    Ok(())
}
