//! What protects the session, and by which way it goes at the moment.
//!
//! Decides which of the paths is told: the one that carries the session now.

use tasuki_peer::core::path::PathKind;

/// Each path has ciphers of its own; a session moves between paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Protection {
    direct: String,
    relayed: String,
    carries: Option<PathKind>,
}

impl Protection {
    /// A path stands, protected by these. It may carry nothing yet.
    pub(super) fn stands(&mut self, path: PathKind, ciphers: String) {
        match path {
            PathKind::Direct => self.direct = ciphers,
            PathKind::Relayed => self.relayed = ciphers,
        }
    }

    /// What carries the session from now on; `None` while nothing does.
    pub(super) fn goes(&mut self, path: Option<PathKind>) {
        self.carries = path;
    }

    pub fn path(&self) -> Option<PathKind> {
        self.carries
    }

    /// The negotiated suites of the path that carries the session, in the registries' names.
    pub fn ciphers(&self) -> &str {
        match self.carries {
            None => "",
            Some(PathKind::Direct) => &self.direct,
            Some(PathKind::Relayed) => &self.relayed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s99_what_is_told_is_of_the_path_that_carries_the_session_now() {
        let mut protection = Protection::default();
        protection.stands(PathKind::Relayed, "of the relay".to_owned());
        assert_eq!((protection.path(), protection.ciphers()), (None, ""));
        protection.goes(Some(PathKind::Relayed));
        protection.stands(PathKind::Direct, "of the direct path".to_owned());
        assert_eq!(protection.ciphers(), "of the relay", "the other one only stands");
        protection.goes(Some(PathKind::Direct));
        assert_eq!(protection.ciphers(), "of the direct path");
        protection.goes(None);
        assert_eq!(protection.ciphers(), "");
        protection.goes(Some(PathKind::Relayed));
        assert_eq!(protection.ciphers(), "of the relay", "back again");
    }
}
