//! A job of the server's: how it is named, selected and read.

use super::connection::{Connection, is_path};
use super::fault;
use crate::domain::attempt::ProviderReference;
use crate::domain::event::{Fact, Report};
use crate::domain::fault::{Failure, Fault};
use crate::provider::kit::reading::{delivered, failed_after, progress, unreadable};

/// Most documents of one job that are looked at; ours have one.
const DOCUMENTS_MAX: usize = 20;

/// Number and tag of a job. The number alone says nothing for long: it is used again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct JobReference {
    pub id: String,
    pub tag: String,
}

impl JobReference {
    /// A job, if number and tag can be ones.
    pub fn new(id: &str, tag: &str) -> Option<Self> {
        let number = (1..=9).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
        let plain = tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let fits = number && plain && (1..=64).contains(&tag.len());
        fits.then(|| Self { id: id.to_owned(), tag: tag.to_owned() })
    }

    /// Reads `number.tag`.
    ///
    /// # Errors
    /// It is not one of ours; nothing was called.
    pub fn read(reference: &ProviderReference) -> Result<Self, Failure> {
        let parts = reference.0.split_once('.');
        parts
            .and_then(|(id, tag)| Self::new(id, tag))
            .ok_or_else(|| unreadable("the reference is not one of this provider's"))
    }

    /// As it is kept.
    pub fn reference(&self) -> ProviderReference {
        ProviderReference(format!("{}.{}", self.id, self.tag))
    }
}

/// The states of a job (hfaxd/Jobs.c++, `stateVals`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// Made and not given to the scheduler, or stopped by a person.
    Suspended,
    /// It waits or is under way.
    Other(String),
    Done,
    Failed,
}

impl State {
    fn read(word: &str) -> Self {
        match word {
            "SUSPENDED" => Self::Suspended,
            "DONE" => Self::Done,
            "FAILED" => Self::Failed,
            other => Self::Other(other.to_ascii_lowercase()),
        }
    }

    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

/// Makes it the current job, having seen that it carries our tag.
///
/// # Errors
/// It is gone, it is another's by now, or asking did not work.
pub(super) async fn select(connection: &mut Connection, job: &JobReference) -> Result<(), Failure> {
    if is_there(connection, job).await? {
        return Ok(());
    }
    Err(Failure::new(Fault::Unknown).code("500").text("the fax server does not know this job any more"))
}

/// Whether the job is still there; then it is the current one.
pub(super) async fn is_there(connection: &mut Connection, job: &JobReference) -> Result<bool, Failure> {
    let reply = connection.ask(&format!("JOB {}", job.id), &[200, 500]).await?;
    if reply.code == 500 {
        let gone = reply.text().contains("does not exist");
        return if gone { Ok(false) } else { Err(fault::of_reply(&reply)) };
    }
    Ok(value(connection, "JOBINFO").await? == job.tag)
}

/// The state of the current job.
pub(super) async fn state(connection: &mut Connection) -> Result<State, Failure> {
    Ok(State::read(&value(connection, "STATE").await?))
}

/// The names of the current job's documents that can stand in a command.
pub(super) async fn documents(connection: &mut Connection) -> Result<Vec<String>, Failure> {
    let reply = connection.ask("JPARM DOCUMENT", &[213]).await?;
    let names = reply.lines.iter().filter_map(|line| line.split_once(' ')).map(|(_, name)| name.trim());
    let safe = names.filter(|name| name.starts_with("docq/") && is_path(name));
    Ok(safe.take(DOCUMENTS_MAX).map(str::to_owned).collect())
}

/// What became of a job.
///
/// # Errors
/// It is gone, it is another's by now, or asking did not work.
pub(super) async fn report(connection: &mut Connection, job: &JobReference) -> Result<Report, Failure> {
    select(connection, job).await?;
    // The state first: once it is a final one, nothing else changes any more.
    let fact = match state(connection).await? {
        State::Done => delivered_fact(connection).await?,
        State::Failed => failed_fact(connection).await?,
        State::Suspended => progress("suspended"),
        State::Other(word) => progress(&word),
    };
    Ok(Report::new(job.reference(), fact))
}

async fn delivered_fact(connection: &mut Connection) -> Result<Fact, Failure> {
    let (confirmed, total) = (pages(connection, "NPAGES").await?, pages(connection, "TOTPAGES").await?);
    // A server that counts nothing says 0 of 0.
    let total = total.filter(|total| *total > 0);
    let confirmed = if total.is_none() { confirmed.filter(|confirmed| *confirmed > 0) } else { confirmed };
    Ok(delivered(confirmed, total))
}

async fn failed_fact(connection: &mut Connection) -> Result<Fact, Failure> {
    let confirmed = pages(connection, "NPAGES").await?;
    let code = result_code(connection).await?;
    let status = value(connection, "STATUS").await?;
    let failure = fault::of_end(&code, &status);
    let failure = if code.is_empty() { failure } else { failure.code(&code) };
    Ok(failed_after(failure, confirmed))
}

/// `ERRORCODE` (`E001`), which both families know; where it is not known, `STATUSCODE` (`001`), or nothing.
async fn result_code(connection: &mut Connection) -> Result<String, Failure> {
    for name in ["ERRORCODE", "STATUSCODE"] {
        let reply = connection.ask(&format!("JPARM {name}"), &[213, 500, 502]).await?;
        if reply.code == 213 {
            return Ok(reply.text().to_owned());
        }
    }
    Ok(String::new())
}

async fn pages(connection: &mut Connection, name: &str) -> Result<Option<u32>, Failure> {
    Ok(value(connection, name).await?.parse().ok())
}

async fn value(connection: &mut Connection, name: &str) -> Result<String, Failure> {
    Ok(connection.ask(&format!("JPARM {name}"), &[213]).await?.text().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_a_number_and_a_tag_and_nothing_else() {
        let job = JobReference::new("17", "0199c0de-7a11-7000-8000-00000000c0de").expect("one");
        assert_eq!(JobReference::read(&job.reference()), Ok(job));
        for text in ["17", "17.", ".tag", "x.tag", "17.a b", "17.a\r\nJKILL 1", "1234567890.tag", "17.a.b"] {
            assert!(JobReference::read(&ProviderReference(text.to_owned())).is_err(), "{text:?}");
        }
    }
}
