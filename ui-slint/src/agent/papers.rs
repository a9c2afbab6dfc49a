//! What the person keeps: pictures of the operator's screen, and receipts.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::pictures::{self, Kept, Unkept};

use super::held::Held;
use super::model::{Msg, Page, Said};
use super::news::News;
use super::running::Program;
use crate::documents;

impl Program {
    /// Beside the window's own thread: a picture takes its time, and a folder may be slow.
    pub(super) fn keep_picture(self: &Rc<Self>) {
        let held = self.session.borrow();
        let Some((orders, viewer)) = held.as_ref().and_then(Held::to_keep_pictures) else { return };
        let kept = self.runtime.spawn(pictures::keep(orders, viewer, documents::new_picture));
        let program = Rc::downgrade(self);
        let _ = slint::spawn_local(async move {
            let kept = kept.await;
            if let (Ok(kept), Some(program)) = (kept, program.upgrade()) {
                program.kept_picture(kept);
            }
        });
    }

    fn kept_picture(self: &Rc<Self>, kept: Result<Kept, Unkept>) {
        let told = match kept {
            Ok(kept) => {
                self.dispatch(Msg::News(Box::new(News::PictureKept)));
                Said::Saved(kept.file.display().to_string())
            }
            Err(Unkept::Unwritten(fault)) => Said::Fault(fault),
            // It may not be kept any more, which is seen.
            Err(Unkept::Untold | Unkept::NoPicture) => return,
        };
        self.dispatch(Msg::Told(told));
    }

    pub(super) fn with_receipt(&self, carry: fn(&Path) -> Result<Option<PathBuf>, Fault>) {
        let receipt = match &self.model.borrow().page {
            Page::Ended(ended) => ended.receipt.clone().and_then(Result::ok),
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
