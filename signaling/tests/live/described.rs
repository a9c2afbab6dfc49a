//! The served description of the API, held to what goes over the line: whatever these tests ask, what the server takes
//! and what it answers are as the description has them.
//!
//! That it names the routes that are there, and no others, is shown in `api`.

use std::collections::HashMap;

use boon::{Compiler, SchemaIndex, Schemas};
use hyper::http::{header, response};
use serde_json::{Map, Value, json};

pub(crate) const DOCUMENT: &str = include_str!("../../src/shell/web/openapi.json");
const JSON: &str = "application/json";
/// Of refusals, those that come before anybody looked at what was asked.
const SAY_NOTHING: [u16; 5] = [403, 404, 408, 411, 413];

thread_local! {
    static DESCRIPTION: Description = Description::read();
}

/// The kind of a body, and its schema where it is JSON.
type Described = (String, Option<SchemaIndex>);

/// What an operation may take, and answer.
#[derive(Default)]
struct Operation {
    method: String,
    path: Vec<String>,
    parameters: Vec<(String, SchemaIndex)>,
    taken: Option<SchemaIndex>,
    answers: Vec<(String, Option<Described>)>,
}

struct Description {
    schemas: Schemas,
    operations: Vec<Operation>,
}

/// Schemas of one document, compiled as they are met.
struct Reader {
    named: Value,
    compiled: Schemas,
    met: HashMap<String, SchemaIndex>,
}

impl Reader {
    fn compile(&mut self, schema: &Value) -> SchemaIndex {
        let text = schema.to_string();
        if let Some(met) = self.met.get(&text) {
            return *met;
        }
        let mut schema = schema.clone();
        schema["$defs"] = self.named.clone();
        let place = format!("https://description.test/{}.json", self.met.len());
        let mut compiler = Compiler::new();
        compiler.add_resource(&place, schema).unwrap();
        let compiled = compiler.compile(&place, &mut self.compiled);
        let compiled = compiled.unwrap_or_else(|wrong| panic!("{wrong:#}"));
        self.met.insert(text, compiled);
        compiled
    }

    fn body(&mut self, content: Option<&Value>) -> Option<Described> {
        let (kind, body) = content?.as_object()?.iter().next()?;
        let schema = (kind == JSON).then(|| self.compile(&body["schema"]));
        Some((kind.clone(), schema))
    }
}

impl Description {
    fn read() -> Self {
        // Where JSON Schema has its own place for what is named, OpenAPI has another.
        let text = DOCUMENT.replace("#/components/schemas/", "#/$defs/");
        let document: Value = serde_json::from_str(&text).unwrap();
        let named = document["components"]["schemas"].clone();
        let mut reader = Reader { named, compiled: Schemas::new(), met: HashMap::new() };
        let mut operations = Vec::new();
        for (path, item) in object(&document["paths"]) {
            for (method, operation) in object(item) {
                let at = (method.as_str(), path.as_str());
                operations.push(read_operation(&mut reader, &document, at, operation));
            }
        }
        Self { schemas: reader.compiled, operations }
    }
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

fn read_operation(
    reader: &mut Reader,
    document: &Value,
    (method, path): (&str, &str),
    operation: &Value,
) -> Operation {
    let mut read = Operation { method: method.to_uppercase(), ..Operation::default() };
    read.path = path.split('/').map(str::to_owned).collect();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = format!("{{{}}}", parameter["name"].as_str().unwrap());
        read.parameters.push((name, reader.compile(&parameter["schema"])));
    }
    read.taken = reader.body(operation.pointer("/requestBody/content")).and_then(|(_, schema)| schema);
    for (status, answer) in object(&operation["responses"]) {
        let named = answer["$ref"].as_str().map(|reference| reference.trim_start_matches('#'));
        let answer = named.map_or(answer, |pointer| document.pointer(pointer).unwrap());
        read.answers.push((status.clone(), reader.body(answer.get("content"))));
    }
    read
}

impl Operation {
    fn is(&self, method: &str, path: &str) -> bool {
        let segments: Vec<&str> = path.split('/').collect();
        let fits = |(own, other): (&String, &&str)| own == other || own.starts_with('{');
        self.method == method
            && self.path.len() == segments.len()
            && self.path.iter().zip(&segments).all(fits)
    }

    /// What is described of an answer with this status: nothing, or the kind of its body.
    fn answer(&self, status: u16) -> Option<&Described> {
        let of = |wanted: &str| self.answers.iter().find(|(described, _)| described == wanted);
        of(&status.to_string()).or_else(|| of("default")).and_then(|(_, body)| body.as_ref())
    }
}

/// Holds one exchange to the description; what an authority of certificates is asked in its own test is not ours.
pub(crate) fn hold((method, path, asked): (&str, &str, &[u8]), answer: &response::Parts, body: &[u8]) {
    if path.starts_with("/roots/") {
        return;
    }
    let status = answer.status.as_u16();
    let shown = format!("{method} {path}: {status}");
    for name in answer.headers.keys() {
        let name = name.as_str();
        let of_browsers = name == "set-cookie" || name.starts_with("access-control");
        assert!(!of_browsers, "{shown} has {name}, which is for browsers (T58)");
    }
    DESCRIPTION.with(|description| {
        let Some(operation) = description.operations.iter().find(|found| found.is(method, path)) else {
            return assert!((400..500).contains(&status), "{shown}, and nothing describes it");
        };
        let fits = |value: &Value, schema: SchemaIndex, what: &str| {
            if let Err(wrong) = description.schemas.validate(value, schema) {
                panic!("{what} {shown} is not as described: {wrong:#}\n{value:#}");
            }
        };
        if answer.status.is_success() {
            for (segment, value) in operation.path.iter().zip(path.split('/')) {
                let parameter = operation.parameters.iter().find(|(name, _)| name == segment);
                if let Some((_, schema)) = parameter {
                    fits(&serde_json::from_str(value).unwrap_or(json!(value)), *schema, "the path of");
                }
            }
            if let Some(schema) = operation.taken {
                let asked = serde_json::from_slice(asked);
                fits(&asked.expect("what is taken is JSON"), schema, "what was asked of");
            }
        }
        if body.is_empty() && (SAY_NOTHING.contains(&status) || operation.answer(status).is_none()) {
            return;
        }
        let Some((kind, schema)) = operation.answer(status) else {
            panic!("{shown} has a body that is not described: {}", String::from_utf8_lossy(body));
        };
        let told = answer.headers.get(header::CONTENT_TYPE).map(|kind| kind.to_str().unwrap());
        assert_eq!(told, Some(kind.as_str()), "{shown}");
        if let Some(schema) = schema {
            fits(&serde_json::from_slice(body).expect(&shown), *schema, "the answer to");
        }
    });
}

/// One that holds nothing would let all of this pass.
#[test]
fn what_is_not_as_described_is_found() {
    let status = |status: u16| {
        let answer = hyper::Response::builder().status(status).header("content-type", JSON);
        answer.body(()).unwrap().into_parts().0
    };
    let is_held = |asked: (&str, &str, &[u8]), answered: u16, body: &str| {
        let held = || hold(asked, &status(answered), body.as_bytes());
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(held)).is_ok()
    };
    let names = ("GET", "/v1/admin/admins", &b""[..]);
    assert!(is_held(names, 200, r#"{"admins":[]}"#));
    assert!(!is_held(names, 200, r#"{"admins":[{}]}"#), "an entry without anything");
    assert!(!is_held(names, 200, r#"{"admins":[],"more":1}"#), "a field that nothing describes");
    assert!(!is_held(names, 200, ""), "no body");
    assert!(is_held(names, 503, r#"{"code":"busy"}"#));
    assert!(!is_held(names, 503, r#"{"code":"on holiday"}"#), "a code that nothing describes");
    assert!(!is_held(("POST", "/v1/admin/token", b"{}"), 204, ""), "what it took is not described");
    assert!(!is_held(("GET", "/v1/nowhere", b""), 200, "{}"), "a path that nothing describes");
    let version = |path| is_held(("GET", path, b""), 404, "");
    assert!(version("/v1/admin/policy/versions/7"));
}
