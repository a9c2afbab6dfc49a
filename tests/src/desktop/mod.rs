//! Real desktops for the tests: an X server, a window manager, applications, people.

mod clients;
mod hand;
mod painter;
mod person;
mod picture;
mod reader;
mod wayland;
mod xterm;
mod xvfb;

pub use self::{
    clients::connections_of,
    hand::{Hand, RETURN},
    painter::{Painter, Prepared, paint_wallpaper},
    person::{Ear, nudge_pointer, pointer},
    picture::{Picture, Rgb},
    reader::{Node, Reader, role},
    wayland::{Surface, Wayland},
    xterm::{Notepad, middle_of, open_terminal, wait_focused},
    xvfb::{Desktop, Size},
};
