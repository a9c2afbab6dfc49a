//! Rights that change in mid-session: the host's signed word, and what stands of it.
//!
//! The first answer ([`crate::consent`]) opens a session; every later word of the
//! host's person, or his silence, is a [`RightsChange`]. Both ends apply the same
//! changes and so come to the same rights. A change never reaches beyond mode,
//! manifest and the machine's own maximum: that is held against it each time
//! ([`crate::manifest::VerifiedManifest::effective`]).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::consent::{Answer, Consent};
use crate::dsse::Document;
use crate::ids::Digest;
use crate::rights::{Capability, Rights};

/// The longest time for which rights can be asked in mid-session, in seconds.
pub const MAX_GRANT_S: u32 = 3600;

/// One word of the host's person after the first, signed by his end like the consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RightsChange {
    /// The pairing's transcript.
    pub transcript: Digest,
    /// SHA-256 of the manifest's envelope.
    pub manifest: Digest,
    /// From 1, without gaps, within a session.
    pub number: u32,
    /// Milliseconds since the consent, on the host's clock.
    pub after_ms: u64,
    pub change: Change,
    pub rights: Rights,
    /// How long a grant lasts, 1 to [`MAX_GRANT_S`]; 0 for every other change.
    pub seconds: u32,
    /// SHA-256 of the text as shown, UTF-8; zeros where nothing was answered.
    pub shown: Digest,
}

impl Document for RightsChange {
    const PAYLOAD_TYPE: &'static str = "application/vnd.tasuki.rights-change.v1+json";
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Asked for, and allowed for a time.
    Granted,
    /// Asked for, and refused.
    Refused,
    /// Asked for, and nobody answered; counts as a refusal.
    Silent,
    /// Taken away by the host's person.
    TakenAway,
    /// What was taken away, given back for as long as it would have stood.
    GivenBack,
}

/// What stands of the person's word at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    terms: BTreeMap<Capability, Term>,
    withheld: Rights,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Term {
    Until(Instant),
    Session,
}

/// How a right stands with its person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// Never granted, or its time is over.
    None,
    Granted,
    GrantedUntil(Instant),
    /// Granted, and taken away for now.
    Withheld,
}

impl Standing {
    /// The first answer, before any change.
    pub fn of(consent: &Consent) -> Self {
        let granted = match consent.answer {
            Answer::Accepted => consent.granted,
            Answer::Refused | Answer::Silent => Rights::NONE,
        };
        let terms = granted.iter().map(|capability| (capability, Term::Session)).collect();
        Self { terms, withheld: Rights::NONE }
    }

    /// A grant prolongs and never shortens; it also gives back.
    pub fn apply(&mut self, change: &RightsChange, now: Instant) {
        match change.change {
            Change::Granted => {
                let until = Term::Until(now + Duration::from_secs(change.seconds.into()));
                for capability in change.rights.iter() {
                    let term = self.terms.entry(capability).or_insert(until);
                    *term = until.max(*term);
                    self.withheld = self.withheld.without(capability);
                }
            }
            Change::TakenAway => {
                self.withheld = change.rights.iter().fold(self.withheld, Rights::with);
            }
            Change::GivenBack => {
                self.withheld = change.rights.iter().fold(self.withheld, Rights::without);
            }
            Change::Refused | Change::Silent => {}
        }
    }

    /// What the person allows at `now`.
    pub fn at(&self, now: Instant) -> Rights {
        let alive = self.terms.iter().filter(|(_, term)| lives(**term, now));
        let alive = alive.fold(Rights::NONE, |rights, (capability, _)| rights.with(*capability));
        self.withheld.iter().fold(alive, Rights::without)
    }

    pub fn stand(&self, capability: Capability, now: Instant) -> Stand {
        match self.terms.get(&capability).filter(|term| lives(**term, now)) {
            None => Stand::None,
            Some(_) if self.withheld.has(capability) => Stand::Withheld,
            Some(Term::Session) => Stand::Granted,
            Some(Term::Until(until)) => Stand::GrantedUntil(*until),
        }
    }

    /// When the next right ends by itself.
    pub fn next_end(&self, now: Instant) -> Option<Instant> {
        let ends = self.terms.values().filter_map(|term| match term {
            Term::Until(until) if now < *until => Some(*until),
            Term::Until(_) | Term::Session => None,
        });
        ends.min()
    }
}

fn lives(term: Term, now: Instant) -> bool {
    match term {
        Term::Session => true,
        Term::Until(until) => now < until,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Capability as C;

    fn change(change: Change, rights: &[C], seconds: u32) -> RightsChange {
        RightsChange {
            transcript: Digest([0; 32]),
            manifest: Digest([0; 32]),
            number: 1,
            after_ms: 0,
            change,
            rights: Rights::of(rights),
            seconds,
            shown: Digest([0; 32]),
        }
    }

    fn seeing() -> Standing {
        Standing::of(&Consent {
            transcript: Digest([0; 32]),
            manifest: Digest([0; 32]),
            shown: Digest([0; 32]),
            answer: Answer::Accepted,
            granted: Rights::of(&[C::SeeScreen, C::Chat]),
        })
    }

    #[test]
    fn a_timed_grant_ends_by_itself_and_never_shortens_what_stood() {
        let (mut standing, now) = (seeing(), Instant::now());
        standing.apply(&change(Change::Granted, &[C::Operate, C::Chat], 60), now);
        let end = now + Duration::from_secs(60);
        assert_eq!(standing.stand(C::Operate, now), Stand::GrantedUntil(end));
        assert_eq!(standing.stand(C::Chat, now), Stand::Granted);
        assert_eq!(standing.next_end(now), Some(end));
        standing.apply(&change(Change::Granted, &[C::Operate], 5), now);
        assert!(standing.at(end - Duration::from_millis(1)).has(C::Operate));
        assert!(!standing.at(end).has(C::Operate) && standing.at(end).has(C::Chat));
        assert_eq!(standing.next_end(end), None);
    }

    #[test]
    fn what_is_taken_away_comes_back_for_no_longer_than_it_would_have_stood() {
        let (mut standing, now) = (seeing(), Instant::now());
        standing.apply(&change(Change::Granted, &[C::Operate], 60), now);
        standing.apply(&change(Change::TakenAway, &[C::Operate, C::SeeScreen], 0), now);
        assert_eq!(standing.stand(C::Operate, now), Stand::Withheld);
        assert_eq!(standing.at(now), Rights::of(&[C::Chat]));
        standing.apply(&change(Change::GivenBack, &[C::Operate, C::SeeScreen], 0), now);
        assert!(standing.at(now).has(C::Operate) && standing.at(now).has(C::SeeScreen));
        assert!(!standing.at(now + Duration::from_secs(61)).has(C::Operate));
    }

    #[test]
    fn giving_back_what_was_never_granted_and_a_refusal_open_nothing() {
        let (mut standing, now) = (seeing(), Instant::now());
        for kind in [Change::GivenBack, Change::Refused, Change::Silent] {
            standing.apply(&change(kind, &[C::Operate], 60), now);
            assert!(!standing.at(now).has(C::Operate), "{kind:?}");
        }
    }
}
