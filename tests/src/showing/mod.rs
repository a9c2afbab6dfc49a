//! The demo's parts: the scene, a run, and what is left for people to read.

mod run;
mod scene;
mod summary;
mod windowed;

pub use self::{
    run::{Run, hold, may_type},
    scene::{SIZE, Scene},
    summary::{both_sides, page},
    windowed::{Windowed, hold_in_windows},
};
