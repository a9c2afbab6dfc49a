//! Times the line to the server: a message there and back, and bytes each way, over TLS and through
//! whatever proxy there is, as a relayed session would go.

use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tasuki_protocol::signal::{MAX_REQUEST, SPEED_PATH};
use tokio::time::timeout;

use super::super::dial::{Callee, Stream};
use crate::core::doctor::{Line, rate};

/// How often a message is sent there and back; the quickest counts.
const TRIPS: u32 = 3;
/// At most so many pieces go each way, and none is begun after so long.
const PIECES: u32 = 8;
const ENOUGH: Duration = Duration::from_secs(2);
/// A line that does not carry a piece in this time carries no session.
const PATIENCE: Duration = Duration::from_secs(10);

/// # Errors
/// What went wrong, in the words of whoever said it.
pub(super) async fn measure(callee: &Callee, stream: Stream) -> Result<Line, String> {
    let io = TokioIo::new(stream);
    let (sender, connection) = http1::handshake(io).await.map_err(|why| why.to_string())?;
    let driver = tokio::spawn(connection);
    let line = Asking { sender, host: callee.address() }.all().await;
    driver.abort();
    line
}

struct Asking {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Asking {
    async fn all(mut self) -> Result<Line, String> {
        let mut round_trip = Duration::MAX;
        for _ in 0..TRIPS {
            let (taken, _) = self.ask(Method::POST, Bytes::new()).await?;
            round_trip = round_trip.min(taken);
        }
        let up = Bytes::from_static(&[0; MAX_REQUEST]);
        let up = self.pieces(&Method::POST, &up, round_trip).await?;
        let down = self.pieces(&Method::GET, &Bytes::new(), round_trip).await?;
        Ok(Line { round_trip, down, up })
    }

    async fn pieces(
        &mut self,
        method: &Method,
        body: &Bytes,
        round_trip: Duration,
    ) -> Result<u64, String> {
        let (mut bytes, mut pieces, mut taken) = (0, 0, Duration::ZERO);
        while pieces < PIECES && taken < ENOUGH {
            let (piece, came) = self.ask(method.clone(), body.clone()).await?;
            bytes += body.len() + came;
            taken += piece;
            pieces += 1;
        }
        Ok(rate(bytes, pieces, taken, round_trip))
    }

    /// How long it took, and how many bytes came.
    async fn ask(&mut self, method: Method, body: Bytes) -> Result<(Duration, usize), String> {
        let begun = Instant::now();
        let asking = async {
            self.sender.ready().await.map_err(|why| why.to_string())?;
            let request = Request::builder().method(method).uri(SPEED_PATH).header("host", &self.host);
            let request = request.body(Full::new(body)).map_err(|why| why.to_string())?;
            let answer = self.sender.send_request(request).await.map_err(|why| why.to_string())?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), MAX_REQUEST).collect().await;
            let body = body.map_err(|why| why.to_string())?.to_bytes();
            status.is_success().then_some(body.len()).ok_or_else(|| status.to_string())
        };
        let came = timeout(PATIENCE, asking).await.map_err(|_| "no answer in 10 s".to_owned())??;
        Ok((begun.elapsed(), came))
    }
}
