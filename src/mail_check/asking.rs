//! Questions of one check: each asked once, and none after the check's time is over.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use crate::http::dns::{Dns, NotAnswered};

/// Most questions of one check: enough for five accounts with long SPF records.
const QUESTIONS_MAX: usize = 400;

/// Asks, and remembers. `None` stands for what was not answered.
#[derive(Debug)]
pub(super) struct Asking<'d> {
    dns: &'d dyn Dns,
    until: Instant,
    texts: Mutex<BTreeMap<String, Option<Vec<String>>>>,
    exchangers: Mutex<BTreeMap<String, Option<Vec<String>>>>,
    addresses: Mutex<BTreeMap<String, Option<Vec<IpAddr>>>>,
}

impl<'d> Asking<'d> {
    /// A check that ends after that time.
    pub(super) fn new(dns: &'d dyn Dns, within: Duration) -> Self {
        let until = Instant::now() + within;
        Self { dns, until, texts: Mutex::default(), exchangers: Mutex::default(), addresses: Mutex::default() }
    }

    pub(super) async fn texts(&self, name: &str) -> Option<Vec<String>> {
        self.once(&self.texts, name, self.dns.texts(name)).await
    }

    pub(super) async fn exchangers(&self, name: &str) -> Option<Vec<String>> {
        self.once(&self.exchangers, name, self.dns.exchangers(name)).await
    }

    pub(super) async fn addresses(&self, name: &str) -> Option<Vec<IpAddr>> {
        self.once(&self.addresses, name, self.dns.addresses(name)).await
    }

    async fn once<T: Clone>(
        &self,
        known: &Mutex<BTreeMap<String, Option<Vec<T>>>>,
        name: &str,
        question: impl Future<Output = Result<Vec<T>, NotAnswered>>,
    ) -> Option<Vec<T>> {
        let key = name.to_ascii_lowercase();
        if let Some(answer) = known.lock().await.get(&key) {
            return answer.clone();
        }
        let has_room = known.lock().await.len() < QUESTIONS_MAX;
        let answer = match timeout_at(self.until, question).await {
            Ok(Ok(answer)) if has_room => Some(answer),
            _ => None,
        };
        known.lock().await.insert(key, answer.clone());
        answer
    }
}
