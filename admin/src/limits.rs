//! From where and when an operator or an administrator may sign in: as it is typed, and as it is shown (S63).
//!
//! What is wrong is told here, by its own words; the server judges once more, and its word counts.

use std::net::IpAddr;

use tasuki_protocol::admin::{Hours, Limits};
use tasuki_protocol::policy::hours::Window;

use crate::audit::times::Zone;
use crate::texts::Language;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// What of the limits cannot be used, as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LimitFault {
    Address(String),
    Mac(String),
    Days(String),
    Clock(String),
    Form(String),
    Zone(String),
    /// Refused by the server; more than 64 of one kind, for one.
    Unusable,
    /// Those that stand are sealed in a way that nobody can open.
    Unreadable,
    /// Refused by the server: they would shut out the administrator who sets them for himself.
    Yourself,
}

/// The limit that keeps an administrator out who has proven all of himself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outside {
    Addresses,
    Hardware,
    /// Of limits that the server cannot read nobody can tell who is inside.
    Unreadable,
    /// When they begin next, in unix seconds, and by which zone.
    Hours {
        opens: Option<u64>,
        zone: String,
    },
}

/// # Errors
/// Which of them cannot be used, as it was typed.
pub fn typed(addresses: &[String], macs: &[String], text: Option<&str>) -> Result<Limits, LimitFault> {
    Ok(Limits {
        addresses: addresses.iter().map(|text| address(text)).collect::<Result<_, _>>()?,
        macs: macs.iter().map(|text| mac(text)).collect::<Result<_, _>>()?,
        hours: text.map(hours).transpose()?,
    })
}

/// # Errors
/// Neither an address nor a network.
pub fn address(text: &str) -> Result<String, LimitFault> {
    let wrong = || LimitFault::Address(text.to_owned());
    let (host, length) = text.split_once('/').map_or((text, None), |(host, at)| (host, Some(at)));
    let host: IpAddr = host.trim().parse().map_err(|_| wrong())?;
    let most = if host.is_ipv4() { 32 } else { 128 };
    let fits = |at: &str| at.parse::<u8>().is_ok_and(|at| at <= most);
    if length.is_none_or(fits) { Ok(text.trim().to_owned()) } else { Err(wrong()) }
}

/// # Errors
/// Not six pairs of hexadecimal digits.
pub fn mac(text: &str) -> Result<String, LimitFault> {
    let pairs: Vec<&str> = text.trim().split([':', '-']).collect();
    let is_pair = |pair: &&str| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit());
    if pairs.len() == 6 && pairs.iter().all(is_pair) {
        Ok(text.trim().to_owned())
    } else {
        Err(LimitFault::Mac(text.to_owned()))
    }
}

/// As a policy has it: `mon-fri 09:00-18:00 Asia/Tokyo`, `daily 22:00-06:00`; by UTC where no zone is named.
///
/// # Errors
/// Says which part is wrong.
pub fn hours(text: &str) -> Result<Hours, LimitFault> {
    window(text).map(|window| window.of_account())
}

/// With the policy's own zone, where `text` names none and the policy does.
pub fn in_zone(text: &str, usual: Option<&str>) -> String {
    match usual.filter(|_| window(text).is_ok_and(|window| !window.names_a_zone())) {
        Some(zone) => format!("{} {zone}", text.trim()),
        None => text.to_owned(),
    }
}

fn window(text: &str) -> Result<Window, LimitFault> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [days, clock, zone @ ..] = &words[..] else { return Err(LimitFault::Form(text.to_owned())) };
    let (days, lower) = (*days, days.to_lowercase());
    let read = |days: &str, clock: &str| format!("{days} {clock}").parse::<Window>();
    if read(&lower, "00:00-24:00").is_err() {
        return Err(LimitFault::Days(days.to_owned()));
    }
    if read(&lower, clock).is_err() {
        return Err(LimitFault::Clock((*clock).to_owned()));
    }
    match zone {
        [] | [_] => {}
        [_, ..] => return Err(LimitFault::Form(text.to_owned())),
    }
    let whole = [&[lower.as_str(), clock], zone].concat().join(" ");
    whole.parse().map_err(|_| LimitFault::Zone(zone.concat()))
}

/// What becomes of limits that are not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    Stay,
    Lifted,
}

/// `given` in the place of what stands in `now`, kind by kind.
pub fn changed(now: Limits, given: Limits, others: Others) -> Limits {
    let before = if others == Others::Lifted { Limits::default() } else { now };
    let or = |given: Vec<String>, before| if given.is_empty() { before } else { given };
    Limits {
        addresses: or(given.addresses, before.addresses),
        macs: or(given.macs, before.macs),
        hours: given.hours.or(before.hours),
    }
}

impl Language {
    /// All limits of one account in one line; empty: none.
    pub fn limits(self, limits: &Limits) -> String {
        let mut shown = limits.addresses.clone();
        shown.extend(limits.macs.iter().cloned());
        shown.extend(limits.hours.as_ref().map(spelled));
        shown.join(", ")
    }

    /// In the place of limits that nobody can open.
    /// `whose`: `admin` or `operator`.
    pub fn limits_unreadable(self, whose: &str) -> String {
        self.pick(
            format!("cannot be read: not let in; set them anew with `{whose} limit NAME --none`"),
            format!(
                "読み取れません（サインイン不可。`{whose} limit 名前 --none` で設定し直してください）"
            ),
        )
    }

    pub fn limits_of(self, operator: &str, limits: &Limits) -> String {
        let shown = self.limits(limits);
        if shown.is_empty() {
            return self.pick(
                format!("{operator} may sign in from anywhere at any time."),
                format!("{operator} はどこからでも、いつでもサインインできます。"),
            );
        }
        self.pick(
            format!("{operator} may sign in: {shown}. `--none` lifts all of it."),
            format!("{operator} がサインインできる範囲: {shown}（`--none` ですべて解除）"),
        )
    }

    pub fn limit_wrong(self, fault: &LimitFault) -> String {
        match fault {
            LimitFault::Address(text) => self.pick(
                format!("{text:?} is neither an address nor a network. They are like 192.0.2.7, 192.0.2.0/24 or 2001:db8::/48."),
                format!("{text:?} はアドレスでもネットワークでもありません。192.0.2.7、192.0.2.0/24、2001:db8::/48 のように指定してください。"),
            ),
            LimitFault::Mac(text) => self.pick(
                format!("{text:?} is no hardware address. They are like 02:00:5e:10:00:01."),
                format!("{text:?} は MAC アドレスではありません。02:00:5e:10:00:01 のように指定してください。"),
            ),
            LimitFault::Days(text) => self.pick(
                format!("{text:?} are no days. They are like daily, mon-fri or mon,wed,sat."),
                format!("{text:?} は曜日の指定として使えません。daily、mon-fri、mon,wed,sat のように指定してください。"),
            ),
            LimitFault::Clock(text) => self.pick(
                format!("{text:?} are no times of day. They are like 09:00-18:00, at most 24:00; an end before its beginning is on the next day."),
                format!("{text:?} は時刻の範囲として使えません。09:00-18:00 のように指定してください（24:00 まで。終わりが始まりより前なら翌日です）。"),
            ),
            LimitFault::Form(text) => self.pick(
                format!("{text:?} needs days and times, and may have one time zone: \"mon-fri 09:00-18:00 Asia/Tokyo\"."),
                format!("{text:?} には曜日と時刻が必要です。タイムゾーンは一つだけ付けられます（例 \"mon-fri 09:00-18:00 Asia/Tokyo\"）。"),
            ),
            LimitFault::Zone(zone) => self.pick(
                format!("There is no time zone {zone:?}. They have names such as Asia/Tokyo or UTC."),
                format!("タイムゾーン {zone:?} はありません。Asia/Tokyo や UTC のように指定してください。"),
            ),
            LimitFault::Unusable => self.pick(
                "The server cannot use these limits: there are at most 64 addresses and 64 hardware addresses. Nothing was changed.",
                "サーバーがこの制限を受け付けません（アドレスと MAC アドレスはそれぞれ 64 個まで）。何も変更していません。",
            ),
            LimitFault::Unreadable => self.pick(
                "The limits that stand cannot be read, and until they are set anew nobody is let in under them: they were changed, or names.key is another than theirs. Nothing was changed. Give all of them beside `--none`, which lifts the old ones.",
                "現在の制限を読み取れません（書き換えられたか、names.key が別のものです）。設定し直すまで、このアカウントはサインインできません。何も変更していません。`--none` とともにすべての制限を指定し直してください。",
            ),
            LimitFault::Yourself => self.pick(
                "You would be outside of these limits yourself, here and now, so nothing was changed: nobody shuts himself out. Include this computer's address and hardware address and this hour, or let another administrator set them.",
                "この制限では、今ここにいる自分自身がサインインできなくなるため、何も変更していません。このコンピュータのアドレスと MAC アドレス、今の時間を含めるか、ほかの管理者が設定してください。",
            ),
        }
    }
}

impl Language {
    /// Why a sign-in with everything right in it opened nothing.
    pub(crate) fn outside(self, outside: &Outside) -> String {
        let why = match outside {
            Outside::Addresses => self.pick(
                "What you typed is right, but you may not sign in from this network address.",
                "入力は正しいのですが、このネットワークアドレスからはサインインできません。",
            ),
            Outside::Hardware => self.pick(
                "What you typed is right, but you may not sign in from this computer's network cards.",
                "入力は正しいのですが、このコンピュータの MAC アドレスではサインインできません。",
            ),
            Outside::Unreadable => self.pick(
                "What you typed is right, but the server cannot read from where and when you may sign in, so it lets nobody in under your name.",
                "入力は正しいのですが、サインインできる場所と時間の設定をサーバーが読み取れないため、この名前ではサインインできません。",
            ),
            Outside::Hours { opens, zone } => {
                let moment =
                    |unix: &u64| Zone::named(Some(zone)).map(|at| at.moment(unix.saturating_mul(1000)));
                let opens = opens.as_ref().and_then(|unix| moment(unix).ok());
                let opens = opens.map_or_else(|| zone.clone(), |at| format!("{at} ({zone})"));
                self.pick(
                    format!("What you typed is right, but these are not your hours. They begin next: {opens}."),
                    format!("入力は正しいのですが、今はサインインできる時間外です。次に使えるようになるのは {opens} です。"),
                )
            }
        };
        let then = self.pick(
            "This was not counted as a wrong try. Another administrator can change it with `tasuki-admin admin limit`.",
            "入力の誤りとしては数えていません。ほかの管理者が `tasuki-admin admin limit` で変更できます。",
        );
        format!("{why}{}{then}", self.pick(" ", ""))
    }
}

/// As it is typed.
fn spelled(hours: &Hours) -> String {
    let name = |day: &u8| DAYS.get(usize::from(*day).wrapping_sub(1)).copied().unwrap_or("?");
    let days = match hours.days.as_slice() {
        [1, .., 7] if hours.days.len() == 7 => "daily".to_owned(),
        [first, .., last] if usize::from(last - first) + 1 == hours.days.len() => {
            format!("{}-{}", name(first), name(last))
        }
        days => days.iter().map(name).collect::<Vec<_>>().join(","),
    };
    let clock = |at: u16| format!("{:02}:{:02}", at / 60, at % 60);
    format!("{days} {}-{} {}", clock(hours.from), clock(hours.until), hours.zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s63_hours_are_shown_as_they_are_typed() {
        for text in [
            "mon-fri 09:00-18:00 Asia/Tokyo",
            "sat 00:00-24:00 UTC",
            "mon,wed,sun 22:30-23:00 Europe/Berlin",
            "daily 22:00-06:00 Asia/Tokyo",
        ] {
            assert_eq!(spelled(&hours(text).unwrap()), text);
        }
        assert_eq!(spelled(&hours("MON,TUE,WED  09:00-10:00 UTC").unwrap()), "mon-wed 09:00-10:00 UTC");
        assert_eq!(spelled(&hours("fri-mon 09:00-18:00").unwrap()), "mon,fri,sat,sun 09:00-18:00 UTC");
    }

    /// S63, S70: what a policy takes for hours an account's limits take, and the other way round.
    #[test]
    fn s63_s70_hours_of_an_account_and_of_a_policy_are_one_language() {
        for text in ["daily 05:00-23:00", "sat,sun 10:00-12:00 Europe/Berlin", "fri 22:00-06:00"] {
            let window: Window = text.parse().unwrap();
            assert_eq!(hours(text).unwrap(), window.of_account());
        }
        assert_eq!(in_zone("daily 05:00-23:00", Some("Asia/Tokyo")), "daily 05:00-23:00 Asia/Tokyo");
        for (text, usual) in [
            ("daily 05:00-23:00", None),
            ("mon 09:00-18:00 UTC", Some("Asia/Tokyo")),
            ("x", Some("UTC")),
        ] {
            assert_eq!(in_zone(text, usual), text);
        }
    }

    #[test]
    fn s63_one_limit_changes_without_the_others_unless_they_are_lifted() {
        let of = |networks: &[&str], text: Option<&str>| Limits {
            addresses: networks.iter().map(|text| (*text).to_owned()).collect(),
            macs: vec!["02:00:5e:10:00:01".to_owned()],
            hours: text.map(|text| hours(text).unwrap()),
        };
        let now = of(&["192.0.2.0/24"], Some("mon-fri 09:00-18:00 UTC"));
        let given = Limits { addresses: vec!["10.0.0.0/8".to_owned()], ..Limits::default() };
        let wanted = of(&["10.0.0.0/8"], Some("mon-fri 09:00-18:00 UTC"));
        assert_eq!(changed(now.clone(), given.clone(), Others::Stay), wanted);
        assert_eq!(changed(now.clone(), given.clone(), Others::Lifted), given);
        assert_eq!(changed(now.clone(), Limits::default(), Others::Stay), now);
        assert_eq!(changed(now, Limits::default(), Others::Lifted), Limits::default());
    }

    #[test]
    fn s63_what_is_wrong_is_told_by_its_part() {
        let wrong = |text: &str| hours(text).unwrap_err();
        assert_eq!(wrong("mo 09:00-18:00 UTC"), LimitFault::Days("mo".into()));
        for clock in ["09:00-09:00", "9-18", "9:00-18:00", "09:60-10:00", "09:00-24:01", "09:00"] {
            assert_eq!(wrong(&format!("mon {clock} UTC")), LimitFault::Clock(clock.into()));
        }
        for text in ["mon", "", "mon 09:00-18:00 UTC UTC"] {
            assert_eq!(wrong(text), LimitFault::Form(text.into()));
        }
        assert_eq!(wrong("mon 09:00-18:00 Tokyo/Asia"), LimitFault::Zone("Tokyo/Asia".into()));
        for text in ["192.0.2.7", "10.0.0.0/8", "2001:db8::/48", "::1"] {
            assert_eq!(address(text).as_deref(), Ok(text));
        }
        for text in ["192.168.0.300", "10.0.0.1/33", "2001:db8::/129", "here", "10.0.0.0/"] {
            assert_eq!(address(text), Err(LimitFault::Address(text.into())));
        }
        assert_eq!(mac("02-00-5E-10-00-01").as_deref(), Ok("02-00-5E-10-00-01"));
        for text in ["02:00:5e:10:00", "02:00:5e:10:00:0g", "020:0:5e:10:00:01"] {
            assert_eq!(mac(text), Err(LimitFault::Mac(text.into())));
        }
    }
}
