//! From an HTTP answer to what it means.

use serde_json::Value;

use super::fax::reference;
use super::{InterFax, faults};
use crate::domain::Outcome;
use crate::domain::attempt::ProviderReference;
use crate::domain::fault::{Failure, Fault};
use crate::http::{Answer, Verdict};
use crate::provider::kit::reading;
use crate::provider::kit::reading::{text, unreadable};

impl InterFax {
    /// What the answer to a create call means: 201, and the fax's address in `Location`, with an empty body.
    pub(super) fn outcome(&self, answer: &Answer) -> Outcome {
        match answer.verdict() {
            Verdict::Done => match answer.location.as_deref().and_then(id_in) {
                Some(reference) => Outcome::Accepted { reference },
                None => {
                    let code = answer.status.to_string();
                    Outcome::Unknown(unreadable("accepted, but the answer names no fax").code(code))
                }
            },
            Verdict::No if code(&body(answer)) == Some(faults::INTERNAL) => Outcome::Unknown(self.failure(answer)),
            Verdict::No => Outcome::Refused(self.failure(answer)),
            Verdict::Open => Outcome::Unknown(self.failure(answer)),
        }
    }

    /// An answer that is not a success, as a failure. The body's code is more telling than the status, save where the
    /// status speaks of the account or of the pace.
    pub(super) fn failure(&self, answer: &Answer) -> Failure {
        let body = body(answer);
        let code = code(&body);
        let fault = match answer.fault() {
            Fault::Unknown => code.and_then(faults::of_code).unwrap_or(Fault::Unknown),
            fault => fault,
        };
        let failure = answer.failure();
        let shown = code.map_or_else(|| answer.status.to_string(), |code| code.to_string());
        let failure = Failure { fault, ..failure }.code(shown);
        match self.words(answer, &body) {
            words if words.is_empty() => failure,
            words => failure.text(words),
        }
    }

    fn words(&self, answer: &Answer, body: &Value) -> String {
        if matches!(answer.status, 300..=399) {
            return "the provider redirects elsewhere: base_url is wrong".to_owned();
        }
        let more = text(body, "moreInfo").or_else(|| text(body, "more_info"));
        let words = [text(body, "message"), more].into_iter().flatten().collect::<Vec<_>>().join("; ");
        reading::without(&words, [&self.password])
    }
}

/// Their content type is `text/json`; what is not JSON says nothing.
fn body(answer: &Answer) -> Value {
    answer.json().unwrap_or_default()
}

fn code(body: &Value) -> Option<i64> {
    reading::words(&body["code"])?.parse().ok()
}

/// The fax's number at the end of its address, whatever host the address names.
fn id_in(location: &str) -> Option<ProviderReference> {
    let path = location.split(['?', '#']).next()?.trim_end_matches('/');
    let (before, id) = path.rsplit_once('/')?;
    if before.ends_with("/faxes") || before == "faxes" { reference(id) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_read_from_the_end_of_the_address() {
        for location in [
            "https://rest.interfax.net/outbound/faxes/667457707",
            "/outbound/faxes/667457707/",
            "http://elsewhere.example/outbound/faxes/667457707?x=1",
        ] {
            assert_eq!(id_in(location), ProviderReference::new("667457707"), "{location}");
        }
        for location in ["", "667457707", "https://rest.interfax.net/outbound/faxes/", "https://x.example/faxes/../1"] {
            assert_eq!(id_in(location), None, "{location}");
        }
    }
}
