//! The second factor: an authenticator's digits (RFC 6238), each of which counts once.
//!
//! The secret is sealed in its row. One that was never confirmed by its digits is kept
//! apart and opens nothing.

use sqlx::Row as _;
use tasuki_protocol::login::Authenticator;
use tasuki_protocol::number::digit;
use totp_rs::{Builder, Secret, Totp};

use super::accounts::Accounts;
use super::clock;
use super::names::Cell;
use crate::core::admission::Outside;

const SECRET_BYTES: usize = 20;
/// Steps of 30 seconds by which the two clocks may differ, each way.
const SKEW: u16 = 1;

/// Whose authenticator: the table that its row stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Operator(i64),
    Admin(i64),
}

/// What became of the digits.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Second {
    /// Right, or none are asked for.
    Passed,
    Missing,
    Wrong,
    /// Right, and not for the first time.
    Used,
    /// Not those of the authenticator that is being set up, whose secret was just shown: a slip, and no guess.
    Slipped,
    /// This authenticator is to be set up: its `otpauth:` address.
    SetUp {
        uri: String,
    },
}

struct Row {
    secret: Option<Vec<u8>>,
    pending: Option<Vec<u8>>,
}

impl Owner {
    fn row(self) -> (&'static str, i64) {
        match self {
            Self::Operator(id) => ("SELECT totp, totp_pending FROM operators WHERE id = ?", id),
            Self::Admin(id) => ("SELECT totp, totp_pending FROM admins WHERE id = ?", id),
        }
    }

    /// Takes a step once: whoever comes second changes no row.
    fn spend(self) -> (&'static str, i64) {
        match self {
            Self::Operator(id) => {
                ("UPDATE operators SET totp_step = ?1 WHERE id = ?2 AND totp_step < ?1", id)
            }
            Self::Admin(id) => {
                ("UPDATE admins SET totp_step = ?1 WHERE id = ?2 AND totp_step < ?1", id)
            }
        }
    }

    fn confirm(self) -> (&'static str, i64) {
        let operators = "UPDATE operators SET totp = totp_pending, totp_pending = NULL, totp_step = ?1
             WHERE id = ?2 AND totp IS NULL AND totp_pending IS NOT NULL";
        let admins = "UPDATE admins SET totp = totp_pending, totp_pending = NULL, totp_step = ?1
             WHERE id = ?2 AND totp IS NULL AND totp_pending IS NOT NULL";
        match self {
            Self::Operator(id) => (operators, id),
            Self::Admin(id) => (admins, id),
        }
    }

    fn keep(self) -> (&'static str, i64) {
        match self {
            Self::Operator(id) => ("UPDATE operators SET totp_pending = ?1 WHERE id = ?2", id),
            Self::Admin(id) => ("UPDATE admins SET totp_pending = ?1 WHERE id = ?2", id),
        }
    }
}

impl Accounts {
    /// From where, or when, he may not sign in nobody sets an authenticator up: he is asked for the one that the
    /// account has, and so shows all of himself before he is told which limit holds.
    pub(crate) async fn second_step(
        &self,
        (owner, name): (Owner, &str),
        (digits, wish): (Option<&str>, Authenticator),
        outside: Option<Outside>,
    ) -> Result<Second, sqlx::Error> {
        if outside.is_some() && !self.has_authenticator(owner).await? {
            return Ok(Second::Passed);
        }
        self.second_factor(owner, name, digits, wish).await
    }

    /// Judges `digits`. `name` stands in a new authenticator's address.
    pub(crate) async fn second_factor(
        &self,
        owner: Owner,
        name: &str,
        digits: Option<&str>,
        wish: Authenticator,
    ) -> Result<Second, sqlx::Error> {
        let row = self.authenticator(owner).await?;
        if let Some(secret) = row.secret {
            let Some(digits) = digits else { return Ok(Second::Missing) };
            let Some(step) = step_of(&totp(secret), digits) else { return Ok(Second::Wrong) };
            let first = self.spend(owner, step).await?;
            return Ok(if first { Second::Passed } else { Second::Used });
        }
        let wanted = wish == Authenticator::SetUp || self.rules.second_factor_required;
        if !wanted {
            return Ok(Second::Passed);
        }
        if let (Some(pending), Some(digits)) = (row.pending, digits) {
            let Some(step) = step_of(&totp(pending), digits) else { return Ok(Second::Slipped) };
            let (confirm, id) = owner.confirm();
            let confirm = sqlx::query(confirm).bind(step).bind(id).execute(&self.store.writes).await?;
            let done = confirm.rows_affected() == 1;
            return Ok(if done { Second::Passed } else { Second::Wrong });
        }
        self.set_up_authenticator(owner, name).await
    }

    /// Whether the account has an authenticator that counts.
    pub(crate) async fn has_authenticator(&self, owner: Owner) -> Result<bool, sqlx::Error> {
        Ok(self.authenticator(owner).await?.secret.is_some())
    }

    async fn authenticator(&self, owner: Owner) -> Result<Row, sqlx::Error> {
        let (find, id) = owner.row();
        let Some(row) = sqlx::query(find).bind(id).fetch_optional(&self.store.pool).await? else {
            return Ok(Row { secret: None, pending: None });
        };
        let open = |cell: Vec<u8>| self.names.open::<Vec<u8>>(Cell::Authenticator, &cell);
        let secret: Option<Vec<u8>> = row.try_get(0)?;
        // One that cannot be read is none that is not there: nobody gets in without it.
        let secret = secret.map(|cell| open(cell).ok_or(sqlx::Error::WorkerCrashed)).transpose()?;
        Ok(Row { secret, pending: row.try_get::<Option<Vec<u8>>, _>(1)?.and_then(open) })
    }

    async fn spend(&self, owner: Owner, step: i64) -> Result<bool, sqlx::Error> {
        let (spend, id) = owner.spend();
        let spent = sqlx::query(spend).bind(step).bind(id).execute(&self.store.writes).await?;
        Ok(spent.rows_affected() == 1)
    }

    async fn set_up_authenticator(&self, owner: Owner, name: &str) -> Result<Second, sqlx::Error> {
        let unable = |_| sqlx::Error::WorkerCrashed;
        let secret = clock::random::<SECRET_BYTES>().map_err(unable)?.to_vec();
        let cell = self.names.seal(Cell::Authenticator, &secret).map_err(unable)?;
        let (keep, id) = owner.keep();
        sqlx::query(keep).bind(cell).bind(id).execute(&self.store.writes).await?;
        let issuer = percent(&self.organisation);
        let base32 = Secret::from(secret).to_base32();
        let uri = format!("otpauth://totp/{issuer}:{}?secret={base32}&issuer={issuer}", percent(name));
        Ok(Second::SetUp { uri })
    }
}

fn totp(secret: Vec<u8>) -> Totp {
    Builder::new().with_secret(secret).with_skew(SKEW).build_noncompliant()
}

/// The step whose digits these are.
fn step_of(totp: &Totp, digits: &str) -> Option<i64> {
    // Whoever writes Japanese types digits in full width.
    let narrow = |c| digit(c).map_or(c, |value| char::from(b'0' + value));
    let plain: String = digits.chars().filter(|c| !c.is_whitespace()).map(narrow).collect();
    let step = totp.check(&plain, clock::unix())?;
    i64::try_from(step).ok()
}

/// RFC 3986: everything but the unreserved characters.
fn percent(text: &str) -> String {
    let spell = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(spell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_now_and_of_a_step_to_either_side() {
        let secret = vec![7; SECRET_BYTES];
        let totp = totp(secret);
        let now = clock::unix();
        let digits = totp.generate(now).to_string();
        assert!(step_of(&totp, &digits).is_some());
        assert!(step_of(&totp, &totp.generate(now.saturating_sub(30)).to_string()).is_some());
        assert_eq!(step_of(&totp, &totp.generate(now.saturating_sub(300)).to_string()), None);
        assert_eq!(step_of(&totp, ""), None);
    }

    #[test]
    fn s64_digits_in_full_width_are_the_same_digits() {
        let totp = totp(vec![7; SECRET_BYTES]);
        let digits = totp.generate(clock::unix()).to_string();
        let wide = |c: char| char::from_u32(u32::from(c) + 0xFEE0).unwrap();
        let wide: Vec<char> = digits.chars().map(wide).collect();
        let halves: Vec<String> = wide.chunks(3).map(|half| half.iter().collect()).collect();
        assert!(step_of(&totp, &halves.join("\u{3000}")).is_some(), "{halves:?}");
    }

    #[test]
    fn an_address_carries_any_name() {
        assert_eq!(percent("花子 x"), "%E8%8A%B1%E5%AD%90%20x");
    }
}
