//! One return in full: what was read in it, what followed, and a mail as text that a page can show.

use super::moment::Calendar;
use crate::domain::PolicyReason;
use crate::domain::referrer::{Referrer, ReferrerState};
use crate::domain::returned::{Automatic, ReturnKind};
use crate::domain::suppression::Suppression;
use crate::feedback::returns::{automatic_rows, verdict_rows};
use crate::store::records::returns::ReturnRow;
use crate::store::{StoreError, Tx};
use crate::wording;

/// Something that followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// What, as a sentence.
    pub words: String,
    /// Where it is dealt with: the link's words, and where it leads.
    pub link: Option<(&'static str, String)>,
}

/// What was read in a return: names and values, in the order in which people ask for them.
#[must_use]
pub fn facts(row: &ReturnRow) -> Vec<(&'static str, String)> {
    let facts = [
        ("Recipient", row.recipient.clone()),
        ("Sender", row.sender.clone()),
        ("About the address", row.class.map(|class| wording::returns::class(class).to_owned())),
        ("Reason", row.reason.map(|reason| wording::fault(reason).to_owned())),
        ("Kind of answer", row.automatic.map(|what| wording::returns::automatic_reply(what).to_owned())),
        ("Back on", row.back_on.as_deref().map(wording::returns::written_day)),
        ("Status code", row.status.clone()),
        ("What the server said", row.diagnostic.clone()),
        ("Decided by", row.verdict_row.as_deref().map(decided_by)),
        ("Came to", Some(row.source.clone())),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// The row of the tables that decided, with where it is known from.
fn decided_by(row: &str) -> String {
    let of_verdicts = verdict_rows().iter().find(|known| known.id == row).map(|known| known.source.as_str());
    let of_answers = || automatic_rows().iter().find(|known| known.id == row).map(|known| known.source.as_str());
    match of_verdicts.or_else(of_answers) {
        Some(source) => format!("{row}: {source}"),
        None => row.to_owned(),
    }
}

/// What followed from a return, as it stands now.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub async fn followed(
    tx: &mut Tx,
    row: &ReturnRow,
    referrer: Option<&Referrer>,
    calendar: &Calendar,
) -> Result<Vec<Followed>, StoreError> {
    let suppressions = tx.suppressions_ever_because(row.id).await?;
    let mut followed: Vec<Followed> = suppressions.iter().map(|one| suppressed(one, calendar)).collect();
    let Some(referrer) = referrer else { return Ok(followed) };
    let answers = matches!(row.kind, ReturnKind::Reply | ReturnKind::OptOut);
    if answers && referrer.state == ReferrerState::ConversationOpen {
        followed.push(Followed {
            words: "The conversation with them is open: automatic updates wait.".to_owned(),
            link: Some(("Close it on their page", format!("/referrers/{}#state-title", referrer.id))),
        });
    }
    if row.kind == ReturnKind::OptOut {
        followed.extend(held(tx.held_because(referrer.id, PolicyReason::AskedToStop.into()).await?));
    }
    if row.automatic == Some(Automatic::Absence) {
        let away = tx.away_among(&[referrer.id], calendar.now).await?;
        followed.extend(away.first().map(|(_, until)| Followed {
            words: format!("Automatic updates to them wait until {}.", calendar.moment(*until).said),
            link: None,
        }));
    }
    Ok(followed)
}

fn suppressed(one: &Suppression, calendar: &Calendar) -> Followed {
    let (scope, since) = (wording::suppression_scope(one.scope), calendar.moment(one.created_ms).said);
    let end = match (one.lifted_ms, one.expires_ms) {
        (Some(at), _) => format!(" It was lifted {}.", calendar.moment(at).said),
        (None, Some(at)) => format!(" It ends {}.", calendar.moment(at).said),
        (None, None) => String::new(),
    };
    Followed {
        words: format!("{} is suppressed for {scope} since {since}.{end}", wording::capitalized(&one.address.masked())),
        link: Some(("Suppressions", "/suppressions".to_owned())),
    }
}

fn held(messages: i64) -> Option<Followed> {
    (messages > 0).then(|| Followed {
        words: format!(
            "{} held until you decide.",
            wording::count(messages, "letter to them is", "letters to them are")
        ),
        link: Some(("See them", format!("/failures?reason={}", PolicyReason::AskedToStop.as_str()))),
    })
}

/// A mail as text: what is no text and what no page can show becomes a replacement character.
#[must_use]
pub fn readable(octets: &[u8]) -> String {
    let text = String::from_utf8_lossy(octets).replace("\r\n", "\n");
    text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_of_any_octets_becomes_text_that_a_page_can_show() {
        assert_eq!(
            readable(b"Subject: =?x?=\r\n\r\nHello\tthere\0\xff\x1b[2J"),
            "Subject: =?x?=\n\nHello\tthere\u{fffd}\u{fffd}\u{fffd}[2J"
        );
    }

    #[test]
    fn a_row_of_the_tables_is_shown_with_where_it_is_known_from() {
        let row = verdict_rows().first().expect("a row");
        assert_eq!(decided_by(&row.id), format!("{}: {}", row.id, row.source));
        assert_eq!(decided_by("bounced"), "bounced");
    }
}
