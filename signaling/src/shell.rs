//! The touching half: files, the database, sockets.

pub mod accounts;
pub mod folder;
pub mod passwords;
pub mod store;
