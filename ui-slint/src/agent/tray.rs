//! The icon in the tray, where somebody shows such icons.
//!
//! Decides whether there is a place for it. When it stands is the guard's.

use std::cell::RefCell;
use std::rc::Rc;

use super::model::Msg;
use super::wiring::Ear;
use crate::windows::AgentTray;

/// The icon, once the desktop was found to have a place for it.
pub(super) type TraySlot = Rc<RefCell<Option<AgentTray>>>;

/// Asks the desktop beside everything else: a bus that does not answer holds nothing up.
pub(super) fn look_for_tray(slot: &TraySlot, ear: &impl Ear) {
    let (slot, ear) = (Rc::downgrade(slot), ear.clone());
    let _ = slint::spawn_local(async move {
        if !has_tray().await.unwrap_or(false) {
            return;
        }
        let Some(slot) = slot.upgrade() else { return };
        let tray = tray(&ear);
        let there = tray.is_some();
        *slot.borrow_mut() = tray;
        ear.send(Msg::TrayThere(there));
    });
}

/// Whether somebody shows icons (StatusNotifierItem, "IsStatusNotifierHostRegistered"). The toolkit only
/// logs that nobody does, and the window must not tell of an icon that is not there.
async fn has_tray() -> zbus::Result<bool> {
    let bus = zbus::Connection::session().await?;
    let name = "org.kde.StatusNotifierWatcher";
    let watcher = zbus::Proxy::new(&bus, name, "/StatusNotifierWatcher", name).await?;
    watcher.get_property("IsStatusNotifierHostRegistered").await
}

/// `None` where the toolkit could not place it; the window says what remains.
fn tray(ear: &impl Ear) -> Option<AgentTray> {
    let tray = AgentTray::new().ok()?;
    let end = ear.clone();
    tray.on_end(move || end.send(Msg::EndPressed));
    let open = ear.clone();
    tray.on_open(move || open.send(Msg::Presented));
    tray.show().ok()?;
    Some(tray)
}
