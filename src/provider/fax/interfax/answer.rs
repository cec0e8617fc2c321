//! From an HTTP answer to what it means.

use serde_json::Value;

use super::faults;
use super::fax::reference;
use crate::domain::attempt::ProviderReference;
use crate::http::Answer;
use crate::provider::kit::dialect::{Complaint, Dialect};
use crate::provider::kit::reading;
use crate::provider::kit::reading::text;

/// How InterFAX words its answers: a number, and a message with more of it. What is not JSON says nothing.
pub const DIALECT: Dialect = Dialect { complaint, ..Dialect::PLAIN };

/// The id of a fax just made: 201, and the fax's address in `Location`, with an empty body.
pub fn created(answer: &Answer, _: &Value) -> Option<ProviderReference> {
    id_in(answer.location.as_deref()?)
}

fn complaint(_: &Answer, body: &Value) -> Complaint {
    let code = code(body);
    let more = text(body, "moreInfo").or_else(|| text(body, "more_info"));
    let words: Vec<String> = [text(body, "message"), more].into_iter().flatten().collect();
    Complaint {
        fault: code.and_then(faults::of_code),
        code: code.map(|code| code.to_string()),
        text: Some(words.join("; ")),
        ..Complaint::NONE
    }
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
