//! The account's connections: at most so many at once, kept for the next letter, given up when they are old. A kept
//! one is not asked whether it still lives, which would cost a round trip for each letter; if it turns out dead at
//! MAIL, where nothing has taken effect, the same letter goes over a fresh one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;

use super::connection::{Connection, LoginBy, Relay};
use super::dialogue::TimeLimits;
use super::tls::TlsMode;
use crate::domain::Clock;
use crate::domain::fault::{Failure, Fault};
use crate::provider::sign_in::SignIn;

/// Kept no longer than this without a letter; relays close theirs after one to five minutes.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// The connections of one account.
pub(super) struct Pool {
    relay: Relay,
    clock: Arc<dyn Clock>,
    connections_max: usize,
    letters_max: u32,
    slots: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
    tended: AtomicBool,
}

/// The use of one connection for one letter. Dropped without [`Pool::leave`], the connection is closed.
pub(super) struct Visit {
    pub connection: Connection,
    /// Whether it had carried letters before.
    pub reused: bool,
    _slot: OwnedSemaphorePermit,
}

impl Pool {
    pub fn new(relay: Relay, clock: Arc<dyn Clock>, connections_max: usize, letters_max: u32) -> Arc<Self> {
        Arc::new(Self {
            relay,
            clock,
            connections_max,
            letters_max,
            slots: Arc::new(Semaphore::new(connections_max)),
            idle: Mutex::default(),
            tended: AtomicBool::new(false),
        })
    }

    /// How the account signs in, if it does so by OAuth.
    pub fn sign_in(&self) -> Option<&Arc<SignIn>> {
        match &self.relay.login {
            Some(LoginBy::Token(login)) => Some(&login.sign_in),
            _ => None,
        }
    }

    /// A connection that may carry what `mode` carries: a kept one, or a new one.
    ///
    /// # Errors
    /// Nothing was sent.
    pub async fn visit(&self, mode: TlsMode, limits: &TimeLimits) -> Result<Visit, Failure> {
        let busy = || Failure::new(Fault::ProviderError).text("all connections to the relay stayed busy");
        let slot = timeout_at(limits.deadline, self.slots.clone().acquire_owned())
            .await
            .map_err(|_| busy())?
            .map_err(|_| busy())?;
        let (connection, reused) = match self.take_kept(mode) {
            Some(connection) => (connection, true),
            None => (self.open(mode, limits).await?, false),
        };
        Ok(Visit { connection, reused, _slot: slot })
    }

    /// Puts a new connection in the place of one that turned out dead.
    ///
    /// # Errors
    /// Nothing was sent.
    pub async fn renew(&self, visit: &mut Visit, mode: TlsMode, limits: &TimeLimits) -> Result<(), Failure> {
        visit.connection = self.open(mode, limits).await?;
        visit.reused = false;
        Ok(())
    }

    /// Opens one outside the pool's count, for a check.
    ///
    /// # Errors
    /// Nothing was sent.
    pub async fn open(&self, mode: TlsMode, limits: &TimeLimits) -> Result<Connection, Failure> {
        Connection::open(&self.relay, mode, limits).await
    }

    /// Ends a visit: keeps the connection for the next letter if it is still good.
    pub fn leave(self: &Arc<Self>, visit: Visit) {
        let Visit { mut connection, .. } = visit;
        if !connection.usable {
            return;
        }
        if connection.letters >= self.letters_max {
            tokio::spawn(connection.close());
            return;
        }
        connection.idle_since = self.clock.now();
        self.kept().push(connection);
        self.tend();
    }

    /// The one used last that is protected enough. Makes room for a new one where only others are left.
    fn take_kept(&self, mode: TlsMode) -> Option<Connection> {
        self.close_old();
        let mut kept = self.kept();
        if let Some(place) = kept.iter().rposition(|connection| connection.security >= mode.least()) {
            return Some(kept.remove(place));
        }
        let busy = self.connections_max - self.slots.available_permits();
        if kept.len() + busy > self.connections_max {
            tokio::spawn(kept.remove(0).close());
        }
        None
    }

    fn close_old(&self) {
        let now = self.clock.now();
        for connection in self.kept().extract_if(.., |connection| now.since(connection.idle_since) >= IDLE_MAX) {
            tokio::spawn(connection.close());
        }
    }

    /// Sees to it that what is kept is closed in time even if no further letter comes.
    fn tend(self: &Arc<Self>) {
        if self.tended.swap(true, Ordering::AcqRel) {
            return;
        }
        let pool = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(IDLE_MAX).await;
                let Some(pool) = Weak::upgrade(&pool) else { return };
                pool.close_old();
                let kept = pool.kept();
                if kept.is_empty() {
                    pool.tended.store(false, Ordering::Release);
                    return;
                }
            }
        });
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
