//! The server: one task for each connection, over HTTP/1.1. What a stranger can hold open is limited in number and in
//! time, so that nobody is kept out by connections on which nothing happens.
//!
//! A connection that waits for something from its peer (a request's head, a body, the next request) can be closed at any
//! time: where there is no room for a new one, the one that has waited longest makes room. One whose request is being
//! carried out is never closed for that.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::WebState;
use super::peer::Proxies;
use super::strangers::{Latest, Matter};
use crate::config::ServerConfig;

/// How long requests under way may go on after the server was asked to stop.
const DRAIN_MAX: Duration = Duration::from_secs(20);
/// How long nothing is accepted after the system refused a new connection, for want of file descriptors for example.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// How often is looked for what was only counted so far and is to be logged.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// What is read ahead for one connection: a request's head must fit, and one that is somewhat larger than it may be is still
/// read, to be answered ([`super::readable`]).
const BUFFER_OCTETS: usize = 64 * 1024;

/// Limits of what is held open for others.
#[derive(Debug, Clone)]
struct Limits {
    /// Connections in all.
    connections: usize,
    /// Connections of one peer that is no trusted proxy.
    per_peer: usize,
    /// How long a request's head may take, and how long a connection may wait for its next request.
    head: Duration,
    /// The proxies that stand before the service, each of which brings the requests of many.
    proxies: Proxies,
}

impl Limits {
    fn of(config: &ServerConfig) -> Self {
        Self {
            connections: config.connections_max,
            per_peer: config.connections_per_peer_max,
            head: Duration::from_secs(config.head_seconds),
            proxies: Proxies::of(config),
        }
    }
}

/// Serves all faces until asked to stop, then lets requests under way end, for 20 seconds at most. What the listener cannot
/// accept is logged, and it goes on.
pub async fn serve(listener: TcpListener, state: WebState, stop: CancellationToken) {
    let connections = Arc::new(Connections::new(Limits::of(&state.gateway.config.server)));
    let (strangers, clock) = (state.strangers.clone(), state.gateway.clock.clone());
    let router = super::router(state);
    let running = TaskTracker::new();
    let mut telling = tokio::time::interval(TELL_EVERY);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = telling.tick() => {
                strangers.tell_due(clock.now());
                continue;
            }
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Some(place) = connections.clone().admit(peer.ip()) {
                    running.spawn(attend(stream, peer, router.clone(), place, stop.clone()));
                }
            }
            Err(error) => {
                let latest = Latest { cause: Some(error.to_string()), ..Latest::default() };
                strangers.count(&Matter::NotAccepted, latest, clock.now());
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
    drop(listener);
    running.close();
    if tokio::time::timeout(DRAIN_MAX, running.wait()).await.is_err() {
        tracing::warn!("some connections did not finish in time and were closed");
        connections.close_all();
        running.wait().await;
    }
}

/// One connection, from its first request to its last.
async fn attend(stream: TcpStream, peer: SocketAddr, router: Router, place: Place, stop: CancellationToken) {
    // Small answers must not wait for Nagle's algorithm; a socket without this option still works.
    drop(stream.set_nodelay(true));
    let activity = place.activity.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (router, activity) = (router.clone(), activity.clone());
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().insert(activity.clone());
            let answer = router.oneshot(request).await;
            activity.waits();
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(place.connections.limits.head)
        .max_buf_size(BUFFER_OCTETS)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        // Whatever ends it, a peer that went away or that sends no HTTP, is of no interest to us.
        _ = connection.as_mut() => return,
        () = place.close.cancelled() => return,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => {}
        () = place.close.cancelled() => {}
    }
}

/// Whether a connection waits for its peer. Part of every request, so that whoever has read the whole of it can say that
/// it no longer does.
#[derive(Debug, Clone)]
pub(super) struct Activity(Arc<State>);

#[derive(Debug)]
struct State {
    works: AtomicBool,
    /// The place in the order in which connections began to wait.
    since: AtomicU64,
    turns: Arc<AtomicU64>,
}

impl Activity {
    fn new(turns: &Arc<AtomicU64>) -> Self {
        let since = AtomicU64::new(turns.fetch_add(1, Ordering::Relaxed));
        Self(Arc::new(State { works: AtomicBool::new(false), since, turns: turns.clone() }))
    }

    /// The request is being carried out.
    pub(super) fn works(&self) {
        self.0.works.store(true, Ordering::Relaxed);
    }

    /// It is the peer's turn again.
    fn waits(&self) {
        self.0.since.store(self.0.turns.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        self.0.works.store(false, Ordering::Relaxed);
    }

    fn waits_since(&self) -> Option<u64> {
        (!self.0.works.load(Ordering::Relaxed)).then(|| self.0.since.load(Ordering::Relaxed))
    }
}

/// The open connections.
#[derive(Debug)]
struct Connections {
    limits: Limits,
    open: Mutex<BTreeMap<u64, Open>>,
    turns: Arc<AtomicU64>,
    ids: AtomicU64,
}

#[derive(Debug)]
struct Open {
    peer: IpAddr,
    activity: Activity,
    close: CancellationToken,
}

/// A connection's place among the open ones, until it is dropped.
#[derive(Debug)]
struct Place {
    connections: Arc<Connections>,
    id: u64,
    activity: Activity,
    close: CancellationToken,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.open().remove(&self.id);
    }
}

impl Connections {
    fn new(limits: Limits) -> Self {
        Self { limits, open: Mutex::default(), turns: Arc::default(), ids: AtomicU64::new(0) }
    }

    fn open(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a new connection, for which another may have to go. `None`: all are at work.
    fn admit(self: Arc<Self>, peer: IpAddr) -> Option<Place> {
        let peer = peer.to_canonical();
        let mut open = self.open();
        if !self.limits.proxies.trust(peer) {
            let of_peer = |one: &Open| one.peer == peer;
            make_room(&mut open, of_peer, self.limits.per_peer)?;
        }
        make_room(&mut open, |_| true, self.limits.connections)?;
        let (activity, close) = (Activity::new(&self.turns), CancellationToken::new());
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        open.insert(id, Open { peer, activity: activity.clone(), close: close.clone() });
        drop(open);
        Some(Place { connections: self, id, activity, close })
    }

    fn close_all(&self) {
        self.open().values().for_each(|one| one.close.cancel());
    }
}

/// Closes the connection that has waited longest among those meant, if there are as many as there may be. `None`: there
/// is no room, and none waits.
fn make_room(open: &mut BTreeMap<u64, Open>, meant: impl Fn(&Open) -> bool, most: usize) -> Option<()> {
    if open.values().filter(|one| meant(one)).count() < most {
        return Some(());
    }
    let waiting = open.iter().filter(|(_, one)| meant(one));
    let longest = waiting.filter_map(|(id, one)| Some((one.activity.waits_since()?, *id))).min();
    let (_, id) = longest?;
    metrics::counter!("touchline_connections_closed_for_room_total").increment(1);
    open.remove(&id)?.close.cancel();
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRANGER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7));
    const OFFICE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const PROXY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    fn connections(most: usize, per_peer: usize) -> Arc<Connections> {
        let proxies = Proxies::new(vec!["10.0.0.0/8".parse().expect("a network")]);
        Arc::new(Connections::new(Limits { connections: most, per_peer, head: Duration::from_secs(1), proxies }))
    }

    #[test]
    fn a_peer_with_too_many_connections_loses_the_one_that_waited_longest() {
        let all = connections(9, 2);
        let office = all.clone().admit(OFFICE).expect("room");
        let (first, second) = (all.clone().admit(STRANGER).expect("room"), all.clone().admit(STRANGER).expect("room"));
        first.activity.works();
        let third = all.clone().admit(STRANGER).expect("the second makes room");
        assert!(second.close.is_cancelled() && !first.close.is_cancelled() && !office.close.is_cancelled());
        third.activity.works();
        assert!(all.clone().admit(STRANGER).is_none(), "both of its connections are at work");
        first.activity.waits();
        assert!(all.clone().admit(STRANGER).is_some() && first.close.is_cancelled());
    }

    #[test]
    fn a_full_house_makes_room_for_everybody_and_closes_nothing_at_work() {
        let all = connections(3, 3);
        let (quiet, busy) = (all.clone().admit(OFFICE).expect("room"), all.clone().admit(OFFICE).expect("room"));
        busy.activity.works();
        let places: Vec<Place> = (0..8).filter_map(|_| all.clone().admit(PROXY)).collect();
        assert_eq!(places.len(), 8, "a proxy's connections are many people's");
        assert!(quiet.close.is_cancelled() && !busy.close.is_cancelled());
        assert_eq!(places.iter().filter(|place| !place.close.is_cancelled()).count(), 2);
    }

    #[test]
    fn a_place_is_free_again_when_its_connection_ends() {
        let all = connections(1, 1);
        let place = all.clone().admit(OFFICE).expect("room");
        place.activity.works();
        assert!(all.clone().admit(OFFICE).is_none());
        drop(place);
        assert!(all.clone().admit(OFFICE).is_some());
    }
}
