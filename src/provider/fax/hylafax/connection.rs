//! A connection that is greeted and logged in, and the data connections beside it.

use std::net::{IpAddr, SocketAddr};

use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout_at;
use tokio::time::{Duration, Instant};

use super::dialogue::{Dialogue, Reply, Silence, quoted};
use super::fault;
use crate::domain::fault::{Failure, Fault};
use crate::provider::kit::reading::unreadable;

/// Longest listing read; far above what a queue of one practice fills.
const LISTING_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Most remarks before the greeting (`130 Warning, no inverse address …`).
const REMARKS_MAX: usize = 5;
/// Longest password.
const PASSWORD_CHARS_MAX: usize = 200;
/// How long a good-bye may take: nothing depends on it.
const FAREWELL: Duration = Duration::from_secs(2);

/// Where the server is and who we are there.
pub(super) struct Server {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: Option<SecretString>,
    /// Whether it may be outside this machine and its private networks.
    pub plain_network: bool,
}

/// Whether an address is this machine's or lies in a private network (RFC 1918, RFC 4193, link-local).
pub(super) fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// Ready for commands.
pub(super) struct Connection {
    dialogue: Dialogue,
    /// Where data connections go: never to an address that a reply names.
    peer: IpAddr,
}

impl Connection {
    /// Reaches the server, hears its greeting, logs in.
    ///
    /// # Errors
    /// Says what was wrong; nothing has taken effect.
    pub async fn open(server: &Server, until: Instant) -> Result<Self, Failure> {
        let stream = timeout_at(until, reach(server)).await.unwrap_or_else(|_| Err(Silence::TimedOut.failure()))?;
        let peer = stream.peer_addr().map_err(|_| Silence::Closed.failure())?.ip();
        let mut connection = Self { dialogue: Dialogue::new(stream, until), peer };
        connection.be_greeted().await?;
        connection.log_in(server).await?;
        Ok(connection)
    }

    async fn be_greeted(&mut self) -> Result<(), Failure> {
        for _ in 0..=REMARKS_MAX {
            let reply = self.dialogue.hear().await.map_err(Silence::failure)?;
            match reply.code {
                100..=199 => {}
                220 => return Ok(()),
                _ => return Err(fault::of_reply(&reply)),
            }
        }
        Err(unreadable("the fax server does not come to its greeting"))
    }

    /// The answers may repeat what they were told, so only their codes are kept.
    async fn log_in(&mut self, server: &Server) -> Result<(), Failure> {
        let user = self.dialogue.say(&format!("USER {}", server.user)).await.map_err(Silence::failure)?;
        if user.code == 230 {
            return Ok(());
        }
        if user.code != 331 {
            return Err(fault::of_login(&user, "the fax server does not know this user"));
        }
        let Some(password) = &server.password else {
            return Err(Failure::new(Fault::AccountError).code("331").text("the fax server wants a password"));
        };
        let token = quoted(password.expose_secret(), PASSWORD_CHARS_MAX);
        let pass = self.dialogue.say(&format!("PASS {token}")).await.map_err(Silence::failure)?;
        if pass.code == 230 {
            return Ok(());
        }
        Err(fault::of_login(&pass, "the fax server does not accept this user and password"))
    }

    /// Says a command that can take effect; see [`Dialogue::say`].
    pub async fn say(&mut self, command: &str, until: Instant) -> Result<Reply, Silence> {
        self.dialogue.extend(until);
        self.dialogue.say(command).await
    }

    /// Says a command and hands back its reply if the code is one of those wanted.
    ///
    /// # Errors
    /// The server said no, or nothing.
    pub async fn ask(&mut self, command: &str, wanted: &[u16]) -> Result<Reply, Failure> {
        let reply = self.dialogue.say(command).await.map_err(Silence::failure)?;
        if wanted.contains(&reply.code) { Ok(reply) } else { Err(fault::of_reply(&reply)) }
    }

    /// Says that a PDF will come, octet by octet.
    ///
    /// # Errors
    /// The server takes none.
    pub async fn prepare_upload(&mut self) -> Result<(), Failure> {
        self.ask("TYPE I", &[200]).await?;
        self.ask("FORM PDF", &[200]).await.map(|_| ())
    }

    /// Stores a document for the time of this connection and says under which name.
    ///
    /// # Errors
    /// It was not stored whole; what is there of it goes with the connection.
    pub async fn upload(&mut self, document: &[u8]) -> Result<String, Failure> {
        let mut data = self.data_connection().await?;
        let opened = self.ask("STOT", &[125, 150]).await?;
        let writing = async {
            data.write_all(document).await?;
            data.shutdown().await
        };
        let written = timeout_at(self.dialogue.until(), writing).await;
        written.map_err(|_| Silence::TimedOut.failure())?.map_err(|_| Silence::Closed.failure())?;
        drop(data);
        let stored = self.hear(226).await?;
        [opened.text(), stored.text()]
            .into_iter()
            .find_map(file_name)
            .map(str::to_owned)
            .ok_or_else(|| unreadable("the fax server does not say under which name it keeps the document"))
    }

    /// A listing, whole.
    ///
    /// # Errors
    /// It did not come, or not to its end.
    pub async fn list(&mut self, folder: &str) -> Result<String, Failure> {
        let data = self.data_connection().await?;
        self.ask(&format!("LIST {folder}"), &[125, 150]).await?;
        let mut octets = Vec::new();
        let mut bounded = data.take(LISTING_BYTES_MAX + 1);
        let read = timeout_at(self.dialogue.until(), bounded.read_to_end(&mut octets)).await;
        read.map_err(|_| Silence::TimedOut.failure())?.map_err(|_| Silence::Closed.failure())?;
        if octets.len() as u64 > LISTING_BYTES_MAX {
            return Err(unreadable("the listing is too long"));
        }
        self.hear(226).await?;
        Ok(String::from_utf8_lossy(&octets).into_owned())
    }

    async fn hear(&mut self, wanted: u16) -> Result<Reply, Failure> {
        let reply = self.dialogue.hear().await.map_err(Silence::failure)?;
        if reply.code == wanted { Ok(reply) } else { Err(fault::of_reply(&reply)) }
    }

    /// Opens a data connection to the port that the server names: `PASV` (RFC 959), or `EPSV` where the address is of
    /// the new kind (RFC 2428). The server accepts it when the next command comes.
    async fn data_connection(&mut self) -> Result<TcpStream, Failure> {
        let port = if self.peer.to_canonical().is_ipv4() {
            passive_port(self.ask("PASV", &[227]).await?.text())
        } else {
            extended_port(self.ask("EPSV", &[229]).await?.text())
        };
        let port = port.ok_or_else(|| unreadable("the fax server names no port for the data"))?;
        let connecting = TcpStream::connect(SocketAddr::new(self.peer, port));
        let connected = timeout_at(self.dialogue.until(), connecting).await;
        connected.map_err(|_| Silence::TimedOut.failure())?.map_err(|_| Silence::Closed.failure())
    }

    /// Gives what follows another deadline.
    pub const fn extend(&mut self, until: Instant) {
        self.dialogue.extend(until);
    }

    /// Ends the connection. Its answer is not waited for.
    pub async fn quit(mut self) {
        self.dialogue.extend(Instant::now() + FAREWELL);
        let _ = self.dialogue.tell("QUIT").await;
    }
}

async fn reach(server: &Server) -> Result<TcpStream, Failure> {
    let unreachable = || Failure::new(Fault::ProviderError).text("no connection to the fax server");
    let found = tokio::net::lookup_host((server.host.as_str(), server.port)).await.map_err(|_| unreachable())?;
    let addresses: Vec<SocketAddr> = found.filter(|at| server.plain_network || is_near(at.ip())).collect();
    if addresses.is_empty() {
        return Err(Failure::new(Fault::AccountError)
            .text("the fax server is outside your network, and nothing is encrypted; see plain_network"));
    }
    TcpStream::connect(&*addresses).await.map_err(|_| unreachable())
}

/// The port of `Entering passive mode (h1,h2,h3,h4,p1,p2)`.
fn passive_port(text: &str) -> Option<u16> {
    let inside = text.split_once('(')?.1.split_once(')')?.0;
    let numbers: Vec<u8> = inside.split(',').map(|number| number.trim().parse().ok()).collect::<Option<_>>()?;
    let &[_, _, _, _, high, low] = numbers.as_slice() else { return None };
    Some(u16::from_be_bytes([high, low])).filter(|port| *port > 0)
}

/// The port of `Entering Extended Passive Mode (|||port|)`.
fn extended_port(text: &str) -> Option<u16> {
    let inside = text.split_once('(')?.1.split_once(')')?.0;
    let port = inside.strip_prefix("|||")?.strip_suffix('|')?;
    port.parse().ok().filter(|port| *port > 0)
}

/// The name in `FILE: /tmp/doc1.pdf (…` or `… (FILE: /tmp/doc1.pdf).`, if it is one that can stand in a command.
fn file_name(text: &str) -> Option<&str> {
    let name = text.split_once("FILE:")?.1.split_whitespace().next()?.trim_end_matches(['.', ')']);
    is_path(name).then_some(name)
}

/// Whether a path of the server's can stand in a command unquoted.
pub(super) fn is_path(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    !text.is_empty() && text.len() <= 100 && text.chars().all(plain) && !text.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_read_and_the_address_is_not_believed() {
        assert_eq!(passive_port("Entering passive mode (127,0,0,1,164,95)"), Some(42079));
        assert_eq!(extended_port("Entering Extended Passive Mode (|||42079|)"), Some(42079));
        for text in ["", "(1,2,3,4,5)", "(1,2,3,4,256,1)", "(127,0,0,1,0,0)", "(|||42079|)"] {
            assert_eq!(passive_port(text), None, "{text}");
        }
        for text in ["(|||0|)", "(|||x|)", "(||| 42079|)", "(127,0,0,1,164,95)"] {
            assert_eq!(extended_port(text), None, "{text}");
        }
    }

    #[test]
    fn the_name_of_the_document_is_found_in_either_reply() {
        assert_eq!(file_name("FILE: /tmp/doc1.pdf (Opening new data connection)."), Some("/tmp/doc1.pdf"));
        assert_eq!(file_name("Transfer complete (FILE: /tmp/doc1.pdf)."), Some("/tmp/doc1.pdf"));
        assert_eq!(file_name("FILE: /tmp/\"doc\" x"), None);
        assert_eq!(file_name("Transfer complete."), None);
    }

    #[test]
    fn near_is_this_machine_and_private_networks_only() {
        for near in ["127.0.0.1", "::1", "10.1.2.3", "192.168.7.7", "172.16.0.1", "fd00::1", "::ffff:10.0.0.1"] {
            assert!(is_near(near.parse().expect("an address")), "{near}");
        }
        for far in ["203.0.113.7", "8.8.8.8", "172.32.0.1", "2001:db8::1", "::ffff:8.8.8.8", "0.0.0.0"] {
            assert!(!is_near(far.parse().expect("an address")), "{far}");
        }
    }
}
