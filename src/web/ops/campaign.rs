//! `/campaigns/{id}`: one campaign, what its next run says, and the forms that change it.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::campaigns::{audience, standing, wait_words};
use super::form::{Fields, Posted, nowhere, refused, refused_field, then_show};
use super::frame::{self, Frame, Section};
use super::message::sentence;
use super::notice::{Asked, Done};
use super::query::Query;
use super::view::lines::BroadcastRow;
use super::view::moment::Moment;
use super::view::pieces::Chip;
use super::view::titles;
use crate::campaign::edit::Changes;
use crate::campaign::{self, CampaignError};
use crate::domain::id::CampaignId;
use crate::domain::{Channel, Purpose};
use crate::intake::{Gap, IntakeError};
use crate::referrers::audience::Audience;
use crate::render::{Kind, Letter, Variable};
use crate::store::records::campaigns::CampaignRow;
use crate::store::views::ledger::LedgerOf;
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;
use crate::wording;

/// The longest value of a variable that a form takes, in characters.
const VALUE_CHARS_MAX: usize = 4000;
/// Tags offered as audiences.
const TAGS_OFFERED: usize = 200;
/// What is said of an audience that nobody is in.
const NOBODY: &str = "No referrer matches. Pick one of the suggestions, or write all, or one referrer's name or NPI.";
/// Before a variable's name in the form: its value, and that it is still true.
const VALUE: &str = "v.";
const KEEP: &str = "keep.";

/// What may stand in the query.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    /// The letter whose variables the form shows, to change to it.
    letter: Option<String>,
}

/// A variable in the form.
struct FieldRow {
    name: String,
    label: String,
    /// Whether it is picked from a calendar.
    is_date: bool,
    /// The fields of the form that hold its value, and that it is still true.
    posted: String,
    kept: String,
    about: String,
    value: String,
    /// Whether it must be filled in.
    is_required: bool,
    /// When it was set or confirmed, for one that is true for a while only.
    since: Option<Moment>,
    /// Whether it must be renewed before the next run.
    is_stale: bool,
}

/// A letter to choose.
struct LetterRow {
    name: String,
    title: String,
    is_set: bool,
}

#[derive(Template)]
#[template(path = "campaign.html")]
struct Page {
    frame: Frame,
    link: String,
    name: String,
    is_removed: bool,
    state: Chip,
    letter_title: String,
    audience: String,
    channels: String,
    when: String,
    next: Option<Moment>,
    dates: Vec<String>,
    made_by: String,
    active_targets: usize,
    warnings: Vec<String>,
    /// What its run waits for, or what must be renewed before the next one.
    waits: Option<String>,
    /// Whether it can be run only after something is renewed.
    is_stale: bool,
    is_another_letter: bool,
    letter: String,
    letters: Vec<LetterRow>,
    to: String,
    audiences: Vec<String>,
    by_fax: bool,
    by_email: bool,
    schedule: String,
    zone: String,
    fields: Vec<FieldRow>,
    broadcasts: Vec<BroadcastRow>,
}

/// `GET /campaigns/{id}`.
pub async fn show(
    State(state): State<WebState>,
    operator: Operator,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageProblem> {
    let shown = campaign::show_by_id(&state.intake, id_of(&id)?).await?;
    let calendar = frame::calendar(&state);
    let row = &shown.campaign;
    let letter = wanted.letter.filter(|name| state.gateway.renderer.letter(name).is_some());
    let letter = letter.unwrap_or_else(|| row.letter.clone());
    let mut broadcasts = Vec::new();
    let mut tx = state.gateway.store.read().await?;
    for run in &shown.runs {
        let ledger = tx.ledger(LedgerOf::Broadcast(run.id)).await?;
        broadcasts.push(BroadcastRow::of(run, &ledger, &calendar, &state.gateway.renderer));
    }
    let audiences = audiences(&tx.referrer_tags().await?);
    drop(tx);
    let page = Page {
        frame: Frame::new(&state, &operator, Section::Campaigns, row.name.as_str(), &asked),
        link: page_of(row.id),
        name: row.name.clone(),
        is_removed: row.removed_ms.is_some(),
        state: standing(row, shown.waits).into(),
        letter_title: titles::letter(&state.gateway.renderer, &row.letter),
        audience: audience(&row.audience),
        channels: row.channels.replace(',', " and "),
        when: shown.when.clone(),
        next: row.next_ms.map(|next| calendar.moment(next)),
        dates: campaign::times(row).map(|times| times.dates().collect()).unwrap_or_default(),
        made_by: row.who.name().to_owned(),
        active_targets: shown.active_targets,
        warnings: shown.warnings.iter().map(|warning| sentence(warning)).collect(),
        waits: wait_words(shown.waits, &shown.renew),
        is_stale: !shown.renew.is_empty(),
        is_another_letter: letter != row.letter,
        letters: letters(&state, &letter),
        to: row.audience.clone(),
        audiences,
        by_fax: row.channels.split(',').any(|channel| channel == Channel::Fax.as_str()),
        by_email: row.channels.split(',').any(|channel| channel == Channel::Email.as_str()),
        schedule: row.schedule.clone(),
        zone: row.zone.clone(),
        fields: fields(&state, row, &letter, &shown.renew),
        letter,
        broadcasts,
    };
    Ok(frame::show(&page))
}

/// The audiences that are offered: everyone, and those with each tag that there is.
fn audiences(tags: &[(String, i64)]) -> Vec<String> {
    let tags = tags.iter().take(TAGS_OFFERED).map(|(tag, _)| Audience::Tag(tag.clone()).to_string());
    std::iter::once(Audience::All.to_string()).chain(tags).collect()
}

/// The letters that a campaign may send.
fn letters(state: &WebState, chosen: &str) -> Vec<LetterRow> {
    let letters = state.gateway.renderer.letters().filter(|letter| letter.purpose != Purpose::Treatment);
    let row = |letter: &Letter| LetterRow {
        name: letter.name.clone(),
        title: letter.title.clone(),
        is_set: letter.name == chosen,
    };
    letters.map(row).collect()
}

/// The letter's variables that can be written in one field, with the campaign's values.
fn fields(state: &WebState, row: &CampaignRow, letter: &str, renew: &[String]) -> Vec<FieldRow> {
    let calendar = frame::calendar(state);
    let dated = campaign::perishable(&state.intake, row);
    let since = |name: &str| dated.iter().find(|(known, _)| known == name).map(|(_, dated)| calendar.moment(dated.set));
    let values = values(row);
    let Some(letter) = state.gateway.renderer.letter(letter) else { return Vec::new() };
    let fields = letter.variables.iter().filter_map(|variable| {
        let value = values.get(&variable.name).map_or(Some(String::new()), written)?;
        Some(FieldRow {
            name: variable.name.clone(),
            label: wording::variable(&variable.name),
            is_date: variable.kind == Kind::Date && is_date_or_empty(&value),
            posted: format!("{VALUE}{}", variable.name),
            kept: format!("{KEEP}{}", variable.name),
            about: about(variable),
            value,
            is_required: variable.is_required(),
            since: since(&variable.name),
            is_stale: renew.contains(&variable.name),
        })
    });
    fields.collect()
}

/// Whether a field that takes dates only can show the value.
fn is_date_or_empty(value: &str) -> bool {
    value.is_empty() || (value.len() == 10 && NaiveDate::parse_from_str(value, "%Y-%m-%d").is_ok())
}

fn about(variable: &Variable) -> String {
    match variable.default.as_ref().and_then(written).filter(|default| !default.is_empty()) {
        Some(default) => format!("{} If left empty: {default}", sentence(&variable.about)),
        None => sentence(&variable.about),
    }
}

fn values(row: &CampaignRow) -> Map<String, Value> {
    serde_json::from_str(&row.variables).unwrap_or_default()
}

/// A value as one text; none for what has parts of its own.
fn written(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(entries) => {
            let entries: Option<Vec<String>> = entries.iter().map(|entry| entry.as_str().map(str::to_owned)).collect();
            entries.map(|entries| entries.join("; "))
        }
        Value::Bool(_) | Value::Object(_) => None,
    }
}

/// `POST /campaigns/{id}/edit`: letter, audience, channels, schedule, and the variables of the next run.
pub async fn edit(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let row = row_of(&state, &id).await?;
    let changes = changes(&state, &row, &posted.fields)?;
    if changes.is_empty() {
        return Ok(then_show(&page_of(row.id)));
    }
    match campaign::edit::edit(&state.intake, &row.name, &changes, &posted.operator.actor).await {
        Ok(_) => Ok(then_show(&Done::CampaignSaved.at(&page_of(row.id)))),
        Err(error) => Err(at_field(error, &changes, &posted.fields)),
    }
}

/// What is wrong with the form, beside the field that it is about if that is known.
fn at_field(error: CampaignError, changes: &Changes, form: &Fields) -> PageProblem {
    match error {
        CampaignError::Invalid(words) if changes.every.is_some() || changes.zone.is_some() => {
            refused_field("every", sentence(&words))
        }
        CampaignError::Schedule(misread) => refused_field("every", misread.in_short()),
        CampaignError::Intake(IntakeError::NotFound(_)) => refused_field("to", NOBODY),
        CampaignError::Intake(IntakeError::MissingVariables(gaps)) => {
            let first = gaps.first().map(|gap| gap.words.clone()).unwrap_or_default();
            let is_named =
                |name: &str| first.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name);
            let field = form.names().find(|name| name.strip_prefix(VALUE).is_some_and(is_named));
            let words = labelled(missing(&gaps), form);
            field.map_or_else(|| refused(words.clone()), |field| refused_field(field, words.clone()))
        }
        other => in_words(other),
    }
}

/// The words with the variables of the form called as their fields are.
fn labelled(words: String, form: &Fields) -> String {
    let names = form.names().filter_map(|name| name.strip_prefix(VALUE));
    names.fold(words, |words, name| words.replace(&format!("`{name}`"), &format!("“{}”", wording::variable(name))))
}

/// What the form changes, compared with the campaign as it is.
fn changes(state: &WebState, row: &CampaignRow, form: &Fields) -> Result<Changes, PageProblem> {
    let letter = form.line("letter", "the letter", 64)?;
    let to = form.line("to", "the audience", 200)?;
    let every = form.line("every", "when it runs", 240)?;
    let zone = form.line("zone", "the time zone", 64)?;
    let named = [(Channel::Fax, "fax"), (Channel::Email, "email")];
    let via: Vec<Channel> = named.iter().filter(|(_, name)| !form.text(name).is_empty()).map(|(it, _)| *it).collect();
    if via.is_empty() {
        return Err(refused_field("fax", "Please choose fax, email, or both."));
    }
    let channels: Vec<&str> = via.iter().map(|channel| channel.as_str()).collect();
    let is_other = |written: &str, kept: &str| written != kept;
    let mut changes = Changes {
        letter: Some(letter.clone()).filter(|letter| is_other(letter, &row.letter)),
        to: if is_other(&to, &row.audience) {
            Some(to.parse().map_err(|problem: String| refused_field("to", sentence(&problem)))?)
        } else {
            None
        },
        via: Some(via).filter(|_| channels.join(",") != row.channels),
        every: Some(every).filter(|every| is_other(every, &row.schedule)),
        zone: if is_other(&zone, &row.zone) {
            Some(zone.parse().map_err(|_| refused_field("zone", "Please write a time zone such as America/Chicago."))?)
        } else {
            None
        },
        ..Changes::default()
    };
    add_variables(state, row, &letter, form, &mut changes)?;
    Ok(changes)
}

fn add_variables(
    state: &WebState,
    row: &CampaignRow,
    letter: &str,
    form: &Fields,
    changes: &mut Changes,
) -> Result<(), PageProblem> {
    let kept = values(row);
    let letter =
        state.gateway.renderer.letter(letter).ok_or_else(|| refused_field("letter", "Please choose a letter."))?;
    for variable in &letter.variables {
        let name = &variable.name;
        let Some(before) = kept.get(name).map_or(Some(String::new()), written) else { continue };
        let after = form.text(&format!("{VALUE}{name}")).replace("\r\n", "\n");
        if after.chars().count() > VALUE_CHARS_MAX {
            let words = format!("Too long: {} may have at most {VALUE_CHARS_MAX} characters.", wording::variable(name));
            return Err(refused_field(&format!("{VALUE}{name}"), words));
        }
        if after != before.trim() {
            if after.is_empty() {
                changes.unset.push(name.clone());
            } else {
                changes.set.insert(name.clone(), Value::String(after));
            }
        } else if !form.text(&format!("{KEEP}{name}")).is_empty() {
            changes.keep.push(name.clone());
        }
    }
    let declared = |name: &String| letter.variables.iter().any(|variable| variable.name == *name);
    changes.unset.extend(kept.keys().filter(|name| !declared(name)).cloned());
    Ok(())
}

/// `POST /campaigns/{id}/rename`.
pub async fn rename(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let row = row_of(&state, &id).await?;
    let to = posted.fields.line("to", "the new name", 80)?;
    match campaign::edit::rename(&state.intake, &row.name, &to, &posted.operator.actor).await {
        Ok(_) => Ok(then_show(&Done::CampaignSaved.at(&page_of(row.id)))),
        Err(CampaignError::Invalid(words)) => Err(refused_field("to", sentence(&words))),
        Err(error) => Err(in_words(error)),
    }
}

/// `POST /campaigns/{id}/remove`.
pub async fn remove(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let row = row_of(&state, &id).await?;
    if posted.fields.text("sure") != "yes" {
        return Err(refused_field("sure", "Please check the box to remove the campaign."));
    }
    campaign::edit::remove(&state.intake, &row.name, &posted.operator.actor).await?;
    Ok(then_show(&Done::CampaignRemoved.at("/campaigns")))
}

pub(super) fn id_of(text: &str) -> Result<CampaignId, PageProblem> {
    text.parse().map_err(|_| nowhere())
}

pub(super) fn page_of(id: CampaignId) -> String {
    format!("/campaigns/{id}")
}

/// The campaign of a page, unless it is removed.
pub(super) async fn row_of(state: &WebState, id: &str) -> Result<CampaignRow, PageProblem> {
    let row = state.gateway.store.read().await?.campaign(id_of(id)?).await?;
    row.filter(|row| row.removed_ms.is_none()).ok_or_else(nowhere)
}

/// What is wrong with a form about a campaign, with the recipients whose letter lacks something.
pub(super) fn in_words(error: CampaignError) -> PageProblem {
    match error {
        CampaignError::Invalid(words) => refused(sentence(&words)),
        CampaignError::Intake(IntakeError::MissingVariables(gaps)) => refused(missing(&gaps)),
        CampaignError::Intake(IntakeError::NotFound(_)) => refused("No referrer is in its audience any more."),
        other => other.into(),
    }
}

fn missing(gaps: &[Gap]) -> String {
    let gaps: Vec<String> = gaps.iter().map(ToString::to_string).collect();
    format!("The letter cannot be written for every recipient. {}", gaps.join("; "))
}
