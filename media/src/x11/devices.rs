//! Which of a display's devices are in somebody's hand, and which act for programs (T2, T32).
//!
//! Any program may add devices while others look on, and each new pair of masters brings XTEST devices of
//! its own. So the list is read again whenever the display tells of a change, and what is on no list is in
//! nobody's hand.

use std::collections::BTreeMap;

use x11rb::protocol::Event;
use x11rb::protocol::xinput::{self, ConnectionExt as _, DeviceId, DeviceType, XIEventMask};

use super::connection::{Desktop, lost, refused};
use crate::screen::ScreenError;

/// The devices as they were read last.
#[derive(Debug)]
pub(super) struct Devices(BTreeMap<DeviceId, (DeviceType, Holder)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    Hand,
    /// XTEST's, and masters, which move by themselves only where a program tells them to.
    Program,
}

impl Devices {
    /// Asks the display to tell of every press, release of a button, touch and motion, whatever window has the focus or a grab,
    /// and of devices that come and go.
    ///
    /// # Errors
    /// [`ScreenError`]: no XInput 2, without which nothing can be told apart.
    pub(super) fn watch(desktop: &Desktop) -> Result<Self, ScreenError> {
        desktop.require(xinput::X11_EXTENSION_NAME, "XInput")?;
        let c = &desktop.connection;
        c.xinput_xi_query_version(2, 2).map_err(lost)?.reply().map_err(refused("XInput version"))?;
        let acts = XIEventMask::RAW_KEY_PRESS
            | XIEventMask::RAW_BUTTON_PRESS
            | XIEventMask::RAW_BUTTON_RELEASE
            | XIEventMask::RAW_MOTION
            | XIEventMask::RAW_TOUCH_BEGIN;
        let masks = [(xinput::Device::ALL_MASTER, acts), (xinput::Device::ALL, XIEventMask::HIERARCHY)];
        let masks =
            masks.map(|(device, mask)| xinput::EventMask { deviceid: device.into(), mask: vec![mask] });
        c.xinput_xi_select_events(desktop.root, &masks).map_err(lost)?;
        Ok(Self(read(desktop)?))
    }

    /// Whether `event` tells of other devices than before; then they are read again.
    pub(super) fn heed(&mut self, desktop: &Desktop, event: &Event) -> Result<bool, ScreenError> {
        let changed = matches!(event, Event::XinputHierarchy(_));
        if changed {
            self.0 = read(desktop)?;
        }
        Ok(changed)
    }

    /// Whoever acts through `device`.
    pub(super) fn holder(&self, device: DeviceId) -> Holder {
        self.0.get(&device).map_or(Holder::Program, |(_, holder)| *holder)
    }

    /// The masters to which keyboards belong.
    pub(super) fn keyboards(&self) -> impl Iterator<Item = DeviceId> {
        let masters = self.0.iter().filter(|(_, (kind, _))| *kind == DeviceType::MASTER_KEYBOARD);
        masters.map(|(id, _)| *id)
    }
}

fn read(desktop: &Desktop) -> Result<BTreeMap<DeviceId, (DeviceType, Holder)>, ScreenError> {
    let asked = desktop.connection.xinput_xi_query_device(xinput::Device::ALL).map_err(lost)?;
    let devices = asked.reply().map_err(refused("list of input devices"))?;
    let holder = |device: &xinput::XIDeviceInfo| {
        let is_master =
            [DeviceType::MASTER_POINTER, DeviceType::MASTER_KEYBOARD].contains(&device.type_);
        let is_xtest = device.name.windows(5).any(|part| part == b"XTEST");
        if is_master || is_xtest { Holder::Program } else { Holder::Hand }
    };
    Ok(devices.infos.iter().map(|it| (it.deviceid, (it.type_, holder(it)))).collect())
}
