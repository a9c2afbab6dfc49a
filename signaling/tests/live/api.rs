//! The served description of the API against the routes themselves: neither may have what the
//! other has not.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use tasuki_protocol::admin::{ADMIN_HEADER, ADMIN_LOGIN_PATH, ADMIN_LOGOUT_PATH, OPERATORS_PATH};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::ledger::wire::CHECKPOINT_PATH;
use tasuki_protocol::login::{
    CONFIRM_PATH, ChangePassword, Confirmation, LOGOUT_PATH, PASSWORD_PATH, SignOut,
};
use tasuki_protocol::policy::MAX_POLICY_BYTES;
use tasuki_protocol::policy::exchange::{API_PATH, POLICY_PATH};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{MAX_REQUEST, OPERATOR_PATH, SPEED_PATH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::client::{PATIENCE, World, new_operator, unix};
use crate::http::admin_header;

/// `GET /v1/operator` and the like, as the router's source registers them.
fn routes() -> BTreeSet<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let words: String = sources(&crates.join("protocol/src")).concat();
    let router = std::fs::read_to_string(crates.join("signaling/src/shell/web/mod.rs")).unwrap();
    let router = router.split("#[cfg(test)]").next().unwrap();
    let mut found = BTreeSet::new();
    for call in router.split(".route(").skip(1) {
        let (name, methods) = call.split_once(',').unwrap();
        let at = format!("pub const {}: &str", name.trim());
        let declared = words.split(&at).nth(1).unwrap_or_else(|| panic!("{name} is no path"));
        let path = declared.split('"').nth(1).unwrap();
        let end = methods.find("\n").map_or(methods, |end| &methods[..end]);
        for (word, method) in [("get(", "GET"), ("post(", "POST"), ("any(", "POST")] {
            if end.contains(word) {
                found.insert(format!("{method} {path}"));
            }
        }
    }
    found
}

fn sources(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| {
        if path.is_dir() {
            return sources(&path);
        }
        vec![std::fs::read_to_string(path).unwrap()]
    };
    entries.flat_map(read).collect()
}

fn documented(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().unwrap();
    let methods = |(path, item): (&String, &Value)| {
        let methods: Vec<String> = item.as_object().unwrap().keys().cloned().collect();
        let path = path.clone();
        methods.into_iter().map(move |method| format!("{} {path}", method.to_uppercase()))
    };
    paths.iter().flat_map(methods).collect()
}

/// As the server gives it away.
async fn document(world: &World) -> Value {
    let answer = world.get(API_PATH, &[]).await;
    assert_eq!(answer.status, 200);
    serde_json::from_slice(&answer.body).unwrap()
}

#[tokio::test]
async fn the_served_description_names_exactly_the_routes_that_are_there() {
    let world = World::start().await;
    let document = document(&world).await;
    assert_eq!(document["openapi"], "3.1.0");
    let routes = routes();
    assert!(routes.len() >= 14, "{routes:?}");
    assert_eq!(routes, documented(&document));
}

#[tokio::test]
async fn every_reference_in_the_description_leads_somewhere_and_every_path_answers() {
    let world = World::start().await;
    let document = document(&world).await;
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"").skip(1) {
        let target = reference.split('"').next().unwrap().trim_start_matches('#');
        assert!(document.pointer(target).is_some(), "{target}");
    }
    for route in documented(&document) {
        let (method, path) = route.split_once(' ').unwrap();
        let path = path.replace("{version}", "1");
        // The enrolment is over, so its route is gone (T57).
        let gone = path.ends_with("/enrol");
        let status = world.request(method, &path, Vec::new(), &[]).await.status;
        assert_eq!(status == 404, gone, "{route}: {status}");
        assert_ne!(status, 405, "{route}");
        assert!(status < 500, "{route}: {status}");
    }
}

/// No e-mail address is kept of anybody: nothing that is asked or answered has a place for one.
#[tokio::test]
async fn s62_nothing_that_goes_over_the_api_has_a_place_for_an_e_mail_address() {
    let world = World::start().await;
    let fields = fields(&document(&world).await);
    assert!(fields.contains("display_name") && fields.contains("operator"), "{fields:?}");
    let of_mail = |field: &&String| {
        let plain = field.to_lowercase().replace(['_', '-'], "");
        ["mail", "contact", "phone"].iter().any(|word| plain.contains(word))
    };
    assert_eq!(fields.iter().find(of_mail), None);
    // Nor is one taken that is not described.
    let mut order = json!(new_operator("hanako", &[Mode::View]));
    order["e_mail"] = json!("hanako@example.org");
    assert_eq!(world.admin_post(OPERATORS_PATH, &order).await.status, 400);
}

/// The names of all fields that the schemas of `value` have, wherever they stand.
fn fields(value: &Value) -> BTreeSet<String> {
    let own = value.get("properties").and_then(Value::as_object).into_iter().flat_map(|own| own.keys());
    let mut found: BTreeSet<String> = own.cloned().collect();
    let inside: Vec<&Value> = match value {
        Value::Object(map) => map.values().collect(),
        Value::Array(all) => all.iter().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    found.extend(inside.into_iter().flat_map(fields));
    found
}

/// What answers somebody of whom nothing is known: documents, doors, sockets, and what takes a token or a ticket in its
/// body.
const OPEN: [&str; 14] = [
    "GET /healthz",
    "GET /readyz",
    "GET /v1/openapi.json",
    "GET /v1/bundle",
    "GET /v1/trust",
    "GET /v1/agent",
    "GET /v1/operator",
    "GET /v1/speed",
    "POST /v1/speed",
    "POST /v1/login",
    "POST /v1/ledger/rows",
    "POST /v1/admin/join",
    "POST /v1/admin/recover",
    "POST /v1/admin/token",
];

/// What an operator's paths read before they ask who it is; the administrators' ask first.
fn well_formed(path: &str) -> Vec<u8> {
    let proof = || Blob(vec![0; 64]);
    let text = || "seven lemons under a tin roof".to_owned();
    let body = match path {
        CONFIRM_PATH => json!(Confirmation { password: Some(text()), totp: None, proof: proof() }),
        PASSWORD_PATH => json!(ChangePassword { old: text(), new: text(), proof: proof() }),
        LOGOUT_PATH => json!(SignOut { proof: proof() }),
        CHECKPOINT_PATH => json!({ "known": 0 }),
        _ => json!({}),
    };
    serde_json::to_vec(&body).unwrap()
}

/// S62, T56: every other path asks who it is.
#[tokio::test]
async fn s62_t56_no_path_but_the_open_ones_answers_without_a_session_of_its_own_kind() {
    let world = World::start().await;
    let operator = world.operator("hanako").await;
    let bearer = format!("Bearer {}", operator.token);
    let document = document(&world).await;
    let closed: Vec<String> = documented(&document)
        .into_iter()
        // The enrolment is over, so its route is gone (T57).
        .filter(|route| !OPEN.contains(&route.as_str()) && !route.ends_with("/enrol"))
        .map(|route| route.replace("{version}", "1"))
        .collect();
    assert_eq!(closed.len() + OPEN.len() + 1, documented(&document).len(), "each open one is there");
    let without = async |why: &str, route: &str, signer: Option<&SigningKey>, bearer: Option<&str>| {
        let (method, path) = route.split_once(' ').unwrap();
        let body = if method == "POST" { well_formed(path) } else { Vec::new() };
        let signed = signer.map(|key| admin_header(key, unix(), method, path, &body));
        let headers = [("authorization", bearer), (ADMIN_HEADER, signed.as_deref())];
        let headers: Vec<_> =
            headers.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))).collect();
        let answer = world.request(method, path, body, &headers).await;
        assert_eq!(answer.status, 401, "{route} {why}: {}", String::from_utf8_lossy(&answer.body));
    };
    for bearer in [&[][..], &[("authorization", "Bearer nobodys")]] {
        assert!(
            world.socket(OPERATOR_PATH, bearer).await.is_err(),
            "no operator's line without a token"
        );
    }
    let stranger = SigningKey::from_bytes(&[99; 32]);
    for route in &closed {
        without("of nobody", route, None, None).await;
        without("of a stranger", route, Some(&stranger), Some("Bearer nobodys")).await;
        if route.contains("/v1/admin/") {
            without("of an operator", route, Some(&operator.device), Some(&bearer)).await;
        } else {
            without("of an administrator", route, Some(&world.admin), None).await;
        }
    }
    assert_eq!(world.admin_post(ADMIN_LOGOUT_PATH, &json!({})).await.status, 204);
    let signed_out = closed.iter().filter(|route| route.contains("/v1/admin/"));
    for route in signed_out.filter(|route| !route.ends_with(ADMIN_LOGIN_PATH)) {
        without("signed out", route, Some(&world.admin), None).await;
        let (method, path) = route.split_once(' ').unwrap();
        let over = world.ask_as(&world.admin, (method, path, b"{}".to_vec()), &[]).await;
        assert_eq!(over.status, 401, "{route} in a sign-in that has ended");
    }
    assert!(closed.len() > 35, "{closed:?}");
}

/// A path as nobody writes it who wants what is there: each is another path.
fn oddly_spelled(path: &str) -> Vec<String> {
    let (before, last) = path.rsplit_once('/').unwrap();
    let (first, rest) = last.split_at(1);
    let coded = format!("%{:02x}", first.as_bytes()[0]);
    let mut spelled = vec![
        format!("/{path}"),
        format!("/.{path}"),
        format!("/nowhere/..{path}"),
        format!("/%2e{path}"),
        format!("/{before}/{last}"),
        format!("{before}/./{last}"),
        format!("/.{before}%2f{last}"),
        format!("/{before}\\{last}"),
        path.replacen("/v1/", "/V1/", 1),
    ];
    // Of what names a version any word could be one.
    if !last.starts_with('{') {
        let of_the_last =
            ["/", ";a=b", "%00", "%20", ".json", "/.", "/.."].map(|end| format!("{path}{end}"));
        spelled.extend(of_the_last);
        spelled.push(format!("{before}/{coded}{rest}"));
        spelled.push(format!("{before}/{}{rest}", first.to_uppercase()));
    }
    spelled
        .into_iter()
        .filter(|spelled| spelled != path)
        .map(|path| path.replace("{version}", "1"))
        .collect()
}

/// T57, T58: no route has another way to it than its own, for anybody, with any method; and no browser has any.
#[tokio::test]
async fn t57_t58_a_route_is_there_in_one_spelling_alone_and_for_no_browser() {
    let world = World::start().await;
    let operator = world.operator("hanako").await;
    let bearer = format!("Bearer {}", operator.token);
    let document = document(&world).await;
    let nowhere = world.get("/v1/nowhere", &[]).await;
    assert_eq!(nowhere.status, 404);
    let mut tried = 0;
    for route in documented(&document) {
        let (method, path) = route.split_once(' ').unwrap();
        for spelled in oddly_spelled(path) {
            // With all that the route itself could ask for.
            let signed = world.signed(&world.admin, method, &spelled, b"{}");
            let mut headers = signed.headers();
            headers.push(("authorization", bearer.as_str()));
            let answer = world.request(method, &spelled, b"{}".to_vec(), &headers).await;
            assert_eq!(answer, nowhere, "{method} {spelled}");
            tried += 1;
        }
        let path = path.replace("{version}", "1");
        let signed = world.signed(&world.admin, method, &path, b"{}");
        let origin = ("origin", "https://evil.example");
        let mut headers = signed.headers();
        headers.extend([("authorization", bearer.as_str()), origin]);
        let answer = world.request(method, &path, b"{}".to_vec(), &headers).await;
        assert_eq!((answer.status, answer.body.len()), (403, 0), "{route} of a browser");
        let asks = world.request("OPTIONS", &path, Vec::new(), &[origin]).await;
        assert_eq!(asks.status, 403, "{route}: a browser that asks first");
    }
    assert!(tried > 500, "{tried}");
}

/// T59: no path reads more than it may use, whoever asks; what announces too much is not waited for, and
/// what announces no length is not taken at all.
#[tokio::test]
async fn t59_every_path_that_takes_a_body_has_its_limit() {
    let world = World::start().await;
    let document = document(&world).await;
    let mut tried = 0;
    for route in documented(&document) {
        let Some(path) = route.strip_prefix("POST ") else { continue };
        let most = if path == POLICY_PATH { MAX_POLICY_BYTES * 3 / 2 } else { MAX_REQUEST };
        let answer = world.request("POST", path, vec![b'{'; most + 1], &[]).await;
        // Or not read at all, of a stranger where one must be signed in, or where nothing is any more.
        assert!(matches!(answer.status, 413 | 401 | 404), "{path}: {}", answer.status);
        // One that has no length is read by nobody.
        let mut stream = world.tls().await;
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        let mut told = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut told)).await.expect("an end").unwrap();
        let told = String::from_utf8_lossy(&told);
        let gone = path.ends_with("/enrol") && told.starts_with("HTTP/1.1 404");
        assert!(gone || told.starts_with("HTTP/1.1 411"), "{path}: {told}");
        tried += 1;
    }
    assert!(tried > 20, "{tried}");
}

#[tokio::test]
async fn s84_a_line_is_timed_by_one_common_size_each_way_and_by_no_more() {
    let world = World::start().await;
    let down = world.get(SPEED_PATH, &[]).await;
    assert_eq!((down.status, down.body.len()), (200, MAX_REQUEST));
    for (size, status) in [(0, 204), (MAX_REQUEST, 204), (MAX_REQUEST + 1, 413)] {
        let up = world.request("POST", SPEED_PATH, vec![7; size], &[]).await;
        assert_eq!((up.status, up.body.len()), (status, 0), "{size}");
    }
}
