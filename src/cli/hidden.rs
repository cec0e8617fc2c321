//! What is typed and not shown: passwords and keys. The terminal hides it before the question is shown, so that nothing of an
//! answer is seen or lost however soon it comes, and shows what is typed again whatever ends the question.

use std::io::{BufRead, ErrorKind, Read, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use dialoguer::Password;

/// Longest answer that is read.
const OCTETS_MAX: u64 = 4_000;
/// What is said where the second answer is not the first.
const DIFFERENT: &str = "The two do not match";

/// Whether the terminal hides what is typed.
static HIDES: AtomicBool = AtomicBool::new(false);

/// From when it is made until it is gone, the terminal hides what is typed.
struct Hidden(());

impl Hidden {
    /// POSIX's `stty` does it: the standard library has no call for it. `None` where there is none.
    fn begin() -> Option<Self> {
        // First, so that it is undone whenever the program is stopped.
        HIDES.store(true, Ordering::SeqCst);
        let hides = stty("-echo");
        HIDES.store(hides, Ordering::SeqCst);
        hides.then_some(Self(()))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        show_typing();
    }
}

/// Asks with these words, and with those of `again` once more, until both answers are the same. Not empty.
///
/// # Errors
/// There is no terminal, or it is closed.
pub fn ask(words: &str, again: Option<&str>) -> dialoguer::Result<String> {
    let Some(_hidden) = Hidden::begin() else { return ask_without_stty(words, again) };
    loop {
        let first = typed(words)?;
        if first.is_empty() {
            continue;
        }
        match again {
            Some(again) if typed(again)? != first => writeln!(std::io::stderr(), "{DIFFERENT}")?,
            _ => return Ok(first),
        }
    }
}

/// Has the terminal show what is typed again, if it hides it.
pub fn show_typing() {
    if HIDES.swap(false, Ordering::SeqCst) {
        // A program that is about to end has nothing to do about a failure.
        let _ = stty("echo");
    }
}

fn ask_without_stty(words: &str, again: Option<&str>) -> dialoguer::Result<String> {
    let prompt = Password::new().with_prompt(words);
    again.map_or(prompt.clone(), |again| prompt.with_confirmation(again, DIFFERENT)).interact()
}

fn typed(words: &str) -> std::io::Result<String> {
    let mut error = std::io::stderr();
    write!(error, "{words}: ").and_then(|()| error.flush())?;
    let mut line = String::new();
    if std::io::stdin().lock().take(OCTETS_MAX).read_line(&mut line)? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    // What ended the line was not shown either.
    writeln!(error)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Changes the terminal that the program is asked at; false if that was not possible.
fn stty(setting: &str) -> bool {
    let mut stty = Command::new("stty");
    let ended = stty.arg(setting).stdout(Stdio::null()).stderr(Stdio::null()).status();
    ended.is_ok_and(|status| status.success())
}
