//! Which settings the server of a folder runs with beside those of its file, for who examines it from
//! another process. It refuses to know what they mean.

use std::collections::BTreeMap;
use std::path::Path;

use tasuki_protocol::dsse::strict_json;

use super::fault::Fault;
use super::folder::{Folder, read};

const IN_FORCE: &str = "in-force.json";

/// What the environment and flags said, by key.
pub(crate) type Given = BTreeMap<String, String>;

impl Folder {
    pub(crate) fn keep_in_force(&self, given: &Given) -> Result<(), Fault> {
        self.write(IN_FORCE, tasuki_protocol::signal::encode(given).as_bytes())
    }
}

/// Of the server that uses the folder now; `None`: none does.
pub(crate) fn in_force(data: &Path) -> Option<Given> {
    let Err(Fault::FolderInUse(_)) = Folder::open(data) else { return None };
    strict_json(&read(&data.join(IN_FORCE)).ok()?).ok()
}
