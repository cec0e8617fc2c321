//! Mail to many: refused before it begins where receivers would refuse it letter by letter.

use super::request::Request;
use super::unfold::PORTION;
use super::{IntakeError, Parts};
use crate::domain::id::ReferrerId;
use crate::domain::{Channel, Purpose};
use crate::policy::mail_setup::standing::MANY_RECIPIENTS;
use crate::store::StoreError;

/// Refuses a list that would break the rules of large receivers. Smaller lists, faxes and letters about a treatment are not
/// checked.
///
/// # Errors
/// [`IntakeError::Invalid`] with what is wrong and what to do; the store's.
pub(super) async fn check(parts: &Parts, request: &Request, recipients: &[ReferrerId]) -> Result<(), IntakeError> {
    if !is_advertised_by_mail(parts, request) || !reaches_many(parts, recipients).await? {
        return Ok(());
    }
    match parts.mail_standing.breach(parts.clock.now()).await {
        None => Ok(()),
        Some(why) => Err(IntakeError::Invalid(format!(
            "email to {MANY_RECIPIENTS} recipients or more would be refused by large receivers: {why}. `touchline doctor mail` \
             shows it all; policy.mail_setup = \"send\" in touchline.toml sends all the same"
        ))),
    }
}

/// Whether it goes by email, with a letter that recipients may refuse to get.
fn is_advertised_by_mail(parts: &Parts, request: &Request) -> bool {
    let is_refusable = |name: &str| {
        let purpose = parts.renderer.letter(name).map(|letter| letter.purpose);
        purpose.is_some_and(|purpose| matches!(purpose, Purpose::Advertisement | Purpose::Informational))
    };
    request.via.contains(&Channel::Email) && request.letters().any(is_refusable)
}

/// Whether so many of them have an email address. Looks no further than it must.
async fn reaches_many(parts: &Parts, recipients: &[ReferrerId]) -> Result<bool, StoreError> {
    if recipients.len() < MANY_RECIPIENTS {
        return Ok(false);
    }
    let (mut tx, mut found) = (parts.store.read().await?, 0);
    for portion in recipients.chunks(PORTION) {
        let referrers = tx.referrers_in_order(portion).await?;
        found += referrers.iter().filter(|referrer| referrer.email.is_some()).count();
        if found >= MANY_RECIPIENTS {
            return Ok(true);
        }
    }
    Ok(false)
}
