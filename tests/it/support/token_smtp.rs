//! A mail relay that lets in whoever has a token of a [`TokenServer`], by XOAUTH2 or OAUTHBEARER, and takes letters then. It
//! refuses as Google does: with a continuation that must be answered first.

use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::token_server::{MAILBOX, TokenServer};

/// The relay.
#[derive(Clone)]
pub struct TokenSmtp {
    pub port: u16,
    told: Arc<Mutex<Told>>,
}

#[derive(Default)]
struct Told {
    refuses_all: bool,
    taken: Vec<String>,
    logins: usize,
    refused: usize,
}

impl TokenSmtp {
    /// One that lets in whom that service knows.
    pub async fn start(tokens: &TokenServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let relay = Self { port, told: Arc::default() };
        let (tokens, here) = (tokens.clone(), relay.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(here.clone().converse(stream, tokens.clone()));
            }
        });
        relay
    }

    /// Whether it lets nobody in, as a mailbox whose administrator forbids it.
    pub fn refuse_all(&self, refuses_all: bool) {
        self.told.lock().expect("not poisoned").refuses_all = refuses_all;
    }

    /// To whom it has taken a letter.
    pub fn taken(&self) -> Vec<String> {
        self.told.lock().expect("not poisoned").taken.clone()
    }

    /// How many logins it has let in, and refused.
    pub fn logins(&self) -> (usize, usize) {
        let told = self.told.lock().expect("not poisoned");
        (told.logins, told.refused)
    }

    async fn converse(self, stream: TcpStream, tokens: TokenServer) {
        let mut io = BufReader::new(stream);
        let (mut to, mut in_body, mut is_in, mut line) = (String::new(), false, false, String::new());
        let mut answer = "220 relay".to_owned();
        loop {
            if io.get_mut().write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
                return;
            }
            in_body |= answer.starts_with("354");
            line.clear();
            while !matches!(io.read_line(&mut line).await, Ok(0) | Err(_)) && in_body && line.trim_end() != "." {
                line.clear();
            }
            if line.is_empty() {
                return;
            }
            let said = line.trim_end();
            answer = match said.split(' ').next().unwrap_or_default() {
                _ if in_body => {
                    in_body = false;
                    self.told.lock().expect("not poisoned").taken.push(to.clone());
                    "250 2.0.0 taken".to_owned()
                }
                "EHLO" => "250-relay\r\n250 AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER".to_owned(),
                "AUTH" => {
                    is_in = self.lets_in(said, &tokens);
                    if is_in { "235 2.7.0 welcome".to_owned() } else { format!("334 {}", BASE64.encode(CONTINUATION)) }
                }
                "" | "AQ==" => "535 5.7.8 Username and Password not accepted. canary-of-the-relay".to_owned(),
                _ if !is_in => "530 5.7.0 log in first".to_owned(),
                "RCPT" => {
                    to = said.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    "250 ok".to_owned()
                }
                "DATA" => "354 go on".to_owned(),
                "QUIT" => return,
                _ => "250 ok".to_owned(),
            };
        }
    }

    fn lets_in(&self, said: &str, tokens: &TokenServer) -> bool {
        let response = said.split(' ').nth(2).and_then(|text| BASE64.decode(text).ok()).unwrap_or_default();
        let response = String::from_utf8(response).unwrap_or_default();
        let token = response.split('\u{1}').find_map(|part| part.strip_prefix("auth=Bearer ")).unwrap_or_default();
        let is_for_mailbox = response.starts_with(&format!("user={MAILBOX}\u{1}"))
            || response.starts_with(&format!("n,a={MAILBOX},\u{1}host=127.0.0.1\u{1}port={}\u{1}", self.port));
        let mut told = self.told.lock().expect("not poisoned");
        let lets_in = is_for_mailbox && response.ends_with("\u{1}\u{1}") && tokens.accepts(token) && !told.refuses_all;
        if lets_in {
            told.logins += 1;
        } else {
            told.refused += 1;
        }
        lets_in
    }
}

const CONTINUATION: &str = r#"{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}"#;
