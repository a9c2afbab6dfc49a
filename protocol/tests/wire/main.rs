//! The bytes of everything that crosses a wire, written down.
//!
//! A change here is a change of the protocol: peers of the version before no longer understand it,
//! so `PROTOCOL_VERSION` must change with it. To add a variant, write its line with any bytes, run
//! the test, and read the right ones in its complaint. `tests/tests/tidy` asks that no variant is
//! missing.

mod accounts;
mod desktop;
mod documents;
mod ledger;
mod session;
mod signal;
mod words;

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};

/// Collects complaints, so that one run tells all bytes.
#[derive(Debug, Default)]
struct Snapshots(Vec<String>);

impl Snapshots {
    /// A message between peers: postcard.
    fn postcard<T>(&mut self, name: &str, value: &T, expected: &str)
    where
        T: Serialize + DeserializeOwned + PartialEq + Debug,
    {
        let bytes = postcard::to_stdvec(value).expect("a wire value encodes");
        let back = postcard::from_bytes::<T>(&bytes);
        self.expect(name, &hex(&bytes), expected);
        if back.as_ref() != Ok(value) {
            self.0.push(format!("{name}: comes back as {back:?}"));
        }
    }

    /// A word in a document or a message to a server: JSON.
    fn json<T>(&mut self, name: &str, value: &T, expected: &str)
    where
        T: Serialize + DeserializeOwned + PartialEq + Debug,
    {
        let text = serde_json::to_string(value).expect("a wire value encodes");
        self.expect(name, &text, expected);
        let back = serde_json::from_str::<T>(&text);
        if back.as_ref().ok() != Some(value) {
            self.0.push(format!("{name}: comes back as {back:?}"));
        }
    }

    fn byte(&mut self, name: &str, byte: u8, expected: u8) {
        self.expect(name, &hex(&[byte]), &hex(&[expected]));
    }

    fn expect(&mut self, name: &str, actual: &str, expected: &str) {
        if actual != expected {
            self.0.push(format!("{name}: is    {actual:?}\n    and was {expected:?}"));
        }
    }

    #[track_caller]
    fn assert_same(self) {
        assert!(self.0.is_empty(), "\n\n{}\n", self.0.join("\n"));
    }
}

fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(" ")
}
