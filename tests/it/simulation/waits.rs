//! Waits of a node: they end when the history says so, never because time passes on the machine. Otherwise a retry that is
//! due in a tenth of a second would come between any two acts, or between an act and the look at what it did, depending on
//! how busy the machine is.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{Mutex, mpsc, oneshot};
use touchline::domain::{Clock, Timestamp};

use crate::support::clock::FakeClock;

/// The end of one wait, in the hands of the history. Dropped unused, the wait never ends.
pub type End = oneshot::Sender<()>;

/// The clock that all nodes share, and the waits of one of them.
#[derive(Debug)]
pub struct NodeClock {
    shared: Arc<FakeClock>,
    begins: mpsc::UnboundedSender<End>,
    begun: Mutex<mpsc::UnboundedReceiver<End>>,
}

impl NodeClock {
    pub fn new(shared: Arc<FakeClock>) -> Arc<Self> {
        let (begins, begun) = mpsc::unbounded_channel();
        Arc::new(Self { shared, begins, begun: Mutex::new(begun) })
    }

    /// Returns when the next wait has begun.
    pub async fn next_wait(&self) -> End {
        self.begun.lock().await.recv().await.expect("the clock itself can send")
    }
}

impl Clock for NodeClock {
    fn now(&self) -> Timestamp {
        self.shared.now()
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        let (end, ended) = oneshot::channel();
        let _ = self.begins.send(end);
        Box::pin(async move {
            if ended.await.is_err() {
                pending::<()>().await;
            }
        })
    }
}
