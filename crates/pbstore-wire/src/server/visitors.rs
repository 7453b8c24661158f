//! Who is connected: so many in all, and so many from one address. The newest is refused, whoever is there goes on.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::{getrlimit, Resource};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::Limits;

/// Leaves descriptors for what connections need besides their socket: indexes, chunks, unnamed files.
const DESCRIPTORS_PER_CONNECTION: u64 = 2;
/// Bits of an IPv6 address that name a network; whoever has one has all its addresses.
const NETWORK_MASK: u128 = !0 << 64;

/// Counts connections and unfinished handshakes.
pub(crate) struct Visitors {
    limits: Limits,
    places: Arc<Semaphore>,
    handshakes: Arc<Semaphore>,
    addresses: Mutex<HashMap<IpAddr, Address>>,
}

struct Address {
    connections: usize,
    handshakes: Arc<Semaphore>,
    requests: Arc<Semaphore>,
}

/// One connection that was let in; its place is free again on drop.
pub(crate) struct Visit {
    visitors: Arc<Visitors>,
    address: IpAddr,
    handshakes: Arc<Semaphore>,
    requests: Arc<Semaphore>,
    _place: OwnedSemaphorePermit,
}

impl Visitors {
    pub(crate) fn new(limits: &Limits) -> Self {
        let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let most = usize::try_from(descriptors / DESCRIPTORS_PER_CONNECTION).unwrap_or(usize::MAX).max(1);
        Self {
            limits: limits.clone(),
            places: Arc::new(Semaphore::new(limits.connections.min(most))),
            handshakes: Arc::new(Semaphore::new(limits.handshakes)),
            addresses: Mutex::default(),
        }
    }

    /// Let a connection in; None when there are too many.
    pub(crate) fn admit(self: &Arc<Self>, peer: IpAddr) -> Option<Visit> {
        let place = self.places.clone().try_acquire_owned().ok()?;
        let address = network(peer);
        let mut addresses = self.addresses();
        let entry = addresses.entry(address).or_insert_with(|| Address {
            connections: 0,
            handshakes: Arc::new(Semaphore::new(self.limits.handshakes_per_address)),
            requests: Arc::new(Semaphore::new(self.limits.requests_per_address)),
        });
        if entry.connections >= self.limits.connections_per_address {
            return None;
        }
        entry.connections += 1;
        let (handshakes, requests) = (entry.handshakes.clone(), entry.requests.clone());
        drop(addresses);
        Some(Visit { visitors: self.clone(), address, handshakes, requests, _place: place })
    }

    fn addresses(&self) -> MutexGuard<'_, HashMap<IpAddr, Address>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Visit {
    /// Places of a handshake, here and in all; None when there are too many.
    pub(crate) fn handshake(&self) -> Option<[OwnedSemaphorePermit; 2]> {
        let own = self.handshakes.clone().try_acquire_owned().ok()?;
        Some([own, self.visitors.handshakes.clone().try_acquire_owned().ok()?])
    }

    /// Wait until this address may ask one thing more.
    pub(crate) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        self.requests.clone().acquire_owned().await.ok()
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut addresses = self.visitors.addresses();
        let Some(entry) = addresses.get_mut(&self.address) else { return };
        entry.connections -= 1;
        if entry.connections == 0 {
            addresses.remove(&self.address);
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & NETWORK_MASK)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitors(connections: usize, per_address: usize) -> Arc<Visitors> {
        let limits = Limits { connections, connections_per_address: per_address, ..Limits::default() };
        Arc::new(Visitors::new(&limits))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn lets_in_so_many_of_an_address_and_so_many_in_all() {
        let visitors = visitors(3, 2);
        let first = [visitors.admit(address("192.0.2.1")), visitors.admit(address("192.0.2.1"))];
        assert!(first.iter().all(Option::is_some));
        assert!(visitors.admit(address("192.0.2.1")).is_none());
        let other = visitors.admit(address("192.0.2.2"));
        assert!(other.is_some());
        assert!(visitors.admit(address("192.0.2.3")).is_none());
        drop(first);
        assert!(visitors.admit(address("192.0.2.1")).is_some());
        drop(other);
        assert!(visitors.addresses().is_empty(), "who is gone must be forgotten");
    }

    #[test]
    fn a_network_of_version_6_is_one_address() {
        let visitors = visitors(10, 1);
        let first = visitors.admit(address("2001:db8::1"));
        assert!(first.is_some());
        assert!(visitors.admit(address("2001:db8::ffff:2")).is_none());
        assert!(visitors.admit(address("2001:db8:0:1::1")).is_some());
    }

    #[test]
    fn handshakes_have_limits_of_their_own() {
        let limits = Limits { handshakes: 2, handshakes_per_address: 1, ..Limits::default() };
        let visitors = Arc::new(Visitors::new(&limits));
        let visits: Vec<_> = ["192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3"]
            .map(|text| visitors.admit(address(text)).unwrap())
            .into_iter()
            .collect();
        let held: Vec<_> = visits.iter().map(Visit::handshake).collect();
        assert_eq!(held.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true, false]);
    }
}
