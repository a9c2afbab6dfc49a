//! Every sentence that the programs say, in English and in Japanese (S100).
//!
//! Decides words only. `{0}`, `{1}` … stand for values, the same in both languages.

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
    ($($name:ident => $en:literal, $ja:literal;)+) => {
        /// One sentence of the programs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Text { $($name),+ }

        impl Text {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The sentence with its places unfilled.
            pub fn say(self, lang: super::Lang) -> &'static str {
                match (self, lang) {
                    $((Self::$name, super::Lang::En) => $en, (Self::$name, super::Lang::Ja) => $ja,)+
                }
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
pub use catalogue::Text;

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

    /// The sentence with `values` in its places.
    pub fn fill(self, lang: Lang, values: &[&str]) -> String {
        let mut rest = self.say(lang);
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
        for text in Text::ALL {
            let (en, ja) = (text.say(Lang::En), text.say(Lang::Ja));
            assert!(!en.is_empty() && !ja.is_empty(), "{}", text.name());
            assert_eq!(places(en), places(ja), "{}", text.name());
            assert!(!ja.is_ascii(), "{} is not Japanese: {ja}", text.name());
            assert!(en.is_ascii(), "{} is not plain English: {en}", text.name());
        }
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
