//! What is noted in memory while requests are answered, and written down in bulk: when a token or a session was last used,
//! and which log-ins were refused. So a read needs no write, nobody waits for a note, and a flood of refused log-ins is a
//! few lines a minute in the audit trail.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Attempt, Parts};
use crate::domain::id::TokenId;
use crate::domain::{Actor, AuditAct, Timestamp};
use crate::store::StoreError;

/// Refusals kept apart by address until they are written down. Those of further addresses are counted together.
const REFUSALS_MAX: usize = 32;
/// The subject of a refused log-in under a name that no operator has: it may be anything, a password for example.
pub(super) const UNKNOWN: &str = "unknown";

/// The notes.
#[derive(Debug, Default)]
pub struct Seen(Mutex<Noted>);

#[derive(Debug, Default, Clone)]
struct Noted {
    /// Live tokens that were used, and when last.
    tokens: BTreeMap<TokenId, Timestamp>,
    /// Live sessions that were used, by the hash of their cookie.
    sessions: BTreeMap<String, Timestamp>,
    /// How often log-ins were refused, and when last.
    refusals: BTreeMap<Refusal, (u64, Timestamp)>,
    /// Names of operators, as far as they have been met.
    operators: BTreeSet<String>,
}

/// Refused log-ins that make one line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Refusal {
    act: AuditAct,
    /// `None`: of no operator.
    name: Option<String>,
    /// `None`: several.
    peer: Option<IpAddr>,
}

impl Seen {
    /// Notes that a live token was used.
    pub(super) fn note_token(&self, token: TokenId, now: Timestamp) {
        self.noted().tokens.insert(token, now);
    }

    /// Notes that a live session was used.
    pub(super) fn note_session(&self, hash: String, now: Timestamp) {
        self.noted().sessions.insert(hash, now);
    }

    /// When a session was last used, if that has not been written down yet.
    pub(super) fn session(&self, hash: &str) -> Option<Timestamp> {
        self.noted().sessions.get(hash).copied()
    }

    /// Notes a log-in with a wrong name or password; `known`: the name is an operator's.
    pub(super) fn note_failure(&self, attempt: &Attempt<'_>, known: bool, now: Timestamp) {
        let mut noted = self.noted();
        if known {
            noted.operators.insert(attempt.name.to_owned());
        }
        noted.refuse(AuditAct::FailedLogin, attempt, now);
    }

    /// Notes a log-in that was refused without a look at its password, because there were too many.
    pub(super) fn note_lockout(&self, attempt: &Attempt<'_>, now: Timestamp) {
        self.noted().refuse(AuditAct::RefusedLogin, attempt, now);
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what was written down; what came since stays.
    fn forget(&self, written: &Noted) {
        let mut noted = self.noted();
        noted.tokens.retain(|token, at| written.tokens.get(token) != Some(at));
        noted.sessions.retain(|hash, at| written.sessions.get(hash) != Some(at));
        noted.refusals.retain(|refusal, (count, _)| {
            let written = written.refusals.get(refusal).map_or(0, |(written, _)| *written);
            *count = count.saturating_sub(written);
            *count > 0
        });
    }
}

impl Noted {
    fn refuse(&mut self, act: AuditAct, attempt: &Attempt<'_>, now: Timestamp) {
        let name = self.operators.get(attempt.name).cloned();
        let mut refusal = Refusal { act, name, peer: Some(attempt.peer) };
        if self.refusals.len() >= REFUSALS_MAX && !self.refusals.contains_key(&refusal) {
            refusal.peer = None;
        }
        let (count, last) = self.refusals.entry(refusal).or_insert((0, now));
        *count += 1;
        *last = now;
    }

    fn is_empty(&self) -> bool {
        self.tokens.is_empty() && self.sessions.is_empty() && self.refusals.is_empty()
    }
}

impl Refusal {
    fn subject(&self) -> &str {
        self.name.as_deref().unwrap_or(UNKNOWN)
    }

    fn detail(&self, count: u64) -> String {
        let from = self.peer.map_or_else(|| "several addresses".to_owned(), |peer| peer.to_string());
        if count == 1 { format!("from {from}, once") } else { format!("from {from}, {count} times") }
    }
}

/// Writes the notes down, all in one transaction, in the same order on every node. Those that cannot be written down now
/// are kept for the next time.
///
/// # Errors
/// The database cannot be used.
pub async fn flush(parts: &Parts) -> Result<(), StoreError> {
    let operators = parts.store.read().await?.operators().await?;
    let noted = {
        let mut noted = parts.seen.noted();
        noted.operators = operators.into_iter().map(|operator| operator.name).collect();
        noted.clone()
    };
    if noted.is_empty() {
        return Ok(());
    }
    let mut tx = parts.store.write().await?;
    for (token, at) in &noted.tokens {
        tx.token_used(*token, *at).await?;
    }
    for (hash, at) in &noted.sessions {
        tx.session_seen(hash, *at).await?;
    }
    for (refusal, (count, last)) in &noted.refusals {
        let detail = refusal.detail(*count);
        tx.audit(&Actor::System, refusal.act, Some(refusal.subject()), Some(&detail), *last).await?;
    }
    tx.commit().await?;
    parts.seen.forget(&noted);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(name: &str, tail: u8) -> Attempt<'_> {
        Attempt { name, peer: IpAddr::from([203, 0, 113, tail]), device: None }
    }

    fn lines(seen: &Seen) -> Vec<(String, String)> {
        let noted = seen.noted().clone();
        let line = |(refusal, (count, _)): (&Refusal, &(u64, Timestamp))| {
            (refusal.subject().to_owned(), refusal.detail(*count))
        };
        noted.refusals.iter().map(line).collect()
    }

    #[test]
    fn refused_log_ins_are_counted_by_name_and_address_and_only_operators_are_named() {
        let seen = Seen::default();
        for _ in 0..3 {
            seen.note_failure(&attempt("dana", 9), true, Timestamp(1));
        }
        seen.note_failure(&attempt("my secret password", 9), false, Timestamp(2));
        seen.note_lockout(&attempt("dana", 7), Timestamp(3));
        let told = lines(&seen);
        for (name, detail) in [
            ("dana", "from 203.0.113.9, 3 times"),
            ("unknown", "from 203.0.113.9, once"),
            ("dana", "from 203.0.113.7, once"),
        ] {
            assert!(told.contains(&(name.to_owned(), detail.to_owned())), "{told:?}");
        }
        assert_eq!(told.len(), 3, "{told:?}");
    }

    #[test]
    fn a_flood_from_many_addresses_is_few_lines_and_hides_no_operators_name() {
        let seen = Seen::default();
        for tail in 0..=255 {
            seen.note_failure(&attempt("nobody", tail), false, Timestamp(1));
        }
        seen.note_failure(&attempt("dana", 1), true, Timestamp(2));
        let told = lines(&seen);
        assert_eq!(told.len(), REFUSALS_MAX + 2, "{told:?}");
        assert!(told.contains(&("dana".to_owned(), "from several addresses, once".to_owned())), "{told:?}");
        let rest = 256 - REFUSALS_MAX;
        assert!(told.contains(&(UNKNOWN.to_owned(), format!("from several addresses, {rest} times"))), "{told:?}");
    }

    #[test]
    fn what_came_while_notes_were_written_down_is_kept() {
        let seen = Seen::default();
        seen.note_session("a".to_owned(), Timestamp(1));
        seen.note_session("b".to_owned(), Timestamp(1));
        seen.note_failure(&attempt("dana", 9), true, Timestamp(1));
        let written = seen.noted().clone();
        seen.note_session("b".to_owned(), Timestamp(2));
        seen.note_failure(&attempt("dana", 9), true, Timestamp(2));
        seen.forget(&written);
        assert_eq!((seen.session("a"), seen.session("b")), (None, Some(Timestamp(2))));
        assert_eq!(lines(&seen), [("dana".to_owned(), "from 203.0.113.9, once".to_owned())]);
    }
}
