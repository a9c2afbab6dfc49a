//! What a crash of this program leaves on a disk: nothing, for keys and pictures are in its memory (T68).

/// To be said before anything secret is there; whatever this program starts has it too.
pub fn leave_none() {
    super::system::leave_no_core_dump();
}
