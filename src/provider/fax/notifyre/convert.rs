//! What comes before the hand-over: the document is uploaded and converted. Nothing here dials, so whatever goes wrong, no
//! fax was made.
//!
//! Their conversion takes a moment and tells nobody when it is done, so this adapter waits before it hands over: a few
//! times, for seconds, within the time that the call has anyway (decision 0016).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Notifyre;
use crate::domain::Outcome;
use crate::domain::fault::{Failure, Fault};
use crate::http::Trouble;
use crate::provider::kit::letter::Letter;
use crate::provider::kit::reading::{text, unreadable};

/// The waits between looks; after the last one, its length again until the time is over.
const WAITS: [Duration; 4] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];
/// Looks at most, whatever the time.
const LOOKS_MAX: usize = 30;
/// Longest name of a file of theirs.
const NAME_CHARS_MAX: usize = 200;

/// How far a conversion is.
enum Conversion {
    /// Done: the file's id.
    Done(String),
    /// It goes on.
    UnderWay,
    /// The document cannot be converted.
    Failed,
}

impl Notifyre {
    /// Uploads the document and waits until it is converted; the id to send it by.
    pub(super) async fn convert(&self, letter: &Letter<'_>, within: Duration) -> Result<String, Outcome> {
        let until = Instant::now() + within;
        let name = self.upload(letter, within).await?;
        for look in 0..LOOKS_MAX {
            match self.conversion(&name, until).await? {
                Conversion::Done(id) => return Ok(id),
                Conversion::Failed => {
                    let failure = Failure::new(Fault::DocumentError).code("failed");
                    return Err(Outcome::Refused(failure.text("the document could not be converted")));
                }
                Conversion::UnderWay => {}
            }
            let wait = WAITS[look.min(WAITS.len() - 1)];
            if Instant::now() + wait >= until {
                break;
            }
            tokio::time::sleep(wait).await;
        }
        let failure = Failure::new(Fault::ProviderError).text("the document was still being converted");
        Err(Outcome::NotSent(failure))
    }

    /// Uploads the document; the name by which its conversion is asked for.
    async fn upload(&self, letter: &Letter<'_>, within: Duration) -> Result<String, Outcome> {
        let body = json!({ "base64Str": BASE64.encode(letter.pdf), "contentType": "application/pdf" });
        let request = self.client.post(&["fax", "send", "conversion"]).json(&body);
        let body = self.client.prepare(request, within).await?;
        let name = text(&body["payload"], "fileName").filter(|name| is_a_name(name));
        name.ok_or_else(|| Outcome::NotSent(unreadable("the document was taken, but the answer holds no name")))
    }

    async fn conversion(&self, name: &str, until: Instant) -> Result<Conversion, Outcome> {
        let request = self.client.get(&["fax", "send", "conversion", name]);
        let left = until.saturating_duration_since(Instant::now());
        let answer = self.client.call(request, left).await.map_err(Trouble::outcome_before_dialing)?;
        if answer.status == 404 {
            // Their own libraries take this for a conversion that has not begun.
            return Ok(Conversion::UnderWay);
        }
        conversion(&self.client.prepared(&answer)?["payload"])
            .ok_or_else(|| Outcome::NotSent(unreadable("the state of the conversion cannot be read")))
    }
}

fn conversion(payload: &Value) -> Option<Conversion> {
    match payload["status"].as_str()? {
        "successful" => text(payload, "id").map(Conversion::Done),
        "failed" => Some(Conversion::Failed),
        _ => Some(Conversion::UnderWay),
    }
}

/// Whether a text can stand as one part of a path: a file's name, with an ending perhaps.
fn is_a_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.len() <= NAME_CHARS_MAX && !text.starts_with('.') && text.chars().all(plain)
}
