//! `touchline bounce explain`: what the bounce reader reads in mails, without configuration or database.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::console::{Console, table, warn};
use crate::cli::exit::{CliError, Ending};
use crate::domain::Fault;
use crate::feedback::returns::{self, Automatic, Class, Kind, Particulars, Return};
use crate::wording;

/// How much of a file is read, in octets: 64 MiB.
const OCTETS_MAX: u64 = 64 * 1024 * 1024;
/// The name that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// The mails.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files with one mail each, or an mbox whose name ends in .mbox; `-` for standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

/// What one mail is. The words and names are kept: scripts read them.
#[derive(Debug, Serialize)]
struct View<'a> {
    file: String,
    kind: Kind,
    recipients: Vec<RecipientView<'a>>,
    message_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<AnswerView>,
    asks_to_stop: bool,
}

#[derive(Debug, Serialize)]
struct RecipientView<'a> {
    recipient: &'a str,
    forwarded_to: Option<&'a str>,
    class: Option<Class>,
    reason: Option<Fault>,
    status: Option<&'a str>,
    code: Option<u16>,
    diagnostic: &'a str,
    attempt: Option<String>,
    row: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct AnswerView {
    what: Automatic,
    until: Option<String>,
    is_marked: bool,
}

/// A file that could not be read, or only in part, in its place among the others.
#[derive(Debug, Serialize)]
struct Unreadable {
    file: String,
    error: String,
}

impl<'a> View<'a> {
    fn of(file: String, read: &'a Return, particulars: &Particulars) -> Self {
        let attempt = read.attempt.map(|attempt| attempt.to_string());
        let recipient = |one: &'a returns::Recipient| RecipientView {
            recipient: &one.recipient,
            forwarded_to: one.forwarded_to.as_deref(),
            class: one.class,
            reason: one.reason,
            status: one.status.as_deref(),
            code: one.code,
            diagnostic: &one.diagnostic,
            attempt: attempt.clone(),
            row: one.row.as_deref(),
        };
        let answer = read.answer.map(|answer| AnswerView {
            what: answer.what,
            until: answer.until.map(|day| day.to_string()),
            is_marked: answer.is_marked,
        });
        let may_ask = matches!(read.kind, Kind::Reply | Kind::AutoReply | Kind::None);
        let asks_to_stop = may_ask && particulars.asks_to_stop;
        let recipients = read.recipients.iter().map(recipient).collect();
        Self { file, kind: read.kind, recipients, message_id: read.message_id.as_deref(), answer, asks_to_stop }
    }

    /// For a person.
    fn words(&self) -> String {
        let mut words = format!("{}: {}", self.file, kind_words(self.kind));
        if let Some(answer) = &self.answer {
            words.push_str(&format!(", {}", answer_words(answer)));
        }
        if self.asks_to_stop {
            words.push_str("; the writer asks to be sent no more: a person decides");
        }
        words.push('\n');
        for one in &self.recipients {
            words.push_str(&one.words());
            words.push('\n');
        }
        words
    }
}

impl RecipientView<'_> {
    fn words(&self) -> String {
        let some = |text: Option<&str>| text.unwrap_or("-").to_owned();
        let mut rows = vec![("recipient", self.recipient.to_owned())];
        rows.extend(self.forwarded_to.map(|to| ("forwarded to", to.to_owned())));
        if let Some(class) = self.class {
            rows.push(("what follows", class_words(class).to_owned()));
        }
        rows.extend(self.reason.map(|reason| ("reason", wording::fault(reason).to_owned())));
        let codes = [self.code.map(|code| code.to_string()), self.status.map(str::to_owned)];
        let codes = codes.into_iter().flatten().collect::<Vec<_>>().join(" ");
        rows.extend((!codes.is_empty()).then_some(("codes", codes)));
        rows.extend((!self.diagnostic.is_empty()).then(|| ("was said", self.diagnostic.to_owned())));
        rows.extend(self.attempt.clone().map(|attempt| ("attempt", attempt)));
        rows.push(("read by", some(self.row)));
        table(&["", ""], rows.into_iter().map(|(what, words)| vec![what.to_owned(), words]))
    }
}

const fn kind_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Bounce => "a bounce: the letter did not arrive",
        Kind::Delay => "a delay: the letter is still tried; nothing is to be done",
        Kind::Delivered => "a report that the letter arrived",
        Kind::Complaint => "a complaint: the letter was reported as unwanted; nothing more may be sent",
        Kind::AutoReply => "an answer that no person wrote",
        Kind::Reply => "a person's answer",
        Kind::OptOut => "a request to be sent no more such letters",
        Kind::None => "nothing that came back",
    }
}

const fn class_words(class: Class) -> &'static str {
    match class {
        Class::Hard => "hard: the address is bad",
        Class::Soft => "soft: it may pass, and proves nothing against the address",
        Class::Ours => "ours: it is about our account, content, speed or reputation, not about the address",
    }
}

fn answer_words(answer: &AnswerView) -> String {
    let what = match answer.what {
        Automatic::Absence => "somebody is away",
        Automatic::Moved => "somebody has left or has another address: correct the referrer by hand",
        Automatic::Challenge => "it asks to prove that a person wrote: answer it by hand",
        Automatic::Other => "a confirmation or the like",
    };
    let until = answer.until.as_ref().map(|day| format!(" until {day}")).unwrap_or_default();
    let guessed = if answer.is_marked { "" } else { " (only its subject says so: a person looks at it)" };
    format!("{what}{until}{guessed}")
}

/// Explains each. A file that cannot be read, or only in part, is named, and the others are read all the same.
///
/// # Errors
/// Some could not be read, or only in part: none of that name (not found), or else (failed).
pub fn run(console: &Console, args: &Args) -> Result<(), CliError> {
    let mut ending = None;
    for path in &args.files {
        let file = path.to_string_lossy().into_owned();
        match octets_of(path) {
            Ok(read) => {
                explain(console, &file, path, &read.octets)?;
                if !read.is_whole {
                    let error =
                        format!("{file} is read only in part: its first 64 MiB; split it and read the rest too");
                    complain(console, file, error)?;
                    ending = ending.or(Some(Ending::Failed));
                }
            }
            Err(kind) => {
                let error = format!("{file} cannot be read ({kind}); the other files are read all the same");
                complain(console, file, error)?;
                let ended = if kind == ErrorKind::NotFound { Ending::NotFound } else { Ending::Failed };
                ending = ending.or(Some(ended));
            }
        }
    }
    ending.map_or(Ok(()), |ending| Err(CliError::said(ending)))
}

/// Names a file that was not read, or not whole, to people and to scripts.
fn complain(console: &Console, file: String, error: String) -> Result<(), CliError> {
    warn(&format!("touchline: {error}"));
    if console.json {
        console.answer_line(&Unreadable { file, error }, String::new)?;
    }
    Ok(())
}

/// What was read of a file.
struct Octets {
    octets: Vec<u8>,
    is_whole: bool,
}

fn octets_of(path: &Path) -> Result<Octets, ErrorKind> {
    let mut octets = Vec::new();
    // One octet more than is looked at shows that there are more.
    let read = if path.as_os_str() == STANDARD_INPUT {
        std::io::stdin().lock().take(OCTETS_MAX + 1).read_to_end(&mut octets)
    } else {
        File::open(path).and_then(|file| file.take(OCTETS_MAX + 1).read_to_end(&mut octets))
    };
    let length = read.map_err(|error| error.kind())?;
    let most = usize::try_from(OCTETS_MAX).unwrap_or(usize::MAX);
    octets.truncate(most);
    Ok(Octets { octets, is_whole: length <= most })
}

fn explain(console: &Console, file: &str, path: &Path, octets: &[u8]) -> Result<(), CliError> {
    let is_mbox = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("mbox"));
    let mails = if is_mbox { mails_of(octets) } else { vec![octets] };
    for mail in mails {
        let (read, particulars) = returns::read_with_particulars(mail);
        let view = View::of(file.to_owned(), &read, &particulars);
        console.answer_line(&view, || view.words())?;
    }
    Ok(())
}

/// The mails of an mbox (RFC 4155): each begins with a `From ` line behind an empty line.
fn mails_of(octets: &[u8]) -> Vec<&[u8]> {
    let mut starts: Vec<usize> = if octets.starts_with(b"From ") { vec![0] } else { Vec::new() };
    let behind_empty = |mark: &[u8]| -> Vec<usize> {
        octets
            .windows(mark.len())
            .enumerate()
            .filter(|(_, window)| *window == mark)
            .map(|(place, _)| place + mark.len() - 5)
            .collect()
    };
    starts.extend(behind_empty(b"\n\nFrom "));
    starts.extend(behind_empty(b"\n\r\nFrom "));
    starts.sort_unstable();
    let ends = starts.iter().copied().skip(1).chain([octets.len()]);
    let mails: Vec<&[u8]> = starts.iter().zip(ends).filter_map(|(start, end)| octets.get(*start..end)).collect();
    if mails.is_empty() { vec![octets] } else { mails }
}
