//! Why a backup is not made or not put back, in the languages of the program.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum BackupFault {
    #[error("There is a file {0} already. Give the backup another name.")]
    Exists(PathBuf),
    #[error("There is no folder {0}, so nothing was written. Make it, or give another place.")]
    NoFolder(PathBuf),
    #[error(
        "{0} is there already, and a restore replaces nothing. Move it and the files that begin with its name away first."
    )]
    DatabaseThere(PathBuf),
    #[error(
        "{0} has no server's keys. Copy the *.key, *.crt, *.toml and server.json files that you kept into it first."
    )]
    NoKeys(PathBuf),
    #[error(
        "The backup {0} is damaged, cut short, altered or of a newer version. Nothing was changed: use another one."
    )]
    Damaged(PathBuf),
    #[error(
        "The backup {0} is another server's, or the file names.key here is. Nothing was changed: restore it into a folder with its own keys."
    )]
    Foreign(PathBuf),
}

impl BackupFault {
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::NoFolder(_) | Self::NoKeys(_) => 3,
            Self::Exists(_) | Self::DatabaseThere(_) => 13,
            Self::Damaged(_) => 14,
            Self::Foreign(_) => 15,
        }
    }

    pub(crate) fn japanese(&self) -> String {
        match self {
            Self::Exists(path) => {
                format!("{} は既にあります。バックアップに別の名前を付けてください。", path.display())
            }
            Self::NoFolder(path) => format!(
                "フォルダー {} がないため、何も書き込みませんでした。フォルダーを作成するか、別の場所を指定してください。",
                path.display()
            ),
            Self::DatabaseThere(path) => format!(
                "{} が既にあります。復元は何も置き換えません。先に、その名前で始まるファイルを別の場所に移してください。",
                path.display()
            ),
            Self::NoKeys(path) => format!(
                "{} にサーバーの鍵がありません。先に、保管してある *.key、*.crt、*.toml、server.json をそこに写してください。",
                path.display()
            ),
            Self::Damaged(path) => format!(
                "バックアップ {} は壊れているか、途中で切れているか、書き換えられているか、新しい版のものです。何も変えていません。別のものを使ってください。",
                path.display()
            ),
            Self::Foreign(path) => format!(
                "バックアップ {} は別のサーバーのものか、ここの names.key が別のものです。何も変えていません。そのサーバーの鍵があるフォルダに復元してください。",
                path.display()
            ),
        }
    }
}
