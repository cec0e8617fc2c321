//! Whether a provider refuses the account itself when it is asked, so that no question will be answered until someone
//! mends it.

use std::sync::{Mutex, PoisonError};

use crate::domain::fault::{Failure, Fault};
use crate::domain::id::AttemptId;

/// Codes of a redirect: the address is wrong, or for a moment in front of a login page; nobody looked at our credentials.
const REDIRECTS: [&str; 4] = ["301", "302", "307", "308"];
/// The code of credentials that are not accepted.
const UNAUTHORIZED: &str = "401";

/// What the questions of one account have shown.
#[derive(Debug, Default)]
pub(super) struct Refusing {
    /// The hand-over about which the last question was forbidden.
    forbidden: Mutex<Option<AttemptId>>,
}

impl Refusing {
    /// Learns from a question about a hand-over and its failure, if it failed. Whether it is the account that is refused:
    /// by a 401 at once, by another refusal only if it meets two hand-overs in a row, for it may be about one of them.
    pub(super) fn learn(&self, attempt: AttemptId, failure: Option<&Failure>) -> bool {
        let mut forbidden = self.forbidden.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(failure) = failure else {
            *forbidden = None;
            return false;
        };
        let code = failure.raw_code.as_deref().unwrap_or_default();
        if failure.fault != Fault::AccountError || REDIRECTS.contains(&code) {
            return false;
        }
        code == UNAUTHORIZED || forbidden.replace(attempt).is_some_and(|other| other != attempt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: &str) -> Failure {
        Failure::new(Fault::AccountError).code(code)
    }

    #[test]
    fn credentials_that_are_not_accepted_are_the_accounts_at_once() {
        assert!(Refusing::default().learn(AttemptId::new(), Some(&refusal("401"))));
    }

    #[test]
    fn what_is_forbidden_for_one_hand_over_alone_is_not_the_accounts() {
        let (refusing, one, other) = (Refusing::default(), AttemptId::new(), AttemptId::new());
        for _ in 0..3 {
            assert!(!refusing.learn(one, Some(&refusal("403"))));
        }
        assert!(!refusing.learn(other, None), "another is answered");
        assert!(!refusing.learn(one, Some(&refusal("403"))));
        assert!(refusing.learn(other, Some(&refusal("403"))), "two in a row are");
        assert!(refusing.learn(one, Some(&refusal("403"))));
    }

    #[test]
    fn redirects_and_other_trouble_refuse_nobody() {
        let refusing = Refusing::default();
        for failure in [refusal("302"), refusal("301"), Failure::new(Fault::ProviderError).code("401")] {
            assert!(!refusing.learn(AttemptId::new(), Some(&failure)), "{failure:?}");
            assert!(!refusing.learn(AttemptId::new(), Some(&failure)), "{failure:?}");
        }
    }
}
