//! What the end user's window says, in both languages, as a screen reader is told it.

use tasuki_peer::shell::texts::Lang;

pub(crate) struct Words {
    pub(crate) lang: (&'static str, Lang),
    pub(crate) number: &'static str,
    pub(crate) connect: &'static str,
    pub(crate) cancel: &'static str,
    pub(crate) refuse: &'static str,
    pub(crate) allow: &'static str,
    pub(crate) end: &'static str,
    pub(crate) scam: &'static str,
}

pub(crate) const ENGLISH: Words = Words {
    lang: ("en", Lang::En),
    number: "Session number, 12 digits",
    connect: "Connect",
    cancel: "Cancel",
    refuse: "Refuse",
    allow: "Allow",
    end: "End now",
    scam: "Did this person call you unasked, or speak of your bank, refunds or gift cards? Then refuse and hang up.",
};
pub(crate) const JAPANESE: Words = Words {
    lang: ("ja", Lang::Ja),
    number: "接続番号、12 けた",
    connect: "接続する",
    cancel: "キャンセル",
    refuse: "拒否する",
    allow: "許可する",
    end: "今すぐ終了",
    scam: "突然かかってきた電話ですか。銀行、返金、ギフトカードの話が出ましたか。その場合は拒否して電話を切ってください。",
};
