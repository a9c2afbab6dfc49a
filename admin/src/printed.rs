//! What a command leaves on standard output, in both forms.

/// What a command prints.
#[derive(Debug)]
pub struct Printed {
    pub text: String,
    pub json: serde_json::Value,
}
