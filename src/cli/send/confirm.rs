//! Before a broadcast: the plan in words, the first page, and a question.

use std::io::{BufRead, IsTerminal, Read, Write};
use std::path::PathBuf;

use chrono_tz::Tz;

use crate::app::Gateway;
use crate::cli::console::{Console, count, plain, print};
use crate::cli::exit::{CliError, Ending};
use crate::domain::{Channel, MessageStatus, PhiClass};
use crate::intake::proposal::{LeftOut, Proposal, Sample, Share};
use crate::render::write_preview;
use crate::wording;

/// What is said if something else would be sent by the time of the answer.
pub const CHANGED: &str = "what would be sent has changed since it was shown: look at it again. Nothing was sent";
/// More minutes than these are told.
const MINUTES_TOLD_FROM: u64 = 10;
/// Lines of the letter's text that are shown.
const TEXT_LINES_MAX: usize = 12;
/// The longest answer that is read.
const ANSWER_OCTETS_MAX: u64 = 100;

/// Shows what would be sent and asks whether to send it.
///
/// # Errors
/// [`Ending::Usage`] where nobody can answer: `--yes` sends without a question. [`Ending::Refused`] if the answer is not
/// yes, or nothing would be sent. Then nothing was stored.
pub fn ask(console: &Console, gateway: &Gateway, title: &str, proposal: &Proposal) -> Result<(), CliError> {
    let letters = count(proposal.letters, "letter");
    if console.json || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(CliError::usage(format!(
            "{title}: {letters} would be sent ({}). Add --yes to send without a question, or --dry-run to look. \
             Nothing was sent",
            channels(proposal)
        )));
    }
    print(&plain(&told(title, proposal)));
    if let Some(words) = when_words(proposal, gateway.config.practice.time_zone) {
        print(&plain(&words));
    }
    if proposal.letters == 0 {
        return Err(CliError::refused("nothing would be sent"));
    }
    if let Some(sample) = proposal.first.as_ref().filter(|sample| sample.phi != PhiClass::Identified) {
        print(&plain(&first_letter(gateway, sample)?));
    }
    if answered_yes(&format!("Send {letters}? [y/N] "))? { Ok(()) } else { Err(CliError::refused("nothing was sent")) }
}

fn answered_yes(question: &str) -> Result<bool, CliError> {
    let unread = |_| CliError::new(Ending::Failed, "the answer cannot be read. Nothing was sent");
    let mut asked = std::io::stderr();
    asked.write_all(question.as_bytes()).and_then(|()| asked.flush()).map_err(unread)?;
    let mut answer = String::new();
    std::io::stdin().lock().take(ANSWER_OCTETS_MAX).read_line(&mut answer).map_err(unread)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// A proposal in words.
#[must_use]
pub fn told(title: &str, proposal: &Proposal) -> String {
    let mut text = format!("{title}: {} to send.\n", count(proposal.letters, "letter"));
    for share in &proposal.shares {
        text.push_str(&format!("  by {}: {}\n", share.channel, share_words(share)));
    }
    text.push_str(&format!("  cost: {}\n", cost_words(proposal)));
    for line in limits(proposal) {
        text.push_str(&format!("{line}\n"));
    }
    if !proposal.left_out.is_empty() {
        text.push_str("Left out:\n");
    }
    for left in &proposal.left_out {
        text.push_str(&format!("  {}\n", left_out_words(left)));
    }
    if let Some(words) = wording::missing_basis(proposal.without_basis()) {
        text.push_str(&format!("{words}\n"));
    }
    if let Some(problem) = &proposal.problem {
        text.push_str(&format!("Warning: the first letter cannot be rendered: {problem}\n"));
    }
    text.trim_end().to_owned()
}

/// What goes out on a later day because of a quota or a budget, and how long the rates make it take: a line for each account.
pub fn limits(proposal: &Proposal) -> Vec<String> {
    let later = proposal.over_limit().map(|over| {
        wording::quotas::too_large(&over.account, over.waits_for, over.left.unwrap_or_default(), over.later)
    });
    let slow = proposal.accounts.iter().filter_map(|account| {
        let minutes = account.minutes.filter(|minutes| *minutes > MINUTES_TOLD_FROM)?;
        Some(wording::quotas::takes(&account.account, account.rate_per_minute?, minutes))
    });
    later.chain(slow).collect()
}

/// When it leaves: what waits for office hours, and how long it can be withdrawn.
fn when_words(proposal: &Proposal, zone: Tz) -> Option<String> {
    let messages = &proposal.planned.messages;
    let first = messages.iter().filter_map(|message| message.waits_until).min().map(|first| first.in_zone(zone));
    let waits = wording::some_wait(proposal.planned.counts.waiting, first.as_deref());
    let undo = proposal.undo_window.map(|window| {
        let minutes = usize::try_from(window.as_secs().div_ceil(60)).unwrap_or(usize::MAX);
        format!("All of it can be withdrawn for {}.", count(minutes, "minute"))
    });
    let words: Vec<String> = [waits, undo].into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join("\n"))
}

fn share_words(share: &Share) -> String {
    let pages = share.pages.map(|pages| usize::try_from(pages).unwrap_or(usize::MAX));
    let pages = pages.map_or_else(String::new, |pages| format!(" of {}", count(pages, "page")));
    format!("{}{pages}", count(share.messages, "message"))
}

/// What all of it costs, and what is not known of it.
#[must_use]
pub fn cost_words(proposal: &Proposal) -> String {
    let (cost, unpriced) = proposal.cost();
    let all: usize = proposal.shares.iter().map(|share| share.messages).sum();
    match unpriced {
        0 => format!("about {cost} in total, not counting resends"),
        _ if unpriced == all => "not known (no account has a cost_per_page)".to_owned(),
        _ => format!("about {cost}, without {} by accounts that have no cost_per_page", count(unpriced, "message")),
    }
}

fn left_out_words(left: &LeftOut) -> String {
    let by = left.channel.map_or_else(String::new, |channel| format!(" by {channel}"));
    let why = left.reason.map_or_else(|| left.why.clone(), |reason| wording::explain(reason).to_owned());
    let held = if left.status == Some(MessageStatus::Held) { " (held for review)" } else { "" };
    let more = left.count.saturating_sub(left.names.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{by}{held}: {} {}{more}", left.count, sentence(&why), left.names.join("; "))
}

fn sentence(words: &str) -> String {
    format!("{}.", words.trim_end_matches('.'))
}

fn channels(proposal: &Proposal) -> String {
    let of = |channel: Channel| proposal.shares.iter().find(|share| share.channel == channel);
    let said = |channel: &Channel| of(*channel).map(|share| format!("{} by {channel}", share.messages));
    let said: Vec<String> = Channel::ALL.iter().filter_map(said).collect();
    if said.is_empty() { "by no channel".to_owned() } else { said.join(", ") }
}

/// The first letter, written into a folder of its own, and the beginning of its text.
fn first_letter(gateway: &Gateway, sample: &Sample) -> Result<String, CliError> {
    let failed = |_| CliError::new(Ending::Failed, "the preview cannot be written");
    let folder: PathBuf = tempfile::Builder::new().prefix("touchline-preview-").tempdir().map_err(failed)?.keep();
    let job = sample.job(gateway.clock.now());
    let written = write_preview(&gateway.renderer, &job, &folder, None);
    let (mail, _) = gateway.renderer.mail(&job)?;
    let lines = mail.text.lines().take(TEXT_LINES_MAX).map(|line| format!("  | {line}"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let path = match written {
        Ok(_) => folder.join("fax.png").display().to_string(),
        Err(error) => format!("cannot be drawn: {error}"),
    };
    Ok(format!("First letter, to {}:\n{text}\nFirst page: {path}", sample.referrer.display_name()))
}
