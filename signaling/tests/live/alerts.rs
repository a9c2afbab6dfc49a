//! What the alert rules count rises when it happens, under the words that they ask for (S76).

use std::path::Path;

use ed25519_dalek::SigningKey;
use tasuki_protocol::number::Locator;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::AGENT_PATH;

use crate::client::World;
use crate::operations::plain;
use crate::pairing::{agent_offer, join, open, secret};

/// Every word that a rule compares `kind` with.
fn kinds_of_the_rules() -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist/tasuki-alerts.yml");
    let rules = std::fs::read_to_string(file).unwrap();
    let compared = rules.split("kind=").skip(1).map(|rest| rest.split('"').nth(1).unwrap());
    compared.flat_map(|words| words.split('|')).map(str::to_owned).collect()
}

fn count(page: &str, kind: &str) -> Option<u64> {
    let of = format!("tasuki_events_total{{kind=\"{kind}\"}} ");
    page.lines().find_map(|line| line.strip_prefix(&of)).map(|count| count.parse().unwrap())
}

#[tokio::test]
async fn s76_every_event_that_an_alert_rule_counts_is_counted_when_it_happens() {
    let world = World::with(&[("metrics", "127.0.0.1:0"), ("joins_per_address", "3")]).await;
    let metrics = world.running.as_ref().unwrap().metrics_address().unwrap();
    let kinds = kinds_of_the_rules();
    assert!(kinds.len() >= 3, "{kinds:?}");
    let before = plain(metrics, "/metrics").await;
    assert!(kinds.iter().all(|kind| count(&before, kind).unwrap_or(0) == 0), "{before}");
    let mut operator = world.operator("hanako").await;
    let stranger = SigningKey::from_bytes(&[9; 32]);
    for _ in 0..3 {
        world.login("hanako", "wrong", &stranger, None).await;
    }
    let room = open(&world, &mut operator, Mode::View).await;
    let dead = Locator::try_from((u32::from(room.locator) + 1) % Locator::COUNT).unwrap();
    for seed in 61..70 {
        let mut agent = world.socket(AGENT_PATH, &[]).await.unwrap();
        agent.say(&join(dead, &agent_offer(&world, &secret(2), seed).0)).await;
        agent.next().await;
    }
    let page = plain(metrics, "/metrics").await;
    for kind in &kinds {
        assert!(count(&page, kind).is_some_and(|count| count > 0), "{kind} in\n{page}");
    }
    // To those who can reach the port of the metrics alone.
    assert_eq!(world.get("/metrics", &[]).await.status, 404);
}
