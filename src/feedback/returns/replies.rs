//! What people answer, where the setting says that all of it is kept: its text is sealed before it is stored, and opened for one reader at
//! a time, who stands in the audit trail for it.

use secrecy::{ExposeSecret, SecretString};

use super::material::Material;
use super::mime::Entity;
use crate::domain::id::{ReturnId, short};
use crate::domain::{Actor, AuditAct, Timestamp};
use crate::feedback::Parts;
use crate::sealing::{KeyPlace, Purpose, Sealer};
use crate::store::records::replies::SealedReply;
use crate::store::{StoreError, Tx};

/// The longest text of an answer that is kept, in octets.
pub const REPLY_OCTETS_MAX: usize = 64 * 1024;

/// The text of an answer before it is sealed. Prints nothing of it.
#[derive(Debug, Clone)]
pub(in crate::feedback) struct ReplyText {
    text: SecretString,
    /// The size of the whole text in octets.
    octets: usize,
}

impl ReplyText {
    /// What a mail says, decoded: its plain text, or else its HTML as text; the letter that it quotes belongs to it.
    pub fn of(mail: &[u8]) -> Self {
        let entity = Entity::parse(mail);
        let text: String = Material::of(&entity).text.chars().filter(|c| !c.is_control() || is_white(*c)).collect();
        let text = text.trim();
        let kept = text.get(..floor_char_boundary(text, REPLY_OCTETS_MAX)).unwrap_or_default();
        Self { text: SecretString::from(kept.to_owned()), octets: text.len() }
    }
}

const fn is_white(c: char) -> bool {
    matches!(c, '\n' | '\t')
}

/// The last place up to `at` where a text can be cut.
fn floor_char_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|place| text.is_char_boundary(*place)).unwrap_or(0)
}

/// Stores the texts of answers, sealed. Where there is no key, nothing of them is kept, which the log says: the answers themselves are
/// on record, and no other mail waits for it.
///
/// # Errors
/// The database cannot be used.
pub(super) async fn keep(
    tx: &mut Tx,
    key: &KeyPlace,
    replies: &[(ReturnId, &ReplyText, Timestamp)],
) -> Result<(), StoreError> {
    if replies.is_empty() {
        return Ok(());
    }
    let sealed = key.sealer_or_new(Purpose::Replies).and_then(|sealer| {
        let seal = |(id, reply, received): &(ReturnId, &ReplyText, Timestamp)| {
            Ok((*id, sealer.seal(&reply.text, &place(*id))?, reply.octets, *received))
        };
        replies.iter().map(seal).collect::<Result<Vec<_>, _>>()
    });
    let sealed = match sealed {
        Ok(sealed) => sealed,
        Err(error) => {
            tracing::error!(%error, answers = replies.len(), "the text of answers is not kept: it cannot be sealed");
            metrics::counter!("touchline_replies_unsealed_total").increment(replies.len() as u64);
            return Ok(());
        }
    };
    for (id, text, octets, received) in sealed {
        tx.reply_insert(id, &text, i64::try_from(octets).unwrap_or(i64::MAX), received).await?;
    }
    Ok(())
}

/// Where a text belongs: it cannot be opened as that of another answer.
fn place(id: ReturnId) -> Vec<u8> {
    format!("reply {id}").into_bytes()
}

/// What is kept of the text of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyKept {
    /// Nothing, and nothing ever was.
    Never,
    /// Its text, sealed.
    Sealed,
    /// Nothing any more, since then.
    Purged(Timestamp),
}

impl ReplyKept {
    /// Says it of a stored text.
    #[must_use]
    pub fn of(stored: Option<&SealedReply>) -> Self {
        match stored {
            None => Self::Never,
            Some(SealedReply { sealed: Some(_), .. }) => Self::Sealed,
            Some(SealedReply { purged_ms, .. }) => Self::Purged(purged_ms.unwrap_or(Timestamp(0))),
        }
    }
}

/// The text of an answer, opened. Prints nothing of it.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The text: no control characters but line feeds and tabs.
    pub text: SecretString,
    /// Whether the answer is longer than what is kept of it ([`REPLY_OCTETS_MAX`]).
    pub is_cut: bool,
}

/// Why the text of an answer is not shown.
#[derive(Debug, thiserror::Error)]
pub enum ReplyError {
    /// There is no such return.
    #[error("there is no return {0}")]
    NotFound(ReturnId),
    /// Nothing is kept of it, or nothing any more: why, in words.
    #[error("{0}")]
    NotKept(String),
    /// It cannot be opened: the key is missing, or another one. What to do, in words.
    #[error("{0}")]
    Locked(String),
    /// The database cannot do it now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens the text of an answer for `who`, whose reading is recorded before this answers.
///
/// # Errors
/// [`ReplyError`]; then nothing was read, and nothing is recorded.
pub async fn read_reply(parts: &Parts, id: ReturnId, who: &Actor) -> Result<Reply, ReplyError> {
    let mut tx = parts.store.write().await?;
    let row = tx.return_row(id, false).await?.ok_or(ReplyError::NotFound(id))?;
    let stored = tx.reply(id).await?;
    let reply = opened(&parts.returns.key, id, stored)?;
    let about = row.message_id.map(|message| format!("answer to letter {}", short(&message.0)));
    tx.audit(who, AuditAct::ReadReply, Some(&id.to_string()), about.as_deref(), parts.clock.now()).await?;
    tx.commit().await?;
    Ok(reply)
}

fn opened(key: &KeyPlace, id: ReturnId, stored: Option<SealedReply>) -> Result<Reply, ReplyError> {
    let not_kept = |words: String| Err(ReplyError::NotKept(words));
    let Some(stored) = stored else {
        return not_kept(
            "the text of this answer was not kept: `replies = \"whole\"` in [returns] keeps those to come".into(),
        );
    };
    let Some(sealed) = &stored.sealed else {
        let day = stored.purged_ms.map(|at| at.to_utc().date_naive().to_string()).unwrap_or_default();
        return not_kept(format!("the text of this answer was deleted on {day}: its time was over"));
    };
    let sealer: Sealer = key.sealer(Purpose::Replies).map_err(|error| ReplyError::Locked(error.to_string()))?;
    let text = sealer.open(sealed, &place(id)).ok_or_else(|| {
        ReplyError::Locked(
            "the text of this answer was sealed with another key: put the earlier key back (store.key, or the file \
             beside the database)"
                .to_owned(),
        )
    })?;
    let kept = i64::try_from(text.expose_secret().len()).unwrap_or(i64::MAX);
    Ok(Reply { is_cut: stored.octets > kept, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(mail: &[u8]) -> (String, usize) {
        let read = ReplyText::of(mail);
        (read.text.expose_secret().to_owned(), read.octets)
    }

    #[test]
    fn the_plain_text_is_kept_else_the_html_as_text_and_no_control_character() {
        let both = b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>No</p>\r\n\
            --b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nOui, caf=C3=A9\0\x1b[2J.\r\n\r\n> Hello\r\n--b--\r\n";
        assert_eq!(text(both).0, "Oui, caf\u{e9}[2J.\n\n> Hello");
        assert_eq!(text(b"Content-Type: text/html\r\n\r\n<p>Yes &amp; no</p>").0, "Yes & no");
        assert_eq!(text(b""), (String::new(), 0));
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_its_size_known() {
        let mail = format!("Content-Type: text/plain; charset=utf-8\r\n\r\nx{}", "\u{e9}".repeat(REPLY_OCTETS_MAX));
        let (kept, octets) = text(mail.as_bytes());
        assert_eq!((kept.len(), octets), (REPLY_OCTETS_MAX - 1, 1 + 2 * REPLY_OCTETS_MAX));
    }

    #[test]
    fn a_text_is_opened_as_that_of_its_own_answer_only_and_a_lost_key_is_said() {
        let key = KeyPlace::Given(SecretString::from("k".repeat(40)));
        let (id, other) = (ReturnId::new(), ReturnId::new());
        let sealer = key.sealer(Purpose::Replies).expect("a key");
        let sealed = sealer.seal(&SecretString::from("canary"), &place(id)).expect("sealed");
        let stored = |sealed: Option<Vec<u8>>| {
            Some(SealedReply { return_id: id, sealed, octets: 6, purged_ms: Some(Timestamp(0)) })
        };
        let reply = opened(&key, id, stored(Some(sealed.clone()))).expect("opened");
        assert_eq!((reply.text.expose_secret(), reply.is_cut), ("canary", false));
        assert!(!format!("{reply:?}").contains("canary"));
        let lost = KeyPlace::Given(SecretString::from("x".repeat(40)));
        for (key, id, stored, says) in [
            (&key, other, stored(Some(sealed.clone())), "another key"),
            (&lost, id, stored(Some(sealed.clone())), "another key"),
            (&KeyPlace::Nowhere, id, stored(Some(sealed)), "store.key is not set"),
            (&key, id, stored(None), "deleted on 1970-01-01"),
            (&key, id, None, "was not kept"),
        ] {
            let error = opened(key, id, stored).expect_err("not shown").to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
