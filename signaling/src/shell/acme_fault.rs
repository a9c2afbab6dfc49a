//! Why no certificate can come from an authority as things are set: one sentence each.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum AcmeFault {
    #[error(
        "No authority gives a certificate for {0}, which is no DNS name. Set `acme` to nothing, or set up with a name."
    )]
    WithoutName(String),
    #[error("{0} holds no certificate of an authority. Check `acme_root`.")]
    Root(PathBuf),
}

impl AcmeFault {
    pub(crate) fn japanese(&self) -> String {
        match self {
            Self::WithoutName(host) => format!(
                "{host} は DNS 名ではないため、認証局から証明書を得られません。設定 `acme` を空にするか、名前で初期設定してください。"
            ),
            Self::Root(file) => format!(
                "{} に認証局の証明書がありません。設定 `acme_root` を確認してください。",
                file.display()
            ),
        }
    }
}
