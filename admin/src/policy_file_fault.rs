//! Why a file is no policy, in two languages: where, which word, and what may stand there.

use crate::slip::meant;

/// Why a file is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFileFault {
    #[error("over 1 MiB")]
    TooLarge,
    /// A word without its quotation marks.
    #[error("line {line}: {word} stands in no quotation marks")]
    Bare { line: usize, name: String, word: String },
    /// A section's name that stands in none, and has other letters than plain ones.
    #[error("line {line}: [{head}] stands in no quotation marks")]
    BareSection { line: usize, head: String },
    /// `why` as the reader of TOML says it, in one line.
    #[error("line {line}, column {column}: {why}")]
    Line {
        line: usize,
        column: usize,
        /// What stands before the `=` of that line, if there is one.
        name: String,
        why: String,
    },
}

impl PolicyFileFault {
    pub(crate) fn english(&self) -> String {
        match self {
            Self::TooLarge => self.to_string(),
            Self::Bare { line, name, word } => {
                format!("line {line}: words stand in quotation marks: {name} = \"{word}\"")
            }
            Self::BareSection { line, head } => {
                format!(
                    "line {line}: a name with other letters than a-z, 0-9, - and _ stands in quotation marks: [{head}]"
                )
            }
            Self::Line { line, column, name, why } => {
                format!("line {line}, column {column}: {}", in_english(name, why))
            }
        }
    }

    pub(crate) fn japanese(&self) -> String {
        match self {
            Self::TooLarge => "1 MiB を超えています".to_owned(),
            Self::Bare { line, name, word } => {
                format!("{line} 行目: 値を引用符で囲んでください: {name} = \"{word}\"")
            }
            Self::BareSection { line, head } => {
                format!("{line} 行目: 英数字と - _ 以外を含む名前は引用符で囲んでください: [{head}]")
            }
            Self::Line { line, column, name, why } => {
                format!("{line} 行目: {}（{column} 文字目）", in_japanese(name, why))
            }
        }
    }
}

fn in_english(name: &str, why: &str) -> String {
    let Quoted { word, may, near } = Quoted::of(why);
    let meant = near.map_or_else(String::new, |near| format!(" Did you mean \"{near}\"?"));
    if why.starts_with("unknown field") {
        return format!("there is no rule or section \"{word}\" here.{meant} There are: {may}");
    }
    if why.starts_with("unknown variant") {
        return format!("\"{word}\" is no value of {name}.{meant} There are: {may}");
    }
    if why.starts_with("duplicate") {
        return "the same rule or section stands there twice".to_owned();
    }
    if let Some((found, wanted)) = kinds(why) {
        return format!("{name} must be {}, and this is {}", kind(wanted).0, kind(found).0);
    }
    if why.starts_with("invalid value") || why.starts_with("invalid length") {
        return format!("this value of {name} cannot be used");
    }
    if let Some((window, _)) = why.split_once(" is no window of hours") {
        return format!("{window} is no window of hours. Write it like \"mon-fri 09:00-18:00\"");
    }
    if let Some((zone, _)) = why.split_once(" is no time zone") {
        return format!("{zone} is no time zone. Write it like \"Asia/Tokyo\"");
    }
    format!("this is not written as TOML has it: {why}")
}

fn in_japanese(name: &str, why: &str) -> String {
    let Quoted { word, may, near } = Quoted::of(why);
    let may = may.replace(", ", "、");
    let meant = near.map_or_else(String::new, |near| format!("もしかして {near} ですか。"));
    if why.starts_with("unknown field") {
        return format!("{word} という項目はありません。{meant}使えるのは {may} です");
    }
    if why.starts_with("unknown variant") {
        return format!("{word} という値は使えません。{meant}使えるのは {may} です");
    }
    if why.starts_with("duplicate") {
        return "同じ項目または節が二度あります".to_owned();
    }
    if let Some((found, wanted)) = kinds(why) {
        return format!("{name} の値の種類が違います（{}ではなく{}）", kind(found).1, kind(wanted).1);
    }
    if why.starts_with("invalid value") || why.starts_with("invalid length") {
        return "その値は使えません".to_owned();
    }
    if let Some((window, _)) = why.split_once(" is no window of hours") {
        return format!(
            "{window} は時間帯ではありません。\"mon-fri 09:00-18:00\" のように書いてください"
        );
    }
    if let Some((zone, _)) = why.split_once(" is no time zone") {
        return format!("{zone} はタイムゾーンではありません。\"Asia/Tokyo\" のように書いてください");
    }
    "TOML の書き方が正しくありません".to_owned()
}

/// The words that the reader of TOML names: the wrong one, those that may stand there, and the one of
/// these that was probably meant.
struct Quoted<'a> {
    word: &'a str,
    may: String,
    near: Option<&'a str>,
}

impl<'a> Quoted<'a> {
    fn of(why: &'a str) -> Self {
        let quoted: Vec<&str> = why.split('`').skip(1).step_by(2).collect();
        let (word, others) = quoted.split_first().map_or(("", &[][..]), |(first, more)| (*first, more));
        Self { word, may: others.join(", "), near: meant(word, others.iter().copied()) }
    }
}

/// What is there, and what should be.
fn kinds(why: &str) -> Option<(&str, &str)> {
    let kinds = why.strip_prefix("invalid type: ")?;
    Some(kinds.split_once(", expected ").unwrap_or((kinds, "")))
}

fn kind(english: &str) -> (&'static str, &'static str) {
    let kinds = [
        ("boolean", ("true or false", "真偽値")),
        ("integer", ("a whole number", "整数")),
        ("u32", ("a whole number", "整数")),
        ("float", ("a number with a point", "小数")),
        ("string", ("text in quotation marks", "文字列")),
        ("sequence", ("a list in [ ]", "配列")),
        ("map", ("a section", "節")),
        ("struct", ("a section", "節")),
        ("variant", ("one of certain words", "決まった語")),
        ("datetime", ("a date", "日時")),
    ];
    let found = kinds.iter().find(|(word, _)| english.contains(word));
    found.map_or(("something else", "別の値"), |(_, words)| *words)
}
