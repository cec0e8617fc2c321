//! What SpamAssassin makes of every built-in letter, as it arrives.

use touchline::domain::id::AttemptId;
use touchline::provider::mail::compose;

use super::verifiers;
use crate::rendering::{NOW, built_in, job, referrer};

/// Points below which a letter must stay; five make it spam.
const POINTS_MAX: f64 = 2.0;
/// What every SpamAssassin takes for spam (spamassassin.apache.org/gtube), and the subject of the mail with it.
const GTUBE: &str = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";
const SPAM: &str = "a test of the test";

#[test]
fn no_letter_reads_like_spam() {
    let (renderer, referrer) = (built_in(), referrer());
    let to = referrer.email.clone().expect("an address");
    let eml = |name: &str, sample| {
        let (mail, _) = renderer.mail(&job(name, &referrer, sample)).expect("renders");
        compose(&mail, &to, AttemptId::new(), NOW, None).expect("composed")
    };
    let mut emls: Vec<Vec<u8>> = renderer.letters().map(|letter| eml(&letter.name, &letter.sample)).collect();
    emls.push(format!("Subject: {SPAM}\r\nFrom: a@clinic.example\r\n\r\n{GTUBE}\r\n").into_bytes());
    let Some(judged) = verifiers::spam_points(&emls) else { return };
    let (spam, letters): (Vec<_>, Vec<_>) = judged.into_iter().partition(|(_, tests)| tests.contains(SPAM));
    assert!(spam.len() == 1 && spam[0].0 > 100.0, "what is spam is seen to be: {spam:?}");
    for (points, tests) in letters {
        assert!(points < POINTS_MAX, "{points} points: {tests}");
    }
}
