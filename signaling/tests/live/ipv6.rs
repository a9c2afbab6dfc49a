//! A server at an address of IPv6: who comes to it there, and what limits mean to him (S63, T54).

use std::net::{Ipv6Addr, SocketAddr, TcpListener};

use tasuki_protocol::admin::Limits;
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::login::LoginAnswer;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::ServerToAgent;
use tokio::time::timeout;

use crate::client::{PASSWORD, PATIENCE, World};
use crate::ledger::read_until;
use crate::pairing::{open, pair};
use crate::second::limited;

fn addresses(text: &str) -> Limits {
    Limits { addresses: vec![text.to_owned()], ..Limits::default() }
}

#[tokio::test]
async fn s63_t54_limits_hold_for_who_comes_by_ipv6() {
    // Everywhere but on a machine that has none of it.
    let Ok(free) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else {
        return eprintln!("not tried: this machine has no IPv6");
    };
    let port = free.local_addr().unwrap().port();
    drop(free);
    let mut world = World::start().await;
    world.stop().await;
    world.address = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    world.run().await;
    let mut operator = world.operator("hanako").await;
    let device = operator.device.clone();
    limited(&world, addresses("::/64")).await;
    world.login("hanako", PASSWORD, &device, None).await.signed_in();
    let mut room = open(&world, &mut operator, Mode::View).await;
    let mut session = pair(&world, &mut operator, &mut room).await;
    limited(&world, addresses("0.0.0.0/0")).await;
    let heard = timeout(PATIENCE, session.agent.hear::<ServerToAgent>()).await.expect("it ends");
    assert!(matches!(heard, ServerToAgent::Closed { .. }), "{heard:?}");
    while timeout(PATIENCE, operator.socket.text()).await.expect("out").is_some() {}
    let from_elsewhere = world.login("hanako", PASSWORD, &device, None).await.login();
    assert_eq!(from_elsewhere, LoginAnswer::OutsideAddresses);
    limited(&world, addresses("::1")).await;
    world.login("hanako", PASSWORD, &device, None).await.signed_in();
    let is_from = |event: &Event| matches!(event, Event::LoggedIn { from, .. } if from == "::1");
    read_until(&world, is_from).await;
}
