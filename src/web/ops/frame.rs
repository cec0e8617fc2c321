//! What surrounds every page: the navigation, who is logged in, what was just done.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::again::{Form, Kept, Key};
use super::notice::{Asked, Notice};
use super::view::moment::Calendar;
use crate::web::WebState;
use crate::web::session::Operator;

/// The parts of the dashboard, in the order of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// What needs a person, and how everything stands.
    Overview,
    /// What did not get through, by cause.
    Failures,
    /// Every message.
    Messages,
    /// What came back for emails.
    Returns,
    /// Who may send patients.
    Referrers,
    /// Standing plans and their runs.
    Campaigns,
    /// What carries the letters.
    Providers,
    /// Who must not be written to.
    Suppressions,
    /// Who may log in.
    Operators,
    /// Who did what.
    Audit,
}

const SECTIONS: [(Section, &str, &str); 10] = [
    (Section::Overview, "/", "Overview"),
    (Section::Failures, "/failures", "Failures"),
    (Section::Messages, "/messages", "Messages"),
    (Section::Returns, "/returns", "Returns"),
    (Section::Referrers, "/referrers", "Referrers"),
    (Section::Campaigns, "/campaigns", "Campaigns"),
    (Section::Providers, "/providers", "Providers"),
    (Section::Suppressions, "/suppressions", "Suppressions"),
    (Section::Operators, "/operators", "Operators"),
    (Section::Audit, "/audit", "Audit"),
];

/// One link of the navigation.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    /// Where to.
    pub href: &'static str,
    /// The word.
    pub label: &'static str,
    /// Whether we are there.
    pub is_here: bool,
}

/// What surrounds a page.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The page's title.
    pub title: String,
    /// The navigation.
    pub links: Vec<Link>,
    /// Who is logged in.
    pub operator: String,
    /// What every form brings back.
    pub key: Key,
    /// What was just done.
    pub notice: Option<Notice>,
    /// What was filled in, if a form of the page was refused.
    pub kept: Option<Kept>,
    /// The practice's name.
    pub practice: String,
    /// The style sheet.
    pub css: &'static str,
}

impl Frame {
    /// The surroundings of a page of that section.
    #[must_use]
    pub fn new(
        state: &WebState,
        operator: &Operator,
        section: Section,
        title: impl Into<String>,
        asked: &Asked,
    ) -> Self {
        Self {
            title: title.into(),
            links: SECTIONS.iter().map(|(own, href, label)| Link { href, label, is_here: *own == section }).collect(),
            operator: operator.name.clone(),
            key: Key { form_key: operator.form_key().to_owned(), page: operator.page.clone() },
            notice: asked.notice(),
            kept: operator.kept.clone(),
            practice: state.gateway.config.practice.name.clone(),
            css: super::assets::css_link(),
        }
    }

    /// The form that goes to an address made of these parts, with what was filled in if it is shown again.
    #[must_use]
    pub fn form(&self, place: &str, id: &str, act: &str) -> Form<'_> {
        let parts: Vec<&str> = [place, id, act].into_iter().filter(|part| !part.is_empty()).collect();
        Form::of(self.kept.as_ref(), &parts.join("/"))
    }
}

/// The practice's zone and the present.
#[must_use]
pub fn calendar(state: &WebState) -> Calendar {
    Calendar { zone: state.gateway.config.practice.time_zone, now: state.gateway.clock.now() }
}

/// A finished page. Browsers keep no copy: it names people.
#[must_use]
pub fn show(page: &impl Template) -> Response {
    let mut response = crate::web::html(StatusCode::OK, page);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
