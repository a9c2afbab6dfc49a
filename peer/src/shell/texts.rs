//! Every sentence that the programs say, in English and in Japanese (S100).
//!
//! Decides words only. `{0}`, `{1}` … stand for values, the same in both languages.

use tasuki_protocol::rights::{Capability, Mode, Rights};

/// The languages that the programs speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    En,
    Ja,
}

impl Lang {
    /// `ja`, `ja_JP.UTF-8` and the like are Japanese; all else is English.
    pub fn of_locale(locale: &str) -> Self {
        if locale.to_ascii_lowercase().starts_with("ja") { Self::Ja } else { Self::En }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ja => "ja",
        }
    }
}

macro_rules! texts {
    ($(#[$doc:meta])* $catalogue:ident: $($name:ident => $en:literal, $ja:literal;)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $catalogue { $($name),+ }

        impl $catalogue {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The sentence with its places unfilled.
            pub fn say(self, lang: super::Lang) -> &'static str {
                match (self, lang) {
                    $((Self::$name, super::Lang::En) => $en, (Self::$name, super::Lang::Ja) => $ja,)+
                }
            }

            /// The sentence with `values` in its places.
            pub fn fill(self, lang: super::Lang, values: &[&str]) -> String {
                super::fill(self.say(lang), values)
            }

            /// A stable name for programs that read the events.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }
        }
    };
}

#[path = "catalogue.rs"]
mod catalogue;
#[path = "session_catalogue.rs"]
mod session_catalogue;
pub use catalogue::Text;
pub use session_catalogue::SessionText;

impl Text {
    /// Its name as it stands in events: `FaultNoDisplay` is `no_display`.
    pub fn code(self) -> String {
        let mut code = String::new();
        for c in self.name().trim_start_matches("Fault").chars() {
            if c.is_ascii_uppercase() && !code.is_empty() {
                code.push('_');
            }
            code.push(c.to_ascii_lowercase());
        }
        code
    }
}

fn fill(sentence: &str, values: &[&str]) -> String {
    let mut rest = sentence;
    let mut out = String::with_capacity(rest.len() + 32);
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        let place = rest[open + 1..].find('}').map(|close| &rest[open + 1..open + 1 + close]);
        let Some(place) = place else { break };
        let value = place.parse().ok().and_then(|index: usize| values.get(index));
        out.push_str(value.copied().unwrap_or_default());
        rest = &rest[open + place.len() + 2..];
    }
    out.push_str(rest);
    out
}

/// A right by the name that people read.
pub fn right(capability: Capability) -> SessionText {
    match capability {
        Capability::SeeScreen => SessionText::RightSeeScreen,
        Capability::Operate => SessionText::RightOperate,
        Capability::ChooseScreen => SessionText::RightChooseScreen,
        Capability::FetchFiles => SessionText::RightFetchFiles,
        Capability::SendFiles => SessionText::RightSendFiles,
        Capability::ReadClipboard => SessionText::RightReadClipboard,
        Capability::WriteClipboard => SessionText::RightWriteClipboard,
        Capability::Screenshot => SessionText::RightScreenshot,
        Capability::Record => SessionText::RightRecord,
        Capability::Chat => SessionText::RightChat,
        Capability::Point => SessionText::RightPoint,
        Capability::Reconnect => SessionText::RightReconnect,
    }
}

/// With the word that commands take.
pub fn mode(mode: Mode) -> SessionText {
    match mode {
        Mode::Manage => SessionText::ModeManage,
        Mode::Control => SessionText::ModeControl,
        Mode::View => SessionText::ModeView,
        Mode::Share => SessionText::ModeShare,
        Mode::Show => SessionText::ModeShow,
    }
}

/// Rights as a list for people.
pub fn rights(rights: Rights, lang: Lang) -> String {
    let names: Vec<&str> = rights.iter().map(|capability| right(capability).say(lang)).collect();
    match (names.is_empty(), lang) {
        (true, _) => SessionText::NoRights.say(lang).to_owned(),
        (false, Lang::En) => names.join(", "),
        (false, Lang::Ja) => names.join("、"),
    }
}

/// A span as people say it: hours, minutes and seconds, of which none is nought.
pub fn span(seconds: u32, lang: Lang) -> String {
    let parts = [
        (seconds / 3600, SessionText::Hour, SessionText::Hours),
        (seconds / 60 % 60, SessionText::Minute, SessionText::Minutes),
        (seconds % 60, SessionText::Second, SessionText::Seconds),
    ];
    let said = parts.into_iter().filter(|(count, ..)| *count > 0).map(|(count, one, many)| {
        let text = if count == 1 { one } else { many };
        text.fill(lang, &[&count.to_string()])
    });
    let said: Vec<String> = said.collect();
    if said.is_empty() { SessionText::Seconds.fill(lang, &["0"]) } else { said.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<String> {
        let mut found: Vec<String> =
            text.split('{').skip(1).filter_map(|t| t.split('}').next().map(str::to_owned)).collect();
        found.sort();
        found.dedup();
        found
    }

    #[test]
    fn s100_every_text_stands_in_both_languages_with_the_same_places() {
        let texts = Text::ALL.iter().map(|t| (t.name(), t.say(Lang::En), t.say(Lang::Ja)));
        let session = SessionText::ALL.iter().map(|t| (t.name(), t.say(Lang::En), t.say(Lang::Ja)));
        for (name, en, ja) in texts.chain(session) {
            assert!(!en.is_empty() && !ja.is_empty(), "{name}");
            assert_eq!(places(en), places(ja), "{name}");
            assert!(!ja.is_ascii(), "{name} is not Japanese: {ja}");
            assert!(en.is_ascii(), "{name} is not plain English: {en}");
        }
    }

    #[test]
    fn a_span_is_said_in_whole_words() {
        let said = |seconds| (span(seconds, Lang::En), span(seconds, Lang::Ja));
        let both = |en: &str, ja: &str| (en.to_owned(), ja.to_owned());
        assert_eq!(said(900), both("15 minutes", "15 分"));
        assert_eq!(said(3600), both("1 hour", "1 時間"));
        assert_eq!(said(7_261), both("2 hours 1 minute 1 second", "2 時間 1 分 1 秒"));
        assert_eq!(said(90), both("1 minute 30 seconds", "1 分 30 秒"));
        assert_eq!(said(0), both("0 seconds", "0 秒"));
    }

    #[test]
    fn a_code_is_the_name_in_small_letters() {
        assert_eq!(Text::FaultWrongServerKey.code(), "wrong_server_key");
        assert_eq!(Text::NoPicture.code(), "no_picture");
    }

    #[test]
    fn values_fill_their_places() {
        let filled = Text::FaultUnreachable.fill(Lang::En, &["host:1", "why"]);
        assert!(filled.contains("host:1") && filled.contains("why") && !filled.contains('{'));
    }

    #[test]
    fn a_japanese_locale_is_told_by_its_beginning() {
        assert_eq!(Lang::of_locale("ja_JP.UTF-8"), Lang::Ja);
        assert_eq!(Lang::of_locale("C.UTF-8"), Lang::En);
    }
}
