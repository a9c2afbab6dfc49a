//! What an administrator is asked his password for once more, however long he has been signed in (S62).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tasuki_protocol::admin::{
    ADMIN_CHANGES_PATH, ADMIN_LIMITS_PATH, ADMIN_LOGIN_PATH, ADMIN_PASSWORD_PATH, ADMINS_PATH,
    ChangeGroup, GROUPS_PATH, GroupChange, Limits, OPERATOR_CHANGES_PATH, OPERATOR_LIMITS_PATH,
    OPERATOR_NAMING_PATH, OPERATOR_PASSWORD_PATH, OPERATORS_PATH, ProblemCode,
};
use tasuki_protocol::keys::PUBLISH_PATH;
use tasuki_protocol::policy::exchange::POLICY_PATH;
use tasuki_protocol::rights::Mode;

use crate::acts::database;
use crate::client::{ADMIN_PASSWORD, World, new_operator};
use crate::described::DOCUMENT;
use crate::policy::{publish, refused};
use crate::second::log_in;

/// Behind these nothing is widened, given back or let in by a session alone.
const ASKS_NOTHING: [&str; 17] = [
    // The way in asks for token or password itself, and so does the way out for neither.
    "/v1/admin/enrol",
    "/v1/admin/join",
    "/v1/admin/login",
    "/v1/admin/logout",
    "/v1/admin/recover",
    "/v1/admin/token",
    // Something is taken away.
    "/v1/admin/devices/revoke",
    "/v1/admin/invitations",
    "/v1/admin/sessions",
    // A key signs it that no server has, nor anybody without the passphrase.
    "/v1/admin/devices/approve",
    "/v1/admin/ledger/acknowledge",
    "/v1/admin/ledger/prune",
    // A look, which is recorded.
    "/v1/admin/ledger/checkpoint",
    "/v1/admin/ledger/open",
    "/v1/admin/ledger/review",
    "/v1/admin/ledger/rows",
    // A key that counts once the root has signed for it.
    "/v1/admin/keys/prepare",
];

/// Each order of the API is among those that ask, or is known not to.
fn no_order_is_forgotten(asked: BTreeSet<&str>) {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let orders = paths.iter().filter(|(path, item)| {
        path.starts_with("/v1/admin/") && item.as_object().is_some_and(|item| item.contains_key("post"))
    });
    let known: BTreeSet<&str> = asked.into_iter().chain(ASKS_NOTHING).collect();
    assert_eq!(orders.map(|(path, _)| path.as_str()).collect::<BTreeSet<_>>(), known);
}

/// S62, S71: who widens somebody's rights, lets in another administrator or changes keys has said within the last minutes
/// who he is: a computer that was left open gives none of it away, and nothing has changed.
#[tokio::test]
async fn s62_s71_what_changes_rights_or_keys_asks_once_more_who_it_is() {
    let world = World::start().await;
    world.add_operator("hanako", &[Mode::View]).await;
    world.add_operator("saburo", &[Mode::View]).await;
    let group = |change| ChangeGroup { group: "desk".to_owned(), change };
    assert_eq!(world.admin_post(GROUPS_PATH, &group(GroupChange::Add)).await.status, 204);
    let long_ago = "UPDATE admin_sessions SET confirmed = confirmed - 1000000";
    sqlx::query(long_ago).execute(&mut database(&world).await).await.unwrap();
    let all = async || {
        let mut all = Vec::new();
        for path in [ADMINS_PATH, OPERATORS_PATH, GROUPS_PATH] {
            let answer = world.admin_get(path).await;
            assert_eq!(answer.status, 200, "{path}: to look needs no more than a session");
            all.push(answer.body);
        }
        all
    };
    let before = all().await;
    let limits = Limits::default();
    let gated = [
        (GROUPS_PATH, json!({ "group": "desk", "change": { "join": { "operator": "hanako" } } })),
        (GROUPS_PATH, json!({ "group": "desk", "change": "remove" })),
        (
            OPERATOR_NAMING_PATH,
            json!({ "operator": "hanako", "display_name": null, "modes": ["manage"] }),
        ),
        (OPERATOR_LIMITS_PATH, json!({ "operator": "hanako", "limits": limits })),
        (OPERATORS_PATH, serde_json::to_value(new_operator("jiro", &[Mode::View])).unwrap()),
        (OPERATOR_CHANGES_PATH, json!({ "operator": "hanako", "change": "enable" })),
        (OPERATOR_CHANGES_PATH, json!({ "operator": "hanako", "change": "new_code" })),
        (OPERATOR_CHANGES_PATH, json!({ "operator": "hanako", "change": "unlock" })),
        (OPERATOR_CHANGES_PATH, json!({ "operator": "hanako", "change": "forget_authenticator" })),
        (
            OPERATOR_PASSWORD_PATH,
            json!({ "operator": "hanako", "password": "nine lemons on a tin roof" }),
        ),
        (ADMINS_PATH, json!({ "name": "taro" })),
        (ADMIN_CHANGES_PATH, json!({ "name": "admin", "change": "unlock" })),
        (ADMIN_LIMITS_PATH, json!({ "name": "admin", "limits": limits, "macs": [] })),
        (ADMIN_PASSWORD_PATH, json!({ "old": ADMIN_PASSWORD, "new": "nine lemons on a tin roof" })),
        (PUBLISH_PATH, json!({ "bundle": "AAAA", "log_keys": [] })),
    ];
    for (path, body) in &gated {
        refused(&world.admin_post(path, body).await, ProblemCode::Confirm);
    }
    refused(&publish(&world, &world.admin, 1, "{}").await, ProblemCode::Confirm);
    no_order_is_forgotten(gated.iter().map(|(path, _)| *path).chain([POLICY_PATH]).collect());
    assert_eq!(all().await, before);
    // What takes away waits for nobody.
    for change in ["disable", "remove"] {
        let order = json!({ "operator": "saburo", "change": change });
        assert_eq!(world.admin_post(OPERATOR_CHANGES_PATH, &order).await.status, 204, "{change}");
    }
    assert_eq!(world.admin_post(ADMIN_LOGIN_PATH, &log_in(ADMIN_PASSWORD)).await.status, 200);
    let joins = GroupChange::Join { operator: "hanako".to_owned() };
    assert_eq!(world.admin_post(GROUPS_PATH, &group(joins)).await.status, 204);
    assert_ne!(all().await, before);
}
