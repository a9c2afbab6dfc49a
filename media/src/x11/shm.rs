//! A piece of memory shared with the X server, into which it writes pixels.
//!
//! The one file of this back end with `unsafe`: a mapping, and reading from it.

use std::os::fd::OwnedFd;
use std::ptr::NonNull;

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::protocol::shm::{self, ConnectionExt as _};
use x11rb::protocol::xproto::ImageFormat;

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
}

impl Drop for Segment {
    fn drop(&mut self) {
        // SAFETY: mapped by `map`, unmapped once; the server detaches when the connection ends.
        let _ = unsafe { munmap(self.memory.as_ptr().cast(), self.length) };
    }
}
