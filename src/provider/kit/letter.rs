//! A fax in the form an adapter needs, checked against the provider's limits before any call.

use reqwest::multipart::Part;

use crate::domain::envelope::{Content, Envelope};
use crate::domain::fault::{Failure, Fault};
use crate::domain::id::AttemptId;
use crate::domain::{Address, FaxNumber, Outcome};
use crate::provider::Spec;

/// What a create call needs.
pub struct Letter<'a> {
    /// Our reference.
    pub attempt: AttemptId,
    /// The document.
    pub pdf: &'a [u8],
    /// Its pages.
    pub pages: u32,
    /// The caller number: the account's own if it has one, else the practice's.
    pub from: &'a FaxNumber,
    /// The fax number.
    pub to: &'a FaxNumber,
    /// The practice's name, for providers that print it.
    pub sender: &'a str,
}

impl<'a> Letter<'a> {
    /// The fax in an envelope.
    ///
    /// # Errors
    /// Not sent: it is not a fax, or larger than the provider accepts. Nothing was called.
    pub fn of(spec: &Spec, from: Option<&'a FaxNumber>, envelope: &'a Envelope) -> Result<Self, Outcome> {
        let (Content::Fax { pdf, pages, from: practice, sender }, Address::Fax(to)) = (&envelope.content, &envelope.to)
        else {
            return Err(not_sent(Fault::ProtocolError, "only faxes can be sent this way"));
        };
        let (pages_max, bytes_max) = (spec.capabilities.pages_max, spec.capabilities.bytes_max);
        if pages_max.is_some_and(|most| *pages > most) {
            return Err(too_large(&format!("{pages} pages; the provider takes {} at most", pages_max.unwrap_or(0))));
        }
        if bytes_max.is_some_and(|most| pdf.len() > most) {
            return Err(too_large(&format!("the document is larger than {} kB", bytes_max.unwrap_or(0) / 1000)));
        }
        Ok(Self { attempt: envelope.attempt, pdf, pages: *pages, from: from.unwrap_or(practice), to, sender })
    }

    /// The document as a part of a form, under a neutral name.
    #[must_use]
    pub fn part(&self) -> Part {
        let part = Part::bytes(self.pdf.to_vec()).file_name("letter.pdf");
        part.mime_str("application/pdf").expect("a constant and valid media type")
    }
}

/// The ten digits of a number of the United States, Canada or their neighbors (E.164 country code 1), for providers
/// that dial no others and expect them without the code.
#[must_use]
pub fn ten_digits(number: &FaxNumber) -> Option<&str> {
    number.as_str().strip_prefix("+1").filter(|digits| digits.len() == 10)
}

fn too_large(words: &str) -> Outcome {
    not_sent(Fault::DocumentError, words)
}

/// The outcome when nothing was called, for that reason.
pub fn not_sent(fault: Fault, words: &str) -> Outcome {
    Outcome::NotSent(Failure::new(fault).text(words))
}
