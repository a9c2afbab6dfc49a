//! Names that cannot be used, and exactly why: told before the server is asked, where the name alone tells it.
//! The server judges all the same.

use tasuki_protocol::showable::{MAX_NAME_CHARS, NameFault, name_fault};

use crate::audit::neutral;
use crate::fault::Fault;
use crate::texts::Language;

/// What is wrong with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameWrong {
    Shown(NameFault),
    /// A space within an account's name, which stands in commands.
    Space,
    /// There is one of that very name.
    There,
    /// A person takes it for another that is there.
    LooksAlike,
}

/// # Errors
/// [`Fault::Name`].
pub(crate) fn check(name: &str) -> Result<(), Fault> {
    name_fault(name).map_or(Ok(()), |why| Err(wrong(name, NameWrong::Shown(why))))
}

/// As [`check`], of an account's name.
///
/// # Errors
/// [`Fault::Name`].
pub(crate) fn check_account(name: &str) -> Result<(), Fault> {
    check(name)?;
    if name.contains(char::is_whitespace) { Err(wrong(name, NameWrong::Space)) } else { Ok(()) }
}

/// Why the server took `name` for one of `known`.
pub(crate) fn taken<'a>(name: &str, mut known: impl Iterator<Item = &'a str>) -> Fault {
    let is_there = known.any(|known| known == name);
    wrong(name, if is_there { NameWrong::There } else { NameWrong::LooksAlike })
}

fn wrong(name: &str, why: NameWrong) -> Fault {
    Fault::Name { name: name.to_owned(), why }
}

impl Language {
    pub(crate) fn name_wrong(self, name: &str, why: NameWrong) -> String {
        let name = neutral::line(name);
        match why {
            NameWrong::Shown(NameFault::Empty) => {
                self.pick("A name has at least one character.", "名前が空です。")
            }
            NameWrong::Shown(NameFault::Long(count)) => self.pick(
                format!("The name has {count} characters, and may have {MAX_NAME_CHARS}. Choose a shorter one: {name}"),
                format!("名前が長すぎます（{count}文字。{MAX_NAME_CHARS}文字まで）。短くしてください: {name}"),
            ),
            NameWrong::Shown(NameFault::OuterSpace) => self.pick(
                format!("The name begins or ends with a space. Leave it out: \"{name}\""),
                format!("名前の前後に空白があります。取り除いてください: 「{name}」"),
            ),
            NameWrong::Shown(NameFault::Hidden(hidden)) => self.pick(
                format!("The name has a character in it that nobody sees, or that turns or breaks a line (U+{:04X}). Leave it out: {name}", u32::from(hidden)),
                format!("名前に、見えない文字・向きを変える文字・改行など（U+{:04X}）が含まれています。取り除いてください: {name}", u32::from(hidden)),
            ),
            NameWrong::Space => self.pick(
                format!("The name of an account has no spaces. Write it in one word; --display-name takes spaces: {name}"),
                format!("アカウント名に空白は使えません。続けて書いてください（--display-name では使えます）: {name}"),
            ),
            NameWrong::There => self.pick(
                format!("{name} is there already. Choose another name."),
                format!("{name} は既にあります。別の名前にしてください。"),
            ),
            NameWrong::LooksAlike => self.pick(
                format!("{name} looks like another name that is there already, and people would take the one for the other. Choose another."),
                format!("{name} は既にある別の名前と見分けがつきにくく、取り違えられます。別の名前にしてください。"),
            ),
        }
    }
}
