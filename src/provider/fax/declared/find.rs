//! Looking for a hand-over of unknown outcome. Absence is concluded only from a listing that was read whole.

use std::time::Duration;

use serde_json::Value;

use super::Declared;
use super::answer::Reader;
use super::description::{Certainty, Find};
use super::fill::Scope;
use super::values::Window;
use crate::domain::Timestamp;
use crate::domain::event::Report;
use crate::domain::fault::{Failure, Fault};
use crate::provider::kit::reading::{count, progress, unreadable};
use crate::provider::{Lookup, Search};

/// Pages read before giving up.
const PAGES_MAX: u32 = 20;

/// How far from the attempt a fax without any reference may have been made and still be ours.
const NEAR: Duration = Duration::from_secs(30 * 60);

/// Whose a listed fax is.
enum Ownership {
    /// It carries our reference.
    Ours,
    /// It carries no reference, and number and time fit.
    Perhaps,
    /// It carries another's, went elsewhere, or at another time.
    Others,
}

impl Declared {
    /// Reads the listing page by page until ours is found or the end is reached.
    pub(super) async fn look(&self, find: &Find, search: &Search) -> Result<Lookup, Failure> {
        let ours = self.ours(search)?;
        let mut candidates: Vec<Report> = Vec::new();
        let mut seen: usize = 0;
        for index in 0..PAGES_MAX {
            let values = self.values.clone().with_search(search, find, index);
            let answer = self.caller.ask(&find.request, values).await?;
            let body = self.reader().json(&answer, &find.statuses)?;
            let items = find.items.part(&body).and_then(Value::as_array);
            let items = items.ok_or_else(|| unreadable("the listing cannot be read"))?;
            seen += items.len();
            self.caller.tell(|| format!("listed: {} on page {}", items.len(), index + 1));
            for item in items {
                let (report, ownership) = self.judge(item, search, find, &ours)?;
                match ownership {
                    Ownership::Ours => return Ok(Lookup::Found(report)),
                    Ownership::Perhaps if !candidates.contains(&report) => candidates.push(report),
                    Ownership::Perhaps | Ownership::Others => {}
                }
            }
            if is_last(find, &body, items.len(), seen, index)? {
                return Ok(Lookup::without_ours(candidates));
            }
        }
        Err(unreadable("the window holds more faxes than can be looked through"))
    }

    /// Our reference as it stands there.
    fn ours(&self, search: &Search) -> Result<String, Failure> {
        let Some(text) = &self.description.fax.ours_is else { return Ok(search.attempt.to_string()) };
        let values = self.values.clone().with_attempt(search.attempt);
        let values =
            handlebars::Context::wraps(Value::Object(values.0)).map_err(|_| Failure::new(Fault::AccountError))?;
        self.caller.filler.plain(text.get_ref(), &values)
    }

    /// One entry. One that cannot be read might be ours, so it is an error.
    fn judge(&self, item: &Value, search: &Search, find: &Find, ours: &str) -> Result<(Report, Ownership), Failure> {
        let shape = &self.description.fax;
        let reader: Reader<'_> = self.reader();
        let reference =
            shape.reference(item).ok_or_else(|| unreadable("an entry of the listing holds no reference"))?;
        let fact = shape.fact(item, &reader).unwrap_or_else(|| progress("listed"));
        let billed = shape.billed(item, &fact);
        let report = Report { reference, fact, billed };
        let ownership = match shape.ours.word(item) {
            _ if shape.is_skipped(item) => Ownership::Others,
            Some(word) if word == ours => Ownership::Ours,
            Some(_) => Ownership::Others,
            None if shape.ours_within.value(item).is_some() => Ownership::Others,
            None if self.fits(item, search, find) => Ownership::Perhaps,
            None => Ownership::Others,
        };
        Ok((report, ownership))
    }

    /// The question's own filters are checked again: one that the server ignored would hand us other people's faxes.
    fn fits(&self, item: &Value, search: &Search, find: &Find) -> bool {
        let shape = &self.description.fax;
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let number = digits(search.to.as_str());
        let to_fits = shape.to.word(item).is_some_and(|to| {
            let to = digits(&to);
            to.len() >= 7 && (to == number || number.strip_prefix('1') == Some(to.as_str()))
        });
        let window = Window::of(search, find);
        let is_near = |at: Timestamp| at.since(search.opened_ms).max(search.opened_ms.since(at)) <= NEAR;
        to_fits && shape.created(item).is_none_or(|at| is_near(at) && at >= window.start && at <= window.end)
    }
}

/// Whether the page was the last one.
fn is_last(find: &Find, body: &Value, on_page: usize, seen: usize, index: u32) -> Result<bool, Failure> {
    let total = find.total.value(body).and_then(count).map(|total| usize::try_from(total).unwrap_or(usize::MAX));
    let is_short = total.is_some_and(|total| seen < total);
    let pages = find.pages.value(body).and_then(count).filter(|_| turns_pages(find));
    if on_page == 0 && pages.is_some_and(|pages| index + 1 < pages) {
        return Ok(false);
    }
    if on_page == 0 {
        return if is_short { Err(unreadable("the listing ends early")) } else { Ok(true) };
    }
    if !turns_pages(find) {
        let is_full = find.page_size.is_some_and(|size| on_page >= usize::try_from(size).unwrap_or(usize::MAX));
        return if is_full { Err(unreadable("the listing is full, so it may not be the whole")) } else { Ok(true) };
    }
    if let Some(pages) = pages {
        let is_last = index + 1 >= pages;
        return if is_last && is_short { Err(unreadable("the listing ends early")) } else { Ok(is_last) };
    }
    Ok(total.is_some_and(|total| seen >= total))
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
