//! A piece of memory shared with the X server: it writes pixels there that we read, or reads what we wrote.
//!
//! The one file of this back end with `unsafe`: a mapping, reading from it and writing to it.

use std::os::fd::OwnedFd;
use std::ptr::NonNull;

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::protocol::shm::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{Gcontext, ImageFormat, Rectangle, Window};

use super::connection::{Desktop, lost, refused};
use crate::screen::ScreenError;

/// The mapping and its name at the server.
#[derive(Debug)]
pub(super) struct Segment {
    id: shm::Seg,
    memory: NonNull<u8>,
    length: usize,
}

// SAFETY: the mapping belongs to this value alone; nothing about it is bound to a thread.
unsafe impl Send for Segment {}

impl Segment {
    /// `None` where the server is remote or does not share memory.
    pub(super) fn share(desktop: &Desktop, length: usize) -> Result<Option<Self>, ScreenError> {
        let c = &desktop.connection;
        if c.extension_information(shm::X11_EXTENSION_NAME).map_err(lost)?.is_none() {
            return Ok(None);
        }
        let version =
            c.shm_query_version().map_err(lost)?.reply().map_err(refused("MIT-SHM version"))?;
        if (version.major_version, version.minor_version) < (1, 2) {
            return Ok(None);
        }
        let memory = memfd_create("tasuki-screen", MemfdFlags::CLOEXEC)
            .and_then(|fd| ftruncate(&fd, length as u64).map(|()| fd));
        let Ok(memory) = memory else {
            return Err(ScreenError::NoSharedMemory);
        };
        let segment = Self::map(&memory, length, c.generate_id().map_err(super::connection::no_id)?)?;
        // A display behind a network takes no file descriptors.
        let attached = c.shm_attach_fd(segment.id, memory, false).map(|cookie| cookie.check().is_ok());
        Ok(attached.unwrap_or(false).then_some(segment))
    }

    fn map(fd: &OwnedFd, length: usize, id: shm::Seg) -> Result<Self, ScreenError> {
        // SAFETY: a fresh shared mapping of a memfd that is exactly `length` long and that nobody shrinks.
        let mapped = unsafe {
            mmap(
                std::ptr::null_mut(),
                length,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                fd,
                0,
            )
        };
        let memory = mapped.ok().and_then(|pointer| NonNull::new(pointer.cast()));
        let memory = memory.ok_or(ScreenError::NoSharedMemory)?;
        Ok(Self { id, memory, length })
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Has the server write the rectangle (in pixels of the root, 4 bytes each) and reads it.
    ///
    /// # Errors
    /// [`ScreenError::Refused`] when the rectangle lies outside the desktop.
    pub(super) fn fetch(
        &mut self,
        desktop: &Desktop,
        (x, y): (i16, i16),
        (width, height): (u16, u16),
    ) -> Result<&[u8], ScreenError> {
        let length = usize::from(width) * usize::from(height) * 4;
        assert!(length <= self.length, "a strip is cut to the segment");
        desktop
            .connection
            .shm_get_image(
                desktop.root,
                x,
                y,
                width,
                height,
                u32::MAX,
                ImageFormat::Z_PIXMAP.into(),
                self.id,
                0,
            )
            .map_err(lost)?
            .reply()
            .map_err(refused("picture"))?;
        // SAFETY: `length` bytes are mapped; the server writes only between a request and its
        // reply, and the next request needs `&mut self`, which ends this borrow.
        Ok(unsafe { std::slice::from_raw_parts(self.memory.as_ptr(), length) })
    }

    pub(super) fn pixels(&mut self) -> &mut [u8] {
        // SAFETY: `length` bytes are mapped, zeroed by the system; the server reads only within `put`, which
        // needs `&mut self` and ends when it has read.
        unsafe { std::slice::from_raw_parts_mut(self.memory.as_ptr(), self.length) }
    }

    /// Has the server show `parts` of the sheet that lies in here, at the same places of `window`.
    ///
    /// # Errors
    /// [`ScreenError::Refused`] when the window is gone.
    pub(super) fn put(
        &mut self,
        desktop: &Desktop,
        (window, context, depth): (Window, Gcontext, u8),
        (width, height): (u16, u16),
        parts: &[Rectangle],
    ) -> Result<(), ScreenError> {
        let length = usize::from(width) * usize::from(height) * 4;
        assert!(length <= self.length, "the sheet lies in the segment");
        let mut last = None;
        for part in parts {
            let (x, y) = (part.x.unsigned_abs(), part.y.unsigned_abs());
            let put = desktop.connection.shm_put_image(
                window,
                context,
                width,
                height,
                x,
                y,
                part.width,
                part.height,
                part.x,
                part.y,
                depth,
                ImageFormat::Z_PIXMAP.into(),
                false,
                self.id,
                0,
            );
            last = Some(put.map_err(lost)?);
        }
        // Answered in the order asked: with the last one all are done.
        last.map_or(Ok(()), |put| put.check().map_err(refused("showing a picture")))
    }

    /// The server lets go of it too.
    pub(super) fn give_back(self, desktop: &Desktop) {
        let _ = desktop.connection.shm_detach(self.id);
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        // SAFETY: mapped by `map`, unmapped once; the server detaches when the connection ends.
        let _ = unsafe { munmap(self.memory.as_ptr().cast(), self.length) };
    }
}
