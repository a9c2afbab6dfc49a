//! Requests that an administrator's key signs, in the sign-in that his last login, or his coming, began.

use std::collections::HashMap;
use std::sync::Mutex;

use ed25519_dalek::SigningKey;
use serde::Serialize;
use tasuki_protocol::admin::{
    ADMIN_HEADER, ADMIN_LOGIN_PATH, ADMIN_SESSION_HEADER, AdminLogin, ENROL_PATH, JOIN_PATH,
    RECOVER_PATH,
};
use tasuki_protocol::login::Authenticator;

use crate::client::{ADMIN_PASSWORD, Answer, World, device_key, try_request_over, unix};
use crate::http::admin_header_in;

/// Of each key, by its public half in hexadecimal.
#[derive(Default)]
pub(crate) struct SignIns(Mutex<HashMap<String, String>>);

/// What a signed request carries.
pub(crate) struct Signed {
    proof: String,
    session: Option<String>,
}

impl Signed {
    pub(crate) fn headers(&self) -> Vec<(&'static str, &str)> {
        let session = self.session.as_deref().map(|session| (ADMIN_SESSION_HEADER, session));
        [(ADMIN_HEADER, self.proof.as_str())].into_iter().chain(session).collect()
    }
}

impl World {
    pub(crate) fn signed(&self, key: &SigningKey, method: &str, path: &str, body: &[u8]) -> Signed {
        let session = self.session_of(key);
        let proof = admin_header_in(session.as_deref(), key, unix(), method, path, body);
        Signed { proof, session }
    }

    /// What the key's owner was last told of a sign-in, whether or not it stands.
    pub(crate) fn session_of(&self, key: &SigningKey) -> Option<String> {
        self.sign_ins.0.lock().unwrap().get(&device_key(key).to_string()).cloned()
    }

    /// Asks for nothing but a sign-in, with the administrator's password.
    pub(crate) async fn sign_in(&self) {
        let (password, authenticator) = (ADMIN_PASSWORD.to_owned(), Authenticator::Keep);
        let login = AdminLogin { password, totp: None, authenticator, macs: Vec::new() };
        let answer = self.admin_post(ADMIN_LOGIN_PATH, &login).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    }

    pub(crate) async fn ask_as(
        &self,
        key: &SigningKey,
        (method, path, body): (&str, &str, Vec<u8>),
        more: &[(&str, &str)],
    ) -> Answer {
        let signed = self.signed(key, method, path, &body);
        let answer =
            self.request(method, path, body, &[signed.headers().as_slice(), more].concat()).await;
        if path == ADMIN_LOGIN_PATH {
            self.heed(device_key(key).to_string(), &answer);
        }
        answer
    }

    /// Whoever comes is signed in by that.
    pub(crate) fn heed_coming(&self, path: &str, asked: &[u8], answer: &Answer) {
        if ![ENROL_PATH, JOIN_PATH, RECOVER_PATH].contains(&path) || answer.status != 201 {
            return;
        }
        let asked: serde_json::Value = serde_json::from_slice(asked).unwrap();
        let key = asked.get("enrol").unwrap_or(&asked)["key"].as_str().unwrap();
        self.heed(key.to_owned(), answer);
    }

    fn heed(&self, key: String, answer: &Answer) {
        let told: Option<serde_json::Value> = serde_json::from_slice(&answer.body).ok();
        let session = told.as_ref().and_then(|told| told["session"].as_str());
        if let Some(session) = session {
            self.sign_ins.0.lock().unwrap().insert(key, session.to_owned());
        }
    }

    pub(crate) async fn admin_get(&self, path: &str) -> Answer {
        self.ask_as(&self.admin, ("GET", path, Vec::new()), &[]).await
    }

    pub(crate) async fn admin_post<T: Serialize>(&self, path: &str, body: &T) -> Answer {
        self.ask_as(&self.admin, ("POST", path, serde_json::to_vec(body).unwrap()), &[]).await
    }

    /// As [`Self::admin_post`], at a server that may be gone; its status.
    pub(crate) async fn try_admin_post<T: Serialize>(&self, path: &str, body: &T) -> Option<u16> {
        let body = serde_json::to_vec(body).unwrap();
        let signed = self.signed(&self.admin, "POST", path, &body);
        let stream = self.try_tls().await.ok()?;
        let answer = try_request_over(stream, "POST", path, body, &signed.headers()).await;
        answer.ok().map(|answer| answer.status)
    }
}
