//! Everything for which the ledger says that an administrator was refused (S56).

use serde_json::json;
use tasuki_protocol::admin::{
    ADMIN_CHANGES_PATH, ADMIN_HEADER, ADMIN_LOGIN_PATH, ADMIN_LOGOUT_PATH, AdminChange, ChangeAdmin,
    OPERATORS_PATH,
};
use tasuki_protocol::devices::DEVICES_PATH;
use tasuki_protocol::ids::SessionId;
use tasuki_protocol::policy::exchange::{EndSession, SESSIONS_PATH};
use tasuki_protocol::rights::Mode;

use crate::acts::database;
use crate::client::{ADMIN_PASSWORD, World, new_operator, unix};
use crate::http::admin_header;
use crate::policy::publish;
use crate::second::{key, log_in};

/// What an administrator may not, and once what he may when he has said who he is.
pub(crate) async fn in_every_way(world: &World) -> EndSession {
    world.add_operator("hanako", &[Mode::View]).await;
    let stranger = admin_header(&key(99), unix(), "GET", OPERATORS_PATH, b"");
    assert_eq!(world.get(OPERATORS_PATH, &[(ADMIN_HEADER, &stranger)]).await.status, 401);
    let himself = ChangeAdmin { name: "admin".to_owned(), change: AdminChange::Disable };
    assert_eq!(world.admin_post(ADMIN_CHANGES_PATH, &himself).await.status, 409);
    assert_eq!(publish(world, &key(99), 1, "{}").await.status, 422);
    let taken = new_operator("hanako", &[Mode::View]);
    assert_eq!(world.admin_post(OPERATORS_PATH, &taken).await.status, 409);
    let certificate = world.certificate("hanako", &key(1));
    assert_eq!(world.approve(&certificate, &key(99)).await.status, 422);
    let nothing = EndSession { session: SessionId([9; 16]) };
    assert_eq!(world.admin_post(SESSIONS_PATH, &nothing).await.status, 404);
    let long_ago = "UPDATE admin_sessions SET confirmed = confirmed - 1000000";
    sqlx::query(long_ago).execute(&mut database(world).await).await.unwrap();
    assert_eq!(publish(world, &world.admin, 1, "{}").await.status, 403);
    assert_eq!(world.admin_post(ADMIN_LOGIN_PATH, &log_in("not his")).await.status, 401);
    assert_eq!(world.admin_post(ADMIN_LOGOUT_PATH, &json!({})).await.status, 204);
    assert_eq!(world.admin_get(DEVICES_PATH).await.status, 401);
    assert_eq!(world.admin_post(ADMIN_LOGIN_PATH, &log_in(ADMIN_PASSWORD)).await.status, 200);
    nothing
}
