//! The program `tasuki-relay`: command line, settings, keys, listeners, words.
//!
//! A server that embeds the relay needs none of this.

pub mod command;
pub mod failure;
pub mod keys;
pub mod run;
pub mod settings;
