//! A server on the loopback that plays a provider which is spoken to line by line, with data connections beside it (as
//! RFC 959 has them): each line must be the next one of the file, and gets that one's answer.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::fixture::Line;

/// The command that may come at the end of any dialogue and stands in no file.
const FAREWELL: &str = "QUIT";

/// A running server; it ends with this value.
pub struct LineReplay {
    pub port: u16,
    script: Arc<Script>,
    task: tokio::task::JoinHandle<()>,
}

struct Script {
    coming: Mutex<VecDeque<Line>>,
    complaints: Mutex<Vec<String>>,
}

impl Script {
    fn next(&self) -> Option<Line> {
        self.coming.lock().expect("no test panicked here").pop_front()
    }

    /// The next line, if the server speaks first.
    fn next_unasked(&self) -> Option<Line> {
        self.coming.lock().expect("no test panicked here").pop_front_if(|line| line.expect.is_none())
    }

    fn complain(&self, complaint: String) {
        self.complaints.lock().expect("no test panicked here").push(complaint);
    }
}

impl Drop for LineReplay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl LineReplay {
    pub async fn start(dialogue: &[Line]) -> Self {
        let script = Arc::new(Script {
            coming: Mutex::new(dialogue.iter().cloned().collect()),
            complaints: Mutex::new(Vec::new()),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let played = script.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = converse(stream, &played).await;
            }
        });
        Self { port, script, task }
    }

    /// What did not go as the file says: unexpected lines, wrong data, lines that never came.
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = self.script.complaints.lock().expect("no test panicked here").clone();
        for line in self.script.coming.lock().expect("no test panicked here").iter() {
            complaints.push(format!("{} never came", line.expect.as_deref().unwrap_or("a connection")));
        }
        complaints
    }
}

/// One connection, to its end.
async fn converse(stream: TcpStream, script: &Script) -> io::Result<()> {
    let mut control = BufReader::new(stream);
    let mut passive = None;
    loop {
        while let Some(line) = script.next_unasked() {
            if !answer(&mut control, &mut passive, &line, script).await? {
                return Ok(());
            }
        }
        let mut said = String::new();
        if control.read_line(&mut said).await? == 0 {
            return Ok(());
        }
        let said = said.strip_suffix("\r\n").unwrap_or("a line without CRLF");
        let next = script.next();
        if next.is_none() && said == FAREWELL {
            return control.get_mut().write_all(b"221 Goodbye.\r\n").await;
        }
        let expected = next.as_ref().and_then(|line| line.expect.as_deref()).unwrap_or("nothing");
        if said != expected {
            script.complain(format!("{said} instead of {expected}"));
            return control.get_mut().write_all(b"500 Not in the file.\r\n").await;
        }
        let Some(line) = next else { return Ok(()) };
        if !answer(&mut control, &mut passive, &line, script).await? {
            return Ok(());
        }
    }
}

/// Answers one line. `false`: the connection ends here.
async fn answer(
    control: &mut BufReader<TcpStream>,
    passive: &mut Option<TcpListener>,
    line: &Line,
    script: &Script,
) -> io::Result<bool> {
    if line.silence {
        std::future::pending::<()>().await;
    }
    let reply = with_port(&line.reply, passive).await?;
    let carries_data = !line.upload_has.is_empty() || line.download.is_some();
    if line.cut && !carries_data {
        control.get_mut().write_all(reply.as_bytes()).await?;
        return Ok(false);
    }
    say(control, &reply).await?;
    if carries_data {
        transfer(passive, line, script).await?;
        if line.cut {
            return Ok(false);
        }
        say(control, &line.then).await?;
    }
    Ok(true)
}

async fn say(control: &mut BufReader<TcpStream>, text: &str) -> io::Result<()> {
    let lines: String = text.lines().map(|line| format!("{line}\r\n")).collect();
    control.get_mut().write_all(lines.as_bytes()).await
}

/// Opens the port for data that a reply speaks of.
async fn with_port(reply: &str, passive: &mut Option<TcpListener>) -> io::Result<String> {
    if !reply.contains("{data") {
        return Ok(reply.to_owned());
    }
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    *passive = Some(listener);
    let [high, low] = port.to_be_bytes();
    Ok(reply.replace("{data}", &format!("{high},{low}")).replace("{data_port}", &port.to_string()))
}

async fn transfer(passive: &mut Option<TcpListener>, line: &Line, script: &Script) -> io::Result<()> {
    let Some(listener) = passive.take() else {
        script.complain("data without a port for them".to_owned());
        return Ok(());
    };
    let (mut data, _) = listener.accept().await?;
    if let Some(download) = &line.download {
        return data.write_all(download.replace('\n', "\r\n").as_bytes()).await;
    }
    let mut octets = Vec::new();
    data.read_to_end(&mut octets).await?;
    let text = String::from_utf8_lossy(&octets);
    if let Some(missing) = line.upload_has.iter().find(|part| !text.contains(part.as_str())) {
        script.complain(format!("the data lack {missing}"));
    }
    Ok(())
}
