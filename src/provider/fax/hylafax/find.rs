//! Looking for a job whose submission got no answer: both queues are listed, whole, and our tag is compared.

use std::time::Duration;

use super::HylaFax;
use super::connection::Connection;
use super::dialogue::quoted;
use super::job::{self, JobReference};
use crate::domain::fault::{Failure, Fault};
use crate::provider::kit::reading::unreadable;
use crate::provider::{FindQuery, FindResult};

/// How each job is listed: a word that makes sure that it is our format, number, and tag. The tag comes last because it
/// may hold anything where it is another's.
const FORMAT: &str = "touchline|%j|%J";
/// Longest format in a command.
const FORMAT_CHARS_MAX: usize = 40;

impl HylaFax {
    /// Jobs move from `sendq` to `doneq` and never back, so listing them in this order misses none. A job that was made
    /// and not submitted is gone with its connection.
    ///
    /// # Errors
    /// A listing did not come whole; or nothing is there, but a finished job may have been cleaned away by now.
    pub(super) async fn find_by_tag(
        &self,
        connection: &mut Connection,
        query: &FindQuery,
    ) -> Result<FindResult, Failure> {
        connection.ask(&format!("JOBFMT {}", quoted(FORMAT, FORMAT_CHARS_MAX)), &[200]).await?;
        let tag = query.attempt.to_string();
        for folder in ["sendq", "doneq"] {
            let listing = connection.list(folder).await?;
            let jobs = tagged(&listing, &tag).ok_or_else(|| unreadable("the listing cannot be read"))?;
            if let Some(found) = jobs.into_iter().next() {
                return Ok(FindResult::Found(job::report(connection, &found).await?));
            }
        }
        if self.may_be_cleaned_away(query) {
            let words = "nothing is there, but a finished job may have been removed by now; see done_kept_minutes";
            return Err(Failure::new(Fault::Unknown).text(words));
        }
        Ok(FindResult::Absent)
    }

    fn may_be_cleaned_away(&self, query: &FindQuery) -> bool {
        let kept = Duration::from_secs(u64::from(self.settings.done_kept_minutes) * 60);
        self.clock.now().since(query.opened_ms) > kept
    }
}

/// The jobs of a listing that carry the tag; `None` if a line cannot be read, because that one might be ours.
fn tagged(listing: &str, tag: &str) -> Option<Vec<JobReference>> {
    let mut ours = Vec::new();
    for line in listing.lines().filter(|line| !line.trim().is_empty()) {
        let mut parts = line.splitn(3, '|');
        let (Some("touchline"), Some(id), Some(their_tag)) = (parts.next(), parts.next(), parts.next()) else {
            return None;
        };
        if their_tag.trim() == tag {
            ours.push(JobReference::new(id.trim(), tag)?);
        }
    }
    Some(ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_tag_is_ours_and_a_broken_line_is_no_absence() {
        let listing = "touchline|3|\r\ntouchline|17|tag-1|x\r\ntouchline|18|tag-1\r\ntouchline|19|tag-12\r\n";
        assert_eq!(tagged(listing, "tag-1"), Some(vec![JobReference::new("18", "tag-1").expect("one")]));
        assert_eq!(tagged("", "tag-1"), Some(Vec::new()));
        for broken in ["18 0 D", "touchline|18", "touchline|x|tag-1", "total 4\r\ntouchline|18|tag-1"] {
            assert_eq!(tagged(broken, "tag-1"), None, "{broken}");
        }
    }
}
