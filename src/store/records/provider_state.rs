//! The state of provider accounts that all nodes share: pauses, circuit breakers, what counts against rate, quota and budget, and
//! how far an account was slowed down.

use sqlx::AssertSqlSafe;

pub use crate::domain::provider_state::{Meter, Pause, ProviderState};
use crate::domain::rolling::Rolling;
use crate::domain::slowing::Slowing;
use crate::domain::{AttemptStatus, Fault, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::{record, row};

const ENSURE: &str = "INSERT INTO provider_state (provider, arrival_ms, updated_ms) VALUES ($1, 0, $2)
    ON CONFLICT (provider) DO NOTHING";
const COLUMNS: &str =
    "SELECT provider, paused_ms, paused_reason, paused_remedy, resumes_ms, rests_until_ms, faults, fault, fault_text, faulted_ms,
    arrival_ms, day_ends_ms, day_hand_overs, day_cost, hour_counts, day_counts, halvings, slowed_ms FROM provider_state";
const METER: &str = "UPDATE provider_state SET arrival_ms = $2, day_ends_ms = $3, day_hand_overs = $4, day_cost = $5,
    hour_counts = $6, day_counts = $7, updated_ms = $8 WHERE provider = $1";
const COUNTS: &str = "SELECT hour_counts, day_counts FROM provider_state WHERE provider = $1";
const RECOUNT: &str =
    "UPDATE provider_state SET hour_counts = $2, day_counts = $3, updated_ms = $4 WHERE provider = $1";
const SLOWING: &str = "SELECT halvings, slowed_ms FROM provider_state WHERE provider = $1";
const SLOW: &str = "UPDATE provider_state SET halvings = $2, slowed_ms = $3, updated_ms = $3 WHERE provider = $1";
const PAUSE: &str = "UPDATE provider_state SET paused_ms = $2, paused_reason = $3, paused_remedy = NULL,
    resumes_ms = NULL, resumed_ms = CASE WHEN CAST($2 AS BIGINT) IS NULL THEN $4 ELSE resumed_ms END, updated_ms = $4
    WHERE provider = $1";
// A pause that has ended by itself is no pause; one that a person must end takes the place of one that would end by itself.
// What a call brought back that was made before a person resumed the account is old news.
const PAUSE_NEW: &str = "INSERT INTO provider_state (provider, paused_ms, paused_reason, paused_remedy, resumes_ms,
    arrival_ms, updated_ms) VALUES ($1, $2, $3, $4, $5, 0, $2) ON CONFLICT (provider) DO UPDATE SET
    paused_ms = excluded.paused_ms, paused_reason = excluded.paused_reason, paused_remedy = excluded.paused_remedy,
    resumes_ms = excluded.resumes_ms, updated_ms = excluded.updated_ms WHERE (provider_state.paused_ms IS NULL
        OR provider_state.resumes_ms <= excluded.paused_ms
        OR (provider_state.resumes_ms IS NOT NULL AND excluded.resumes_ms IS NULL))
    AND (provider_state.resumed_ms IS NULL OR provider_state.resumed_ms < $6)";
// After a sign-in, results of calls made before it no longer pause the account, whether or not it was paused.
const SIGNED_IN: &str = "UPDATE provider_state SET resumed_ms = $2, updated_ms = $2 WHERE provider = $1";
const BREAKER: &str = "INSERT INTO provider_state (provider, rests_until_ms, faults, fault, fault_text, faulted_ms,
    arrival_ms, updated_ms) VALUES ($1, $2, $3, $4, $5, $6, 0, $7) ON CONFLICT (provider) DO UPDATE SET
    rests_until_ms = excluded.rests_until_ms, faults = excluded.faults, fault = excluded.fault,
    fault_text = excluded.fault_text, faulted_ms = excluded.faulted_ms, updated_ms = excluded.updated_ms";
const OPEN: &str = "SELECT provider, status, COUNT(*) FROM attempt WHERE status IN ('calling', 'in_doubt', 'accepted')
    GROUP BY provider, status ORDER BY provider, status";
// Identifiers grow with time, so the newest are found without passing over the whole history.
const TROUBLES: &str =
    "SELECT opened_ms, status, fault, raw_code, raw_text FROM (SELECT id, provider, opened_ms, status,
    fault, raw_code, raw_text FROM attempt ORDER BY id DESC LIMIT $2) AS newest
    WHERE provider = $1 AND fault IS NOT NULL ORDER BY id DESC LIMIT $3";

/// A failed or doubtful hand-over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// When it was made.
    pub opened_ms: Timestamp,
    /// Its status.
    pub status: AttemptStatus,
    /// Why.
    pub fault: Fault,
    /// The provider's own code.
    pub raw_code: Option<String>,
    /// The provider's own words, cleaned of addresses.
    pub raw_text: Option<String>,
}

row!(Trouble { opened_ms, status, fault, raw_code, raw_text });

row!(Meter { arrival_ms, day_ends_ms, day_hand_overs, day_cost, hour_counts, day_counts });
row!(Slowing { halvings, slowed_ms });
record!(ProviderState: "provider_state" by provider as String {
    provider, paused_ms, paused_reason, paused_remedy, resumes_ms, rests_until_ms, faults, fault, fault_text, faulted_ms;
    meter, slowing
});

impl Tx {
    /// Makes sure that an account has a row.
    pub async fn provider_ensure(&mut self, provider: &str, now: Timestamp) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(ENSURE).bind(provider).bind(now).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// The state of every account; `lock` keeps the rows from changing until the end of the transaction.
    pub async fn provider_states(&mut self, lock: bool) -> Result<Vec<ProviderState>, StoreError> {
        on!(self, |c, d| {
            let text = format!("{COLUMNS} ORDER BY provider{}", if lock { d.for_update() } else { "" });
            Ok(sqlx::query_as(AssertSqlSafe(text)).fetch_all(&mut *c).await?)
        })
    }

    /// Records what counts against rate, quota and budget.
    pub async fn provider_meter(&mut self, provider: &str, meter: &Meter, now: Timestamp) -> Result<(), StoreError> {
        on!(self, |c, d| {
            let query = sqlx::query(METER).bind(provider).bind(meter.arrival_ms).bind(meter.day_ends_ms);
            query
                .bind(meter.day_hand_overs)
                .bind(meter.day_cost)
                .bind(meter.hour_counts)
                .bind(meter.day_counts)
                .bind(now)
                .execute(&mut *c)
                .await?;
            Ok(())
        })
    }

    /// Gives back to an account's quotas what was counted and certainly never handed over.
    pub async fn provider_give_back(&mut self, provider: &str, count: u32, now: Timestamp) -> Result<(), StoreError> {
        on!(self, |c, d| {
            let text = format!("{COUNTS}{}", d.for_update());
            let known: Option<(Rolling, Rolling)> =
                sqlx::query_as(AssertSqlSafe(text)).bind(provider).fetch_optional(&mut *c).await?;
            let nothing = (Rolling::default(), Rolling::default());
            let Some((hour, day)) = known.filter(|known| *known != nothing) else { return Ok(()) };
            let query =
                sqlx::query(RECOUNT).bind(provider).bind(hour.without(count)).bind(day.without(count)).bind(now);
            query.execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Slows an account down because its provider asked for less; answers that come together count once. Whether it was
    /// slowed down.
    pub async fn provider_slow(&mut self, provider: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.provider_ensure(provider, now).await?;
        on!(self, |c, d| {
            let text = format!("{SLOWING}{}", d.for_update());
            let known: Slowing = sqlx::query_as(AssertSqlSafe(text)).bind(provider).fetch_one(&mut *c).await?;
            let Some(slower) = known.halved(now) else { return Ok(false) };
            sqlx::query(SLOW).bind(provider).bind(slower.halvings).bind(now).execute(&mut *c).await?;
            Ok(true)
        })
    }

    /// Pauses an account with a reason, or resumes it with none.
    pub async fn provider_pause(
        &mut self,
        provider: &str,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(PAUSE).bind(provider).bind(reason.map(|_| now)).bind(reason).bind(now).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Notes that a person has signed in for an account: a pause that follows from a call made before is not set any more. One
    /// that is there stays.
    pub async fn provider_signed_in(&mut self, provider: &str, now: Timestamp) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(ENSURE).bind(provider).bind(now).execute(&mut *c).await?;
            sqlx::query(SIGNED_IN).bind(provider).bind(now).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Pauses an account that is not paused yet, or only until a quota returns, unless a person resumed it after the call
    /// that the pause follows from; whether it was so.
    pub async fn provider_pause_new(
        &mut self,
        provider: &str,
        pause: &Pause,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let query = sqlx::query(PAUSE_NEW).bind(provider).bind(now).bind(&pause.reason).bind(pause.remedy);
            let done = query.bind(pause.resumes_ms).bind(pause.called_ms).execute(&mut *c).await?;
            Ok(done.rows_affected() > 0)
        })
    }

    /// Records the state of an account's circuit breaker; the rest of `state` is left alone.
    pub async fn provider_breaker(&mut self, state: &ProviderState, now: Timestamp) -> Result<(), StoreError> {
        on!(self, |c, d| {
            let query = sqlx::query(BREAKER).bind(&state.provider).bind(state.rests_until_ms).bind(state.faults);
            let query = query.bind(state.fault).bind(&state.fault_text).bind(state.faulted_ms).bind(now);
            query.execute(&mut *c).await?;
            Ok(())
        })
    }

    /// How many attempts of each account are open, by account and status.
    pub async fn provider_open_attempts(&mut self) -> Result<Vec<(String, AttemptStatus, i64)>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(OPEN).fetch_all(&mut *c).await?))
    }

    /// The newest failed or doubtful hand-overs to an account, at most `limit`, among the `among` newest of all
    /// accounts.
    pub async fn provider_troubles(
        &mut self,
        provider: &str,
        among: i64,
        limit: i64,
    ) -> Result<Vec<Trouble>, StoreError> {
        on!(self, |c, d| {
            Ok(sqlx::query_as(TROUBLES).bind(provider).bind(among).bind(limit).fetch_all(&mut *c).await?)
        })
    }
}
