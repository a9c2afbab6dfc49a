//! An operator's modified program under a published policy that demands what no agent can do yet: the agent
//! refuses, whatever the program would do, and asks nobody (S42, S43, S67).

use std::fs;
use std::time::Duration;

use serde_json::Value;
use tasuki_protocol::message::{Either, EndReason, SessionMessage};
use tasuki_protocol::rights::Mode;
use tasuki_tests::desktop::Desktop;
use tasuki_tests::running::{Mark, until};
use tasuki_tests::stack::House;

use crate::SIZE;
use crate::stranger::{AtTheDoor, Stranger};

fn publish(house: &House, rules: &str) {
    let file = house.folder().join("policy.toml");
    fs::write(&file, rules).unwrap();
    house.administrate(&["policy", "set", file.to_str().unwrap(), "--yes"]).unwrap();
}

/// The two of one organisation meet the same agent: the one does not come as far as a question, the other sees the screen.
#[tokio::test(flavor = "multi_thread")]
async fn s42_s43_s67_an_agent_refuses_a_modified_operator_whole_screens_where_the_policy_demands_an_application()
 {
    let (house, desk) = (House::set_up().unwrap(), Desktop::start(SIZE).unwrap());
    let colleague = house.add_colleague("taro", "Taro Suzuki").unwrap();
    for (others, mode) in [("optional", Mode::Control), ("off", Mode::View)] {
        publish(
            &house,
            &format!(
                "[operator.hanako]\napplication_selection = \"required\"\n\
                 [operator.taro]\napplication_selection = \"{others}\"\n"
            ),
        );
        let mut refused = AtTheDoor::with(&house, &house.profile(), &desk, mode).await;
        refused.agent.event(Mark::default(), "its end", |e| e["event"] == "ended").unwrap();
        let told = refused.agent.events(Mark::default());
        let has = |name: &str| told.iter().any(|event| event["event"] == name);
        assert!(has("manifest_refused"), "{told:?}");
        for sign in ["question", "consent", "path_up", "first_frame"] {
            assert!(!has(sign), "{sign}: {told:?}");
        }
        // Its word to the server is on its way.
        for _ in 0..50 {
            if !refused.has_a_way().await {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(!refused.has_a_way().await, "nothing leads to the agent");

        let door = AtTheDoor::with(&house, &colleague, &desk, mode).await;
        let (mut viewer, mut agent) = Stranger::admitted(door).await;
        viewer.until("a picture", |viewer| viewer.frames > 0).await;
        viewer.say(SessionMessage::Either(Either::End(EndReason::OperatorEnded))).await;
        agent.wait_end().unwrap();
    }
    assert_recorded(&house);
}

/// T16: and what it refused is in the ledger, under whose number it was.
fn assert_recorded(house: &House) {
    let list = until("two records of refused manifests", || {
        let list = house.administrate(&["audit", "list", "--event", "pairing_refused"]).ok();
        Ok(list.filter(|list| list["records"].as_array().is_some_and(|records| records.len() == 2)))
    })
    .unwrap();
    for record in list["records"].as_array().unwrap() {
        let event = &record["event"];
        let said: [&Value; 4] = [&record["by"], &record["operator"], &event["by"], &event["why"]];
        assert_eq!(said, ["server", "hanako", "agent", "manifest_demand"], "{record}");
    }
    let report = house.administrate(&["audit", "report"]).unwrap();
    assert_eq!(report["totals"][0]["violations"].as_u64(), Some(0), "nobody forged anything: {report}");
}
