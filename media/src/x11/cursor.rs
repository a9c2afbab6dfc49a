//! The cursor as a shape and a place: it is not in the picture, the viewer draws it.

use tasuki_protocol::screen::{CursorPosition, CursorShape, MAX_CURSOR_EDGE, Monitor};
use x11rb::protocol::xfixes::{ConnectionExt as _, GetCursorImageReply};
use x11rb::protocol::xproto::ConnectionExt as _;

use super::connection::{Desktop, lost, refused};
use crate::screen::ScreenError;

pub(super) fn shape(desktop: &Desktop) -> Result<CursorShape, ScreenError> {
    let c = &desktop.connection;
    let reply = c.xfixes_get_cursor_image().map_err(lost)?.reply().map_err(refused("cursor"))?;
    Ok(shape_of(&reply))
}

/// Where the hot spot stands on `monitor`; nowhere while it is on another one.
pub(super) fn position(desktop: &Desktop, monitor: &Monitor) -> Result<CursorPosition, ScreenError> {
    let c = &desktop.connection;
    let at = c.query_pointer(desktop.root).map_err(lost)?.reply().map_err(refused("pointer"))?;
    let along = |at: i16, start: i32, length: u16| {
        u16::try_from(i32::from(at) - start).ok().filter(|place| *place < length)
    };
    let x = along(at.root_x, monitor.x, monitor.width);
    let y = along(at.root_y, monitor.y, monitor.height);
    Ok(CursorPosition(if at.same_screen { x.zip(y) } else { None }))
}

/// A shape larger than the protocol's cap is cut at its right and bottom.
fn shape_of(image: &GetCursorImageReply) -> CursorShape {
    let width = image.width.min(MAX_CURSOR_EDGE);
    let height = image.height.min(MAX_CURSOR_EDGE);
    let lines = image.cursor_image.chunks_exact(usize::from(image.width).max(1));
    let mut rgba = Vec::with_capacity(usize::from(width) * usize::from(height) * 4);
    for line in lines.take(height.into()) {
        for argb in &line[..usize::from(width)] {
            let [blue, green, red, alpha] = argb.to_le_bytes();
            rgba.extend_from_slice(&[red, green, blue, alpha]);
        }
    }
    CursorShape { width, height, hot_x: image.xhot.min(width), hot_y: image.yhot.min(height), rgba }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(width: u16, height: u16) -> GetCursorImageReply {
        let cursor_image = vec![0x8040_2010; usize::from(width) * usize::from(height)];
        GetCursorImageReply { width, height, xhot: width, yhot: 1, cursor_image, ..Default::default() }
    }

    #[test]
    fn colours_come_in_the_order_red_green_blue_alpha() {
        let shape = shape_of(&image(2, 3));
        assert!(shape.is_sane());
        assert_eq!(shape.rgba[..4], [0x40, 0x20, 0x10, 0x80]);
    }

    #[test]
    fn a_giant_cursor_is_cut_to_what_the_protocol_allows() {
        let shape = shape_of(&image(300, 260));
        assert!(shape.is_sane());
        assert_eq!((shape.width, shape.height), (256, 256));
        assert!(shape_of(&image(0, 0)).is_sane());
    }
}
