//! Whatever takes away what a live session rests on ends it within five seconds (S65, T17, T54, T55).

use std::time::Duration;

use tasuki_protocol::admin::{
    ChangeGroup, ChangeOperator, GROUPS_PATH, GroupChange, Hours, LimitOperator, Limits,
    OPERATOR_CHANGES_PATH, OPERATOR_LIMITS_PATH, OperatorChange,
};
use tasuki_protocol::certificate::Certificate;
use tasuki_protocol::login::{LOGOUT_PATH, SignOut};
use tasuki_protocol::policy::exchange::{EndSession, SESSIONS_PATH};
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::signal::{CloseReason, ServerToAgent, ServerToOperator};
use tokio::time::timeout;

use crate::acts::database;
use crate::client::{Operator, World};
use crate::organisation::lock_key;
use crate::pairing::{Room, Session, open, pair};
use crate::policy::publish;
use crate::second::tomorrow;
use crate::standing::{ask, change_password};

const AT_ONCE: Duration = Duration::from_secs(5);

/// An operator in a session.
struct Live<'a> {
    world: &'a World,
    name: &'static str,
    operator: Operator,
    room: Room,
    session: Session,
}

impl<'a> Live<'a> {
    async fn of(world: &'a World, name: &'static str) -> Self {
        let mut operator = world.operator(name).await;
        let mut room = open(world, &mut operator, Mode::Control).await;
        let session = pair(world, &mut operator, &mut room).await;
        Self { world, name, operator, room, session }
    }

    /// Both ends hear of it in time, counted from before `act`.
    async fn ends(name: &'static str, world: &'a World, act: impl AsyncFnOnce(&Self)) {
        let mut live = Self::of(world, name).await;
        let reason = CloseReason::Withdrawn;
        let heard = timeout(AT_ONCE, async {
            act(&live).await;
            let agent: ServerToAgent = live.session.agent.hear().await;
            assert_eq!(agent, ServerToAgent::Closed { reason }, "{name}");
            let operator = live.operator.socket.hear_of_sessions().await;
            let session = live.room.session;
            assert_eq!(operator, ServerToOperator::Closed { session, reason }, "{name}");
        });
        heard.await.unwrap_or_else(|_| panic!("{name}: not within {AT_ONCE:?}"));
    }

    async fn change(&self, change: OperatorChange) {
        let order = ChangeOperator { operator: self.name.to_owned(), change };
        assert_eq!(self.world.admin_post(OPERATOR_CHANGES_PATH, &order).await.status, 204);
    }

    async fn limit(&self, limits: Limits) {
        let order = LimitOperator { operator: self.name.to_owned(), limits };
        assert_eq!(self.world.admin_post(OPERATOR_LIMITS_PATH, &order).await.status, 204);
    }
}

/// T17: what administrators decide about groups, certificates, policies and sessions.
#[tokio::test]
async fn t17_s65_a_group_a_certificate_a_policy_and_an_administrators_word_act_within_five_seconds() {
    let world = World::start().await;
    let group = async |change| {
        let order = ChangeGroup { group: "trainees".to_owned(), change };
        assert_eq!(world.admin_post(GROUPS_PATH, &order).await.status, 204);
    };
    group(GroupChange::Add).await;
    let rules = r#"{"group":{"trainees":{"modes":["view"]}}}"#;
    assert_eq!(publish(&world, &world.admin, 1, rules).await.status, 201);
    Live::ends("joins-a-group", &world, async |live| {
        group(GroupChange::Join { operator: live.name.to_owned() }).await;
    })
    .await;
    Live::ends("certified-for-less", &world, async |live| {
        let same = world.certificate(live.name, &live.operator.device);
        let rights = Rights::of(&Capability::ALL).without(Capability::Screenshot);
        let less = Certificate { rights, ..same };
        assert_eq!(world.approve(&less, &lock_key()).await.status, 204);
    })
    .await;
    Live::ends("under-a-policy", &world, async |_| {
        let rules = r#"{"operator":{"under-a-policy":{"screenshot":false}}}"#;
        assert_eq!(publish(&world, &world.admin, 2, rules).await.status, 201);
    })
    .await;
    Live::ends("ended", &world, async |live| {
        let order = EndSession { session: live.room.session };
        assert_eq!(world.admin_post(SESSIONS_PATH, &order).await.status, 204);
    })
    .await;
}

/// T54, T55: what happens to the sign-in, the account or its limits.
#[tokio::test]
async fn t54_t55_a_sign_out_a_password_an_account_and_its_limits_act_within_five_seconds() {
    let world = World::start().await;
    Live::ends("signed-out", &world, async |live| {
        let of = (live.operator.token.as_str(), &live.operator.device);
        let answer = ask(&world, of, LOGOUT_PATH, &[], |proof| SignOut { proof }).await;
        assert_eq!(answer.status, 204);
    })
    .await;
    Live::ends("another-password", &world, async |live| {
        let new = "another horse without a battery";
        assert_eq!(change_password(&world, &live.operator, new).await.status, 204);
    })
    .await;
    Live::ends("authenticator-lost", &world, async |live| {
        let had_one = "UPDATE operators SET totp = x'00'";
        sqlx::query(had_one).execute(&mut database(&world).await).await.unwrap();
        live.change(OperatorChange::ForgetAuthenticator).await;
    })
    .await;
    Live::ends("removed", &world, async |live| {
        // An account with a certificate that counts is not removed; this one's is over by every clock.
        let over = "UPDATE devices SET not_after = 1, certified_until = 1";
        sqlx::query(over).execute(&mut database(&world).await).await.unwrap();
        live.change(OperatorChange::Remove).await;
    })
    .await;
    let hours = Hours { zone: "Asia/Tokyo".to_owned(), days: vec![tomorrow()], from: 0, until: 1440 };
    for (name, limits) in [
        ("other-hours", Limits { hours: Some(hours), ..Limits::default() }),
        ("other-terminal", Limits { macs: vec!["02:00:00:00:00:02".to_owned()], ..Limits::default() }),
        ("other-place", Limits { addresses: vec!["192.0.2.0/24".to_owned()], ..Limits::default() }),
    ] {
        Live::ends(name, &world, async |live| live.limit(limits).await).await;
    }
}
