//! `touchline mailbox list`: the configured mailboxes, and how reading them goes.

use serde_json::{Value, json};

use crate::cli::console::{Console, plain, table};
use crate::cli::exit::CliError;
use crate::config::MailboxConfig;
use crate::domain::Timestamp;
use crate::store::records::mailboxes::MailboxState;
use crate::wording;

/// What is said where there is none.
pub(super) const NONE: &str = "No mailbox is configured, so no bounce is read. Add one under [mailboxes] in the configuration; \
     touchline.example.toml shows how.";

/// A mailbox, and what is on record of it.
struct Standing<'a> {
    name: &'a str,
    settings: &'a MailboxConfig,
    known: Option<&'a MailboxState>,
    now: Timestamp,
}

pub(super) async fn run(console: &Console) -> Result<(), CliError> {
    let gateway = console.gateway_to_read().await?;
    let states = gateway.store.read().await?.mailbox_states().await?;
    let now = gateway.clock.now();
    let configured = gateway.config.mailboxes.iter();
    let standings: Vec<Standing<'_>> = configured
        .map(|(name, settings)| {
            let known = states.iter().find(|state| state.name == *name);
            Standing { name, settings, known, now }
        })
        .collect();
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
            Some(_) => "good",
        }
    }

    fn why(&self) -> Option<String> {
        if !self.settings.missing.is_empty() {
            return Some(self.settings.missing.join("; "));
        }
        let known = self.known.filter(|known| known.failed_ms.is_some())?;
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
