//! What a mailer writes into every bounce decides nothing: a reply that no row knows has the verdict of its code under each.

use proptest::prelude::*;

use super::replies::{bounce, only};

/// Codes of every kind, the basic one and what follows it.
const CODES: &[&str] = &[
    "550 5.1.1",
    "550 5.1.2",
    "550 5.1.10",
    "550 5.7.18",
    "550 5.7.26",
    "550 5.7.1",
    "554 5.6.0",
    "552 5.2.2",
    "550 5.2.1",
    "550 5.0.0",
    "550",
    "552",
    "554",
    "451 4.7.1",
    "450",
    "421 4.3.2",
];

/// The class and the reason in the mail of a mailer.
fn verdict(mailer: &str, reply: &str) -> (Option<super::super::Class>, Option<crate::domain::Fault>) {
    let status = reply.split(' ').nth(1).filter(|word| word.contains('.')).unwrap_or_default();
    let one = only(&bounce(mailer, status, reply));
    (one.class, one.reason)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Words of letters that stand in no row.
    #[test]
    fn what_a_mailer_always_writes_decides_nothing(code in prop::sample::select(CODES), words in "([qxz]{3,8}( [qxz]{3,8}){0,3})?") {
        let reply = format!("{code} {words}");
        let reply = reply.trim();
        for mailer in ["said", "own", "exchange", "sendmail"] {
            prop_assert_eq!(verdict(mailer, reply), verdict("report", reply), "{}: {}", mailer, reply);
        }
        for mailer in ["exim", "qmail"] {
            prop_assert_eq!(verdict(mailer, reply), verdict("text", reply), "{}: {}", mailer, reply);
        }
    }
}
