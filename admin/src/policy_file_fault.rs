//! Why a file is no policy, in two languages.

/// Why a file is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFileFault {
    #[error("over 1 MiB")]
    TooLarge,
    /// `why` as the reader of TOML says it, in one line.
    #[error("line {line}: {why}")]
    Line { line: usize, why: String },
}

impl PolicyFileFault {
    pub(crate) fn japanese(&self) -> String {
        match self {
            Self::TooLarge => "1 MiB を超えています".to_owned(),
            Self::Line { line, why } => format!("{line} 行目: {}", in_japanese(why)),
        }
    }
}

/// What the reader of TOML says, as far as it says more than where the line is wrong.
fn in_japanese(why: &str) -> String {
    let quoted: Vec<&str> = why.split('`').skip(1).step_by(2).collect();
    let (first, others) = quoted.split_first().map_or(("", &[][..]), |(first, more)| (*first, more));
    let may = others.join("、");
    if why.starts_with("unknown field") {
        return format!("{first} という項目はありません。使えるのは {may} です");
    }
    if why.starts_with("unknown variant") {
        return format!("{first} という値は使えません。使えるのは {may} です");
    }
    if why.starts_with("duplicate") {
        return "同じ項目または節が二度あります".to_owned();
    }
    if let Some(kinds) = why.strip_prefix("invalid type: ") {
        let (found, wanted) = kinds.split_once(", expected ").unwrap_or((kinds, ""));
        return format!("値の種類が違います（{}ではなく{}）", kind(found), kind(wanted));
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

fn kind(english: &str) -> &'static str {
    let kinds = [
        ("boolean", "真偽値"),
        ("integer", "整数"),
        ("u32", "整数"),
        ("float", "小数"),
        ("string", "文字列"),
        ("sequence", "配列"),
        ("map", "節"),
        ("struct", "節"),
        ("variant", "決まった語"),
        ("datetime", "日時"),
    ];
    kinds.iter().find(|(word, _)| english.contains(word)).map_or("別の値", |(_, japanese)| japanese)
}
