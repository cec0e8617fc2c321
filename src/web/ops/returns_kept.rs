//! What is kept of a return beyond what was read in it, for its page: all of a person's answer, and the mail or the mail provider's
//! callback as it came. Both are shown on demand.

use secrecy::ExposeSecret;

use super::frame;
use super::view::moment::Moment;
use super::view::returned;
use crate::access::note_document_view;
use crate::domain::message::Message;
use crate::feedback::returns::evidence::{AsItCame, as_it_came};
use crate::feedback::returns::replies::{ReplyError, ReplyKept, read_reply};
use crate::store::records::returns::ReturnRow;
use crate::web::WebState;
use crate::web::problem::PageProblem;
use crate::web::session::Operator;

/// How much of a mail or a callback is shown, in octets.
const OCTETS_SHOWN: usize = 64 * 1024;

/// What a return was read in.
pub(super) enum Came {
    /// It is kept, and shown on demand.
    Kept {
        /// Whether it is a mail provider's callback.
        is_callback: bool,
    },
    /// Its text, and whether there is more of it.
    Shown {
        /// Whether it is a mail provider's callback.
        is_callback: bool,
        /// The headers of a callback, one a line.
        head: String,
        /// The mail, or the callback's body.
        text: String,
        /// Whether there is more.
        is_cut: bool,
    },
    /// It was kept, until then.
    Purged(Moment),
    /// It is not kept, and perhaps never was.
    NotKept,
}

/// All of a person's answer.
pub(super) enum Answer {
    /// It is kept, and shown on demand.
    Sealed,
    /// Its text, and whether there is more of it.
    Shown {
        /// What they wrote.
        text: String,
        /// Whether there is more.
        is_cut: bool,
    },
    /// It is kept and cannot be opened: why, and what to do.
    Locked(String),
    /// It was kept, until then.
    Purged(Moment),
    /// It never was kept.
    NotKept,
}

/// The mail or the callback as it came. That of a letter about a patient is written down before it is shown.
pub(super) async fn came(
    state: &WebState,
    operator: &Operator,
    row: &ReturnRow,
    message: Option<&Message>,
    may_show: bool,
) -> Result<Came, PageProblem> {
    let came = as_it_came(&mut state.gateway.store.read().await?, row).await?;
    let (is_callback, headers, octets) = match came {
        AsItCame::Mail(octets) => (false, Vec::new(), octets),
        AsItCame::Callback { headers, body } => (true, headers, body),
        AsItCame::Purged(at) => return Ok(Came::Purged(frame::calendar(state).moment(at))),
        AsItCame::NotKept => return Ok(Came::NotKept),
    };
    if !may_show {
        return Ok(Came::Kept { is_callback });
    }
    if let Some(message) = message {
        note_document_view(&state.gateway.access(), message, "mail that came back", &operator.actor).await?;
    }
    let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let shown = octets.get(..OCTETS_SHOWN).unwrap_or(&octets);
    Ok(Came::Shown {
        is_callback,
        head: returned::readable(lines.join("\n").as_bytes()),
        text: returned::readable(shown),
        is_cut: shown.len() < octets.len(),
    })
}

/// All of the answer, if it is asked for; the reading is written down first.
pub(super) async fn answer(
    state: &WebState,
    operator: &Operator,
    row: &ReturnRow,
    may_show: bool,
) -> Result<Answer, PageProblem> {
    let stored = state.gateway.store.read().await?.reply(row.id).await?;
    match ReplyKept::of(stored.as_ref()) {
        ReplyKept::Never => Ok(Answer::NotKept),
        ReplyKept::Purged(at) => Ok(Answer::Purged(frame::calendar(state).moment(at))),
        ReplyKept::Sealed if !may_show => Ok(Answer::Sealed),
        ReplyKept::Sealed => match read_reply(&state.gateway.feedback(), row.id, &operator.actor).await {
            Ok(reply) => Ok(Answer::Shown {
                text: returned::readable(reply.text.expose_secret().as_bytes()),
                is_cut: reply.is_cut,
            }),
            Err(ReplyError::Locked(words)) => Ok(Answer::Locked(words)),
            Err(error) => Err(PageProblem(error.into())),
        },
    }
}
