//! Names that cannot be used, and exactly why: told before the server is asked, where the name alone tells it.
//! The server judges all the same.

use tasuki_protocol::admin::OperatorEntry;
use tasuki_protocol::likeness::alike;
use tasuki_protocol::showable::{MAX_MARKS, MAX_NAME_CHARS, NameFault, composed, name_fault};

use crate::audit::neutral;
use crate::fault::Fault;
use crate::texts::Language;

/// What is wrong with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameWrong {
    Shown(NameFault),
    /// A space within an account's name, which stands in commands.
    Space,
    /// There is one of that very name.
    There,
    /// A person takes it for another that is there.
    LooksAlike,
    /// End users would take it for what they are shown of another operator.
    ShownAlike {
        operator: String,
        shown: String,
    },
    /// Nobody can come by this name who is not there already.
    Administrator,
    /// End users would take it for the organisation itself.
    Organisation(String),
}

/// The name as it is kept: a keyboard's form of it is none of a person's business.
///
/// # Errors
/// [`Fault::Name`].
pub(crate) fn check(name: &str) -> Result<String, Fault> {
    let name = composed(name);
    name_fault(&name).map_or(Ok(()), |why| Err(wrong(&name, NameWrong::Shown(why))))?;
    Ok(name)
}

/// As [`check`], of an account's name.
///
/// # Errors
/// [`Fault::Name`].
pub(crate) fn check_account(name: &str) -> Result<String, Fault> {
    let name = check(name)?;
    if name.contains(char::is_whitespace) { Err(wrong(&name, NameWrong::Space)) } else { Ok(name) }
}

/// As [`check`], of a name that end users will see. T8.
///
/// # Errors
/// [`Fault::Name`].
pub(crate) fn check_shown(name: &str, organisation: &str) -> Result<String, Fault> {
    let name = check(name)?;
    if alike(&name, organisation) {
        return Err(wrong(&name, NameWrong::Organisation(organisation.to_owned())));
    }
    Ok(name)
}

/// The operator other than `operator` for whom end users would take whoever is shown as `name`.
pub(crate) fn shown_alike<'a>(
    (operator, name): (&str, &str),
    known: &'a [OperatorEntry],
) -> Option<&'a OperatorEntry> {
    known.iter().find(|other| other.operator != operator && alike(name, &other.display_name))
}

/// Which of an operator's two names the server took for another's.
pub(crate) fn operator_taken((operator, name): (&str, &str), known: &[OperatorEntry]) -> Fault {
    let is_account = known.iter().any(|entry| alike(&entry.operator, operator));
    match shown_alike((operator, name), known) {
        Some(other) if !is_account => {
            let (operator, shown) = (other.operator.clone(), other.display_name.clone());
            wrong(name, NameWrong::ShownAlike { operator, shown })
        }
        Some(_) | None => taken(operator, known.iter().map(|entry| entry.operator.as_str())),
    }
}

/// Why the server took `name` for one of `known`.
pub(crate) fn taken<'a>(name: &str, mut known: impl Iterator<Item = &'a str>) -> Fault {
    let is_there = known.any(|known| known == name);
    wrong(name, if is_there { NameWrong::There } else { NameWrong::LooksAlike })
}

/// An invitation that nobody could use.
pub(crate) fn administrator(name: &str) -> Fault {
    wrong(name, NameWrong::Administrator)
}

fn wrong(name: &str, why: NameWrong) -> Fault {
    Fault::Name { name: name.to_owned(), why }
}

impl Language {
    pub(crate) fn name_wrong(self, name: &str, why: &NameWrong) -> String {
        let name = neutral::line(name);
        match why {
            NameWrong::Shown(why) => self.name_fault(&name, *why),
            NameWrong::Space => self.pick(
                format!("The name of an account has no spaces. Write it in one word; --display-name takes spaces: {name}"),
                format!("アカウント名に空白は使えません。続けて書いてください（--display-name では使えます）: {name}"),
            ),
            NameWrong::There => self.pick(
                format!("{name} is there already. Choose another name."),
                format!("{name} は既にあります。別の名前にしてください。"),
            ),
            NameWrong::Administrator => self.admin_there(&name),
            NameWrong::LooksAlike => self.pick(
                format!("{name} looks like another name that is there already, and people would take the one for the other. Choose another."),
                format!("{name} は既にある別の名前と見分けがつきにくく、取り違えられます。別の名前にしてください。"),
            ),
            NameWrong::ShownAlike { operator, shown } => {
                let (operator, shown) = (neutral::line(operator), neutral::line(shown));
                self.pick(
                    format!("End users would take {name} for {operator}, whom they see as \"{shown}\". Add what tells them apart to --display-name, such as a place or a number."),
                    format!("表示名「{name}」は、{operator} の表示名「{shown}」と見分けがつきません。--display-name に、区別できる語（部署名や番号など）を加えてください。"),
                )
            }
            NameWrong::Organisation(organisation) => {
                let organisation = neutral::line(organisation);
                self.pick(
                    format!("End users would take {name} for the organisation itself, {organisation}. Give the person's own name with --display-name."),
                    format!("表示名「{name}」は組織名「{organisation}」と見分けがつきません。--display-name には担当者の名前を指定してください。"),
                )
            }
        }
    }

    fn name_fault(self, name: &str, why: NameFault) -> String {
        match why {
            NameFault::Empty => {
                self.pick("A name has at least one character.", "名前が空です。")
            }
            NameFault::Long(count) => self.pick(
                format!("The name has {count} characters, and may have {MAX_NAME_CHARS}. Choose a shorter one: {name}"),
                format!("名前が長すぎます（{count}文字。{MAX_NAME_CHARS}文字まで）。短くしてください: {name}"),
            ),
            NameFault::OuterSpace => self.pick(
                format!("The name begins or ends with a space. Leave it out: \"{name}\""),
                format!("名前の前後に空白があります。取り除いてください: 「{name}」"),
            ),
            NameFault::Hidden(hidden) => self.pick(
                format!("The name has a character in it that nobody sees, or that turns or breaks a line (U+{:04X}). Leave it out: {name}", u32::from(hidden)),
                format!("名前に、見えない文字・向きを変える文字・改行など（U+{:04X}）が含まれています。取り除いてください: {name}", u32::from(hidden)),
            ),
            NameFault::Marks(mark) => self.pick(
                format!("The name has marks that stand on no letter, or more than {MAX_MARKS} on one, or one twice (U+{:04X}). Leave them out: {name}", u32::from(mark)),
                format!("名前に、文字に付いていない記号、一文字に{MAX_MARKS}個を超える記号、または重複した記号（U+{:04X}）が含まれています。取り除いてください: {name}", u32::from(mark)),
            ),
            NameFault::Mixed(letter) => self.pick(
                format!("The name has letters of two alphabets in one word: {letter} (U+{:04X}) is another one than it seems, or needs a space before it: {name}", u32::from(letter)),
                format!("一つの語に、異なる種類の文字が混ざっています。「{letter}」（U+{:04X}）は見た目の似た別の文字かもしれません。打ち直すか、空白で区切ってください: {name}", u32::from(letter)),
            ),
            NameFault::Form => self.pick(
                format!("The name is not in Unicode's composed form (NFC). Type it anew: {name}"),
                format!("名前が Unicode の合成済みの形（NFC）ではありません。打ち直してください: {name}"),
            ),
        }
    }
}
