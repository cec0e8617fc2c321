//! What stands against mail to many, asked for when it is needed and remembered for a while.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::{Sender, look};
use crate::domain::Timestamp;
use crate::http::dns::Dns;
use crate::policy::mail_setup::{breach, judge, standing};

/// How long good news is good.
const GOOD_FOR: Duration = Duration::from_secs(3600);
/// How long bad news is: somebody is about to put it right and try again.
const BAD_FOR: Duration = Duration::from_secs(30);
/// The longest that a broadcast waits for it.
const WITHIN: Duration = Duration::from_secs(10);

/// What stands against mail to many from one sender.
#[derive(Debug)]
pub struct Checked {
    dns: Arc<dyn Dns>,
    sender: Sender,
    /// What is known without asking.
    known: Option<String>,
    found: Mutex<Option<Found>>,
}

#[derive(Debug, Clone)]
struct Found {
    at: Timestamp,
    breach: Option<String>,
}

impl Checked {
    /// Asks there about that sender; `known` stands against it whatever DNS says.
    #[must_use]
    pub fn new(dns: Arc<dyn Dns>, sender: Sender, known: Option<String>) -> Self {
        Self { dns, sender, known, found: Mutex::default() }
    }
}

#[async_trait]
impl standing::Standing for Checked {
    async fn breach(&self, now: Timestamp) -> Option<String> {
        if self.known.is_some() {
            return self.known.clone();
        }
        // Held while DNS is asked, so that several who are about to send ask once.
        let mut found = self.found.lock().await;
        if let Some(Found { at, breach }) = &*found
            && now >= *at
            && now < at.after(if breach.is_some() { BAD_FOR } else { GOOD_FOR })
        {
            return breach.clone();
        }
        let breach = breach(&judge(&look(&*self.dns, &self.sender, WITHIN).await));
        *found = Some(Found { at: now, breach: breach.clone() });
        breach
    }
}
