//! Group commit: while one transaction runs, what arrives meanwhile is gathered and goes together into the next one.
//! An item never waits for others to arrive, and under load a hundred items share one fsync.

use std::future::Future;

use tokio::sync::{mpsc, oneshot};

use super::deadline::in_time;
use super::error::StoreError;

/// Most items in one transaction.
const BATCH_MAX: usize = super::rows::ROWS_MAX;
/// Most items in the queue; further callers wait to hand theirs in.
const WAITING_MAX: usize = 1024;

type Waiting<I, A> = (I, oneshot::Sender<Result<A, StoreError>>);

/// A worker that handles items in batches.
#[derive(Debug)]
pub struct Batcher<I, A> {
    sender: mpsc::Sender<Waiting<I, A>>,
}

impl<I: Send + 'static, A: Send + 'static> Batcher<I, A> {
    /// Starts the worker. `handle` gets a batch and answers each item in the same order, or fails for all.
    pub fn start<F, Fut>(handle: F) -> Self
    where
        F: Fn(Vec<I>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Vec<A>, StoreError>> + Send,
    {
        let (sender, mut receiver) = mpsc::channel::<Waiting<I, A>>(WAITING_MAX);
        tokio::spawn(async move {
            let mut waiting = Vec::with_capacity(BATCH_MAX);
            while receiver.recv_many(&mut waiting, BATCH_MAX).await > 0 {
                let (items, askers): (Vec<I>, Vec<_>) = waiting.drain(..).unzip();
                match in_time(handle(items)).await {
                    Ok(answers) => {
                        for (asker, answer) in askers.into_iter().zip(answers) {
                            let _ = asker.send(Ok(answer));
                        }
                    }
                    Err(error) => {
                        for asker in askers {
                            let _ = asker.send(Err(error.clone()));
                        }
                    }
                }
            }
        });
        Self { sender }
    }

    /// Submits one item and waits for its result.
    pub async fn ask(&self, item: I) -> Result<A, StoreError> {
        let gone = || StoreError::Unavailable("the worker has stopped".to_owned());
        let (asker, answer) = oneshot::channel();
        self.sender.send((item, asker)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}
