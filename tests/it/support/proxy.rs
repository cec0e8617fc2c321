//! A wire that can be cut: a TCP proxy on loopback between a node and what it depends on. It lets everything through
//! until a test makes it refuse or hold everything, or cut at a certain word of the dialogue.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

use super::PATIENCE;
use super::ports;

/// A letter's end in the dialogue with a relay.
pub const FINAL_DOT: &[&str] = &["DATA\r\n", "\r\n.\r\n"];
/// Octets passed on at once.
const PIECE: usize = 16 * 1024;

/// What happens when a client has said certain words.
#[derive(Debug, Clone, Copy)]
pub enum Then {
    /// The last of the words is not passed on, and the connection is cut.
    CutBefore,
    /// The server hears it all, and of its answer so many octets are passed on before the connection is cut.
    CutInAnswer(usize),
    /// The server hears it all; its answer is held until the next [`Proxy::release`].
    HoldAnswer,
}

/// Words that a client says one after the other on one connection, and what happens then, once.
#[derive(Debug, Clone)]
struct Snip {
    number: u64,
    words: &'static [&'static str],
    then: Then,
}

#[derive(Debug, Default)]
struct Switches {
    refusing: bool,
    holding: bool,
    cuts: u64,
    releases: u64,
    /// How many of the connections, in the order in which they were made, are dead to the world.
    swallowed: u64,
    made: u64,
}

#[derive(Debug)]
struct Wire {
    target: SocketAddr,
    switches: watch::Sender<Switches>,
    snip: Mutex<Option<Snip>>,
    snipped: watch::Sender<u64>,
}

/// The proxy. It ends with the test's runtime.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    wire: Arc<Wire>,
}

impl Proxy {
    /// A proxy before that address.
    pub async fn before(target: SocketAddr) -> Self {
        let (place, address) = ports::reserved(Ipv4Addr::LOCALHOST.into()).expect("a port on loopback");
        let listener = TcpListener::bind(address).await.expect("the port is ours");
        let wire = Arc::new(Wire {
            target,
            switches: watch::Sender::default(),
            snip: Mutex::default(),
            snipped: watch::Sender::default(),
        });
        tokio::spawn(listen(listener, place, wire.clone()));
        Self { address, wire }
    }

    /// Where clients reach it.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts every connection, and nobody listens any more.
    pub fn refuse(&self) {
        self.wire.switches.send_modify(|switches| (switches.refusing, switches.cuts) = (true, switches.cuts + 1));
    }

    /// Passes nothing on in either direction, as if the other side had gone silent; connections stay up.
    pub fn hold(&self) {
        self.wire.switches.send_modify(|switches| switches.holding = true);
    }

    /// Passes nothing on any more, for ever, on the connections there are; new ones go through.
    pub fn swallow(&self) {
        self.wire.switches.send_modify(|switches| switches.swallowed = switches.made);
    }

    /// Ends [`Proxy::refuse`] and [`Proxy::hold`]; what was held goes on its way, and so does the answer to words that
    /// have come by already.
    pub fn release(&self) {
        self.wire.switches.send_modify(|switches| {
            (switches.refusing, switches.holding) = (false, false);
            switches.releases += 1;
        });
    }

    /// Does something, once, when a client has said these words in this order on one connection.
    pub fn at(&self, words: &'static [&'static str], then: Then) -> Snipped {
        let mut snip = self.wire.snip();
        let number = *self.wire.snipped.borrow() + 1;
        *snip = Some(Snip { number, words, then });
        Snipped { number, seen: self.wire.snipped.subscribe() }
    }
}

/// The moment at which a word that was waited for has come by.
#[derive(Debug)]
pub struct Snipped {
    number: u64,
    seen: watch::Receiver<u64>,
}

impl Snipped {
    /// Waits for it.
    pub async fn seen(mut self) {
        let wait = self.seen.wait_for(|number| *number >= self.number);
        tokio::time::timeout(PATIENCE, wait).await.expect("the words in time").expect("the proxy lives");
    }
}

impl Wire {
    fn snip(&self) -> MutexGuard<'_, Option<Snip>> {
        self.snip.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes connections. The port is ours while nobody listens at it too.
async fn listen(first: TcpListener, place: TcpSocket, wire: Arc<Wire>) {
    let address = place.local_addr().expect("bound");
    let mut switches = wire.switches.subscribe();
    let mut listener = Some(first);
    loop {
        if switches.borrow_and_update().refusing {
            listener = None;
            let _ = switches.changed().await;
            continue;
        }
        let Some(open) = &listener else {
            listener = Some(TcpListener::bind(address).await.expect("the port is ours"));
            continue;
        };
        tokio::select! {
            accepted = open.accept() => if let Ok((client, _)) = accepted {
                tokio::spawn(link(client, wire.clone()));
            },
            _ = switches.changed() => {}
        }
    }
}

/// One connection from end to end.
async fn link(client: TcpStream, wire: Arc<Wire>) {
    let mut switches = wire.switches.subscribe();
    let cuts = switches.borrow().cuts;
    let mut number = 0;
    wire.switches.send_modify(|switches| {
        switches.made += 1;
        number = switches.made;
    });
    let Ok(server) = TcpStream::connect(wire.target).await else { return };
    // A wire that adds the delays of Nagle's algorithm would measure itself.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let (said, hears) = watch::channel(None);
    tokio::select! {
        () = ask(from_client, to_server, &wire, number, &said) => {}
        () = answer(from_server, to_client, &wire, number, hears) => {}
        _ = switches.wait_for(|switches| switches.cuts > cuts) => {}
    }
}

/// Words that were heard: what happens to the answer, and how many releases there had been.
#[derive(Debug, Clone, Copy)]
struct Said {
    then: Then,
    releases: u64,
}

/// From the client to the server, listening for the words.
async fn ask(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    wire: &Wire,
    number: u64,
    said: &watch::Sender<Option<Said>>,
) {
    let mut piece = vec![0; PIECE];
    let mut listening = Listening::default();
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        let heard = listening.hears(wire, &piece[..read]);
        if let Some(snip) = &heard {
            said.send_replace(Some(Said { then: snip.then, releases: wire.switches.borrow().releases }));
        }
        let goes = !matches!(heard, Some(Snip { then: Then::CutBefore, .. }));
        let passed = !goes || pass(&mut to, &piece[..read], wire, number).await;
        if let Some(snip) = heard {
            wire.snipped.send_replace(snip.number);
        }
        if !goes || !passed {
            return;
        }
    }
}

/// From the server to the client.
async fn answer(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    wire: &Wire,
    number: u64,
    mut hears: watch::Receiver<Option<Said>>,
) {
    let mut piece = vec![0; PIECE];
    let mut switches = wire.switches.subscribe();
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        let said = *hears.borrow_and_update();
        if let Some(Said { then: Then::CutInAnswer(octets), .. }) = said {
            pass(&mut to, &piece[..read.min(octets)], wire, number).await;
            return;
        }
        if let Some(Said { then: Then::HoldAnswer, releases }) = said
            && switches.wait_for(|switches| switches.releases > releases).await.is_err()
        {
            return;
        }
        if !pass(&mut to, &piece[..read], wire, number).await {
            return;
        }
    }
}

/// Passes a piece on, once nothing is held.
async fn pass(to: &mut OwnedWriteHalf, piece: &[u8], wire: &Wire, number: u64) -> bool {
    let mut switches = wire.switches.subscribe();
    let flows = |switches: &Switches| !switches.holding && switches.swallowed < number;
    switches.wait_for(flows).await.is_ok() && to.write_all(piece).await.is_ok()
}

/// How far one connection has come in the words that are waited for.
#[derive(Debug, Default)]
struct Listening {
    number: u64,
    heard: usize,
    tail: Vec<u8>,
}

impl Listening {
    fn hears(&mut self, wire: &Wire, piece: &[u8]) -> Option<Snip> {
        let mut armed = wire.snip();
        let snip = armed.as_ref()?;
        if self.number != snip.number {
            *self = Self { number: snip.number, ..Self::default() };
        }
        self.tail.extend_from_slice(piece);
        while let Some(word) = snip.words.get(self.heard).map(|word| word.as_bytes()) {
            let Some(at) = self.tail.windows(word.len()).position(|window| window == word) else {
                let keep = self.tail.len().min(word.len() - 1);
                self.tail.drain(..self.tail.len() - keep);
                return None;
            };
            self.tail.drain(..at + word.len());
            self.heard += 1;
        }
        armed.take()
    }
}
