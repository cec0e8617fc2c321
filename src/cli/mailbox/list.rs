//! `touchline mailbox list`: the configured mailboxes, and how reading them goes.

use serde_json::{Value, json};

use crate::cli::console::{Console, plain, table};
use crate::cli::exit::CliError;
use crate::config::MailboxConfig;
use crate::domain::Timestamp;
use crate::store::records::mailboxes::{MailboxState, SteppedOver};
use crate::wording;

/// What is said where there is none.
pub(super) const NONE: &str = "No mailbox is configured, so no bounce is read. Add one under [mailboxes] in the configuration; \
     touchline.example.toml shows how.";

/// Mails to look at that are named for one mailbox.
const NAMED_MAX: i64 = 100;

/// A mailbox, and what is on record of it.
struct Standing<'a> {
    name: &'a str,
    settings: &'a MailboxConfig,
    known: Option<&'a MailboxState>,
    to_look_at: Vec<SteppedOver>,
    now: Timestamp,
}

pub(super) async fn run(console: &Console) -> Result<(), CliError> {
    let gateway = console.gateway_to_read().await?;
    let mut tx = gateway.store.read().await?;
    let states = tx.mailbox_states().await?;
    let (now, mut standings) = (gateway.clock.now(), Vec::new());
    for (name, settings) in &gateway.config.mailboxes {
        let known = states.iter().find(|state| state.name == *name);
        let to_look_at = tx.mailbox_to_look_at(name, NAMED_MAX).await?;
        standings.push(Standing { name, settings, known, to_look_at, now });
    }
    drop(tx);
    let objects: Vec<Value> = standings.iter().map(Standing::object).collect();
    console.answer(&json!({ "mailboxes": objects }), || {
        if standings.is_empty() {
            return NONE.to_owned();
        }
        let zone = gateway.config.practice.time_zone;
        let rows = standings.iter().map(|standing| standing.row(zone));
        table(&["mailbox", "kind", "state", "last read", "failing since", "returns", "other mails", "why"], rows)
    })
}

impl Standing<'_> {
    fn known<T>(&self, field: impl Fn(&MailboxState) -> Option<T>) -> Option<T> {
        self.known.and_then(field)
    }

    /// In a word for programs, which stays the same.
    fn state(&self) -> &'static str {
        match self.known {
            _ if !self.settings.missing.is_empty() => "secret_missing",
            None => "not_read_yet",
            Some(known) if known.is_refused() => "refused",
            Some(known) if known.needs_person(self.now) => "unread",
            Some(known) if known.failed_ms.is_some() => "failing",
            Some(known) if known.to_look_at > 0 => "read_in_part",
            Some(_) => "good",
        }
    }

    fn why(&self) -> Option<String> {
        if !self.settings.missing.is_empty() {
            return Some(self.settings.missing.join("; "));
        }
        let known = self.known?;
        if known.failed_ms.is_none() {
            return (known.to_look_at > 0).then(|| wording::mailboxes::stepped_over(known.to_look_at, self.name));
        }
        let why = known.failure.as_deref().unwrap_or_default().trim_end_matches('.');
        Some(format!("{why}. {}", wording::mailboxes::advice(known.failure_remedy, self.name)))
    }

    fn number(&self, field: impl Fn(&MailboxState) -> i64) -> i64 {
        self.known.map_or(0, field)
    }

    fn object(&self) -> Value {
        json!({
            "mailbox": self.name,
            "kind": self.settings.settings.kind,
            "folders": self.settings.settings.folders,
            "after": self.settings.settings.after,
            "state": self.state(),
            "last_read_at": self.known(|known| known.read_ms),
            "failing_since": self.known(|known| known.failed_ms),
            "why": self.why(),
            "remedy": self.known(|known| known.failure_remedy),
            "read_by": self.known(|known| known.owner.clone()),
            "returns": self.number(|known| known.taken),
            "other_mails": self.number(|known| known.passed),
            "read_in_part": self.number(|known| known.cut),
            "unreadable": self.number(|known| known.unreadable),
            "reads_since": self.known(|known| known.since_ms),
            "to_look_at": self.number(|known| known.to_look_at),
            "mails_to_look_at": self.to_look_at.iter().map(named).collect::<Vec<_>>(),
        })
    }

    fn row(&self, zone: chrono_tz::Tz) -> Vec<String> {
        let at = |moment: Option<Timestamp>| moment.map_or_else(|| "—".to_owned(), |moment| moment.in_zone(zone));
        vec![
            self.name.to_owned(),
            self.settings.settings.kind.to_string(),
            self.state().replace('_', " "),
            at(self.known(|known| known.read_ms)),
            at(self.known(|known| known.failed_ms)),
            self.number(|known| known.taken).to_string(),
            self.number(|known| known.passed).to_string(),
            self.why().map_or_else(|| "—".to_owned(), |why| plain(&why)),
        ]
    }
}

/// A mail to look at: where it is, and why it could not be read.
fn named(mail: &SteppedOver) -> Value {
    let SteppedOver { folder, mail, words, stepped_ms } = mail;
    json!({ "folder": folder, "mail": mail, "why": words, "since": stepped_ms })
}
