//! What the person keeps: pictures of the operator's screen, and receipts.

use std::path::{Path, PathBuf};

use tasuki_peer::core::io::HumanAct;
use tasuki_peer::shell::fault::Fault;

use super::model::{Page, Said};
use super::running::Program;
use crate::documents;

impl Program {
    pub(super) fn keep_picture(&self) {
        let viewer = self.session.borrow().as_ref().and_then(|session| session.viewer.clone());
        let Some(viewer) = viewer else { return };
        let Ok((png, ..)) = viewer.png() else { return };
        let kept = documents::keep_picture(&png).map(Some);
        if kept.is_ok() {
            self.act(HumanAct::TookScreenshot);
            if let Page::Live(live) = &mut self.model.borrow_mut().page {
                live.pictures_kept += 1;
            }
        }
        self.said(kept);
    }

    pub(super) fn with_receipt(&self, carry: fn(&Path) -> Result<Option<PathBuf>, Fault>) {
        let receipt = match &self.model.borrow().page {
            Page::Ended(ended) => ended.receipt.clone(),
            Page::Trouble(_)
            | Page::Number(_)
            | Page::Connecting(_)
            | Page::Asking(_)
            | Page::Live(_) => None,
        };
        if let Some(receipt) = receipt {
            self.said(carry(&receipt));
        }
    }

    pub(super) fn said(&self, done: Result<Option<PathBuf>, Fault>) {
        let said = match done {
            Ok(Some(file)) => Said::Saved(file.display().to_string()),
            Ok(None) => return,
            Err(fault) => Said::Fault(fault),
        };
        self.model.borrow_mut().notice = Some(said);
    }
}
