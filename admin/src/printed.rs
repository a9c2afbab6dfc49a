//! What a command leaves on standard output, in both forms.

use crate::audit::neutral;

/// What a command prints.
#[derive(Debug)]
pub struct Printed {
    pub text: String,
    pub json: serde_json::Value,
}

/// In which form it is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Text,
    Json,
}

impl Printed {
    /// As a terminal may show it: what strangers wrote may stand in any of it (T66).
    pub fn shown(&self, form: Form) -> String {
        match form {
            Form::Text => neutral::text(&self.text),
            Form::Json => neutral::json(&self.json),
        }
    }
}
