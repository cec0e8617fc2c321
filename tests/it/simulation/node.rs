//! A node: everything one process has, on a runtime of its own. When it crashes the runtime is dropped with all that
//! was under way; only what is committed remains.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use touchline::dispatch::walk::{Stage, Walk};
use touchline::dispatch::{self, Dispatcher};
use touchline::domain::Clock;
use touchline::domain::id::{AttemptId, MessageId};
use touchline::domain::opt_out::OptOutLinks;
use touchline::feedback::{self, inbox::Inbox};
use touchline::policy::hours::Hours;
use touchline::queue::{Lanes, Queue};
use touchline::settle::Rules;
use touchline::store::{Store, StoreError};
use touchline::{consent, intake, operator, referrers};

use super::accounts::Routes;
use super::canaries::Listener;
use super::far_side::FarSide;
use super::letters;
use super::waits::{End, NodeClock};
use crate::support::clock::FakeClock;

/// How long a claim lasts.
pub const LEASE: Duration = Duration::from_secs(60);
/// How long a message is tried.
pub const GIVE_UP: Duration = Duration::from_secs(48 * 3600);

/// What all nodes of a history share.
#[derive(Clone)]
pub struct Shared {
    pub seed: u64,
    pub listener: Option<Listener>,
    pub url: String,
    pub clock: Arc<FakeClock>,
    pub far: Arc<FarSide>,
    pub rules: Arc<Rules>,
    pub hours: Arc<Hours>,
    pub routes: Routes,
}

type Ended = (Walk, Result<Stage, StoreError>);

/// Where a walk stands in the hands of the simulation.
pub enum Standing {
    /// Between two steps.
    Between(Box<Walk>),
    /// In the middle of its call.
    InCall(AttemptId, JoinHandle<Ended>),
    /// Between two tries to record its answer, on a database that took nothing: it waits until the history lets it try
    /// again.
    Recording(JoinHandle<Ended>, End),
}

/// One walk of a node.
pub struct Going {
    pub message: MessageId,
    /// The entry and the fence under which it was claimed.
    pub claim: Option<(i64, i64)>,
    pub standing: Standing,
}

impl Going {
    /// The stage it stands at; `None` in the middle of a step.
    pub const fn stage(&self) -> Option<Stage> {
        match &self.standing {
            Standing::Between(walk) => Some(walk.stage()),
            Standing::InCall(..) | Standing::Recording(..) => None,
        }
    }
}

/// See the module's comment.
pub struct Node {
    pub name: String,
    pub walks: Vec<Going>,
    runtime: Option<Runtime>,
    parts: Option<Parts>,
}

struct Parts {
    clock: Arc<NodeClock>,
    dispatcher: Arc<Dispatcher>,
    feedback: feedback::Parts,
    inbox: Arc<Inbox>,
    intake: intake::Parts,
}

impl Node {
    pub fn start(name: String, shared: &Shared) -> Self {
        let runtime = super::house::runtime_of_node(shared.seed, shared.listener.clone());
        let parts = runtime.block_on(Parts::open(&name, shared));
        Self { name, walks: Vec::new(), runtime: Some(runtime), parts: Some(parts) }
    }

    fn parts(&self) -> &Parts {
        self.parts.as_ref().expect("a live node")
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("a live node")
    }

    pub fn intake(&self) -> &intake::Parts {
        &self.parts().intake
    }

    pub fn consent(&self) -> consent::Parts {
        let intake = self.intake();
        consent::Parts { store: intake.store.clone(), clock: intake.clock.clone() }
    }

    pub fn referrers(&self) -> referrers::Parts {
        let intake = self.intake();
        referrers::Parts { store: intake.store.clone(), clock: intake.clock.clone() }
    }

    pub fn operator(&self) -> operator::Parts {
        let intake = self.intake();
        operator::Parts {
            store: intake.store.clone(),
            queue: intake.queue.clone(),
            accounts: intake.accounts.clone(),
            rules: intake.rules.clone(),
            clock: intake.clock.clone(),
            give_up: intake.give_up,
        }
    }

    pub fn store(&self) -> &Store {
        &self.parts().intake.store
    }

    pub fn inbox(&self) -> Arc<Inbox> {
        self.parts().inbox.clone()
    }

    pub fn feedback(&self) -> &feedback::Parts {
        &self.parts().feedback
    }

    /// Runs something on this node to its end.
    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime().block_on(work)
    }

    /// Claims up to so many messages of these lanes. Their fences are filled in by whoever can see them.
    pub fn claim(&mut self, lanes: Lanes, free: usize) -> Result<Vec<MessageId>, StoreError> {
        let dispatcher = self.parts().dispatcher.clone();
        let walks = self.run(dispatcher.claim(lanes, free))?;
        let messages = walks.iter().map(Walk::message).collect();
        self.walks.extend(walks.into_iter().map(|walk| Going {
            message: walk.message(),
            claim: None,
            standing: Standing::Between(Box::new(walk)),
        }));
        Ok(messages)
    }

    /// Takes one step of a walk that stands between two. A call is begun and left standing in its middle.
    pub fn step(&mut self, place: usize, far: &FarSide) -> Result<Stage, StoreError> {
        let Going { message, claim, standing } = self.walks.remove(place);
        let Standing::Between(walk) = standing else { panic!("it stands in the middle of a step") };
        let mut walk = *walk;
        let attempt = walk.attempt();
        let is_call = walk.stage() == Stage::Opened;
        let mut handle = self.runtime().spawn(async move {
            let stage = walk.step().await;
            (walk, stage)
        });
        let ended = self.runtime().block_on(async {
            tokio::select! {
                biased;
                ended = &mut handle => Some(ended.expect("a step never panics")),
                () = far.begun.notified(), if is_call => None,
            }
        });
        match (ended, attempt) {
            (Some(ended), _) => self.put_back(place, message, claim, ended),
            (None, Some(attempt)) => {
                self.walks.insert(place, Going { message, claim, standing: Standing::InCall(attempt, handle) });
                Ok(Stage::Opened)
            }
            (None, None) => unreachable!("a call has its attempt"),
        }
    }

    /// Lets a call end, or a recording that waits try again.
    pub fn finish(&mut self, place: usize, far: &FarSide) -> Result<Option<Stage>, StoreError> {
        let Going { message, claim, standing } = self.walks.remove(place);
        let handle = match standing {
            Standing::InCall(attempt, handle) => {
                far.release(attempt);
                handle
            }
            Standing::Recording(handle, end) => {
                end.send(()).expect("it waits");
                handle
            }
            Standing::Between(_) => panic!("it stands between two steps"),
        };
        self.ended_or_waiting(place, message, claim, handle)
    }

    /// Takes one step on a database that takes nothing: it fails at once, or waits to try again, and is left waiting.
    pub fn step_cut_off(&mut self, place: usize) -> Result<Option<Stage>, StoreError> {
        let Going { message, claim, standing } = self.walks.remove(place);
        let Standing::Between(walk) = standing else { panic!("it stands in the middle of a step") };
        let mut walk = *walk;
        let handle = self.runtime().spawn(async move {
            let stage = walk.step().await;
            (walk, stage)
        });
        self.ended_or_waiting(place, message, claim, handle)
    }

    /// Goes on until a step has ended, or waits for a moment to try again (then `None`).
    fn ended_or_waiting(
        &mut self,
        place: usize,
        message: MessageId,
        claim: Option<(i64, i64)>,
        mut handle: JoinHandle<Ended>,
    ) -> Result<Option<Stage>, StoreError> {
        let clock = self.parts().clock.clone();
        let stopped = self.run(async {
            tokio::select! {
                ended = &mut handle => Ok(ended.expect("a step never panics")),
                end = clock.next_wait() => Err(end),
            }
        });
        match stopped {
            Ok(ended) => self.put_back(place, message, claim, ended).map(Some),
            Err(end) => {
                self.walks.insert(place, Going { message, claim, standing: Standing::Recording(handle, end) });
                Ok(None)
            }
        }
    }

    fn put_back(
        &mut self,
        place: usize,
        message: MessageId,
        claim: Option<(i64, i64)>,
        (walk, stage): Ended,
    ) -> Result<Stage, StoreError> {
        let stage = stage?;
        if stage != Stage::Done {
            self.walks.insert(place, Going { message, claim, standing: Standing::Between(Box::new(walk)) });
        }
        Ok(stage)
    }

    /// Lengthens the leases of what is worked on, as the daemon does by itself.
    pub fn keep(&self) -> Result<(), StoreError> {
        let queue = &self.parts().intake.queue;
        self.run(queue.extend(self.parts().intake.clock.now()))
    }

    /// Ends at once: what was under way is gone.
    pub fn crash(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        {
            let _inside = runtime.enter();
            self.walks.clear();
            self.parts = None;
        }
        drop(runtime);
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.crash();
    }
}

impl Parts {
    async fn open(name: &str, shared: &Shared) -> Self {
        let store = Store::open(&shared.url, 2).await.expect("the store opens");
        let waits = NodeClock::new(shared.clock.clone());
        let clock: Arc<dyn Clock> = waits.clone();
        let accounts = Arc::new(shared.routes.accounts(name, &shared.far, &clock));
        let queue = Arc::new(Queue::new(store.clone(), name.to_owned(), LEASE));
        let renderer = letters::renderer();
        let rules = shared.rules.clone();
        let dispatcher = Dispatcher::new(dispatch::Parts {
            store: store.clone(),
            queue: queue.clone(),
            renderer: renderer.clone(),
            accounts: accounts.clone(),
            rules: rules.clone(),
            opt_out: OptOutLinks::new(None, b"a key of the tests"),
            clock: clock.clone(),
            settings: dispatch::Settings {
                slots: 8,
                poll: Duration::from_secs(1),
                permission_only: false,
                hours: shared.hours.clone(),
            },
        });
        let feedback = feedback::Parts {
            store: store.clone(),
            queue: queue.clone(),
            accounts: accounts.clone(),
            rules: rules.clone(),
            clock: clock.clone(),
            poll: Duration::from_secs(1),
            returns: crate::support::return_rules(),
        };
        let intake = intake::Parts {
            store,
            queue,
            renderer,
            accounts,
            rules,
            clock,
            give_up: GIVE_UP,
            queue_depth_max: 1000,
            permission_only: false,
            undo: touchline::policy::undo::Windows::NONE,
            hours: shared.hours.clone(),
            mail_standing: Arc::new(touchline::policy::mail_setup::standing::NothingKnown),
            singles: intake::Singles::default(),
        };
        Self { clock: waits, dispatcher, inbox: Inbox::new(feedback.clone()), feedback, intake }
    }
}
