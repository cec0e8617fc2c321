//! The demo's story for people: a table of who was reached and by what, and where to look.

use std::collections::BTreeMap;

use anyhow::Context;
use comfy_table::{ContentArrangement, Table, TableComponent, presets};

use super::report::{self, MessageReport, ReferrerReport};
use super::stage::{OPERATOR, Stage};
use crate::domain::attempt::Attempt;
use crate::domain::id::short;
use crate::domain::message::Message;
use crate::domain::{Channel, Fault, MessageStatus, PolicyReason, Reason};
use crate::intake::answer::Accepted;
use crate::render::{Job, preview};
use crate::store::views::ledger::Ledger;
use crate::wording;

/// The table, and under it why some were not reached.
pub(super) async fn story(stage: &Stage, accepted: &Accepted, ledger: Ledger) -> anyhow::Result<String> {
    let goal = stage.gateway.config.sending.touch_goal;
    let referrers = report::referrers(stage).await?;
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    for line in [
        TableComponent::HorizontalLines,
        TableComponent::LeftBorderIntersections,
        TableComponent::MiddleIntersections,
        TableComponent::RightBorderIntersections,
    ] {
        table.remove_style(line);
    }
    table.set_header(["Referrer", "Fax", "Email", "Touches", "What happens next"]);
    for referrer in &referrers {
        table.add_row([
            referrer.name.clone(),
            cell(referrer, Channel::Fax, accepted),
            cell(referrer, Channel::Email, accepted),
            format!("{} of {goal}", referrer.touches_delivered),
            next(referrer).to_owned(),
        ]);
    }
    let shared = accepted.skipped.iter().filter(|skipped| skipped.why.starts_with("shares")).count();
    let mut story = format!("{table}\n\n{}", sentence(ledger));
    if shared > 0 {
        story.push_str(&format!("\n{shared} shared a fax number with a colleague: one copy went there."));
    }
    story.push_str(&reasons(&referrers));
    Ok(story)
}

fn cell(referrer: &ReferrerReport, channel: Channel, accepted: &Accepted) -> String {
    let Some(message) = referrer.messages.iter().find(|message| message.channel == channel) else {
        let shared = accepted.skipped.iter().any(|skipped| {
            skipped.name == referrer.name && skipped.channel == Some(channel) && skipped.why.starts_with("shares")
        });
        return if shared { "with a colleague's copy" } else { "—" }.to_owned();
    };
    match (message.status, message.reason) {
        (MessageStatus::Delivered, _) => "delivered".to_owned(),
        (status, Some(reason)) => {
            format!("{}: {}", wording::status(status).1, reason.as_str().replace('_', " "))
        }
        (status, None) => wording::status(status).1.to_owned(),
    }
}

/// A short phrase for the office manager.
fn next(referrer: &ReferrerReport) -> &'static str {
    let has = |status| referrer.messages.iter().any(|message| message.status == status);
    let because =
        |reason: Reason| referrer.messages.iter().any(|message: &MessageReport| message.reason == Some(reason));
    if because(PolicyReason::NoBasis.into()) {
        "ask for permission to fax"
    } else if because(Fault::NotAFax.into()) || because(Fault::InvalidNumber.into()) {
        "ask for the right fax number"
    } else if because(Fault::MailboxUnknown.into()) {
        "ask for the right email"
    } else if because(Fault::PartialSend.into()) {
        "ask which pages of the fax arrived"
    } else if has(MessageStatus::InDoubt) {
        "find out whether it arrived"
    } else if has(MessageStatus::Delivered) {
        "next useful letter in 2 to 4 weeks"
    } else {
        "look at the failure"
    }
}

fn sentence(ledger: Ledger) -> String {
    format!(
        "{} messages: {} delivered, {} failed, {} suppressed, {} in doubt, {} held.",
        ledger.total, ledger.delivered, ledger.failed, ledger.suppressed, ledger.in_doubt, ledger.held
    )
}

/// Each reason once, in plain words, with what to do.
fn reasons(referrers: &[ReferrerReport]) -> String {
    let mut counts: BTreeMap<&str, (Reason, usize)> = BTreeMap::new();
    for message in referrers.iter().flat_map(|referrer| &referrer.messages) {
        if let Some(reason) = message.reason.filter(|_| message.status != MessageStatus::Delivered) {
            counts.entry(reason.as_str()).or_insert((reason, 0)).1 += 1;
        }
    }
    counts
        .into_iter()
        .map(|(word, (reason, count))| {
            format!(
                "\n  {count} × {}: {} {}",
                word.replace('_', " "),
                wording::explain(reason),
                wording::advice(reason)
            )
        })
        .collect()
}

/// Writes the page and the email of one recipient into the folder, and says where everything is; only the files if the
/// demo ends now.
pub(super) async fn where_to_look(stage: &Stage, accepted: &Accepted, ends: bool) -> anyhow::Result<String> {
    let mut text = "Where to look\n".to_owned();
    if !ends {
        text.push_str(&format!(
            "  the dashboard      {}/  (name {OPERATOR}, password {})\n  the sandbox's fax  {}/\n",
            stage.address,
            stage.password,
            stage.line_url()
        ));
    }
    if let Some((message, attempt)) = delivered_fax(stage, accepted).await? {
        let page = write_page(stage, &message, &attempt).await?;
        text.push_str(&format!("  the fax page       {page}\n"));
        if !ends {
            text.push_str(&format!("  one history        {}/referrers/{}\n", stage.address, message.referrer_id));
        }
    }
    if let Some(mail) = stage.catcher.messages().first() {
        let path = stage.folder.join("caught.eml");
        crate::files::write_private(&path, &mail.eml)
            .with_context(|| format!("{} cannot be written", path.display()))?;
        text.push_str(&format!("  a caught email     {}\n", path.display()));
    }
    text.push_str(&format!("  everything         {}", stage.folder.display()));
    Ok(text)
}

async fn delivered_fax(stage: &Stage, accepted: &Accepted) -> anyhow::Result<Option<(Message, Attempt)>> {
    let mut tx = stage.gateway.store.read().await?;
    for one in accepted.messages.iter().filter(|one| one.channel == Channel::Fax) {
        let message = tx.message(one.id, false).await?;
        let Some(message) = message.filter(|message| message.status == MessageStatus::Delivered) else { continue };
        if let Some(attempt) = tx.attempts_of(message.id).await?.pop() {
            return Ok(Some((message, attempt)));
        }
    }
    Ok(None)
}

/// The letter as that recipient got it, in every format; answers the path of the fax page's picture.
async fn write_page(stage: &Stage, message: &Message, attempt: &Attempt) -> anyhow::Result<String> {
    let referrer = stage.gateway.store.read().await?.referrer(message.referrer_id).await?;
    let referrer = referrer.context("the referrer is gone")?;
    let variables = serde_json::from_str(&message.variables).context("stored variables")?;
    let reference = short(&message.id.0);
    let job = Job {
        letter: &message.letter,
        referrer: &referrer,
        variables: &variables,
        now: attempt.opened_ms,
        reference: &reference,
        unsubscribe: None,
        automatic: true,
    };
    let folder = stage.folder.join("letter");
    preview::write_preview(&stage.gateway.renderer, &job, &folder, None)?;
    Ok(folder.join("fax.png").display().to_string())
}
