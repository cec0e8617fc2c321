//! A mail relay that follows a script, so that it can fail at any point of the dialogue.
//!
//! One script for each connection, in order. Line by line: `> text` is said (consecutive lines in one write), `< WORD`
//! is a line that must begin so (`<` alone: any line), and `!` is an act: `body` reads to the final dot, `some` reads a little of the body,
//! `tls` shakes hands, `close` hangs up, `hold` says nothing until the other side leaves.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::PATIENCE;

trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// A certificate for `localhost` that nobody has heard of, unless told to.
pub struct Identity {
    pub certificate_pem: String,
    pub key_pem: String,
    acceptor: TlsAcceptor,
}

impl Identity {
    pub fn new(name: &str) -> Self {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let certificate = CertificateDer::from(made.cert.der().to_vec());
        let crypto = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(crypto)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("a key that fits");
        Self {
            certificate_pem: made.cert.pem(),
            key_pem: made.signing_key.serialize_pem(),
            acceptor: TlsAcceptor::from(Arc::new(config)),
        }
    }

    /// The certificate as a file to be trusted.
    pub fn trusted(&self) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), &self.certificate_pem).expect("written");
        file
    }
}

#[derive(Default)]
struct Record {
    heard: Mutex<Vec<String>>,
    astray: Mutex<Vec<String>>,
}

/// The relay.
pub struct ScriptedSmtp {
    pub address: SocketAddr,
    record: Arc<Record>,
    ended: watch::Sender<usize>,
}

impl ScriptedSmtp {
    pub async fn start(scripts: &[&str]) -> Self {
        Self::start_as(Identity::new("localhost"), scripts).await
    }

    pub async fn start_as(identity: Identity, scripts: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (record, ended) = (Arc::new(Record::default()), watch::Sender::new(0));
        let scripts: Vec<String> = scripts.iter().map(|script| (*script).to_owned()).collect();
        let relay = Self { address, record: record.clone(), ended: ended.clone() };
        tokio::spawn(async move {
            for script in scripts {
                let (stream, _) = listener.accept().await.expect("a connection");
                let (record, ended, acceptor) = (record.clone(), ended.clone(), identity.acceptor.clone());
                tokio::spawn(async move {
                    if let Err(astray) = follow(stream, &script, &acceptor, &record).await {
                        record.astray.lock().expect("not poisoned").push(astray);
                    }
                    ended.send_modify(|count| *count += 1);
                });
            }
        });
        relay
    }

    /// Every line heard so far, over all connections.
    pub fn heard(&self) -> Vec<String> {
        self.record.heard.lock().expect("not poisoned").clone()
    }

    /// The first word of every line heard so far.
    pub fn verbs(&self) -> Vec<String> {
        self.heard().iter().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
    }

    /// Waits until that many scripts ended, and says where a client left its script.
    pub async fn ended(&self, count: usize) -> Vec<String> {
        let mut ended = self.ended.subscribe();
        let wait = ended.wait_for(|ended| *ended >= count);
        tokio::time::timeout(PATIENCE, wait).await.expect("in time").expect("still there");
        self.record.astray.lock().expect("not poisoned").clone()
    }
}

async fn follow(stream: TcpStream, script: &str, acceptor: &TlsAcceptor, record: &Record) -> Result<(), String> {
    let mut io: BufReader<Box<dyn Wire>> = BufReader::new(Box::new(stream));
    let lines: Vec<&str> = script.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut unsaid = String::new();
    for (place, line) in lines.iter().enumerate() {
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (kind, rest) {
            (">", text) => {
                unsaid.push_str(&format!("{text}\r\n"));
                if !lines.get(place + 1).is_some_and(|next| next.starts_with("> ")) {
                    let text = std::mem::take(&mut unsaid);
                    io.get_mut().write_all(text.as_bytes()).await.map_err(|error| error.to_string())?;
                    io.get_mut().flush().await.map_err(|error| error.to_string())?;
                }
            }
            ("<", word) => {
                let said = hear(&mut io).await;
                record.heard.lock().expect("not poisoned").push(said.clone());
                if !said.starts_with(word) {
                    return Err(format!("wanted {word}, heard {said:?}"));
                }
            }
            ("!", "body") => while hear(&mut io).await != "." {},
            ("!", "some") => drop(io.read_exact(&mut [0; 1000]).await),
            ("!", "tls") => match acceptor.accept(io.into_inner()).await {
                Ok(stream) => io = BufReader::new(Box::new(stream)),
                Err(_) => return Ok(()),
            },
            ("!", "hold") => drop(io.read_to_end(&mut Vec::new()).await),
            ("!", "close") => return Ok(()),
            _ => panic!("no such step: {line}"),
        }
    }
    Ok(())
}

/// One line without its end; empty at the end of the stream, which then looks like a dot to `body`.
async fn hear(io: &mut BufReader<Box<dyn Wire>>) -> String {
    let mut line = String::new();
    match io.read_line(&mut line).await {
        Ok(read) if read > 0 => line.trim_end().to_owned(),
        _ => ".".to_owned(),
    }
}
