//! Lists of the windows.
//!
//! Decides that a row which says the same stays, so that what has the focus keeps it.

use std::rc::Rc;

use slint::{Model as _, ModelRc, VecModel};

/// Keeps rows that are the same, so that what has the focus keeps it.
pub(crate) fn fill<T: Clone + PartialEq + 'static>(
    shown: &ModelRc<T>,
    rows: impl Iterator<Item = T>,
    replace: impl FnOnce(ModelRc<T>),
) {
    let Some(kept) = shown.as_any().downcast_ref::<VecModel<T>>() else {
        return replace(ModelRc::from(Rc::new(VecModel::from(rows.collect::<Vec<T>>()))));
    };
    let mut count = 0;
    for row in rows {
        match kept.row_data(count) {
            Some(before) if before == row => {}
            Some(_) => kept.set_row_data(count, row),
            None => kept.push(row),
        }
        count += 1;
    }
    while kept.row_count() > count {
        kept.remove(count);
    }
}
