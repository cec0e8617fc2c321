//! A mail sorted by what each of its parts is for.

use super::mime::{Body, Entity, Fields, TEXT_OCTETS_MAX, as_text};
use super::table::{Mark, Part, has_mark};
use super::transcript;
use super::words;

/// What a mail consists of.
#[derive(Debug, Default)]
pub(super) struct Material<'a> {
    /// The header.
    pub fields: Fields,
    /// What is written for people.
    pub text: String,
    /// Delivery status reports.
    pub reports: Vec<&'a str>,
    /// A complaint's report (RFC 5965).
    pub complaint: Option<&'a str>,
    /// A receipt's (RFC 8098).
    pub receipt: Option<&'a str>,
    /// The header of the letter that came back, as far as it did.
    pub returned: Fields,
    /// Mails within the mail.
    pub enclosed: Vec<&'a Entity>,
    /// Whether it calls itself a report.
    pub is_report: bool,
}

impl<'a> Material<'a> {
    pub fn of(mail: &'a Entity) -> Self {
        let mut material =
            Self { fields: mail.fields.clone(), is_report: mail.kind == "multipart/report", ..Self::default() };
        let mut html = String::new();
        material.sort(mail, &mut html);
        if material.text.trim().is_empty() {
            material.text = as_text(&html);
        }
        material
    }

    fn sort(&mut self, entity: &'a Entity, html: &mut String) {
        match &entity.body {
            Body::Parts(parts) => parts.iter().for_each(|part| self.sort(part, html)),
            Body::Mail(inner) => {
                if self.returned.count() == 0 {
                    self.returned = inner.fields.clone();
                }
                self.enclosed.push(inner);
            }
            Body::Text(text) => self.sort_text(&entity.kind, text, html),
            Body::Other => {}
        }
    }

    fn sort_text(&mut self, kind: &str, text: &'a str, html: &mut String) {
        match kind {
            "text/html" => append(html, text),
            "message/delivery-status" | "message/global-delivery-status" | "message/x-delivery-status" => {
                self.reports.push(text)
            }
            "message/feedback-report" => self.complaint = self.complaint.or(Some(text)),
            "message/disposition-notification" | "message/global-disposition-notification" => {
                self.receipt = self.receipt.or(Some(text));
            }
            "text/rfc822-headers"
            | "text/rfc822-header"
            | "text/rfc822"
            | "message/rfc822-headers"
            | "message/global-headers" => {
                if self.returned.count() == 0 {
                    self.returned = transcript::header_in(text);
                }
            }
            // What comes behind a report is the letter that it is about.
            _ if !self.reports.is_empty() && self.is_report => {}
            _ => {
                append(&mut self.text, text);
                append(&mut self.text, "\n");
            }
        }
    }

    /// The sender, in lower case.
    pub fn sender(&self) -> String {
        self.fields.get("from").to_lowercase()
    }

    /// The subject, in plain words.
    pub fn subject(&self) -> String {
        words::plain(self.fields.get("subject"))
    }

    /// Whether it comes from a mailer, as its sender or its empty return path says.
    pub fn is_from_a_mailer(&self) -> bool {
        let sender = self.sender();
        let return_path = self.fields.get("return-path");
        let is_empty = self.fields.has("return-path") && return_path.trim_matches(['<', '>', ' ']).is_empty();
        has_mark(Mark::Bounce, Part::Sender, &sender)
            || is_empty
            || return_path.to_ascii_lowercase().contains("mailer-daemon")
            || sender.trim() == "<>"
    }

    /// Whether a mailing list says that it sent it (RFC 2369, RFC 2919).
    pub fn is_of_a_list(&self) -> bool {
        ["list-id", "list-unsubscribe", "list-post"].iter().any(|name| self.fields.has(name))
    }

    /// Whether it says that it went to many.
    pub fn is_to_many(&self) -> bool {
        let precedence = self.fields.get("precedence").trim().to_ascii_lowercase();
        self.is_of_a_list() || matches!(precedence.as_str(), "bulk" | "list" | "junk")
    }

    /// The addresses that are ours: whom the mail was sent to.
    pub fn addressees(&self) -> Vec<String> {
        ["to", "delivered-to", "envelope-to", "x-envelope-to"]
            .iter()
            .flat_map(|name| self.fields.all(name))
            .flat_map(words::addresses)
            .map(|found| found.address)
            .collect()
    }
}

/// Puts a text behind another, as far as both together are looked at.
fn append(whole: &mut String, text: &str) {
    let room = TEXT_OCTETS_MAX.saturating_sub(whole.len()).min(text.len());
    let fitting = (0..4).find_map(|less| text.get(..room.saturating_sub(less)));
    whole.push_str(fitting.unwrap_or_default());
}
