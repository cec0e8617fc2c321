//! The mail frame: MJML compiled once at load into HTML with slots; each mail only fills the slots.

use handlebars::{Handlebars, html_escape};
use mrml::prelude::parser::WarningKind;
use mrml::prelude::render::RenderOptions;
use serde_json::{Value, json};

use super::context::{self, Shape};
use super::error::TemplateError;
use super::node::{Node, plain_blocks};
use super::notices::MailFooter;
use super::paths::Walk;
use super::{binding, functions, html, text};
use crate::domain::channel::Purpose;

const FILE: &str = "letterhead/email.mjml.hbs";
const NAME: &str = "frame";
/// How much of the letter mail programs preview beside the subject, in characters.
const PREVIEW_CHARS: usize = 110;

/// The frame, ready to fill.
#[derive(Debug)]
pub struct Frame {
    registry: Handlebars<'static>,
}

/// One mail's content.
pub struct Content<'a> {
    /// Finished subject.
    pub subject: &'a str,
    /// Large line above the text.
    pub headline: Option<&'a str>,
    /// The body.
    pub body: &'a [Node],
    /// The practice as templates see it.
    pub practice: &'a Value,
    /// Numbers of fax machines, E.164: nobody is invited to dial them.
    pub faxes: &'a [String],
    /// What the practice does, under its name on an advertisement.
    pub does: Option<&'a str>,
    /// The day.
    pub date: &'a str,
    /// The short reference a reader can quote.
    pub reference: &'a str,
    /// The identification and how to opt out; none for treatment and operational mail.
    pub footer: Option<Footer>,
    /// For letters about patients.
    pub confidentiality: Option<&'a str>,
}

/// The footer of commercial mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footer {
    /// What the mail is.
    pub statement: String,
    /// How to opt out of such mail.
    pub opt_out: String,
    /// The opt-out link and its label.
    pub link: Option<(String, String)>,
}

impl Footer {
    /// The footer for a purpose; none for treatment and operational mail (`compliance.md` R3.3, R3.8).
    #[must_use]
    pub fn of(purpose: Purpose, wording: &MailFooter, unsubscribe: Option<&str>) -> Option<Self> {
        let statement = match purpose {
            Purpose::Advertisement => &wording.advertisement,
            Purpose::Informational => &wording.informational,
            Purpose::Treatment | Purpose::Operational => return None,
        };
        Some(Self {
            statement: statement.clone(),
            opt_out: if unsubscribe.is_some() { &wording.link_text } else { &wording.reply_text }.clone(),
            link: unsubscribe.map(|url| (url.to_owned(), wording.link_words.clone())),
        })
    }
}

impl Frame {
    /// Compiles the MJML. Letters never become MJML source: they are filled into the finished HTML.
    ///
    /// # Errors
    /// MJML that does not parse or produces warnings, and slots that no mail fills.
    pub fn compile(mjml: &str) -> Result<Self, Vec<TemplateError>> {
        let whole = |message: String| vec![TemplateError::whole(FILE, message)];
        let parsed = mrml::parse(mjml).map_err(|error| whole(format!("the MJML does not parse: {error}")))?;
        if let Some(warning) = parsed.warnings.iter().find(|warning| warning.kind == WarningKind::UnexpectedAttribute) {
            return Err(whole(format!("the MJML has an {warning}")));
        }
        // No fonts: a mail program would fetch them, which would reveal when the mail was read.
        let options = RenderOptions {
            disable_comments: true,
            fonts: std::collections::HashMap::new(),
            ..RenderOptions::default()
        };
        let html =
            parsed.element.render(&options).map_err(|error| whole(format!("the MJML does not render: {error}")))?;
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        registry.register_escape_fn(html_escape);
        functions::register(&mut registry);
        registry.register_template_string(NAME, html).map_err(|error| whole(error.reason().to_string()))?;
        let frame = Self { registry };
        frame.check_slots()?;
        Ok(frame)
    }

    fn check_slots(&self) -> Result<(), Vec<TemplateError>> {
        let (slots, no_partials) = (slots(), std::collections::BTreeMap::new());
        let mut walk = Walk::new(&slots, &no_partials, true);
        walk.raw_allowed = &["body_html", "confidentiality_html", "opt_out_html"];
        if let Some(template) = self.registry.get_template(NAME) {
            walk.file(FILE, template);
        }
        // Places would be in the compiled HTML, which no one wrote.
        let errors: Vec<TemplateError> =
            walk.errors.into_iter().map(|error| TemplateError::whole(error.template, error.message)).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// The HTML part.
    ///
    /// # Errors
    /// Only where the frame needs something that [`Frame::compile`] could not foresee.
    pub fn html(&self, content: &Content<'_>) -> Result<String, TemplateError> {
        let footer = content.footer.as_ref();
        let linked = |text: &str| html::linked(&binding::mail_text(text), content.faxes);
        let slots = json!({
            "subject": content.subject,
            "preview": preview(content.body),
            "headline": content.headline.map(binding::mail_headline),
            "body_html": html::blocks(&binding::mail_body(content.body), content.faxes),
            "practice": content.practice,
            "does": content.does.map(binding::mail_text),
            "date": content.date,
            "reference": content.reference,
            "statement": footer.map(|footer| &footer.statement),
            "opt_out": footer.map(|footer| &footer.opt_out),
            "opt_out_html": footer.map(|footer| linked(&footer.opt_out)),
            "opt_out_url": footer.and_then(|footer| footer.link.as_ref()).map(|(url, _)| url),
            "opt_out_words": footer.and_then(|footer| footer.link.as_ref()).map(|(_, words)| words),
            "confidentiality": content.confidentiality,
            "confidentiality_html": content.confidentiality.map(linked),
        });
        self.registry.render(NAME, &slots).map_err(|error| TemplateError::whole(FILE, error.reason().to_string()))
    }
}

fn slots() -> Shape {
    let Shape::Record(mut root) = context::shape(&[]) else { return Shape::Scalar };
    root.remove("referrer");
    for slot in [
        "subject",
        "preview",
        "headline",
        "body_html",
        "reference",
        "statement",
        "opt_out",
        "opt_out_html",
        "opt_out_url",
        "opt_out_words",
        "confidentiality",
        "confidentiality_html",
        "does",
    ] {
        root.insert(slot.to_owned(), Shape::Scalar);
    }
    Shape::Record(root)
}

/// The text/plain part: the same words in the same order as the HTML.
#[must_use]
pub fn plain_text(content: &Content<'_>) -> String {
    let field =
        |pointer: &str| content.practice.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let mut parts = Vec::new();
    if let Some(headline) = content.headline {
        parts.push(format!("{headline}\n{}", "=".repeat(headline.chars().count())));
    }
    parts.push(text::blocks(content.body));
    let director = [field("/medical_director/name"), field("/medical_director/credentials")];
    let signed = [
        Some("Sincerely,".to_owned()),
        Some(director.into_iter().flatten().collect::<Vec<_>>().join(", ")),
        field("/medical_director/title").map(str::to_owned),
        field("/name").map(str::to_owned),
        content.does.map(str::to_owned),
    ];
    parts.push(signed.into_iter().flatten().collect::<Vec<_>>().join("\n"));
    if let Some(text) = content.confidentiality {
        parts.push(text.to_owned());
    }
    parts.push("-".repeat(40));
    if let Some(footer) = &content.footer {
        let link = footer.link.as_ref().map_or_else(String::new, |(url, _)| format!("\n{url}"));
        parts.push(format!("{} {}{link}", footer.statement, footer.opt_out));
    }
    parts.push(sender_lines(content).join("\n"));
    parts.join("\n\n") + "\n"
}

/// The sender's legal name, postal address, numbers, website and reference.
fn sender_lines(content: &Content<'_>) -> Vec<String> {
    let field = |key: &str| content.practice[key].as_str().unwrap_or_default();
    let mut lines = vec![
        field("legal_name").to_owned(),
        field("street").to_owned(),
        format!("{}, {} {}", field("city"), field("state"), field("zip")),
        format!("Telephone {}, fax {}", field("phone"), field("fax")),
        field("website").to_owned(),
        format!("Reference {}", content.reference),
    ];
    lines.retain(|line| !line.is_empty());
    lines
}

/// The first words of the letter after its salutation.
fn preview(body: &[Node]) -> String {
    let text = plain_blocks(body.get(1..).unwrap_or_default()).replace('\n', " ");
    let mut words = String::new();
    for word in text.split(' ') {
        if words.chars().count() + word.chars().count() > PREVIEW_CHARS {
            words.push('…');
            break;
        }
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &str) -> String {
        let mjml = format!(
            "<mjml><mj-body><mj-section><mj-column><mj-text>{body}</mj-text></mj-column></mj-section></mj-body></mjml>"
        );
        Frame::compile(&mjml).map(|_| ()).expect_err(body)[0].to_string()
    }

    #[test]
    fn a_frame_with_a_slot_nobody_fills_is_refused() {
        assert!(refused("{{#if headlin}}x{{/if}}").contains("did you mean `headline`"));
        assert!(refused("{{{subject}}}").contains("always escaped"));
        assert!(refused("{{{body_html}}}{{referrer.name}}").contains("referrer"));
    }

    #[test]
    fn mjml_that_does_not_parse_is_refused() {
        assert!(Frame::compile("<mjml><mj-body><mj-text>").is_err());
    }

    #[test]
    fn only_commercial_mail_has_a_way_out() {
        let wording = MailFooter {
            advertisement: "An advertisement.".to_owned(),
            informational: "Information.".to_owned(),
            link_text: "Stop:".to_owned(),
            link_words: "unsubscribe".to_owned(),
            reply_text: "Reply.".to_owned(),
        };
        let url = Some("https://a.example/o/x");
        assert_eq!(Footer::of(Purpose::Treatment, &wording, url), None);
        assert_eq!(Footer::of(Purpose::Operational, &wording, url), None);
        let linked = Footer::of(Purpose::Advertisement, &wording, url).expect("commercial");
        assert_eq!((linked.statement.as_str(), linked.opt_out.as_str()), ("An advertisement.", "Stop:"));
        let unlinked = Footer::of(Purpose::Informational, &wording, None).expect("commercial");
        assert_eq!((unlinked.opt_out.as_str(), unlinked.link), ("Reply.", None));
    }
}
