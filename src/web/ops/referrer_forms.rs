//! What an operator changes about a referrer: state, details, touches made by hand, permission to fax, refusals.

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;

use super::form::{Fields, Posted, nowhere, refused, refused_field, then_show};
use super::frame;
use super::notice::Done;
use super::people;
use super::view::moment::Calendar;
use crate::consent::{self, Refusal};
use crate::domain::basis::{Basis, BasisKind, NumberSource};
use crate::domain::id::{BasisId, ReferrerId};
use crate::domain::referrer::{Referrer, ReferrerState};
use crate::domain::suppression::Scope;
use crate::domain::suppression::SuppressionReason;
use crate::domain::suppression::SuppressionSource;
use crate::domain::touch::TouchKind;
use crate::domain::{Channel, Timestamp};
use crate::referrers;
use crate::web::WebState;
use crate::web::problem::PageProblem;

/// Tags of one referrer, and characters of each.
const TAGS_MAX: usize = 30;
const TAG_CHARS_MAX: usize = 60;
/// Characters of a note.
const NOTE_CHARS_MAX: usize = 500;

fn id_of(text: &str) -> Result<ReferrerId, PageProblem> {
    text.parse().map_err(|_| nowhere())
}

fn page_of(id: ReferrerId) -> String {
    format!("/referrers/{id}")
}

async fn referrer(state: &WebState, id: ReferrerId) -> Result<Referrer, PageProblem> {
    state.gateway.store.read().await?.referrer(id).await?.ok_or_else(nowhere)
}

/// `POST /referrers/{id}/state`.
pub async fn state(
    State(web): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let id = id_of(&id)?;
    let wanted: ReferrerState = posted.fields.word("state", "the contact status")?;
    referrers::edit(&web.gateway.referrers(), id, &posted.operator.actor, |referrer| referrer.state = wanted).await?;
    Ok(then_show(&Done::State.at(&page_of(id))))
}

/// `POST /referrers/{id}/details`: names, addresses, place and tags. What is saved here stands against later lists.
pub async fn details(
    State(web): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let id = id_of(&id)?;
    let tags = tags(&posted.fields)?;
    // Tried on a copy first, so that a wrong value is refused before anything is written.
    people::fill(&posted.fields, &mut referrer(&web, id).await?)?;
    let change = |referrer: &mut Referrer| {
        drop(people::fill(&posted.fields, referrer));
        referrer.tags = tags;
    };
    referrers::edit(&web.gateway.referrers(), id, &posted.operator.actor, change).await?;
    Ok(then_show(&Done::Details.at(&page_of(id))))
}

/// Tags as they are kept: lower case, sorted, without repeats.
fn tags(fields: &Fields) -> Result<Vec<String>, PageProblem> {
    let mut tags: Vec<String> =
        fields.text("tags").split(',').map(|tag| tag.trim().to_lowercase()).filter(|tag| !tag.is_empty()).collect();
    tags.sort();
    tags.dedup();
    let fits = |tag: &String| tag.chars().count() <= TAG_CHARS_MAX && !tag.chars().any(char::is_control);
    if tags.len() > TAGS_MAX || !tags.iter().all(fits) {
        return Err(refused_field(
            "tags",
            format!("At most {TAGS_MAX} tags, each of at most {TAG_CHARS_MAX} characters."),
        ));
    }
    Ok(tags)
}

/// `POST /referrers/{id}/touch`: a call, a visit, a meeting, a lunch-and-learn, or a referral that came in.
pub async fn touch(
    State(web): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let id = id_of(&id)?;
    let kind: TouchKind = posted.fields.word("kind", "the type of touch")?;
    let title = posted.fields.line("title", "what happened", 200)?;
    let at = moment_of(&posted.fields, &frame::calendar(&web))?;
    referrers::log_touch(&web.gateway.referrers(), id, kind, &title, Some(at), &posted.operator.actor).await?;
    Ok(then_show(&Done::Touch.at(&page_of(id))))
}

/// The day of a touch: now for today, noon for an earlier day.
fn moment_of(fields: &Fields, calendar: &Calendar) -> Result<Timestamp, PageProblem> {
    let day = day_of(fields, calendar)?;
    if day == calendar.today() {
        return Ok(calendar.now);
    }
    noon(day, calendar.zone).ok_or_else(|| refused_field("day", "The date cannot be read."))
}

fn day_of(fields: &Fields, calendar: &Calendar) -> Result<NaiveDate, PageProblem> {
    let Some(text) = fields.optional("day") else { return Ok(calendar.today()) };
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .map_err(|_| refused_field("day", "Please enter the date as YYYY-MM-DD."))?;
    if day > calendar.today() {
        return Err(refused_field("day", "The date cannot be in the future."));
    }
    Ok(day)
}

fn noon(day: NaiveDate, zone: Tz) -> Option<Timestamp> {
    let noon = zone.from_local_datetime(&day.and_time(NaiveTime::from_hms_opt(12, 0, 0)?)).earliest()?;
    Some(Timestamp(noon.timestamp_millis()))
}

/// `POST /referrers/{id}/basis`: why advertisements may be faxed to their number.
pub async fn basis(
    State(web): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let id = id_of(&id)?;
    let fields = &posted.fields;
    let calendar = frame::calendar(&web);
    let fax =
        referrer(&web, id).await?.fax.ok_or_else(|| refused("Add a fax number first: permission is per number."))?;
    let kind: BasisKind = fields.word("kind", "permission or relationship")?;
    let number_source: Option<NumberSource> = match fields.optional("number_source") {
        Some(_) => Some(fields.word("number_source", "where the number came from")?),
        None => None,
    };
    if kind == BasisKind::Ebr && number_source.is_none() {
        return Err(refused_field(
            "number_source",
            "For a business relationship, please say where the fax number came from.",
        ));
    }
    let basis = Basis {
        id: BasisId::new(),
        fax,
        kind,
        number_source,
        obtained_on: day_of(fields, &calendar)?.to_string(),
        how: fields.line("how", "how it was given", 200)?,
        by_whom: posted.operator.name.clone(),
        note: fields.optional_line("note", "the note", NOTE_CHARS_MAX)?,
        created_ms: calendar.now,
        ended_ms: None,
        ended_reason: None,
    };
    consent::add_basis(&web.gateway.consent(), &basis, &posted.operator.actor).await?;
    Ok(then_show(&Done::Basis.at(&page_of(id))))
}

/// `POST /referrers/{id}/basis/{basis}`: ends a basis, as after a withdrawal or a mistake.
pub async fn end_basis(
    State(web): State<WebState>,
    Path((id, basis)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let id = id_of(&id)?;
    let basis: BasisId = basis.parse().map_err(|_| nowhere())?;
    let why = posted.fields.line("why", "the reason", 200)?;
    consent::end_basis(&web.gateway.consent(), basis, id, &posted.operator.actor, &why).await?;
    Ok(then_show(&Done::BasisEnded.at(&page_of(id))))
}

/// `POST /referrers/{id}/suppress`: they, or the office they share the address with, refused.
pub async fn suppress(
    State(web): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let id = id_of(&id)?;
    let channel: Channel = posted.fields.word("channel", "fax or email")?;
    let scope: Scope = posted.fields.word("scope", "what they opted out of")?;
    let evidence = posted.fields.optional_line("evidence", "how they asked", NOTE_CHARS_MAX)?;
    let address = referrer(&web, id)
        .await?
        .address(channel)
        .ok_or_else(|| refused_field("channel", "There is no such address."))?;
    let refusal = Refusal {
        address,
        scope,
        reason: SuppressionReason::OptOut,
        source: SuppressionSource::Operator,
        evidence,
        who: posted.operator.actor.clone(),
        because: None,
        expires_ms: None,
    };
    consent::suppress(&web.gateway.consent(), &refusal).await?;
    Ok(then_show(&Done::Suppressed.at(&page_of(id))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_kept_in_one_form() {
        let fields = Fields::parse(b"tags=North+Shore%2C+vip%2Cnorth+shore%2C%2C");
        assert_eq!(tags(&fields).expect("tags"), ["north shore", "vip"]);
        let many: Vec<String> = (0..31).map(|n| n.to_string()).collect();
        assert!(tags(&Fields::parse(format!("tags={}", many.join(",")).as_bytes())).is_err());
    }

    #[test]
    fn a_touch_was_today_or_earlier() {
        let now = chrono::DateTime::parse_from_rfc3339("2026-11-23T15:00:00Z").expect("a time").timestamp_millis();
        let calendar = Calendar { zone: chrono_tz::America::Chicago, now: Timestamp(now) };
        let at = |day: &str| moment_of(&Fields::parse(format!("day={day}").as_bytes()), &calendar);
        assert_eq!(at("2026-11-23").expect("today"), calendar.now);
        assert_eq!(at("").expect("today"), calendar.now);
        assert_eq!(at("2026-11-20").expect("a day").to_string(), "2026-11-20T18:00:00.000Z");
        assert!(at("2026-11-24").is_err());
        assert!(at("tomorrow").is_err());
    }
}
