//! This machine's own addresses, and when one of them has gone: the cable was pulled,
//! another network took over (F7). Knows nothing of what was bound to it.

use std::net::IpAddr;
use std::time::Duration;

/// Soon enough for people, and two looks at a short list a second at most.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Every address of every interface that is up.
pub(super) fn addresses() -> Vec<if_addrs::Interface> {
    if_addrs::get_if_addrs().unwrap_or_default()
}

/// Resolves when one of `bound` is no address of this machine any more. Never for
/// loopback and for wildcards, which cannot go. Cancel-safe.
pub(super) async fn gone(bound: Vec<IpAddr>) {
    let bound: Vec<IpAddr> = bound
        .into_iter()
        .map(|address| address.to_canonical())
        .filter(|address| !address.is_loopback() && !address.is_unspecified())
        .collect();
    if bound.is_empty() {
        return std::future::pending().await;
    }
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let own: Vec<IpAddr> =
            addresses().iter().map(|interface| interface.ip().to_canonical()).collect();
        // A list that cannot be read says nothing of what has gone.
        if !own.is_empty() && bound.iter().any(|address| !own.contains(address)) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn f7_an_address_that_this_machine_lacks_has_gone_and_loopback_never_goes() {
        gone(vec!["192.0.2.77".parse().unwrap()]).await;
        let stays = gone(vec!["127.0.0.1".parse().unwrap(), "::".parse().unwrap()]);
        assert!(tokio::time::timeout(Duration::from_secs(3), stays).await.is_err());
    }
}
