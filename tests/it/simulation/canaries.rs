//! Invariant 17: logs and metrics never hold a number, an address, a name or a word of a letter.

use std::io::Write;
use std::sync::{Arc, Mutex};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use tracing::Dispatch;
use tracing_subscriber::fmt::MakeWriter;

use super::history;
use super::house::House;
use super::world::{CANARY, World};

/// Histories that are listened to.
const HISTORIES: u64 = 15;
/// What must never be said: the word in letters, names and mailboxes; the domain of the mailboxes; the office's numbers.
const NEVER: &[&str] = &[CANARY, "clinic.example", "3125550", "312) 555", "312-555"];

/// Keeps everything that is said.
#[derive(Clone)]
pub struct Listener {
    said: Arc<Mutex<Vec<u8>>>,
    dispatch: Dispatch,
    metrics: &'static PrometheusRecorder,
}

#[derive(Clone)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, words: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("never poisoned").extend_from_slice(words);
        Ok(words.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Paper {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Listener {
    fn new() -> Self {
        let said = Arc::new(Mutex::new(Vec::new()));
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(Paper(said.clone()))
            .finish();
        // A recorder for the rest of the process: threads of nodes may speak to it until they end.
        let metrics = Box::leak(Box::new(PrometheusBuilder::new().build_recorder()));
        Self { said, dispatch: Dispatch::new(subscriber), metrics }
    }

    /// Listens to everything that this thread says from now on, to its end.
    pub fn listen(&self) {
        std::mem::forget(tracing::dispatcher::set_default(&self.dispatch));
        std::mem::forget(metrics::set_default_local_recorder(self.metrics));
    }

    /// All that was said, in logs and in metrics.
    fn all(&self) -> String {
        let said = self.said.lock().expect("never poisoned");
        format!("{}\n{}", String::from_utf8_lossy(&said), self.metrics.handle().render())
    }
}

/// The lines that say what must not be said.
fn indiscretions(said: &str) -> Vec<String> {
    let tells = |line: &&str| NEVER.iter().any(|word| line.contains(word));
    said.lines().filter(tells).map(str::to_owned).take(5).collect()
}

/// On a thread of its own, so that nothing else is listened to.
fn listened(history: impl FnOnce(&Listener) + Send + 'static) -> String {
    let thread = std::thread::spawn(move || {
        let listener = Listener::new();
        listener.listen();
        history(&listener);
        listener.all()
    });
    thread.join().expect("a history does not panic here")
}

fn live(listener: &Listener) {
    let mut house = House::sqlite();
    for seed in 2000..2000 + HISTORIES {
        let mut world = World::listened(&mut house, seed, listener.clone());
        // Its failures are the business of other tests.
        let _ = history::live(&mut world);
    }
}

#[test]
fn nothing_private_is_ever_said() {
    let said = listened(live);
    assert!(said.contains("provider called"), "something is said at all");
    assert!(said.contains("touchline_provider_calls_total"), "and counted");
    assert_eq!(indiscretions(&said), Vec::<String>::new());
}

#[test]
fn the_checker_for_canaries_catches_one_that_is_logged() {
    let said = listened(|_| tracing::warn!(address = super::world::fax_of(0).as_str(), "a number slipped out"));
    assert_eq!(indiscretions(&said).len(), 1);
}
