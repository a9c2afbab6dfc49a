//! The picture's two ends: from a screen to encoded frames, and back to pixels.
//!
//! Neither end knows what carries the frames between them.

mod pace;
mod picture;
mod source;

pub use picture::{Picture, PictureError, WithCursor};
pub use source::{Demand, EncodedFrame, KeyFrame, Source, Step, VideoError};
