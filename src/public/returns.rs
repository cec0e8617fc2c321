//! What came back for emails.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::returned::ReturnAct;
use crate::domain::{Actor, EmailAddress, Fault, Timestamp, fault};
use crate::public::SuppressionView;
use crate::store::records::returns::ReturnRow;
use crate::wording::returns::{self, Case};

/// A page of returns, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReturnPage {
    /// This page.
    pub returns: Vec<ReturnView>,
    /// What to give as `after` for the next page; null at the end.
    pub next: Option<String>,
}

/// What came back for an email, about one recipient: a bounce, a delay, a complaint, an answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReturnView {
    /// Identifier.
    pub id: Uuid,
    /// `bounce`, `delay`, `delivered`, `complaint`, `auto_reply`, `reply`, `opt_out` or `none`.
    pub kind: &'static str,
    /// What a failure says about the address: `hard`, `soft` or `ours`.
    pub class: Option<&'static str>,
    /// Why it failed: a word.
    pub reason: Option<&'static str>,
    /// Of an answer that no person wrote: `absence`, `moved`, `challenge` or `other`.
    pub automatic: Option<&'static str>,
    /// The enhanced status code (RFC 3463).
    pub status: Option<String>,
    /// What the server, the mailer or the provider said, without addresses unless the caller may operate.
    pub diagnostic: Option<String>,
    /// The row of the tables that decided, or the provider's word.
    pub row: Option<String>,
    /// Whom it names; masked unless the caller may operate.
    pub recipient: Option<String>,
    /// Who wrote an answer; of a bounce, the domain of the mailer. Masked unless the caller may operate.
    pub sender: Option<String>,
    /// The first line of an answer, where that is kept; only if the caller may operate.
    pub first_line: Option<String>,
    /// The day on which somebody is back, `YYYY-MM-DD`.
    pub back_on: Option<String>,
    /// How it was found to be about the message: `return_path`, `envelope_id`, `message_id`, `provider`, `recipient`, `sender` or
    /// `person`. After `recipient` the message is only a proposal.
    pub matched_by: Option<&'static str>,
    /// The message it is about.
    pub message: Option<Uuid>,
    /// The attempt it is about.
    pub attempt: Option<Uuid>,
    /// The referrer it is about.
    pub referrer: Option<Uuid>,
    /// The broadcast of that message.
    pub broadcast: Option<Uuid>,
    /// The mailbox or the account it came to.
    pub source: String,
    /// `applied`: what follows from it was done; `open`: a person must look at it; `done`: a person has dealt with it.
    pub state: &'static str,
    /// What a person decided: `matched`, `not_a_bounce`, `suppressed`, `dismissed` or `done`.
    pub outcome: Option<String>,
    /// When it was received.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// When a person dealt with it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub done_at: Option<Timestamp>,
    /// Who.
    #[schema(value_type = Option<String>)]
    pub done_by: Option<Actor>,
    /// What it means and what to do about it, in a few sentences.
    pub explanation: String,
    /// What can be done about it now: `match`, `not_a_bounce`, `suppress`, `dismiss`, `done`.
    pub acts: Vec<&'static str>,
}

/// All of a person's answer, opened for one reader.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReplyTextView {
    /// The return's identifier.
    pub id: Uuid,
    /// What they wrote, as plain text.
    pub text: String,
    /// Whether the answer is longer than what is kept of it, 64 KiB.
    pub is_cut: bool,
}

/// What a return was read in, as it came.
#[derive(Debug, Serialize, ToSchema)]
pub struct AsItCameView {
    /// The return's identifier.
    pub id: Uuid,
    /// `mail`, `callback` (of the mail provider that reported it), or `none`: it is not kept.
    pub form: &'static str,
    /// The mailbox or the account it came to.
    pub source: String,
    /// Of a callback, the headers that are kept: what it is about, and what proves where it came from.
    pub headers: Vec<HeaderView>,
    /// The mail, or the callback's body, octet for octet in base64; at most 4 MiB before that.
    pub content: Option<String>,
    /// When it was deleted, where it is known that it was kept.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub purged_at: Option<Timestamp>,
}

/// A header of a callback.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeaderView {
    /// Its name, in lower case.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// Suppressions, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuppressionList {
    /// At most as many as were asked for.
    pub suppressions: Vec<SuppressionView>,
}

impl ReturnView {
    /// `acts`: what can be done about it. `whole`: with addresses and the words of people.
    #[must_use]
    pub fn of(row: &ReturnRow, acts: &[ReturnAct], whole: bool) -> Self {
        let diagnostic = row.diagnostic.as_deref();
        let address =
            |text: &Option<String>| text.as_deref().map(|text| if whole { text.to_owned() } else { masked(text) });
        Self {
            id: row.id.0,
            kind: row.kind.as_str(),
            class: row.class.map(|class| class.as_str()),
            reason: row.reason.map(Fault::as_str),
            automatic: row.automatic.map(|what| what.as_str()),
            status: row.status.clone(),
            diagnostic: diagnostic.map(|text| if whole { text.to_owned() } else { fault::clean(text, text.len()) }),
            row: row.verdict_row.clone(),
            recipient: address(&row.recipient),
            sender: address(&row.sender),
            first_line: row.first_line.clone().filter(|_| whole),
            back_on: row.back_on.clone(),
            matched_by: row.matched_by.map(|by| by.as_str()),
            message: row.message_id.map(|id| id.0),
            attempt: row.attempt_id.map(|id| id.0),
            referrer: row.referrer_id.map(|id| id.0),
            broadcast: row.broadcast_id.map(|id| id.0),
            source: row.source.clone(),
            state: row.state.as_str(),
            outcome: row.outcome.clone(),
            received_at: row.received_ms,
            done_at: row.done_ms,
            done_by: row.done_by.clone(),
            explanation: explanation(row),
            acts: acts.iter().map(|act| act.as_str()).collect(),
        }
    }
}

/// What a return means and what to do about it, in a few sentences.
#[must_use]
pub fn explanation(row: &ReturnRow) -> String {
    returns::explain(&Case {
        kind: row.kind,
        class: row.class,
        reason: row.reason,
        automatic: row.automatic,
        back_on: row.back_on.as_deref(),
        matched_by: row.matched_by,
        has_letter: row.message_id.is_some(),
        state: row.state,
        outcome: row.outcome.as_deref(),
    })
    .into_owned()
}

/// An address as a mail has it, masked as every other; of a domain or of what is no address, the first letter.
#[must_use]
pub fn masked(text: &str) -> String {
    let first = || format!("{}…", text.chars().next().unwrap_or('?'));
    EmailAddress::parse(text).map_or_else(|_| first(), |address| address.masked())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_an_address_but_its_first_letter_is_shown() {
        assert_eq!(masked("amara@ridge.example"), "email a…");
        assert_eq!(masked("mx.ridge.example"), "m…");
        assert_eq!(masked("<not an address>"), "<…");
    }
}
