//! The end user's window: a number, a question, a banner while somebody is connected, a receipt.

pub mod entry;
pub mod model;
pub mod program;
pub mod scenes;
pub mod view;
