//! Pages of a list: fifty rows each, with links to the page before and the one after.

use super::form::nowhere;
use crate::web::problem::PageProblem;
use crate::wording;

/// Rows on a page.
pub const PER_PAGE: i64 = 50;

/// Where a page stands in its list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pager {
    /// Which rows of how many: `51 to 100 of 212`.
    pub words: String,
    /// The page before.
    pub before: Option<String>,
    /// The page after.
    pub after: Option<String>,
}

impl Pager {
    /// Where a page stands in a list of that many rows, and how many rows come before it; [`PER_PAGE`] are on it. A page
    /// behind the last one is the last one: the list may have become shorter since. `link` is the list's address, with or
    /// without a query.
    ///
    /// # Errors
    /// 404 for what is not the number of a page.
    pub fn over(all: i64, page: Option<&str>, link: &str) -> Result<(Self, i64), PageProblem> {
        let wanted: i64 = page.map_or(Ok(1), str::parse).map_err(|_| nowhere())?;
        if wanted < 1 {
            return Err(nowhere());
        }
        let last = all.saturating_sub(1).max(0) / PER_PAGE + 1;
        let number = wanted.min(last);
        let start = (number - 1) * PER_PAGE;
        let end = start.saturating_add(PER_PAGE).min(all);
        let mark = if link.contains('?') { '&' } else { '?' };
        let at = |number: i64| if number == 1 { link.to_owned() } else { format!("{link}{mark}page={number}") };
        let first = wording::grouped((start + 1).min(all));
        let pager = Self {
            words: format!("{first} to {} of {}", wording::grouped(end), wording::grouped(all)),
            before: (number > 1).then(|| at(number - 1)),
            after: (number < last).then(|| at(number + 1)),
        };
        Ok((pager, start))
    }

    /// The rows of a page of a list that was read as a whole, and where it stands, as [`Pager::over`].
    ///
    /// # Errors
    /// 404 for what is not the number of a page.
    pub fn cut<T>(mut rows: Vec<T>, page: Option<&str>, link: &str) -> Result<(Vec<T>, Self), PageProblem> {
        let (pager, start) = Self::over(i64::try_from(rows.len()).unwrap_or(i64::MAX), page, link)?;
        let place = |number: i64| usize::try_from(number).unwrap_or(usize::MAX).min(rows.len());
        let (start, end) = (place(start), place(start.saturating_add(PER_PAGE)));
        rows.truncate(end);
        rows.drain(..start);
        Ok((rows, pager))
    }

    /// Whether there is another page.
    #[must_use]
    pub const fn has_others(&self) -> bool {
        self.before.is_some() || self.after.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_and_none_is_lost() {
        let list: Vec<usize> = (0..120).collect();
        let cut = |page: Option<&str>| Pager::cut(list.clone(), page, "/audit").expect("a page");
        let (first, pager) = cut(None);
        assert_eq!((first.len(), first[0], pager.words.as_str()), (50, 0, "1 to 50 of 120"));
        assert_eq!((pager.before, pager.after.as_deref()), (None, Some("/audit?page=2")));
        let (third, pager) = cut(Some("3"));
        assert_eq!((third.len(), third[0], pager.after), (20, 100, None));
        assert_eq!(pager.before.as_deref(), Some("/audit?page=2"));
        assert_eq!(cut(Some("2")).1.before.as_deref(), Some("/audit"));
    }

    #[test]
    fn behind_the_last_page_is_the_last_page() {
        let (pager, before) = Pager::over(500, Some("11"), "/failures?reason=busy").expect("a page");
        assert_eq!((pager.words.as_str(), before, pager.after), ("451 to 500 of 500", 450, None));
        assert_eq!(pager.before.as_deref(), Some("/failures?reason=busy&page=9"));
        let (pager, before) = Pager::over(1_588, Some("32"), "/audit").expect("a page");
        assert_eq!((pager.words.as_str(), before), ("1,551 to 1,588 of 1,588", 1_550));
        let (pager, before) = Pager::over(0, Some("9223372036854775807"), "/audit").expect("a page");
        assert_eq!((pager.words.as_str(), before, pager.has_others()), ("0 to 0 of 0", 0, false));
        let (rows, pager) = Pager::cut(vec![1, 2], Some("9"), "/audit").expect("a page");
        assert_eq!((rows.as_slice(), pager.words.as_str()), ([1, 2].as_slice(), "1 to 2 of 2"));
    }

    #[test]
    fn what_is_no_number_of_a_page_is_not_found() {
        for page in ["0", "-1", "x", ""] {
            assert!(Pager::cut(vec![1], Some(page), "/audit").is_err(), "{page}");
        }
        let (rows, pager) = Pager::cut(vec![1, 2], None, "/audit").expect("a page");
        assert!(rows.len() == 2 && !pager.has_others());
    }
}
