//! `/providers/email-setup`: whether receivers will believe the practice's email, what to do about it, and the records to publish.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::form::{Posted, refused, then_show};
use super::frame::{self, Frame, Section};
use super::notice::{Asked, Done};
use super::query::Query;
use super::view::moment::Moment;
use super::view::pieces::Chip;
use crate::app::mail_setup::Look;
use crate::policy::mail_setup::{Finding, Grade, Record};
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;
use crate::wording::{self, Tone};

/// Where it is shown.
const PLACE: &str = "/providers/email-setup";

/// One thing that was looked at.
struct FindingRow {
    check: &'static str,
    about: String,
    words: String,
    advice: String,
    stops_broadcasts: bool,
    publish: Vec<RecordRow>,
}

/// A record to publish.
struct RecordRow {
    name: String,
    value: String,
}

/// What has one grade.
struct Group {
    key: &'static str,
    title: &'static str,
    chip: Chip,
    /// Whether it is folded away: what is well needs nobody.
    is_folded: bool,
    rows: Vec<FindingRow>,
}

#[derive(Template)]
#[template(path = "email_setup.html")]
struct Page {
    frame: Frame,
    from: String,
    looked: Option<Moment>,
    summary: Option<(Chip, String)>,
    groups: Vec<Group>,
}

/// `GET /providers/email-setup`: the last look of this node.
pub async fn show(
    State(state): State<WebState>,
    operator: Operator,
    Query(asked): Query<Asked>,
) -> Result<Response, PageProblem> {
    let calendar = frame::calendar(&state);
    let look = state.gateway.last_mail_setup();
    let page = Page {
        frame: Frame::new(&state, &operator, Section::Providers, "Email setup", &asked),
        from: state.gateway.config.practice.email.domain().to_owned(),
        looked: look.as_ref().map(|look| calendar.moment(look.at)),
        summary: look.as_ref().map(|look| summary(look)),
        groups: look.map(|look| groups(&look)).unwrap_or_default(),
    };
    Ok(frame::show(&page))
}

/// `POST /providers/email-setup`: looks now, which takes ten seconds at most, and shows the result.
pub async fn look(State(state): State<WebState>, _posted: Posted) -> Result<Response, PageProblem> {
    match state.gateway.check_mail_setup().await {
        Ok(_) => Ok(then_show(&Done::EmailSetupChecked.at(PLACE))),
        Err(error) => Err(refused(wording::capitalized(&format!("{error}.")))),
    }
}

/// How it stands, as a word and a sentence; for the list of providers as well.
pub(super) fn summary(look: &Look) -> (Chip, String) {
    let count = |grade| i64::try_from(look.count(grade)).unwrap_or(i64::MAX);
    let (problems, advice) = (count(Grade::Problem), count(Grade::Advice));
    let stops = look.findings.iter().any(|finding| finding.breaks_bulk_rules);
    let chip = match (problems, advice) {
        (0, 0) => (Tone::Good, "in order"),
        (0, _) => (Tone::Warn, "could be better"),
        _ => (Tone::Bad, "needs work"),
    };
    let problems = match problems {
        0 => "Nothing is wrong".to_owned(),
        many => wording::count(many, "problem", "problems"),
    };
    let advice = if advice > 0 { format!(", {advice} could be better") } else { String::new() };
    let stops = if stops { " Broadcasts to many by email are refused until the problems are put right." } else { "" };
    (chip.into(), format!("{problems}{advice}.{stops}"))
}

fn groups(look: &Look) -> Vec<Group> {
    let grades = [
        (Grade::Problem, "problems", "To fix", (Tone::Bad, "problem")),
        (Grade::Advice, "advice", "Could be better, or could not be seen", (Tone::Warn, "advice")),
        (Grade::Ok, "well", "In order", (Tone::Good, "ok")),
    ];
    let group = |(grade, key, title, label): (Grade, _, _, wording::Label)| {
        let of_grade = look.findings.iter().filter(|finding| finding.grade == grade);
        let rows: Vec<FindingRow> = of_grade.map(FindingRow::of).collect();
        (!rows.is_empty()).then(|| Group { key, title, chip: label.into(), is_folded: grade == Grade::Ok, rows })
    };
    grades.into_iter().filter_map(group).collect()
}

impl FindingRow {
    fn of(finding: &Finding) -> Self {
        let sentence = |text: &str| format!("{}.", wording::capitalized(text.trim_end_matches('.')));
        Self {
            check: wording::mail_setup::check(finding.check),
            about: finding.about.clone(),
            words: sentence(&finding.words),
            advice: if finding.advice.is_empty() { String::new() } else { sentence(&finding.advice) },
            stops_broadcasts: finding.breaks_bulk_rules,
            publish: finding.publish.iter().map(RecordRow::of).collect(),
        }
    }
}

impl RecordRow {
    fn of(record: &Record) -> Self {
        Self { name: record.name.clone(), value: record.value.clone() }
    }
}
