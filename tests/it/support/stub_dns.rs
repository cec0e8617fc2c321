//! A name server on loopback that answers from a table: over UDP, and over TCP what is too long for that. A name that is not
//! in the table does not exist.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, MX, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record};

/// Longest string of a TXT record.
const STRING_OCTETS_MAX: usize = 255;
/// Longest answer over UDP (RFC 9715).
const UDP_OCTETS_MAX: usize = 1232;
/// Names that are answered with a failure end so.
const FAILING: &str = "SERVFAIL";

/// Records by name: `TXT text`, `MX 10 host`, `A address`, or `SERVFAIL`.
pub type Table = Vec<(String, String)>;

/// The running server. It ends with this.
#[derive(Debug)]
pub struct StubDns {
    address: SocketAddr,
    table: Arc<Mutex<Table>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl StubDns {
    pub fn start(table: &[(&str, &str)]) -> Self {
        let (socket, listener) = one_port();
        let address = socket.local_addr().expect("an address");
        let (table, asked) = (Arc::new(Mutex::new(owned(table))), Arc::<Mutex<Vec<String>>>::default());
        let (shown, noted) = (table.clone(), asked.clone());
        std::thread::spawn(move || serve(&socket, &shown, &noted));
        let (shown, noted) = (table.clone(), asked.clone());
        std::thread::spawn(move || serve_long(&listener, &shown, &noted));
        Self { address, table, asked }
    }

    /// For `[dns] server`.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Publishes something else from now on.
    pub fn publish(&self, table: &[(&str, &str)]) {
        *self.table.lock().expect("nobody panicked") = owned(table);
    }

    /// How many questions were asked.
    pub fn asked(&self) -> usize {
        self.asked.lock().expect("nobody panicked").len()
    }
}

impl Drop for StubDns {
    /// An empty datagram ends it, and so does an empty connection.
    fn drop(&mut self) {
        drop(TcpStream::connect(self.address));
        if let Ok(socket) = UdpSocket::bind("127.0.0.1:0") {
            let _ = socket.send_to(&[], self.address);
        }
    }
}

fn owned(table: &[(&str, &str)]) -> Table {
    table.iter().map(|(name, record)| ((*name).to_owned(), (*record).to_owned())).collect()
}

fn serve(socket: &UdpSocket, table: &Mutex<Table>, asked: &Mutex<Vec<String>>) {
    let mut octets = [0; 4096];
    while let Ok((length, peer)) = socket.recv_from(&mut octets) {
        if length == 0 {
            return;
        }
        let Ok(question) = Message::from_vec(&octets[..length]) else { continue };
        let mut answer = answer(&question, &table.lock().expect("nobody panicked"), asked);
        let mut octets = answer.to_vec().expect("an answer");
        if octets.len() > UDP_OCTETS_MAX {
            answer.metadata.truncation = true;
            answer.answers.clear();
            octets = answer.to_vec().expect("an answer");
        }
        let _ = socket.send_to(&octets, peer);
    }
}

/// One question for each connection (RFC 1035 §4.2.2).
fn serve_long(listener: &TcpListener, table: &Mutex<Table>, asked: &Mutex<Vec<String>>) {
    while let Ok((mut stream, _)) = listener.accept() {
        let mut length = [0; 2];
        if stream.read_exact(&mut length).is_err() {
            return;
        }
        let mut octets = vec![0; usize::from(u16::from_be_bytes(length))];
        let question = stream.read_exact(&mut octets).ok().and_then(|()| Message::from_vec(&octets).ok());
        let Some(question) = question else { continue };
        let answer = answer(&question, &table.lock().expect("nobody panicked"), asked);
        let octets = answer.to_vec().expect("an answer");
        let length = u16::try_from(octets.len()).expect("an answer that fits").to_be_bytes();
        let _ = stream.write_all(&[&length[..], &octets].concat());
    }
}

/// The same port for both.
fn one_port() -> (UdpSocket, TcpListener) {
    let pair = || {
        let listener = TcpListener::bind("127.0.0.1:0").ok()?;
        Some((UdpSocket::bind(listener.local_addr().ok()?).ok()?, listener))
    };
    (0..100).find_map(|_| pair()).expect("a port that is free for both")
}

fn answer(question: &Message, table: &Table, asked: &Mutex<Vec<String>>) -> Message {
    let mut answer = Message::response(question.metadata.id, OpCode::Query);
    answer.metadata.recursion_desired = true;
    answer.metadata.recursion_available = true;
    let Some(query) = question.queries.first() else { return answer };
    answer.add_query(query.clone());
    let name = query.name().to_ascii().trim_end_matches('.').to_ascii_lowercase();
    let kind = query.query_type().to_string();
    asked.lock().expect("nobody panicked").push(format!("{kind} {name}"));
    let records: Vec<&String> = table.iter().filter(|(at, _)| *at == name).map(|(_, record)| record).collect();
    if records.is_empty() {
        answer.metadata.response_code = ResponseCode::NXDomain;
    }
    if records.iter().any(|record| *record == FAILING) {
        answer.metadata.response_code = ResponseCode::ServFail;
    }
    for record in records.iter().filter_map(|record| record.strip_prefix(&format!("{kind} "))) {
        answer.add_answer(Record::from_rdata(query.name().clone(), 60, data(&kind, record)));
    }
    answer
}

fn data(kind: &str, record: &str) -> RData {
    match kind {
        "TXT" => {
            let strings = record.as_bytes().chunks(STRING_OCTETS_MAX);
            RData::TXT(TXT::from_bytes(strings.collect()))
        }
        "MX" => {
            let (preference, host) = record.split_once(' ').expect("a preference and a host");
            let host = Name::from_ascii(format!("{}.", host.trim_end_matches('.'))).expect("a name");
            RData::MX(MX::new(preference.parse().expect("a number"), host))
        }
        "A" => RData::A(A(record.parse::<Ipv4Addr>().expect("an address"))),
        other => panic!("no such record in the tests: {other}"),
    }
}
