//! Names as they were typed, on a keyboard that was left in Japanese, and as they are recorded (S56).

use tasuki_protocol::admin::{
    ChangeGroup, ChangeOperator, GROUPS_PATH, GroupChange, LimitOperator, Limits, NameOperator,
    OPERATOR_CHANGES_PATH, OPERATOR_LIMITS_PATH, OPERATOR_NAMING_PATH, OPERATOR_PASSWORD_PATH,
    OperatorAdded, OperatorChange, ResetPassword,
};
use tasuki_protocol::certificate::Certificate;
use tasuki_protocol::ledger::event::{Entry, Event};
use tasuki_protocol::ledger::words::AdminAction;
use tasuki_protocol::login::LoginAnswer;
use tasuki_protocol::rights::Mode;

use crate::client::{PASSWORD, World};
use crate::ledger::read_until;
use crate::organisation::lock_key;
use crate::second::key;

const WIDE: &str = "ｈａｎａｋｏ";
const NEW: &str = "another horse without a battery";

/// Whoever looks for what hanako did, or what was done to her, finds it; nobody goes unseen by typing otherwise.
#[tokio::test]
async fn s56_what_an_account_did_under_a_name_typed_wide_is_recorded_under_its_own() {
    let world = World::start().await;
    let device = key(94);
    world.add_operator("hanako", &[Mode::View]).await;
    let order = ChangeOperator { operator: WIDE.to_owned(), change: OperatorChange::NewCode };
    let answer = world.admin_post(OPERATOR_CHANGES_PATH, &order).await;
    assert_eq!(answer.status, 201, "a code for the account that it is");
    let code = serde_json::from_slice::<OperatorAdded>(&answer.body).unwrap().enrolment;
    let waits = world.login(WIDE, PASSWORD, &device, Some(&code)).await;
    assert_eq!(waits.login(), LoginAnswer::DevicePending);
    let wide = Certificate { operator: WIDE.to_owned(), ..world.certificate("hanako", &device) };
    assert_eq!(
        world.approve(&wide, &lock_key()).await.status,
        422,
        "what is signed is the name itself"
    );
    assert_eq!(world.approve(&world.certificate("hanako", &device), &lock_key()).await.status, 204);
    world.login(WIDE, PASSWORD, &device, None).await.signed_in();
    assert_eq!(world.login(WIDE, "forgotten", &device, None).await.status, 401);

    let desk = |change| ChangeGroup { group: "desk".to_owned(), change };
    for change in [
        GroupChange::Add,
        GroupChange::Join { operator: WIDE.to_owned() },
        GroupChange::Leave { operator: WIDE.to_owned() },
    ] {
        assert_eq!(world.admin_post(GROUPS_PATH, &desk(change)).await.status, 204);
    }
    let order = ResetPassword { operator: WIDE.to_owned(), password: NEW.to_owned() };
    assert_eq!(world.admin_post(OPERATOR_PASSWORD_PATH, &order).await.status, 204);
    let order = LimitOperator { operator: WIDE.to_owned(), limits: Limits::default() };
    assert_eq!(world.admin_post(OPERATOR_LIMITS_PATH, &order).await.status, 204);
    let modes = Some(vec![Mode::View]);
    let order = NameOperator { operator: WIDE.to_owned(), display_name: None, modes };
    assert_eq!(world.admin_post(OPERATOR_NAMING_PATH, &order).await.status, 204);
    let order = ChangeOperator { operator: WIDE.to_owned(), change: OperatorChange::Remove };
    let certified = world.admin_post(OPERATOR_CHANGES_PATH, &order).await;
    assert_eq!(certified.status, 409, "her device is certified, whichever way her name is typed");
    let order = ChangeOperator { operator: WIDE.to_owned(), change: OperatorChange::Disable };
    assert_eq!(world.admin_post(OPERATOR_CHANGES_PATH, &order).await.status, 204);

    let is_last =
        |event: &Event| matches!(event, Event::AdminDid { action: AdminAction::OperatorDisabled, .. });
    let read = read_until(&world, is_last).await;
    let entries: Vec<&Entry> = read.entries.iter().flatten().collect();
    for entry in &entries {
        assert!(!format!("{entry:?}").contains('ｈ'), "{entry:?}");
    }
    let hers = |of: &dyn Fn(&Event) -> bool| {
        entries
            .iter()
            .filter(|entry| entry.operator.as_deref() == Some("hanako") && of(&entry.event))
            .count()
    };
    assert_eq!(hers(&|event| matches!(event, Event::DeviceEnrolled { .. })), 1);
    assert_eq!(hers(&|event| matches!(event, Event::LoggedIn { .. })), 1);
    assert_eq!(
        hers(&|event| matches!(event, Event::LoginFailed { account, .. } if account == "hanako")),
        1
    );
    let of_acts = |wanted: &'static str| move |event: &Event| matches!(event, Event::AdminDid { target, .. } if target == wanted);
    assert_eq!(hers(&of_acts("desk: hanako")), 2, "into the group, and out of it");
    // A code, a device, a password, limits, modes, and disabled.
    assert_eq!(hers(&of_acts("hanako")), 6);
}
