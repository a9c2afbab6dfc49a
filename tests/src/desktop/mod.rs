//! Real desktops for the tests: an X server, a window manager, applications, people.

mod bus;
mod clients;
mod hand;
mod mouse;
mod painter;
mod panel;
mod person;
mod picture;
mod reader;
mod wayland;
mod xev;
mod xterm;
mod xvfb;

pub use self::{
    clients::connections_of,
    hand::{Hand, RETURN, SPACE, TAB},
    mouse::Mouse,
    painter::{Painter, Prepared, paint_wallpaper},
    panel::Panel,
    person::{Ear, nudge_pointer, pointer},
    picture::{Picture, Rgb},
    reader::{Node, Reader, role},
    wayland::{Surface, Wayland},
    xev::KeyTester,
    xterm::{Notepad, middle_of, open_terminal, wait_focused},
    xvfb::{Desktop, Size},
};
