//! Nesting without end, at every place that reads JSON (T59).

use tasuki_protocol::admin::{ADMIN_LOGIN_PATH, ENROL_PATH, JOIN_PATH, OPERATORS_PATH, RECOVER_PATH};
use tasuki_protocol::devices::APPROVE_PATH;
use tasuki_protocol::keys::PUBLISH_PATH;
use tasuki_protocol::ledger::wire::END_ROWS_PATH;
use tasuki_protocol::login::{CONFIRM_PATH, LOGIN_PATH};
use tasuki_protocol::policy::exchange::{HEALTH_PATH, POLICY_PATH};
use tasuki_protocol::signal::AGENT_PATH;
use tokio_tungstenite::tungstenite::Message;

use crate::client::World;
use futures_util::SinkExt as _;

/// T59: thirty thousand levels end in one refusal each, and the server goes on.
#[tokio::test]
async fn t59_json_that_is_nested_without_end_is_refused_everywhere_and_takes_nobody_down() {
    let world = World::start().await;
    let operator = world.operator("hanako").await;
    let bearer = format!("Bearer {}", operator.token);
    for deep in ["[".repeat(30_000), r#"{"a":"#.repeat(30_000)] {
        for path in [
            LOGIN_PATH,
            CONFIRM_PATH,
            END_ROWS_PATH,
            JOIN_PATH,
            ENROL_PATH,
            RECOVER_PATH,
            ADMIN_LOGIN_PATH,
            OPERATORS_PATH,
            APPROVE_PATH,
            PUBLISH_PATH,
            POLICY_PATH,
        ] {
            let signed = world.signed(&world.admin, "POST", path, deep.as_bytes());
            let mut headers = signed.headers();
            headers.push(("authorization", bearer.as_str()));
            let answer = world.request("POST", path, deep.clone().into_bytes(), &headers).await;
            assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
        }
        let mut agent = world.socket(AGENT_PATH, &[]).await.unwrap();
        let mut line = world.operator_socket(&operator.token, &operator.device).await;
        for socket in [&mut agent, &mut line] {
            socket.0.send(Message::text(deep.clone())).await.ok();
            while socket.next().await.is_some() {}
        }
    }
    assert_eq!(world.get(HEALTH_PATH, &[]).await.status, 200);
}
