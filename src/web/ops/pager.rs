//! Pages of a list that is read up to a limit: fifty rows each, with links to the page before and the one after.

use super::form::nowhere;
use crate::web::problem::PageProblem;
use crate::wording;

/// Rows on a page.
pub const PER_PAGE: usize = 50;

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
    /// The rows of that page, and where it stands. `link` is the list's address, with or without a query.
    ///
    /// # Errors
    /// 404 for what is not the number of a page.
    pub fn cut<T>(mut rows: Vec<T>, page: Option<&str>, link: &str) -> Result<(Vec<T>, Self), PageProblem> {
        let number: usize = page.map_or(Ok(1), str::parse).map_err(|_| nowhere())?;
        let before = number.checked_sub(1).ok_or_else(nowhere)?;
        let all = rows.len();
        let start = before.saturating_mul(PER_PAGE).min(all);
        let end = start.saturating_add(PER_PAGE).min(all);
        rows.truncate(end);
        rows.drain(..start);
        let mark = if link.contains('?') { '&' } else { '?' };
        let at = |number: usize| format!("{link}{mark}page={number}");
        let words = format!("{} to {} of {}", said(start + 1), said(end), said(all));
        let pager = Self {
            words,
            before: (before > 0).then(|| if before == 1 { link.to_owned() } else { at(before) }),
            after: (end < all).then(|| at(number + 1)),
        };
        Ok((rows, pager))
    }

    /// Whether there is another page.
    #[must_use]
    pub const fn has_others(&self) -> bool {
        self.before.is_some() || self.after.is_some()
    }
}

fn said(number: usize) -> String {
    wording::grouped(i64::try_from(number).unwrap_or(i64::MAX))
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
        assert!(cut(Some("9")).0.is_empty());
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
