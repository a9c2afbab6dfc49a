//! Fetching the suspected blocks of a monitor in few, small pieces.
//!
//! A shared segment of 1 MiB is filled strip by strip: that stays in the cache
//! and costs an eighth of the memory of a whole 1080p picture. Where memory cannot
//! be shared (a remote server) pictures travel through the socket.

use tasuki_protocol::screen::Monitor;
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat};

use super::connection::{Desktop, lost, refused};
use super::shm::Segment;
use crate::blocks::{Area, BLOCK, ChangedBlocks};
use crate::canvas::Canvas;
use crate::screen::ScreenError;

const STRIP_BYTES: usize = 1 << 20;

#[derive(Debug)]
pub(super) enum Fetcher {
    Shared(Segment),
    Socket,
}

impl Fetcher {
    pub(super) fn new(desktop: &Desktop) -> Result<Self, ScreenError> {
        let Some(segment) = Segment::share(desktop, STRIP_BYTES)? else {
            tracing::info!("the display shares no memory: pictures travel through the socket");
            return Ok(Self::Socket);
        };
        Ok(Self::Shared(segment))
    }

    /// Fetches the suspected blocks of `monitor` and marks those that really changed.
    pub(super) fn refresh(
        &mut self,
        desktop: &Desktop,
        monitor: &Monitor,
        suspects: &ChangedBlocks,
        canvas: &mut Canvas,
        changed: &mut ChangedBlocks,
    ) -> Result<(), ScreenError> {
        for strip in strips(suspects, canvas.width, canvas.height, self.room()) {
            let corner =
                ((monitor.x + strip.left as i32) as i16, (monitor.y + strip.top as i32) as i16);
            let size = (strip.width() as u16, strip.height() as u16);
            match self {
                Self::Shared(segment) => {
                    let piece = segment.fetch(desktop, corner, size)?;
                    canvas.absorb(strip, piece, changed);
                }
                Self::Socket => {
                    let piece = fetch_through_socket(desktop, corner, size)?;
                    canvas.absorb(strip, &piece, changed);
                }
            }
        }
        Ok(())
    }

    fn room(&self) -> usize {
        match self {
            Self::Shared(segment) => segment.length(),
            Self::Socket => STRIP_BYTES,
        }
    }
}

fn fetch_through_socket(
    desktop: &Desktop,
    (x, y): (i16, i16),
    (width, height): (u16, u16),
) -> Result<Vec<u8>, ScreenError> {
    let reply = desktop
        .connection
        .get_image(ImageFormat::Z_PIXMAP, desktop.root, x, y, width, height, u32::MAX)
        .map_err(lost)?
        .reply()
        .map_err(refused("picture"))?;
    if reply.data.len() != usize::from(width) * usize::from(height) * 4 {
        return Err(ScreenError::Refused { request: "picture" });
    }
    Ok(reply.data)
}

/// Rectangles of whole block rows that hold every suspect, none above `room` bytes.
/// Neighbouring rows of the same breadth are joined.
fn strips(suspects: &ChangedBlocks, width: u16, height: u16, room: usize) -> Vec<Area> {
    let mut strips: Vec<Area> = Vec::new();
    for run in (0..suspects.rows()).filter_map(|row| suspects.span(row)) {
        let row = Area {
            left: run.first * BLOCK,
            top: run.row * BLOCK,
            right: (run.end * BLOCK).min(width.into()),
            bottom: ((run.row + 1) * BLOCK).min(height.into()),
        };
        match strips.last_mut() {
            Some(last) if joins(last, &row, room) => last.bottom = row.bottom,
            Some(_) | None => strips.push(row),
        }
    }
    strips
}

fn joins(above: &Area, row: &Area, room: usize) -> bool {
    (above.bottom, above.left, above.right) == (row.top, row.left, row.right)
        && (row.bottom - above.top) * row.width() * 4 <= room
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_hold_every_suspect_and_fit_the_room() {
        let mut suspects = ChangedBlocks::none(1920, 1080);
        suspects.insert(3, 5);
        suspects.insert(9, 5);
        suspects.insert(119, 67);
        let few = strips(&suspects, 1920, 1080, STRIP_BYTES);
        assert_eq!(
            few,
            vec![
                Area { left: 48, top: 80, right: 160, bottom: 96 },
                Area { left: 1904, top: 1072, right: 1920, bottom: 1080 },
            ]
        );
        let all = strips(&ChangedBlocks::all(1920, 1080), 1920, 1080, STRIP_BYTES);
        assert_eq!(all.len(), 9);
        assert!(all.iter().all(|a| a.width() * a.height() * 4 <= STRIP_BYTES));
        assert_eq!(all.iter().map(Area::height).sum::<usize>(), 1080);
    }
}
