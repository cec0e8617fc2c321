//! Looking for a fax whose creation got no answer: lists the ids of the window, reads each, and compares our reference.
//! The listing gives nothing but ids, and the service blocks an address for a minute above five requests a second, so
//! only a short list is gone through, and that at a pace.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::{HumbleFax, number};
use crate::domain::attempt::ProviderReference;
use crate::domain::fault::Failure;
use crate::provider::kit::reading::{id, reference, unreadable};
use crate::provider::{Lookup, Search};

/// How far before the attempt the window begins: the two clocks may differ.
const WINDOW_BEFORE: Duration = Duration::from_secs(2 * 60);
/// How far after it the window ends: an unanswered call takes effect within minutes or not at all.
const WINDOW_AFTER: Duration = Duration::from_secs(15 * 60);
/// Faxes read before giving up. Nothing says how many ids a listing can hold: below this none can have been cut off.
const FAXES_MAX: usize = 15;
/// Between two requests: half of what is allowed, for hand-overs go on meanwhile.
const PACE: Duration = Duration::from_millis(500);

impl HumbleFax {
    pub(super) async fn scan(&self, search: &Search) -> Result<Lookup, Failure> {
        let (from, to) = (search.opened_ms.before(WINDOW_BEFORE), search.opened_ms.after(WINDOW_AFTER));
        let mut query = vec![("timeFrom", (from.0 / 1000).to_string()), ("timeTo", (to.0 / 1000).to_string())];
        query.extend(self.from.as_ref().and_then(number).map(|number| ("fromNumber", number.to_string())));
        let answer = self.ask(Method::GET, &["sentFaxes"], &query).await?;
        let ids = ids(&self.data(&answer)?).ok_or_else(|| unreadable("the listing cannot be read"))?;
        if ids.len() > FAXES_MAX {
            return Err(unreadable("the window holds more faxes than can be looked through"));
        }

        let mut candidates = Vec::new();
        for reference in &ids {
            tokio::time::sleep(PACE).await;
            let fax = self.fax(id(reference)?).await?;
            if fax.attempt() == Some(search.attempt) {
                return Ok(Lookup::Found(fax.report()));
            }
            if fax.may_be_of(search.to.as_str(), from, to) {
                candidates.push(fax.report());
            }
        }
        Ok(Lookup::without_ours(candidates))
    }
}

/// The ids of a listing; `None` if any of them cannot be read, because that one might be ours.
fn ids(data: &Value) -> Option<Vec<ProviderReference>> {
    data["sentFaxIds"].as_array()?.iter().map(reference).collect()
}
