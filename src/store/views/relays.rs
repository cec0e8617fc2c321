//! What accounts have done lately: hand-overs and what became of them, what came back, how letters travelled, what went wrong
//! last, and what waits.

use crate::domain::{AttemptStatus, Fault, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::row;

// A message changes no earlier than its attempts, so the index over status and time finds all that can count.
const DAY: &str = "SELECT a.provider,
        COUNT(CASE WHEN a.opened_ms >= $1 AND a.status IN ('accepted', 'in_doubt', 'delivered', 'failed') THEN 1 END)
            AS sent,
        COUNT(CASE WHEN a.opened_ms >= $1 AND a.status = 'refused' THEN 1 END) AS refused,
        COUNT(CASE WHEN a.settled_ms >= $1 AND a.status = 'delivered' AND m.confidence = 'confirmed' THEN 1 END)
            AS confirmed,
        COUNT(CASE WHEN a.settled_ms >= $1 AND a.status = 'delivered' AND m.confidence = 'presumed' THEN 1 END)
            AS presumed
    FROM message m JOIN attempt a ON a.message_id = m.id
    WHERE m.status IN ('queued', 'held', 'accepted', 'in_doubt', 'delivered', 'failed', 'suppressed', 'cancelled',
        'expired') AND m.updated_ms >= $1 AND a.status IN ('accepted', 'in_doubt', 'delivered', 'failed', 'refused')
    GROUP BY a.provider ORDER BY a.provider";
// What a person found to be none, or what is only guessed to be about a letter, does not count.
const CAME_BACK: &str = "SELECT a.provider,
        COUNT(DISTINCT CASE WHEN r.kind = 'bounce' AND r.class = 'hard' THEN r.attempt_id END) AS hard,
        COUNT(DISTINCT CASE WHEN r.kind = 'bounce' AND r.class = 'soft' THEN r.attempt_id END) AS soft,
        COUNT(DISTINCT CASE WHEN r.kind = 'bounce' AND r.class = 'ours' THEN r.attempt_id END) AS ours,
        COUNT(DISTINCT CASE WHEN r.kind = 'complaint' THEN r.attempt_id END) AS complaints
    FROM mail_return r JOIN attempt a ON a.id = r.attempt_id
    WHERE r.received_ms >= $1 AND r.kind IN ('bounce', 'complaint') AND r.matched_by NOT IN ('recipient', 'sender')
        AND (r.outcome IS NULL OR r.outcome NOT IN ('not_a_bounce', 'dismissed'))
    GROUP BY a.provider ORDER BY a.provider";
// Identifiers grow with time, so the newest are found without passing over the whole history.
const TLS_SEEN: &str = "SELECT provider, tls_version, tls_cipher, tls_peer, opened_ms FROM (
        SELECT provider, tls_version, tls_cipher, tls_peer, opened_ms,
            ROW_NUMBER() OVER (PARTITION BY provider ORDER BY id DESC) AS place
        FROM (SELECT id, provider, tls_version, tls_cipher, tls_peer, opened_ms FROM attempt ORDER BY id DESC LIMIT $1)
            AS newest WHERE tls_version IS NOT NULL) AS seen
    WHERE place = 1 ORDER BY provider";
const LAST_ERRORS: &str = "SELECT provider, opened_ms, status, fault, raw_code, raw_text FROM (
        SELECT provider, opened_ms, status, fault, raw_code, raw_text,
            ROW_NUMBER() OVER (PARTITION BY provider ORDER BY id DESC) AS place
        FROM (SELECT id, provider, opened_ms, status, fault, raw_code, raw_text FROM attempt ORDER BY id DESC LIMIT $1)
            AS newest WHERE fault IS NOT NULL) AS faults
    WHERE place = 1 ORDER BY provider";
const WAITING: &str = "SELECT pool, COUNT(*) FROM queue_entry WHERE kind = $1 AND state IN ('ready', 'waiting')
    GROUP BY pool ORDER BY pool";

/// What became of the hand-overs of one account since a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountDay {
    /// The account.
    pub provider: String,
    /// Letters that it took, or may have taken.
    pub sent: i64,
    /// Letters that it refused.
    pub refused: i64,
    /// Letters that turned out to be delivered, confirmed by a report.
    pub confirmed: i64,
    /// Letters that count as delivered because nothing came back.
    pub presumed: i64,
}

row!(AccountDay { provider, sent, refused, confirmed, presumed });

/// What came back for the letters of one account since a moment. A letter counts once for each kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountReturns {
    /// The account.
    pub provider: String,
    /// Bounces that say the address is bad.
    pub hard: i64,
    /// Bounces that may pass.
    pub soft: i64,
    /// Bounces about our account, content or speed.
    pub ours: i64,
    /// Complaints.
    pub complaints: i64,
}

row!(AccountReturns { provider, hard, soft, ours, complaints });

/// How a letter of an account travelled to the relay the last time that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSeen {
    /// The account.
    pub provider: String,
    /// The protocol; [`crate::domain::transport::Transport::PLAIN`] if it was not encrypted.
    pub tls_version: String,
    /// The cipher suite.
    pub tls_cipher: Option<String>,
    /// The name that the certificate was checked for; none if nobody checked it.
    pub tls_peer: Option<String>,
    /// When that letter was handed over.
    pub opened_ms: Timestamp,
}

row!(TlsSeen { provider, tls_version, tls_cipher, tls_peer, opened_ms });

/// What went wrong last with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastError {
    /// The account.
    pub provider: String,
    /// When the hand-over was made.
    pub opened_ms: Timestamp,
    /// How it ended.
    pub status: AttemptStatus,
    /// Why.
    pub fault: Fault,
    /// The provider's own code.
    pub raw_code: Option<String>,
    /// The provider's own words, cleaned of addresses.
    pub raw_text: Option<String>,
}

row!(LastError { provider, opened_ms, status, fault, raw_code, raw_text });

impl Tx {
    /// What became of every account's hand-overs since that moment.
    pub async fn accounts_day(&mut self, since: Timestamp) -> Result<Vec<AccountDay>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(DAY).bind(since).fetch_all(&mut *c).await?))
    }

    /// What came back for every account's letters since that moment.
    pub async fn accounts_returns(&mut self, since: Timestamp) -> Result<Vec<AccountReturns>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(CAME_BACK).bind(since).fetch_all(&mut *c).await?))
    }

    /// How letters of each account travelled the last time, as far as the `among` newest hand-overs of all accounts show it.
    pub async fn accounts_tls(&mut self, among: i64) -> Result<Vec<TlsSeen>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(TLS_SEEN).bind(among).fetch_all(&mut *c).await?))
    }

    /// What went wrong last with each account, as far as the `among` newest hand-overs of all accounts show it.
    pub async fn accounts_last_errors(&mut self, among: i64) -> Result<Vec<LastError>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(LAST_ERRORS).bind(among).fetch_all(&mut *c).await?))
    }

    /// How many entries of that kind wait in each pool of the queue.
    pub async fn queue_waiting(&mut self, kind: &str) -> Result<Vec<(String, i64)>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(WAITING).bind(kind).fetch_all(&mut *c).await?))
    }
}
