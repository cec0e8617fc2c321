//! The tokens of accounts that sign in by OAuth, sealed. Who renews them claims the row for a while; what is stored counts
//! only if nobody stored anything else since it was read, which the serial number shows.

use crate::domain::{Actor, Remedy, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::record::record;

const ONE: &str = "SELECT account, made_for, refresh_sealed, access_sealed, renew_ms, access_until_ms, issued_ms,
    signed_in_as, signed_in_by, signed_in_ms, refused_ms, refused_last_ms, refusal, refusal_remedy, serial,
    claimed_until_ms FROM mail_token WHERE account = $1";
const ALL: &str = "SELECT account, made_for, refresh_sealed, access_sealed, renew_ms, access_until_ms, issued_ms,
    signed_in_as, signed_in_by, signed_in_ms, refused_ms, refused_last_ms, refusal, refusal_remedy, serial,
    claimed_until_ms FROM mail_token ORDER BY account";
const ENSURE: &str = "INSERT INTO mail_token (account, made_for, serial) VALUES ($1, $2, 0)
    ON CONFLICT (account) DO NOTHING";
const CLAIM: &str = "UPDATE mail_token SET claimed_until_ms = $3 WHERE account = $1 AND serial = $2
    AND (claimed_until_ms IS NULL OR claimed_until_ms <= $4)";
const FREE: &str = "UPDATE mail_token SET claimed_until_ms = NULL WHERE account = $1 AND serial = $2";
// A service that sends no new refresh token means the old one to be used again.
const RENEWED: &str = "UPDATE mail_token SET made_for = $3, refresh_sealed = COALESCE($4, refresh_sealed),
    access_sealed = $5, renew_ms = $6, access_until_ms = $7, issued_ms = $8, claimed_until_ms = NULL,
    serial = serial + 1 WHERE account = $1 AND serial = $2";
// The first of several refusals is kept: since then nothing can be sent.
const REFUSED: &str = "UPDATE mail_token SET refused_last_ms = $3, refusal = $4, refusal_remedy = $5,
    claimed_until_ms = NULL, refused_ms = CASE WHEN refused_ms > COALESCE(issued_ms, -1) THEN refused_ms ELSE $3 END
    WHERE account = $1 AND serial = $2";
const SIGN_IN: &str =
    "INSERT INTO mail_token (account, made_for, refresh_sealed, access_sealed, renew_ms, access_until_ms,
    issued_ms, signed_in_as, signed_in_by, signed_in_ms, serial) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $7, 1)
    ON CONFLICT (account) DO UPDATE SET made_for = excluded.made_for, refresh_sealed = excluded.refresh_sealed,
    access_sealed = excluded.access_sealed, renew_ms = excluded.renew_ms, access_until_ms = excluded.access_until_ms,
    issued_ms = excluded.issued_ms, signed_in_as = excluded.signed_in_as, signed_in_by = excluded.signed_in_by,
    signed_in_ms = excluded.signed_in_ms, refused_ms = NULL, refused_last_ms = NULL, refusal = NULL,
    refusal_remedy = NULL, claimed_until_ms = NULL, serial = mail_token.serial + 1";
const FORGET: &str = "UPDATE mail_token SET refresh_sealed = NULL, access_sealed = NULL, renew_ms = NULL,
    access_until_ms = NULL, issued_ms = NULL, signed_in_as = NULL, signed_in_by = NULL, signed_in_ms = NULL,
    refused_ms = NULL, refused_last_ms = NULL, refusal = NULL, refusal_remedy = NULL, claimed_until_ms = NULL,
    serial = serial + 1 WHERE account = $1 AND (refresh_sealed IS NOT NULL OR access_sealed IS NOT NULL)";

/// The tokens of an account.
#[derive(Clone, PartialEq, Eq)]
pub struct MailToken {
    /// The account.
    pub account: String,
    /// What they were issued for.
    pub made_for: String,
    /// The refresh token of a person's sign-in, sealed.
    pub refresh_sealed: Option<Vec<u8>>,
    /// The access token, sealed.
    pub access_sealed: Option<Vec<u8>>,
    /// From when the access token is renewed.
    pub renew_ms: Option<Timestamp>,
    /// When it ends.
    pub access_until_ms: Option<Timestamp>,
    /// When it was issued.
    pub issued_ms: Option<Timestamp>,
    /// Who signed in, as the service says.
    pub signed_in_as: Option<String>,
    /// Who ran the command.
    pub signed_in_by: Option<Actor>,
    /// When a person signed in.
    pub signed_in_ms: Option<Timestamp>,
    /// When the service first refused a token since it last issued one; before `issued_ms` where it has issued one since.
    pub refused_ms: Option<Timestamp>,
    /// When it last refused one.
    pub refused_last_ms: Option<Timestamp>,
    /// Why, in words.
    pub refusal: Option<String>,
    /// What can be done about it.
    pub refusal_remedy: Option<Remedy>,
    /// Grows with each change of the tokens.
    pub serial: i64,
    /// Until when a node renews them.
    pub claimed_until_ms: Option<Timestamp>,
}

record!(MailToken: "mail_token" by account as String {
    account, made_for, refresh_sealed, access_sealed, renew_ms, access_until_ms, issued_ms, signed_in_as, signed_in_by,
    signed_in_ms, refused_ms, refused_last_ms, refusal, refusal_remedy, serial, claimed_until_ms
});

/// Prints neither tokens nor people.
impl std::fmt::Debug for MailToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailToken")
            .field("account", &self.account)
            .field("serial", &self.serial)
            .finish_non_exhaustive()
    }
}

/// What a service issued, sealed.
#[derive(Clone)]
pub struct Renewed {
    /// What it was issued for.
    pub made_for: String,
    /// The refresh token, if there is a new one.
    pub refresh_sealed: Option<Vec<u8>>,
    /// The access token.
    pub access_sealed: Vec<u8>,
    /// From when it is renewed.
    pub renew_ms: Timestamp,
    /// When it ends.
    pub access_until_ms: Timestamp,
}

impl std::fmt::Debug for Renewed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Renewed").field("access_until_ms", &self.access_until_ms).finish_non_exhaustive()
    }
}

impl Tx {
    /// The tokens of an account.
    pub async fn mail_token(&mut self, account: &str) -> Result<Option<MailToken>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(ONE).bind(account).fetch_optional(&mut *c).await?))
    }

    /// The tokens of all accounts, by name; those of accounts that are no longer configured too.
    pub async fn mail_tokens(&mut self) -> Result<Vec<MailToken>, StoreError> {
        on!(self, |c, d| Ok(sqlx::query_as(ALL).fetch_all(&mut *c).await?))
    }

    /// Makes sure that an account has a row, without tokens.
    pub async fn mail_token_ensure(&mut self, account: &str, made_for: &str) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(ENSURE).bind(account).bind(made_for).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Claims the renewal of the tokens that have that serial number, until then; whether nobody else has claimed it.
    pub async fn mail_token_claim(
        &mut self,
        account: &str,
        serial: i64,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let done = sqlx::query(CLAIM).bind(account).bind(serial).bind(until).bind(now).execute(&mut *c).await?;
            Ok(done.rows_affected() > 0)
        })
    }

    /// Ends a claim.
    pub async fn mail_token_free(&mut self, account: &str, serial: i64) -> Result<(), StoreError> {
        on!(self, |c, d| {
            sqlx::query(FREE).bind(account).bind(serial).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Stores what took the place of the tokens with that serial number; whether they still had it.
    pub async fn mail_token_renewed(
        &mut self,
        account: &str,
        serial: i64,
        renewed: &Renewed,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let query = sqlx::query(RENEWED).bind(account).bind(serial).bind(&renewed.made_for);
            let query = query.bind(renewed.refresh_sealed.as_deref()).bind(renewed.access_sealed.as_slice());
            let query = query.bind(renewed.renew_ms).bind(renewed.access_until_ms).bind(now);
            Ok(query.execute(&mut *c).await?.rows_affected() > 0)
        })
    }

    /// Notes that the service refused the tokens with that serial number; whether they still had it.
    pub async fn mail_token_refused(
        &mut self,
        account: &str,
        serial: i64,
        refusal: &str,
        remedy: Option<Remedy>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        on!(self, |c, d| {
            let query = sqlx::query(REFUSED).bind(account).bind(serial).bind(now).bind(refusal).bind(remedy);
            Ok(query.execute(&mut *c).await?.rows_affected() > 0)
        })
    }

    /// Stores the tokens of a person who has just signed in, whatever there was before.
    pub async fn mail_token_sign_in(
        &mut self,
        account: &str,
        issued: &Renewed,
        person: Option<&str>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, |c, d| {
            let query =
                sqlx::query(SIGN_IN).bind(account).bind(&issued.made_for).bind(issued.refresh_sealed.as_deref());
            let query = query.bind(issued.access_sealed.as_slice()).bind(issued.renew_ms).bind(issued.access_until_ms);
            query.bind(now).bind(person).bind(by).execute(&mut *c).await?;
            Ok(())
        })
    }

    /// Forgets the tokens of an account; whether there were any.
    pub async fn mail_token_forget(&mut self, account: &str) -> Result<bool, StoreError> {
        on!(self, |c, d| Ok(sqlx::query(FORGET).bind(account).execute(&mut *c).await?.rows_affected() > 0))
    }
}
