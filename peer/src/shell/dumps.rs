//! What a crash of this program leaves on a disk: nothing, for keys and pictures are in its memory (T68).

use rustix::process::{Resource, Rlimit, setrlimit};

/// To be said before anything secret is there; whatever this program starts has it too.
pub fn leave_none() {
    // Lowering one's own limit is refused to nobody.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).ok();
}
