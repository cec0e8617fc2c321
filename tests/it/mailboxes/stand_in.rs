//! A mailbox in front of another one, in which something happens at the worst moment.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use touchline::domain::Timestamp;
use touchline::domain::fault::{Failure, Fault};
use touchline::feedback::Parts;
use touchline::feedback::mailboxes::claim;
use touchline::provider::mailbox::{After, Batch, Count, MISSING_FOLDER, Mailbox, MailboxKind, Place, Session};

/// What happens.
#[derive(Debug, Clone)]
pub enum Event {
    /// The process dies after the mails were recorded and before anything was done with them.
    DiesBeforeFinishing,
    /// Another node takes the mailbox over while mails are on their way.
    LosesIt(Box<Parts>),
    /// It has none of these folders.
    Lacks(&'static [&'static str]),
    /// None, but it is noted with how many mails something is done at once.
    Counts(Arc<Mutex<Vec<usize>>>),
}

/// The mailbox.
#[derive(Debug)]
pub struct StandIn {
    pub real: Arc<dyn Mailbox>,
    pub event: Event,
    pub folders: Vec<String>,
}

impl StandIn {
    /// In front of a mailbox, with the folders of that.
    pub fn before(real: &Arc<dyn Mailbox>, event: Event) -> Self {
        Self { real: real.clone(), event, folders: real.folders().to_vec() }
    }
}

#[async_trait]
impl Mailbox for StandIn {
    fn name(&self) -> &str {
        self.real.name()
    }

    fn kind(&self) -> MailboxKind {
        self.real.kind()
    }

    fn folders(&self) -> &[String] {
        &self.folders
    }

    fn after(&self) -> After {
        self.real.after()
    }

    async fn open(&self) -> Result<Box<dyn Session>, Failure> {
        let (real, event, name) = (self.real.open().await?, self.event.clone(), self.name().to_owned());
        Ok(Box::new(Open { real, event, name }))
    }
}

struct Open {
    real: Box<dyn Session>,
    event: Event,
    name: String,
}

#[async_trait]
impl Session for Open {
    async fn read(&mut self, folder: &str, place: &Place, since: Option<Timestamp>) -> Result<Batch, Failure> {
        if let Event::Lacks(missing) = &self.event
            && missing.contains(&folder)
        {
            return Err(Failure::new(Fault::ProviderError).code(MISSING_FOLDER).text("no such folder"));
        }
        let batch = self.real.read(folder, place, since).await?;
        if let Event::LosesIt(other) = &self.event {
            assert!(claim(other, &self.name).await.expect("asked"), "the claim has lapsed");
        }
        Ok(batch)
    }

    async fn finish(&mut self, folder: &str, validity: u32, keys: &[String]) -> Result<(), Failure> {
        match &self.event {
            Event::DiesBeforeFinishing => return Err(Failure::new(Fault::ProviderError).text("gone")),
            Event::Counts(counts) => counts.lock().expect("not poisoned").push(keys.len()),
            Event::LosesIt(_) | Event::Lacks(_) => {}
        }
        self.real.finish(folder, validity, keys).await
    }

    async fn count(&mut self, folder: &str, since: Option<Timestamp>) -> Result<Count, Failure> {
        self.real.count(folder, since).await
    }

    async fn wait(&mut self, poll: Duration) -> Result<(), Failure> {
        self.real.wait(poll).await
    }

    async fn close(&mut self) {
        self.real.close().await;
    }
}
