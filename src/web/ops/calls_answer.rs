//! The answers of the call sheets: what each one records, and which of the letters that waited for it it sends again.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Response;
use uuid::Uuid;

use super::calls::{NUMBER, PERMISSION, place};
use super::form::{Fields, Posted, nowhere, refused, refused_field, then_show};
use super::frame;
use super::message::{permission as basis_of_permission, sentence};
use super::notice::Done;
use crate::consent::facts::{AddressFacts, Circumstances, Subject};
use crate::consent::{self, Permission, Refusal};
use crate::domain::health::{AddressHealth, Health};
use crate::domain::id::{MessageId, ReferrerId};
use crate::domain::message::Message;
use crate::domain::referrer::Referrer;
use crate::domain::suppression::{Scope, SuppressionReason, SuppressionSource};
use crate::domain::{Actor, Address, Fault, FaxNumber, Purpose};
use crate::operator::{self, Act, OperatorError, addresses};
use crate::policy::{self, Verdict};
use crate::referrers;
use crate::store::views::calls::StoppedBy;
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::wording;

/// Days after which a letter that was stopped is out of date: no answer sends it again.
pub(super) const AGE_MAX_DAYS: u64 = 90;
/// The same as a span.
pub(super) const AGE_MAX: Duration = Duration::from_secs(AGE_MAX_DAYS * 86_400);
/// Referrers who share a number, read in one go; then come the next ones.
const PORTION: i64 = 100;

/// What an answer sent.
#[derive(Debug, Clone, Copy, Default)]
struct Sent {
    /// Letters that go out again.
    again: usize,
    /// Letters that waited and do not: something else stands against them.
    left: usize,
}

impl Sent {
    /// The address of the page that will say so.
    fn said(self, done: Done, page: &str) -> Response {
        then_show(&done.at_counted(page, self.again, self.left))
    }
}

/// `POST /calls/permission/{id}`: they agreed, or declined.
pub async fn permission(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let referrer = referrer(&state, &id).await?;
    let number = referrer.fax.ok_or_else(|| refused("They have no fax number any more."))?;
    let spoken = posted.fields.optional_line("who", "who you spoke with", 100)?;
    let who = &posted.operator.actor;
    let page = sheet_of(&posted.fields, PERMISSION);
    match posted.fields.text("answer") {
        "agreed" => {
            let how = wording::given_by_telephone(spoken.as_deref());
            let is_new = permit(&state, &number, how, who).await?;
            let sent = send_to_all_at(&state, &number, StoppedBy::NoPermission, who).await?;
            Ok(sent.said(if is_new { Done::CallAgreed } else { Done::CallAgreedBefore }, &page))
        }
        "declined" => {
            let refusal = Refusal {
                address: Address::Fax(number),
                scope: Scope::Advertisement,
                reason: SuppressionReason::OptOut,
                source: SuppressionSource::Operator,
                evidence: Some(wording::declined_by_telephone(spoken.as_deref())),
                who: who.clone(),
                because: None,
                expires_ms: None,
            };
            consent::suppress(&state.gateway.consent(), &refusal).await?;
            Ok(then_show(&Done::CallDeclined.at(&page)))
        }
        _ => Err(refused_field("answer", "Please use the buttons on the page.")),
    }
}

/// `POST /calls/number/{id}`: the number is right as it is, or it is another one.
pub async fn number(
    State(state): State<WebState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageProblem> {
    let referrer = referrer(&state, &id).await?;
    let who = &posted.operator.actor;
    let page = sheet_of(&posted.fields, NUMBER);
    match posted.fields.text("answer") {
        "right" => {
            let number = referrer.fax.ok_or_else(|| refused("They have no fax number any more."))?;
            match addresses::revive(&state.gateway.operator(), &Address::Fax(number.clone()), who).await {
                // Nothing is held against it, as after a second click.
                Ok(()) | Err(OperatorError::WrongState(_)) => {}
                Err(error) => return Err(error.into()),
            }
            let sent = send_to_all_at(&state, &number, StoppedBy::WrongNumber, who).await?;
            Ok(sent.said(Done::CallNumberRight, &page))
        }
        "corrected" => {
            correct(&state, &referrer, &posted.fields, who).await?;
            let sent = send_to(&state, referrer.id, StoppedBy::WrongNumber, who).await?;
            Ok(sent.said(Done::CallNumberCorrected, &page))
        }
        _ => Err(refused_field("answer", "Please use the buttons on the page.")),
    }
}

/// Records the number they gave, and their permission for it if they gave that too.
async fn correct(state: &WebState, referrer: &Referrer, fields: &Fields, who: &Actor) -> Result<(), PageProblem> {
    let text = fields.line("number", "the right fax number", 64)?;
    let number = FaxNumber::parse(&text).map_err(|error| refused_field("number", sentence(&error.to_string())))?;
    if referrer.fax.as_ref() == Some(&number) {
        let words = "This is the fax number on record. If it is right, press “The number is right: try it again”.";
        return Err(refused_field("number", words));
    }
    if fields.text("permission") == "yes" {
        permit(state, &number, wording::given_by_telephone(None), who).await?;
    }
    referrers::edit(&state.gateway.referrers(), referrer.id, who, |one| one.fax = Some(number)).await?;
    Ok(())
}

async fn referrer(state: &WebState, id: &str) -> Result<Referrer, PageProblem> {
    let id: ReferrerId = id.parse().map_err(|_| nowhere())?;
    let found = state.gateway.store.read().await?.referrer(id).await?;
    found.filter(|one| one.removed_ms.is_none()).ok_or_else(nowhere)
}

/// Records that updates may be faxed to a number. False: that is on record already. Refused while an opt-out is in effect,
/// which a person must lift first.
pub(super) async fn permit(
    state: &WebState,
    number: &FaxNumber,
    how: String,
    who: &Actor,
) -> Result<bool, PageProblem> {
    let basis = basis_of_permission(number, how, who, &frame::calendar(state));
    match consent::add_permission(&state.gateway.consent(), &basis, who).await? {
        Permission::Recorded => Ok(true),
        Permission::OnRecord => Ok(false),
        Permission::OptedOut => Err(refused(
            "Nothing was changed: an opt-out is recorded for this fax number. If they want updates again, lift it under \
             Suppressions first, then record their permission.",
        )),
    }
}

/// Sends again what waited for the answer about a number, to every referrer who has it.
async fn send_to_all_at(state: &WebState, number: &FaxNumber, by: StoppedBy, who: &Actor) -> Result<Sent, PageProblem> {
    let mut sent = Sent::default();
    let mut after = ReferrerId(Uuid::nil());
    loop {
        let ids = state.gateway.store.read().await?.referrers_faxed_at(number, after, PORTION).await?;
        let Some(last) = ids.last() else { return Ok(sent) };
        after = *last;
        for id in ids {
            let one = send_to(state, id, by, who).await?;
            sent = Sent { again: sent.again + one.again, left: sent.left + one.left };
        }
    }
}

/// Sends again what waited for the answer of a referrer and may go now.
async fn send_to(state: &WebState, referrer: ReferrerId, by: StoppedBy, who: &Actor) -> Result<Sent, PageProblem> {
    let waiting = waiting(state, referrer, by).await?;
    let mut sent = Sent { again: 0, left: waiting.left };
    for id in waiting.may_go {
        match operator::act(&state.gateway.operator(), id, Act::Retry, who).await {
            Ok(_) => sent.again += 1,
            // It has moved on meanwhile, or the same letter was sent to them since.
            Err(OperatorError::WrongState(_) | OperatorError::NotFound(_)) => sent.left += 1,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(sent)
}

/// What waits for an answer.
#[derive(Debug, Default)]
struct Waiting {
    may_go: Vec<MessageId>,
    left: usize,
}

/// The letters that this stopped within [`AGE_MAX`]: every one about a patient, and of the others the latest only, unless a
/// later update was sent since, because the earlier ones are out of date.
async fn waiting(state: &WebState, referrer: ReferrerId, by: StoppedBy) -> Result<Waiting, PageProblem> {
    let now = state.gateway.clock.now();
    let mut tx = state.gateway.store.read().await?;
    let Some(person) = tx.referrer(referrer).await? else { return Ok(Waiting::default()) };
    let Some(number) = person.fax.clone() else { return Ok(Waiting::default()) };
    let stopped = tx.faxes_stopped(referrer, by, now.before(AGE_MAX)).await?;
    let latest = stopped.iter().find(|one| one.purpose != Purpose::Treatment).map(|one| one.id);
    let latest = latest.max(tx.fax_update_last(referrer).await?);
    let address = Address::Fax(number);
    let on_record = AddressFacts::look(&mut tx, &[address.key()]).await?;
    // A permission does not make a wrong number right.
    let has_wrong_number =
        by == StoppedBy::NoPermission && tx.addresses_known(&[address.key()]).await?.iter().any(is_wrong);
    let circumstances = Circumstances {
        permission_only: state.intake.permission_only,
        routed: true,
        baa: true,
        number_busy: false,
        now,
        closed_until: None,
    };
    let mut waiting = Waiting::default();
    for one in stopped.iter().filter(|one| one.purpose == Purpose::Treatment || Some(one.id) == latest) {
        let Some(message) = tx.message(one.id, false).await? else { continue };
        let message = Message { address: address.clone(), ..message };
        if !has_wrong_number && may_go(&message, &person, &on_record, circumstances) {
            waiting.may_go.push(message.id);
        } else {
            waiting.left += 1;
        }
    }
    Ok(waiting)
}

/// Whether nothing that is on record stands against a letter. What its number did so far does not count: the answer gives
/// it another chance.
fn may_go(message: &Message, to: &Referrer, on_record: &AddressFacts, circumstances: Circumstances) -> bool {
    let mut facts = on_record.of(&Subject::of(message, Some(to)), circumstances);
    facts.health = Health::Unverified;
    !matches!(policy::decide(&facts), Verdict::Deny(_) | Verdict::Hold(_))
}

/// Whether a fax number does not exist, is no fax, or counts as dead.
fn is_wrong(known: &AddressHealth) -> bool {
    let has_no_fax = matches!(known.fault, Some(Fault::NotAFax | Fault::InvalidNumber));
    known.health == Health::Dead || (has_no_fax && known.health != Health::Confirmed)
}

/// The page to go back to: that of the sheet on which the answer was given, or the referrer's where it was about them alone.
fn sheet_of(fields: &Fields, sheet: &str) -> String {
    let page = fields.text("page");
    let query = page.strip_prefix(sheet).and_then(|rest| rest.strip_prefix('?'));
    match query.and_then(|query| query.split_once('=')) {
        Some(("after", after)) if place(after).is_some() => page.to_owned(),
        Some(("of", id)) if id.parse::<ReferrerId>().is_ok() => format!("/referrers/{id}"),
        _ => sheet.to_owned(),
    }
}
