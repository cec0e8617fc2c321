//! A mail relay that takes letters, or refuses at one command of the dialogue in whatever words it is told, for as many
//! connections as come.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// At which command, and with which words; `{to}` becomes the recipient.
type Mood = Option<(&'static str, String)>;

/// The relay.
pub struct MoodySmtp {
    pub port: u16,
    mood: Arc<Mutex<Mood>>,
    taken: Arc<Mutex<Vec<String>>>,
}

impl MoodySmtp {
    /// One that takes everything.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (mood, taken): (Arc<Mutex<Mood>>, Arc<Mutex<Vec<String>>>) = Default::default();
        let relay = Self { port, mood: mood.clone(), taken: taken.clone() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, mood.clone(), taken.clone()));
            }
        });
        relay
    }

    /// From now on it refuses at that command, or nothing.
    pub fn refuse(&self, at: Option<(&'static str, &str)>) {
        *self.mood.lock().expect("not poisoned") = at.map(|(verb, words)| (verb, words.to_owned()));
    }

    /// To whom it has taken a letter.
    pub fn taken(&self) -> Vec<String> {
        self.taken.lock().expect("not poisoned").clone()
    }
}

async fn converse(stream: TcpStream, mood: Arc<Mutex<Mood>>, taken: Arc<Mutex<Vec<String>>>) {
    let mut io = BufReader::new(stream);
    let (mut to, mut in_body, mut line) = (String::new(), false, String::new());
    if io.get_mut().write_all(b"220 relay\r\n").await.is_err() {
        return;
    }
    loop {
        line.clear();
        if !matches!(io.read_line(&mut line).await, Ok(1..)) {
            return;
        }
        let said = line.trim_end();
        if in_body && said != "." {
            continue;
        }
        let verb = if in_body { "." } else { said.split(' ').next().unwrap_or_default() };
        if verb == "RCPT" {
            to = said.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        }
        let refusal =
            mood.lock().expect("not poisoned").as_ref().filter(|(at, _)| *at == verb).map(|(_, words)| words.clone());
        let answer = match (refusal, verb) {
            (Some(words), _) => words.replace("{to}", &to),
            (None, "DATA") => "354 go on".to_owned(),
            (None, ".") => {
                taken.lock().expect("not poisoned").push(to.clone());
                "250 2.0.0 taken".to_owned()
            }
            (None, "QUIT") => return,
            (None, _) => "250 ok".to_owned(),
        };
        in_body = answer.starts_with("354");
        if io.get_mut().write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            return;
        }
    }
}
