//! Who is connected to a display, as the display itself knows it.

use anyhow::Result;
use x11rb::protocol::res::{ClientIdMask, ClientIdSpec, ConnectionExt as _};

use super::Desktop;

/// How many connections a process of this machine holds to the display (X-Resource 1.2). Capture,
/// injection and watching have one each, so that what has stopped is gone from here.
///
/// # Errors
/// The display is gone, or has no X-Resource.
pub fn connections_of(desktop: &Desktop, process: u32) -> Result<usize> {
    let connection = desktop.connect()?;
    connection.res_query_version(1, 2)?.reply()?;
    let all = ClientIdSpec { client: x11rb::NONE, mask: ClientIdMask::LOCAL_CLIENT_PID };
    let reply = connection.res_query_client_ids(&[all])?.reply()?;
    Ok(reply.ids.iter().filter(|client| client.value.first() == Some(&process)).count())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::{desktop::Size, running::PATIENCE};

    #[test]
    fn each_connection_counts_while_it_is_open() {
        let desktop = Desktop::start_bare(Size::new(64, 48)).unwrap();
        let own = std::process::id();
        // Who asks has one.
        await_connections(&desktop, own, 1);
        let more = desktop.connect().unwrap();
        await_connections(&desktop, own, 2);
        drop(more);
        await_connections(&desktop, own, 1);
    }

    /// A display learns a moment later that a connection was closed.
    fn await_connections(desktop: &Desktop, process: u32, wanted: usize) {
        let patience = Instant::now() + PATIENCE;
        while connections_of(desktop, process).unwrap() != wanted {
            assert!(Instant::now() < patience, "not {wanted} connections");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
