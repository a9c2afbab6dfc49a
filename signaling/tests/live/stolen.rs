//! What a thief of the database, its journal and a backup learns of all that people and administrators do
//! with this server: nothing (S48, T62).

use tasuki_protocol::login::{CONFIRM_PATH, Confirmation};

use crate::backup::stolen;
use crate::client::World;
use crate::logs::{Canaries, administered, session, signed_in};
use crate::recovery::token;
use crate::standing::ask;

/// S82: as [`crate::backup`] has it of names; here with second factors, tokens, codes, reasons, policies, terminals
/// and further administrators.
#[tokio::test]
async fn t62_s48_neither_secrets_nor_names_nor_places_stand_in_database_journal_or_backup() {
    let world = World::with(&[("proxies", "127.0.0.0/8")]).await;
    let mut canaries = Canaries::default();
    let mut operator = signed_in(&world, &mut canaries).await;
    let of = (operator.token.as_str(), &operator.device);
    let forwarded = [("x-forwarded-for", "203.0.113.177")];
    let wrong = |proof| Confirmation { password: Some("canary guess".to_owned()), totp: None, proof };
    assert_eq!(ask(&world, of, CONFIRM_PATH, &forwarded, wrong).await.status, 401);
    canaries.text("203.0.113.177");
    canaries.text("canary guess");
    session(&world, &mut operator, &mut canaries).await;
    canaries.text(&token(&world.data()));
    administered(&world, &mut canaries).await;
    for (file, bytes) in stolen(&world) {
        canaries.are_not_in(&file.display().to_string(), &bytes);
    }
}
