//! An X client of our own that draws known things at known times.
//!
//! Decides what is drawn; each call returns when the server has drawn it. Refuses to know who
//! watches.

use std::time::Instant;

use anyhow::Result;
use x11rb::{
    connection::Connection,
    protocol::xproto::{
        ChangeGCAux, ChangeWindowAttributesAux, ConfigureWindowAux, ConnectionExt, CreateGCAux,
        CreateWindowAux, Gcontext, ImageFormat, Pixmap, Rectangle, Window, WindowClass,
    },
    rust_connection::RustConnection,
    wrapper::ConnectionExt as _,
};

use super::{
    picture::{Picture, Rgb},
    xvfb::Desktop,
};

/// One window without a frame, above all others.
#[derive(Debug)]
pub struct Painter {
    connection: RustConnection,
    window: Window,
    pen: Gcontext,
}

impl Painter {
    /// # Errors
    /// The server is gone.
    pub fn open(desktop: &Desktop, place: Rectangle) -> Result<Self> {
        let connection = desktop.connect()?;
        let screen = &connection.setup().roots[0];
        let (root, black) = (screen.root, screen.black_pixel);
        let window = connection.generate_id()?;
        let look = CreateWindowAux::new().override_redirect(1).background_pixel(black);
        connection.create_window(
            x11rb::COPY_DEPTH_FROM_PARENT,
            window,
            root,
            place.x,
            place.y,
            place.width,
            place.height,
            0,
            WindowClass::INPUT_OUTPUT,
            x11rb::COPY_FROM_PARENT,
            &look,
        )?;
        let pen = connection.generate_id()?;
        let font = connection.generate_id()?;
        connection.open_font(font, b"fixed")?;
        connection.create_gc(pen, window, &CreateGCAux::new().graphics_exposures(0).font(font))?;
        connection.map_window(window)?;
        connection.sync()?;
        Ok(Self { connection, window, pen })
    }

    /// Fills a rectangle of the window; gives the time just before the server was asked.
    ///
    /// # Errors
    /// The server is gone.
    pub fn fill(&self, place: Rectangle, colour: Rgb) -> Result<Instant> {
        let pixel = u32::from_be_bytes([0, colour[0], colour[1], colour[2]]);
        let ink = ChangeGCAux::new().foreground(pixel);
        let before = Instant::now();
        self.connection.change_gc(self.pen, &ink)?;
        self.connection.poly_fill_rectangle(self.window, self.pen, &[place])?;
        self.connection.sync()?;
        Ok(before)
    }

    /// Moves the window, as a person drags one.
    ///
    /// # Errors
    /// The server is gone.
    pub fn move_to(&self, x: i32, y: i32) -> Result<()> {
        let place = ConfigureWindowAux::new().x(x).y(y);
        self.connection.configure_window(self.window, &place)?;
        self.connection.sync()?;
        Ok(())
    }

    /// Shifts a rectangle's content up by `by` pixels, as a terminal scrolls.
    ///
    /// # Errors
    /// The server is gone.
    pub fn scroll_up(&self, place: Rectangle, by: u16) -> Result<()> {
        self.connection.copy_area(
            self.window,
            self.window,
            self.pen,
            place.x,
            place.y + by as i16,
            place.x,
            place.y,
            place.width,
            place.height - by,
        )?;
        Ok(())
    }

    /// Writes letters of the server's own font, their foot at (x, y).
    ///
    /// # Errors
    /// The server is gone.
    pub fn write(&self, x: i16, y: i16, ink: Rgb, text: &str) -> Result<()> {
        let pixel = u32::from_be_bytes([0, ink[0], ink[1], ink[2]]);
        let look = ChangeGCAux::new().foreground(pixel);
        self.connection.change_gc(self.pen, &look)?;
        let letters = &text.as_bytes()[..text.len().min(255)];
        let mut item = vec![letters.len() as u8, 0];
        item.extend(letters);
        self.connection.poly_text8(self.window, self.pen, x, y, &item)?;
        Ok(())
    }

    /// Makes what is drawn now the window's ground, which stays when it is moved or uncovered.
    ///
    /// # Errors
    /// The server is gone.
    pub fn keep_content(&self) -> Result<()> {
        let geometry = self.connection.get_geometry(self.window)?.reply()?;
        let (width, height) = (geometry.width, geometry.height);
        let pixmap = self.connection.generate_id()?;
        self.connection.create_pixmap(24, pixmap, self.window, width, height)?;
        self.connection.copy_area(self.window, pixmap, self.pen, 0, 0, 0, 0, width, height)?;
        let look = ChangeWindowAttributesAux::new().background_pixmap(pixmap);
        self.connection.change_window_attributes(self.window, &look)?;
        self.connection.sync()?;
        Ok(())
    }

    /// Draws a picture with its corner at (x, y).
    ///
    /// # Errors
    /// The server is gone.
    pub fn draw(&self, picture: &Picture, x: i16, y: i16) -> Result<()> {
        let prepared = self.prepare(picture)?;
        self.draw_prepared(&prepared, x, y)?;
        self.connection.free_pixmap(prepared.pixmap)?;
        self.connection.sync()?;
        Ok(())
    }

    /// Hands a picture to the server, to be drawn often at little cost.
    ///
    /// # Errors
    /// The server is gone.
    pub fn prepare(&self, picture: &Picture) -> Result<Prepared> {
        let (width, height) = (u16::try_from(picture.width)?, u16::try_from(picture.height)?);
        let pixmap = upload(&self.connection, self.window, self.pen, picture)?;
        Ok(Prepared { pixmap, width, height })
    }

    /// # Errors
    /// The server is gone.
    pub fn draw_prepared(&self, prepared: &Prepared, x: i16, y: i16) -> Result<()> {
        let Prepared { pixmap, width, height } = *prepared;
        self.connection.copy_area(pixmap, self.window, self.pen, 0, 0, x, y, width, height)?;
        self.connection.flush()?;
        Ok(())
    }
}

/// A picture that lies at the server.
#[derive(Debug)]
pub struct Prepared {
    pixmap: Pixmap,
    width: u16,
    height: u16,
}

fn upload(
    connection: &RustConnection,
    window: Window,
    pen: Gcontext,
    picture: &Picture,
) -> Result<Pixmap> {
    let (width, height) = (u16::try_from(picture.width)?, u16::try_from(picture.height)?);
    let data: Vec<u8> = picture.rgb.chunks_exact(3).flat_map(|p| [p[2], p[1], p[0], 0]).collect();
    let pixmap = connection.generate_id()?;
    connection.create_pixmap(24, pixmap, window, width, height)?;
    let row = picture.width * 4;
    // Bands stay below the largest request that every server takes.
    let rows = (200_000 / row).max(1);
    for (band, pixels) in data.chunks(rows * row).enumerate() {
        let (y, lines) = (i16::try_from(band * rows)?, u16::try_from(pixels.len() / row)?);
        let kind = ImageFormat::Z_PIXMAP;
        connection.put_image(kind, pixmap, pen, width, lines, 0, y, 0, 24, pixels)?;
    }
    Ok(pixmap)
}

/// Paints the desktop itself: dusk from deep blue to clay, with a sash across it.
///
/// # Errors
/// The server is gone.
pub fn paint_wallpaper(desktop: &Desktop, sash: Rgb) -> Result<()> {
    let connection = desktop.connect()?;
    let screen = &connection.setup().roots[0];
    let (root, width, height) =
        (screen.root, screen.width_in_pixels.into(), screen.height_in_pixels.into());
    let pen = connection.generate_id()?;
    connection.create_gc(pen, root, &CreateGCAux::new())?;
    let pixmap = upload(&connection, root, pen, &wallpaper(width, height, sash))?;
    let look = ChangeWindowAttributesAux::new().background_pixmap(pixmap);
    connection.change_window_attributes(root, &look)?;
    connection.clear_area(false, root, 0, 0, 0, 0)?;
    connection.sync()?;
    Ok(())
}

fn wallpaper(width: usize, height: usize, sash: Rgb) -> Picture {
    const TOP: Rgb = [22, 32, 51];
    const BOTTOM: Rgb = [92, 74, 84];
    let mut rgb = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        let down = y as f64 / height as f64;
        for x in 0..width {
            let across = (x as f64 - width as f64 * 0.78) + (y as f64 - height as f64 / 2.0) * 0.62;
            let ground = mix(TOP, BOTTOM, down);
            rgb.extend(mix(ground, sash, 0.75 * band(across, 46.0) + 0.25 * band(across - 80.0, 8.0)));
        }
    }
    Picture { width, height, rgb }
}

/// 1 inside a band of this half-width around 0, 0 outside, with an edge of two pixels between.
fn band(distance: f64, half_width: f64) -> f64 {
    ((half_width - distance.abs()) / 2.0).clamp(0.0, 1.0)
}

fn mix(from: Rgb, to: Rgb, share: f64) -> Rgb {
    [0, 1, 2].map(|c| (f64::from(from[c]) * (1.0 - share) + f64::from(to[c]) * share) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desktop::Size;

    #[test]
    fn what_is_drawn_stands_on_the_screen() {
        let desktop = Desktop::start_bare(Size::new(320, 200)).unwrap();
        let place = Rectangle { x: 10, y: 20, width: 100, height: 50 };
        let painter = Painter::open(&desktop, place).unwrap();
        painter.fill(Rectangle { x: 0, y: 0, width: 100, height: 50 }, [250, 10, 20]).unwrap();
        painter.draw(&Picture::plain(20, 20, [1, 200, 3]), 40, 10).unwrap();
        let picture = desktop.picture().unwrap();
        assert_eq!(picture.at(10, 20), [250, 10, 20]);
        assert_eq!(picture.at(55, 35), [1, 200, 3]);
        assert_eq!(picture.at(9, 20), [0, 0, 0]);
    }
}
