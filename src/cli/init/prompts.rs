//! Questions on a terminal. Each can be answered, or taken back to the one before it: with `<` where something is typed, with
//! Esc in a list.

use std::io::{BufRead, ErrorKind, Read, Write};
use std::sync::{Mutex, PoisonError};

use dialoguer::console::Term;
use dialoguer::{Confirm, Input, MultiSelect, Select};

use crate::cli::exit::STOPPED_CODE;
use crate::cli::hidden;

/// What takes a question back.
pub const BACK: &str = "<";
/// What removes an answer that may be left out.
const NONE: &str = "-";
/// Longest answer that is read.
const OCTETS_MAX: u64 = 4_000;

/// What is said when Ctrl-C ends the program.
static LAST_WORDS: Mutex<&str> = Mutex::new("");

/// From when it is made, Ctrl-C shows the cursor and what is typed again, which lists and passwords hide, and ends the program
/// with exit code 130; as long as it lives, with the words it was given. Without it, Ctrl-C kills the program as it stands.
#[derive(Debug)]
pub struct Interruption(());

impl Interruption {
    /// Begins to listen, with the words that Ctrl-C is answered with. Must be called within a runtime; there is one at a time.
    #[must_use]
    pub fn listen(words: &'static str) -> Self {
        *LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner) = words;
        #[cfg(unix)]
        if let Ok(mut interrupts) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt()) {
            // A question that reads whole lines is not disturbed by the signal, and so cannot report it.
            tokio::spawn(async move {
                if interrupts.recv().await.is_some() {
                    stop();
                }
            });
        }
        Self(())
    }
}

impl Drop for Interruption {
    fn drop(&mut self) {
        *LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner) = "";
    }
}

/// Ends the program. A second caller waits for the lock until the first has ended it, so the words are printed once.
fn stop() -> ! {
    let words = LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    hidden::show_typing();
    let _ = Term::stderr().show_cursor();
    if !words.is_empty() {
        say(&format!("\n{}", *words));
    }
    std::process::exit(STOPPED_CODE)
}

/// What a prompt answered. One that Ctrl-C interrupted ends the program: it reports that as an error of reading.
fn settled<T>(answered: dialoguer::Result<T>) -> dialoguer::Result<T> {
    match answered {
        Err(dialoguer::Error::IO(error)) if error.kind() == ErrorKind::Interrupted => stop(),
        answered => answered,
    }
}

/// What became of a question.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked<T> {
    /// It was answered.
    Answer(T),
    /// The one before is to be asked again.
    Back,
}

/// The answer of an [`Asked`], or the way back out of the calling question.
macro_rules! answer {
    ($asked:expr) => {
        match $asked? {
            Asked::Answer(answer) => answer,
            Asked::Back => return Ok(Turn::Back),
        }
    };
}
pub(super) use answer;

/// Says something between the questions.
pub fn say(words: &str) {
    let _ = writeln!(std::io::stderr(), "{words}");
}

/// Asks until `read` accepts what was typed. Enter alone takes the answer that stands.
///
/// # Errors
/// There is no terminal, or the person canceled.
pub fn line<T>(
    prompt: &str,
    standing: Option<&str>,
    read: impl Fn(&str) -> Result<T, String>,
) -> dialoguer::Result<Asked<T>> {
    let mut mistyped: Option<String> = None;
    loop {
        let mut input = Input::<String>::new().with_prompt(prompt).allow_empty(true);
        if let Some(standing) = standing {
            input = input.default(standing.to_owned());
        }
        if let Some(text) = mistyped.take() {
            input = input.with_initial_text(text);
        }
        let text = settled(input.interact_text())?;
        // Behind what was mistyped and still stands there, too.
        if text.trim().ends_with(BACK) {
            return Ok(Asked::Back);
        }
        match read(&text) {
            Ok(value) => return Ok(Asked::Answer(value)),
            Err(why) => {
                say(&format!("  That cannot be used: {why}."));
                mistyped = Some(text).filter(|text| !text.trim().is_empty());
            }
        }
    }
}

/// As [`line`], of something that may be left out: Enter alone leaves it out, or takes the answer that stands, which `-`
/// removes.
///
/// # Errors
/// As [`line`].
pub fn optional_line<T>(
    prompt: &str,
    standing: Option<&str>,
    read: impl Fn(&str) -> Result<T, String>,
) -> dialoguer::Result<Asked<Option<T>>> {
    line(prompt, standing, |text| match text.trim() {
        "" | NONE => Ok(None),
        text => read(text).map(Some),
    })
}

/// As [`optional_line`], of an answer that takes more than a line on the screen.
///
/// # Errors
/// As [`line`].
pub fn long_line<T>(
    prompt: &str,
    standing: Option<&str>,
    read: impl Fn(&str) -> Result<T, String>,
) -> dialoguer::Result<Asked<Option<T>>> {
    loop {
        let mut error = std::io::stderr();
        write!(error, "{prompt}: ").and_then(|()| error.flush())?;
        let mut text = String::new();
        if std::io::stdin().lock().take(OCTETS_MAX).read_line(&mut text)? == 0 {
            return Err(std::io::Error::from(ErrorKind::UnexpectedEof).into());
        }
        let text = match (text.trim(), standing) {
            (BACK, _) => return Ok(Asked::Back),
            (NONE, _) | ("", None) => return Ok(Asked::Answer(None)),
            ("", Some(standing)) => standing.to_owned(),
            (typed, _) => typed.to_owned(),
        };
        match read(&text) {
            Ok(value) => return Ok(Asked::Answer(Some(value))),
            Err(why) => say(&format!("  That cannot be used: {why}.")),
        }
    }
}

/// Asks for one of a list; Esc goes back.
///
/// # Errors
/// As [`line`].
pub fn one_of(prompt: &str, items: &[String], standing: usize) -> dialoguer::Result<Asked<usize>> {
    let list = Select::new().with_prompt(prompt).items(items).default(standing).report(false);
    Ok(match settled(list.interact_opt())? {
        Some(index) => {
            say(&format!("{prompt}: {}", items.get(index).map_or("", String::as_str)));
            Asked::Answer(index)
        }
        None => Asked::Back,
    })
}

/// Asks for any number of a list, and whether none is meant where none is marked; Esc goes back.
///
/// # Errors
/// As [`line`].
pub fn some_of(prompt: &str, items: &[String], marked: &[bool]) -> dialoguer::Result<Asked<Vec<usize>>> {
    let keys = format!("{prompt}: space marks, Enter goes on");
    loop {
        let list = MultiSelect::new().with_prompt(&keys).items(items).defaults(marked).report(false);
        let Some(chosen) = settled(list.interact_opt())? else { return Ok(Asked::Back) };
        if !chosen.is_empty() || yes("Nothing is marked. Go on without?", false)? {
            return Ok(Asked::Answer(chosen));
        }
    }
}

/// Asks yes or no.
///
/// # Errors
/// As [`line`].
pub fn yes(prompt: &str, standing: bool) -> dialoguer::Result<bool> {
    settled(Confirm::new().with_prompt(prompt).default(standing).interact())
}
