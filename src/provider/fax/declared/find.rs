//! Looking for a hand-over of unknown outcome, as the description says.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use super::Declared;
use super::description::{Certainty, Find};
use super::fill::Scope;
use super::values::window;
use crate::domain::event::Report;
use crate::domain::fault::{Failure, Fault};
use crate::provider::FindQuery;
use crate::provider::kit::listing::{Listing, Owner, Page, Place};
use crate::provider::kit::reading::{count, progress, unreadable};

/// How far from the attempt a fax without any reference may have been made and still be ours.
const NEAR: Duration = Duration::from_secs(30 * 60);

/// What is looked for, and how.
pub struct Sought {
    query: FindQuery,
    /// Our reference as it is there.
    ours: String,
}

impl Declared {
    pub(super) fn sought(&self, query: &FindQuery) -> Result<Sought, Failure> {
        Ok(Sought { query: query.clone(), ours: self.ours(query)? })
    }

    /// Our reference as it stands there.
    fn ours(&self, query: &FindQuery) -> Result<String, Failure> {
        let Some(text) = &self.description.fax.ours_is else { return Ok(query.attempt.to_string()) };
        let values = self.values.clone().with_attempt(query.attempt);
        let values =
            handlebars::Context::wraps(Value::Object(values.0)).map_err(|_| Failure::new(Fault::AccountError))?;
        self.caller.filler.plain(text.get_ref(), &values)
    }

    /// One entry; `None` if it cannot be read.
    fn entry(&self, item: &Value, find: &Find, sought: &Sought) -> Option<(Owner, Report)> {
        let shape = &self.description.fax;
        let reference = shape.reference(item)?;
        let fact = shape.fact(item, &self.reader()).unwrap_or_else(|| progress("listed"));
        let billed = shape.billed(item, &fact);
        let owner = match shape.ours.word(item) {
            _ if shape.is_skipped(item) => Owner::Others,
            Some(word) => Owner::of(word == sought.ours, false),
            None => Owner::of(false, shape.ours_within.value(item).is_none() && self.fits(item, &sought.query, find)),
        };
        Some((owner, Report { reference, fact, billed }))
    }

    /// The question's own filters are checked again: one that the server ignored would hand us other people's faxes.
    fn fits(&self, item: &Value, query: &FindQuery, find: &Find) -> bool {
        let shape = &self.description.fax;
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let number = digits(query.to.as_str());
        let to_fits = shape.to.word(item).is_some_and(|to| {
            let to = digits(&to);
            to.len() >= 7 && (to == number || number.strip_prefix('1') == Some(to.as_str()))
        });
        let created = shape.created(item);
        let is_near = created.is_none_or(|at| at.distance(query.opened_ms) <= NEAR);
        to_fits && is_near && window(query, find).holds(created)
    }
}

#[async_trait]
impl Listing for Declared {
    type Sought = Sought;
    const PAGES_MAX: u32 = 20;

    async fn page(&self, sought: &Sought, place: &Place) -> Result<Page, Failure> {
        let find = self.description.find.as_ref().ok_or_else(crate::provider::unsupported)?;
        let values = self.values.clone().with_query(&sought.query, find, place.page - 1);
        let answer = self.caller.ask(&find.request, values).await?;
        let body = self.reader().json(&answer, find.signs())?;
        let items = find.items.part(&body).unwrap_or(&Value::Null);
        let page = Page::of(items, |item| self.entry(item, find, sought))?;
        let listed = page.faxes.len();
        self.caller.tell(|| format!("listed: {listed} on page {}", place.page));
        let pages = if turns_pages(find) { find.pages.value(&body).and_then(count) } else { Some(place.page) };
        let is_full = find.page_size.is_some_and(|size| listed >= usize::try_from(size).unwrap_or(usize::MAX));
        if is_full && !turns_pages(find) && page.faxes.iter().all(|(owner, _)| *owner != Owner::Ours) {
            return Err(unreadable("the listing is full, so it may not be the whole"));
        }
        Ok(Page { pages, total: find.total.value(&body).and_then(count), ..page })
    }
}

/// Whether the request asks for one page after the other.
pub(super) fn turns_pages(find: &Find) -> bool {
    let asks = |text: &str| Scope::uses(text, "page") || Scope::uses(text, "offset");
    let request = &find.request;
    let fields =
        request.form.iter().chain(std::iter::once(&request.query)).flat_map(std::collections::BTreeMap::values);
    fields.chain(&request.json).any(|text| asks(text.get_ref())) || asks(request.path.get_ref())
}

/// As the capabilities say it.
pub(super) const fn reconciliation(by: Certainty) -> crate::provider::Reconciliation {
    match by {
        Certainty::Exact => crate::provider::Reconciliation::Exact,
        Certainty::Scan => crate::provider::Reconciliation::Scan,
        Certainty::Heuristic => crate::provider::Reconciliation::Heuristic,
    }
}
