//! What is typed and not shown: passwords and keys. The terminal hides it before the question is shown, so that nothing of an
//! answer is seen or lost however soon it comes, and shows what is typed again whatever ends the question.

use std::io::{BufRead, ErrorKind, Read, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use dialoguer::Password;

/// Longest answer that is read.
const OCTETS_MAX: u64 = 4_000;
/// Most reads that drop what was pasted behind an answer; the terminal keeps no more than 4,096 octets at a time.
const DROPPED_READS_MAX: usize = 256;
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
        let hides = stty(&["-echo"]);
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

/// Asks with these words for something that is pasted: the first line that is not empty counts. What was pasted behind it is read
/// and dropped, so that neither the screen nor the shell that goes on afterwards gets any of it.
///
/// # Errors
/// There is no terminal, or it is closed.
pub fn ask_pasted(words: &str) -> dialoguer::Result<String> {
    let Some(_hidden) = Hidden::begin() else { return ask_without_stty(words, None) };
    loop {
        let answer = typed(words)?;
        if !answer.is_empty() {
            drop_rest();
            return Ok(answer);
        }
    }
}

/// Has the terminal show what is typed again, if it hides it.
pub fn show_typing() {
    if HIDES.swap(false, Ordering::SeqCst) {
        // A program that is about to end has nothing to do about a failure.
        let _ = stty(&["echo", "icanon"]);
    }
}

/// Reads what has arrived already, until a tenth of a second passes without anything more. Must be called while the terminal hides
/// what is typed; whoever shows it again has it hand over whole lines again too.
fn drop_rest() {
    if !stty(&["-icanon", "min", "0", "time", "1"]) {
        return;
    }
    let mut input = std::io::stdin().lock();
    let mut rest = [0; 1024];
    for _ in 0..DROPPED_READS_MAX {
        if !matches!(input.read(&mut rest), Ok(1..)) {
            return;
        }
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
fn stty(settings: &[&str]) -> bool {
    let mut stty = Command::new("stty");
    let ended = stty.args(settings).stdout(Stdio::null()).stderr(Stdio::null()).status();
    ended.is_ok_and(|status| status.success())
}
