//! What programs do in the name of a hand's own device (T2).
//!
//! XTEST takes a device's number too, and the display then tells of a press as that device's. Only the request
//! itself shows it, so RECORD has the display tell of each; and of each that may end this, since any program may
//! change what another has RECORD tell it. Decides nothing of what follows from one.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::protocol::record::{
    self, CS, ConnectionExt as _, EnableContextReply, ExtRange, Range, Range8, Range16,
};
use x11rb::protocol::xproto::MOTION_NOTIFY_EVENT;
use x11rb::protocol::xtest::{self, ConnectionExt as _};

use super::connection::{Desktop, lost, refused};
use crate::screen::ScreenError;

/// Which of XTEST's requests they are.
const GET_VERSION: u8 = 0;
const FAKE_INPUT: u8 = 2;
/// Which of RECORD's change what a context tells.
const REGISTER_CLIENTS: u16 = 2;
const UNREGISTER_CLIENTS: u16 = 3;
/// What RECORD says of a reply: it has a client's requests, or is the first one.
const FROM_CLIENT: u8 = 1;
const START_OF_DATA: u8 = 4;
/// The display answers at once or is gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// Told of by a connection and a thread of their own.
#[derive(Debug)]
pub(super) struct Forgeries {
    told: Arc<Told>,
    context: record::Context,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Told {
    state: Mutex<State>,
    changed: Condvar,
    context: record::Context,
    /// RECORD's number among the extensions.
    record: u8,
    /// Of the numbers of the connection that asks for marks.
    base: u32,
}

#[derive(Debug, Default)]
struct State {
    /// When the newest was asked for that nobody has taken note of yet.
    newest: Option<u32>,
    /// So many marks were asked for, and so many have come by.
    asked: u64,
    passed: u64,
    progress: Progress,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Progress {
    #[default]
    NotBegun,
    Tells,
    Over,
}

impl Forgeries {
    /// From now on, of every client of `desktop`'s display.
    ///
    /// # Errors
    /// [`ScreenError`]: no RECORD or XTEST, or the display lets nobody in a second time.
    pub(super) fn watch(display: Option<&str>, desktop: &Desktop) -> Result<Self, ScreenError> {
        let xtest = major(desktop, xtest::X11_EXTENSION_NAME, "XTEST")?;
        let record = major(desktop, record::X11_EXTENSION_NAME, "RECORD")?;
        let c = &desktop.connection;
        let context = c.generate_id().map_err(|_| ScreenError::Lost)?;
        let ranges = [
            requests_of(xtest, (GET_VERSION.into(), FAKE_INPUT.into())),
            requests_of(record, (REGISTER_CLIENTS, UNREGISTER_CLIENTS)),
        ];
        let everybody = [u32::from(u8::from(CS::ALL_CLIENTS))];
        let made = c.record_create_context(context, 0, &everybody, &ranges).map_err(lost)?;
        made.check().map_err(refused("record"))?;
        let base = c.setup().resource_id_base;
        let (state, changed) = (Mutex::default(), Condvar::new());
        let told = Arc::new(Told { state, changed, context, record, base });
        let telling = Arc::clone(&told);
        let own = Desktop::connect(display)?;
        let thread = std::thread::Builder::new().name("tasuki-forgery".to_owned()).spawn(move || {
            if let Ok(replies) = own.connection.record_enable_context(context) {
                replies.map_while(Result::ok).for_each(|reply| telling.hear(&reply));
            }
            telling.lock().progress = Progress::Over;
            telling.changed.notify_all();
        });
        let thread = thread.map_err(|_| ScreenError::NoSharedMemory)?;
        let watching = Self { told, context, thread: Some(thread) };
        watching.told.wait(|state| state.progress == Progress::Tells)?;
        Ok(watching)
    }

    /// When the newest was asked for that was not taken note of yet, as far as it is known.
    ///
    /// # Errors
    /// [`ScreenError::Lost`]: they are not told of any more.
    pub(super) fn take(&self) -> Result<Option<u32>, ScreenError> {
        let mut state = self.told.lock();
        if state.progress == Progress::Tells { Ok(state.newest.take()) } else { Err(ScreenError::Lost) }
    }

    /// As [`Self::take`], of everything that the display has done before it reads this.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub(super) fn up_to_now(&self, desktop: &Desktop) -> Result<Option<u32>, ScreenError> {
        let mark = {
            let mut state = self.told.lock();
            state.asked += 1;
            state.asked
        };
        let asked = desktop.connection.xtest_get_version(2, 2).map_err(lost)?;
        asked.reply().map_err(refused("XTEST version"))?;
        self.told.wait(|state| state.passed >= mark)?;
        self.take()
    }

    /// Ends it; the thread is gone afterwards.
    pub(super) fn end(&mut self, desktop: &Desktop) {
        let ended = desktop.connection.record_disable_context(self.context);
        // Of a display that is gone the thread has heard, too.
        let ended = ended.is_ok_and(|ended| ended.check().is_ok());
        if let (true, Some(thread)) = (ended, self.thread.take()) {
            let _ = thread.join();
        }
    }
}

impl Told {
    fn hear(&self, reply: &EnableContextReply) {
        let mut state = self.lock();
        if reply.category == START_OF_DATA && state.progress == Progress::NotBegun {
            state.progress = Progress::Tells;
        }
        if reply.category == FROM_CLIENT {
            for request in requests(&reply.data, reply.client_swapped) {
                self.heed(&mut state, request, reply);
            }
        }
        self.changed.notify_all();
    }

    fn heed(&self, state: &mut State, request: &[u8], reply: &EnableContextReply) {
        if request.first() == Some(&self.record) {
            // What it tells from now on is what another program wants it to.
            if names(request, self.context, reply.client_swapped) {
                state.progress = Progress::Over;
            }
            return;
        }
        if is_forged(request) {
            state.newest = Some(reply.server_time);
        }
        if reply.xid_base == self.base && request.get(1) == Some(&GET_VERSION) {
            state.passed += 1;
        }
    }

    fn wait(&self, until: impl Fn(&State) -> bool) -> Result<(), ScreenError> {
        let waits = |state: &mut State| !until(state) && state.progress != Progress::Over;
        let waited = self.changed.wait_timeout_while(self.lock(), PATIENCE, waits);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if until(&state) { Ok(()) } else { Err(ScreenError::Lost) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The requests that stand behind one another; `swapped`: in the other order of bytes than ours. What has no
/// length, or more than there is, is the last one.
fn requests(mut data: &[u8], swapped: bool) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let length = u16::from_ne_bytes(data.get(2..4)?.try_into().ok()?);
        let length = usize::from(if swapped { length.swap_bytes() } else { length }) * 4;
        let (request, rest) =
            data.split_at_checked(length).filter(|_| length > 0).unwrap_or((data, &[]));
        data = rest;
        Some(request)
    })
}

/// An act of XTEST's own devices has one of the core's numbers; every other names a device. What has its length
/// elsewhere (BIG-REQUESTS) hides what stands behind it, and no program that means well sends it.
fn is_forged(request: &[u8]) -> bool {
    const SENT: u8 = 0x80;
    let kind = request.get(4).map(|kind| kind & !SENT);
    let acts = request.get(1) == Some(&FAKE_INPUT);
    has_no_length(request) || acts && kind.is_none_or(|kind| kind > MOTION_NOTIFY_EVENT)
}

/// Whether a request of RECORD is, or may be, about `context`.
fn names(request: &[u8], context: record::Context, swapped: bool) -> bool {
    let named = request.get(4..8).and_then(|number| number.try_into().ok()).map(u32::from_ne_bytes);
    let named = named.map(|number| if swapped { number.swap_bytes() } else { number });
    has_no_length(request) || named.is_none_or(|named| named == context)
}

fn has_no_length(request: &[u8]) -> bool {
    matches!(request, [_, _, 0, 0, ..])
}

fn major(desktop: &Desktop, extension: &'static str, name: &'static str) -> Result<u8, ScreenError> {
    let found = desktop.connection.extension_information(extension).map_err(lost)?;
    Ok(found.ok_or(ScreenError::MissingExtension { name })?.major_opcode)
}

fn requests_of(major: u8, (first, last): (u16, u16)) -> Range {
    let ext_requests =
        ExtRange { major: Range8 { first: major, last: major }, minor: Range16 { first, last } };
    Range { ext_requests, ..Range::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const XTEST: u8 = 132;

    fn request(minor: u8, kind: u8, length: u16) -> Vec<u8> {
        let mut request = vec![XTEST, minor];
        request.extend(length.to_ne_bytes());
        request.resize(usize::from(length) * 4, 0);
        request[4] = kind;
        request
    }

    #[test]
    fn t2_a_request_in_a_devices_name_is_found_among_others_in_either_order_of_bytes() {
        let data = [request(FAKE_INPUT, 2, 9), request(GET_VERSION, 0, 2), request(FAKE_INPUT, 67, 17)];
        let found = |data: &[u8], swapped| requests(data, swapped).map(is_forged).collect::<Vec<_>>();
        assert_eq!(found(&data.concat(), false), [false, false, true]);
        let swapped: Vec<u8> = data
            .iter()
            .flat_map(|request| {
                let mut request = request.clone();
                request[2..4].reverse();
                request
            })
            .collect();
        assert_eq!(found(&swapped, true), [false, false, true]);
    }

    #[test]
    fn t2_what_is_cut_off_or_has_no_length_ends_the_list_and_counts_as_forged_where_it_may_be() {
        assert_eq!(
            requests(&[XTEST, FAKE_INPUT, 0, 0], false).map(is_forged).collect::<Vec<_>>(),
            [true]
        );
        assert_eq!(requests(&[XTEST, FAKE_INPUT], false).count(), 0);
        let cut = &request(FAKE_INPUT, 67, 9)[..8];
        assert_eq!(requests(cut, false).map(is_forged).collect::<Vec<_>>(), [true]);
    }

    /// Its length stands behind its head, and no byte of it where a shorter one has it.
    #[test]
    fn t2_a_request_whose_length_stands_elsewhere_counts_as_forged_with_all_that_it_hides() {
        for minor in [GET_VERSION, FAKE_INPUT] {
            let mut data = vec![XTEST, minor, 0, 0, 3, 0, 0, 0, 2, 0, 2, 0];
            data.extend(request(FAKE_INPUT, 67, 9));
            assert!(requests(&data, false).any(is_forged), "{minor}");
            let swapped = [XTEST, minor, 0, 0, 0, 0, 0, 10, 67];
            assert!(requests(&swapped, true).any(is_forged), "{minor} of the other order of bytes");
        }
    }

    #[test]
    fn t2_whoever_changes_what_is_told_is_noticed_in_either_order_of_bytes_and_other_contexts_are_not()
    {
        let change = |context: [u8; 4], length: [u8; 2]| {
            let mut request = vec![146, 3];
            request.extend(length);
            request.extend(context);
            request
        };
        let length = 2u16.to_ne_bytes();
        let context: u32 = 0x0240_0002;
        assert!(names(&change(context.to_ne_bytes(), length), context, false));
        assert!(names(&change(context.swap_bytes().to_ne_bytes(), length), context, true));
        assert!(!names(&change((context + 1).to_ne_bytes(), length), context, false));
        assert!(names(&change([0; 4], [0, 0]), context, false), "its context stands elsewhere");
        assert!(names(&change(context.to_ne_bytes(), length)[..6], context, false), "cut off");
    }
}
