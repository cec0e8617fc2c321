//! A terminal of 80 columns with the program in it, made by `script` of util-linux: what is typed waits for what is shown.
//! The crates that make terminals (`rexpect`, `expectrl`, `pty-process`) ask libc or rustix for features that nothing else
//! needs, and so everything above these would be built once more.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Instant;

use super::PATIENCE;
use super::require;

/// A program in a terminal.
pub struct Terminal {
    child: Child,
    keys: ChildStdin,
    arriving: Receiver<Vec<u8>>,
    raw: Vec<u8>,
    /// Everything shown, without control sequences.
    shown: String,
    /// Up to where it has been waited for.
    seen: usize,
}

impl Terminal {
    /// Starts the command, with its folder, variables and arguments; `None`, said once, where there is no `script`.
    pub fn start(command: &Command) -> Option<Self> {
        let Some(script) = require::program(&["script"]) else {
            require::skip("script (util-linux)");
            return None;
        };
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words: Vec<String> = words.map(|word| format!("'{}'", word.to_str().expect("UTF-8"))).collect();
        let mut terminal = Command::new(script);
        terminal
            .args(["-qefc", &format!("stty rows 50 cols 80; exec {}", words.join(" ")), "/dev/null"])
            .env_clear()
            .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .envs([("SHELL", "/bin/sh"), ("TERM", "xterm"), ("PATH", "/usr/bin:/bin")])
            .current_dir(command.get_current_dir().expect("a folder"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = terminal.spawn().expect("script starts");
        let keys = child.stdin.take().expect("its keyboard");
        let mut screen = child.stdout.take().expect("its screen");
        let (sender, arriving) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = screen.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Some(Self { child, keys, arriving, raw: Vec::new(), shown: String::new(), seen: 0 })
    }

    /// Waits until the text is shown after what was waited for before.
    pub fn wait_for(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(place) = self.shown[self.seen..].find(text) {
                self.seen += place + text.len();
                return;
            }
            assert!(self.receive(deadline), "`{text}` is not shown:\n{}", &self.shown[self.seen..]);
        }
    }

    /// Waits for the text, and for the end of its line: what stands between the two.
    pub fn rest_of_line(&mut self, text: &str) -> String {
        self.wait_for(text);
        let from = self.seen;
        self.wait_for("\n");
        self.shown[from..self.seen].trim().to_owned()
    }

    /// Waits for the text, then types.
    pub fn answer(&mut self, text: &str, keys: &str) {
        self.wait_for(text);
        self.keys.write_all(keys.as_bytes()).and_then(|()| self.keys.flush()).expect("typed");
    }

    /// Waits for the end: the exit code and everything that was shown.
    pub fn end(self) -> (i32, String) {
        let (code, shown, _) = self.end_with_cursor();
        (code, shown)
    }

    /// The same, and whether the cursor can be seen.
    pub fn end_with_cursor(mut self) -> (i32, String, bool) {
        let deadline = Instant::now() + PATIENCE;
        while self.receive(deadline) {}
        assert!(Instant::now() < deadline, "it does not end:\n{}", &self.shown[self.seen..]);
        let code = self.child.wait().expect("it ended").code().expect("a code");
        let raw = String::from_utf8_lossy(&self.raw);
        (code, self.shown.clone(), raw.rfind("\u{1b}[?25l") <= raw.rfind("\u{1b}[?25h"))
    }

    /// Takes what arrives next; false at the end or when time is up.
    fn receive(&mut self, deadline: Instant) -> bool {
        match self.arriving.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(bytes) => {
                self.raw.extend(bytes);
                self.shown = without_controls(&String::from_utf8_lossy(&self.raw));
                true
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => false,
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The text without sequences that move the cursor or color what is shown. An unfinished one at the end is left out.
fn without_controls(text: &str) -> String {
    let mut plain = String::new();
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '\u{1b}' => {
                if signs.next() == Some('[') {
                    signs.by_ref().find(char::is_ascii_alphabetic);
                }
            }
            '\r' => {}
            other => plain.push(other),
        }
    }
    plain
}
