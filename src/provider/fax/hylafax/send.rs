//! Handing a fax over: upload, make a job, describe it, submit it.

use tokio::time::{Duration, Instant};

use super::connection::Connection;
use super::dialogue::{Reply, Silence, quoted};
use super::fault;
use super::job::{self, JobReference};
use super::{HylaFax, SPEC};
use crate::domain::Outcome;
use crate::domain::envelope::Envelope;
use crate::domain::event::Fact;
use crate::domain::fault::{Failure, Fault};
use crate::provider::kit::letter::Letter;
use crate::provider::kit::reading::unreadable;

/// Longest text of a parameter.
const TEXT_CHARS_MAX: usize = 64;
/// How long it may take to throw an unwanted job away.
const CLEANING: Duration = Duration::from_secs(5);

/// A parameter of a job, and whether the server must know it.
struct Parameter {
    name: &'static str,
    value: String,
    optional: bool,
}

impl Parameter {
    fn text(name: &'static str, value: &str) -> Self {
        Self { name, value: quoted(value, TEXT_CHARS_MAX), optional: false }
    }

    fn word(name: &'static str, value: impl ToString) -> Self {
        Self { name, value: value.to_string(), optional: false }
    }

    /// Older servers do not know it, and the fax goes without.
    fn optional(self) -> Self {
        Self { optional: true, ..self }
    }
}

impl HylaFax {
    /// Hands one fax over. Everything before `JSUBM` has three quarters of the account's time, so that the answer to
    /// it, the only one that matters, is not cut short.
    pub(super) async fn send(&self, envelope: &Envelope) -> Outcome {
        let letter = match Letter::of(&SPEC, self.settings.from.as_ref(), envelope) {
            Ok(letter) => letter,
            Err(outcome) => return outcome,
        };
        let start = Instant::now();
        let end = start + self.timeout;
        let mut connection = match Connection::open(&self.server, start + self.timeout * 3 / 4).await {
            Ok(connection) => connection,
            Err(failure) => return before_submission(failure),
        };
        let job = match self.make_job(&mut connection, &letter, end).await {
            Ok(job) => job,
            Err(failure) => {
                connection.quit().await;
                return before_submission(failure);
            }
        };
        let answer = connection.say(&format!("JSUBM {}", job.id), end).await;
        let outcome = match of_submission(answer, &job) {
            Outcome::Refused(failure) => Outcome::Refused(reason(&mut connection, &job).await.unwrap_or(failure)),
            other => other,
        };
        if matches!(outcome, Outcome::Refused(_) | Outcome::NotSent(_)) {
            throw_away(&mut connection, &job.id, end).await;
        }
        connection.quit().await;
        outcome
    }

    /// A job that is complete and not submitted. On failure there is none.
    async fn make_job(
        &self,
        connection: &mut Connection,
        letter: &Letter<'_>,
        end: Instant,
    ) -> Result<JobReference, Failure> {
        connection.prepare_upload().await?;
        let document = connection.upload(letter.pdf).await?;
        let made = connection.ask("JNEW", &[200]).await?;
        let tag = letter.attempt.to_string();
        let job = job_id(made.text()).and_then(|id| JobReference::new(id, &tag));
        let job = job.ok_or_else(|| unreadable("the fax server does not say which job it made"))?;
        if let Err(failure) = self.describe(connection, letter, &document).await {
            // A server that said nothing will not say more; it cleans up behind the connection.
            if failure.raw_code.is_some() {
                throw_away(connection, &job.id, end).await;
            }
            return Err(failure);
        }
        Ok(job)
    }

    async fn describe(&self, connection: &mut Connection, letter: &Letter<'_>, document: &str) -> Result<(), Failure> {
        for Parameter { name, value, optional } in self.parameters(letter) {
            let wanted: &[u16] = if optional { &[213, 500, 502, 503] } else { &[213] };
            connection.ask(&format!("JPARM {name} {value}"), wanted).await?;
        }
        connection.ask(&format!("JPARM DOCUMENT {document}"), &[200]).await.map(|_| ())
    }

    /// Everything that the server would otherwise decide by itself. `EXTERNAL` is the number by which it keeps to its
    /// rules for destinations; `DIALSTRING` is what it dials.
    fn parameters(&self, letter: &Letter<'_>) -> Vec<Parameter> {
        let settings = &self.settings;
        let mut parameters = vec![
            Parameter::text("FROMUSER", letter.sender),
            Parameter::text("DIALSTRING", &settings.dial_string(letter.to)),
            Parameter::text("EXTERNAL", letter.to.as_str()),
            Parameter::text("JOBINFO", &letter.attempt.to_string()),
            Parameter::text("TSI", letter.from.as_str()).optional(),
            Parameter::word("NOTIFY", "NONE"),
            Parameter::word("MAXDIALS", settings.dials),
            Parameter::word("MAXTRIES", settings.tries),
            Parameter::word("LASTTIME", settings.last_time()),
            // Fine, and US Letter in whole millimetres.
            Parameter::word("VRES", 196),
            Parameter::word("PAGEWIDTH", 216),
            Parameter::word("PAGELENGTH", 279),
        ];
        if settings.tagline {
            parameters.push(Parameter::word("USETAGLINE", "NO"));
        } else {
            // "YES" means a line of the job's own, and an empty one is none.
            parameters.extend([Parameter::word("USETAGLINE", "YES"), Parameter::text("TAGLINE", "")]);
        }
        parameters
    }
}

/// What failed before the submission has sent nothing; a definite no is a refusal.
fn before_submission(failure: Failure) -> Outcome {
    let definite = failure.raw_code.as_deref().is_some_and(|code| code.starts_with('5') || code == "331");
    if definite { Outcome::Refused(failure) } else { Outcome::NotSent(failure) }
}

/// What hfaxd says behind 460 where the scheduler was not reached at all (hfaxd/FIFO.c++).
const NOT_REACHED: [&str; 3] = ["unable to open scheduler fifo", "fifo write failed", "client fifo is not open"];
/// What it says where the scheduler looked at the job and did not take it.
const NOT_TAKEN: &str = "scheduler nak'd request";

/// What the answer to `JSUBM` means. hfaxd answers 200 once the scheduler has the job. Other answers are a definite no,
/// except those after which the scheduler may have it all the same: the connection was being closed, or the scheduler's
/// own answer was not understood.
fn of_submission(answer: Result<Reply, Silence>, job: &JobReference) -> Outcome {
    let reply = match answer {
        Ok(reply) => reply,
        Err(silence) => return Outcome::Unknown(silence.failure()),
    };
    let failure = fault::of_reply(&reply);
    let text = reply.text().to_ascii_lowercase();
    match reply.code {
        200 => Outcome::Accepted { reference: job.reference() },
        460 if text.contains(NOT_TAKEN) => Outcome::Refused(failure),
        460 if NOT_REACHED.iter().any(|words| text.contains(words)) => Outcome::NotSent(failure),
        460 | 421 | 426 => Outcome::Unknown(failure),
        221 | 400..=499 => Outcome::NotSent(failure),
        500..=599 => Outcome::Refused(failure),
        _ => Outcome::Unknown(Failure { fault: Fault::ProtocolError, ..failure }),
    }
}

/// Why the scheduler did not take a job: it has written that into the job, as it does when a fax fails.
async fn reason(connection: &mut Connection, job: &JobReference) -> Option<Failure> {
    match job::report(connection, job).await.ok()?.fact {
        Fact::Failed(failure) => Some(failure),
        _ => None,
    }
}

/// Deletes a job that was not submitted, and with it its hold on the document; the upload itself goes with the
/// connection. Nothing depends on it.
async fn throw_away(connection: &mut Connection, id: &str, end: Instant) {
    connection.extend(end.min(Instant::now() + CLEANING));
    let _ = connection.ask(&format!("JDELE {id}"), &[200]).await;
}

/// The number in `New job created: jobid: 17 groupid: 17.`
fn job_id(text: &str) -> Option<&str> {
    let id = text.split_once("jobid:")?.1.split_whitespace().next()?;
    Some(id.trim_end_matches(['.', ',']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submitted(code: u16, text: &str) -> &'static str {
        let job = JobReference::new("17", "tag").expect("a job");
        of_submission(Ok(Reply { code, lines: vec![text.to_owned()] }), &job).as_str()
    }

    #[test]
    fn only_a_definite_no_to_the_submission_is_one() {
        assert_eq!(submitted(200, "Job 17 submitted."), "accepted");
        assert_eq!(submitted(460, "Failed to submit job 17: Unable to open scheduler FIFO: No such file."), "not_sent");
        assert_eq!(submitted(460, "Failed to submit job 17: Unexpected response from scheduler: \"\"."), "unknown");
        assert_eq!(submitted(460, "Failed to submit job 17: Unspecified reason (scheduler NAK'd request)."), "refused");
        assert_eq!(submitted(460, "Failed to submit job 17: ."), "unknown");
        assert_eq!(submitted(450, "Cannot open/create job description file."), "not_sent");
        assert_eq!(submitted(504, "Cannot submit job 17; null or missing DIALSTRING parameter."), "refused");
        assert_eq!(submitted(221, "Server shutting down.  Goodbye."), "not_sent");
        assert_eq!(submitted(421, "Timeout (900 seconds): closing control connection."), "unknown");
        assert_eq!(submitted(226, "Transfer complete."), "unknown");
    }

    #[test]
    fn the_job_is_named_by_its_number() {
        assert_eq!(job_id("New job created: jobid: 17 groupid: 17."), Some("17"));
        assert_eq!(job_id("New job created: jobid: 17."), Some("17"));
        assert_eq!(job_id("New job created."), None);
    }
}
