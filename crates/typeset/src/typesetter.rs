//! One source, many letters.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

use typst::foundations::Bytes;
use typst::syntax::Source;
use typst_layout::PagedDocument;

use crate::Document;
use crate::error::{TypesetError, from_diagnostics, syntax_error};
use crate::world::{LetterWorld, PATHS};

/// The largest letter accepted, in bytes of JSON: some seventy pages of text. It also bounds the time that a single
/// endless paragraph can take, which grows with the square of its length.
const LETTER_BYTES_MAX: usize = 256 << 10;
/// The largest signature or logo accepted, in bytes.
const IMAGE_BYTES_MAX: usize = 4 << 20;
/// How deeply the letter's JSON may nest. One list inside another costs three levels, one emphasis two.
const DEPTH_MAX: usize = 64;
/// The longest document accepted, in pages.
const PAGES_MAX: usize = 200;
/// Stack of the thread that evaluates and lays out a letter. Address space, not memory: pages are touched on use.
const STACK_BYTES: usize = 32 << 20;
/// Typst's process-wide cache is swept after this many letters, which takes a lock and a walk over all of it; an
/// unused entry outlives this many sweeps. Without eviction the cache grows by almost a megabyte per letter; evicting
/// everything costs a fifth of the speed.
const LETTERS_BETWEEN_WALKS: usize = 8;
const CACHE_AGE_MAX: usize = 1;

/// Letters set since the process began.
static LETTERS: AtomicUsize = AtomicUsize::new(0);

/// A Typst source ready to set letters. Cheap to clone; one serves all threads.
#[derive(Debug, Clone)]
pub struct Typesetter {
    source: Source,
}

/// The pictures a source may show: PNG, JPEG or SVG, found at `/signature` and `/logo` without extension. A source
/// that asks for a missing picture fails.
#[derive(Debug, Clone, Default)]
pub struct Images {
    /// The signer's signature, at most 4 MiB.
    pub signature: Option<Vec<u8>>,
    /// The practice's logo, at most 4 MiB.
    pub logo: Option<Vec<u8>>,
}

impl Typesetter {
    /// Takes the text of a `.typ` file. It must parse; its meaning is checked by the first [`Self::typeset`].
    ///
    /// # Errors
    /// [`TypesetError::Diagnostics`] with line numbers where it does not parse.
    pub fn new(main_source: &str) -> Result<Self, TypesetError> {
        let source = Source::new(PATHS.main, main_source.to_owned());
        match syntax_error(&source) {
            Some(error) => Err(error),
            None => Ok(Self { source }),
        }
    }

    /// Sets one letter. Blocks for a few milliseconds of computation, on a separate thread with a deep stack.
    ///
    /// # Errors
    /// [`TypesetError`] where a limit is exceeded (256 KiB of JSON, 4 MiB per picture, 64 levels, 200 pages), where the
    /// JSON is not JSON, where the source does not find what it needs in it, or where a picture cannot be read.
    pub fn typeset(&self, letter_json: &[u8], images: &Images) -> Result<Document, TypesetError> {
        check_size("letter", letter_json, LETTER_BYTES_MAX)?;
        for (what, image) in [("signature", &images.signature), ("logo", &images.logo)] {
            check_size(what, image.as_deref().unwrap_or_default(), IMAGE_BYTES_MAX)?;
        }
        check_depth(letter_json)?;
        let world = LetterWorld {
            source: self.source.clone(),
            letter: Bytes::new(letter_json.to_vec()),
            signature: images.signature.clone().map(Bytes::new),
            logo: images.logo.clone().map(Bytes::new),
        };
        let result = on_deep_stack(move || compile(&world));
        if LETTERS.fetch_add(1, Ordering::Relaxed).is_multiple_of(LETTERS_BETWEEN_WALKS) {
            comemo::evict(CACHE_AGE_MAX);
        }
        result?.and_then(check_pages).map(Document::new)
    }
}

fn compile(world: &LetterWorld) -> Result<PagedDocument, TypesetError> {
    typst::compile::<PagedDocument>(world).output.map_err(|diagnostics| from_diagnostics(world, &diagnostics))
}

type Work = Box<dyn FnOnce() + Send>;

/// Where work for the presses is submitted; `None` if no thread could be started.
static PRESSES: OnceLock<Option<Sender<Work>>> = OnceLock::new();

/// Runs `work` on one of the presses, long-lived threads with [`STACK_BYTES`] of stack, as many as there are cores; and
/// turns a panic inside it into an error. A thread for each letter would fill its caches anew each time, which costs more
/// than the letter.
fn on_deep_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, TypesetError> {
    let presses = PRESSES.get_or_init(start_presses).as_ref();
    let presses = presses.ok_or(TypesetError::Internal("no thread could be started"))?;
    let (answer, answered) = mpsc::sync_channel(1);
    let work: Work = Box::new(move || drop(answer.send(catch_unwind(AssertUnwindSafe(work)))));
    presses.send(work).map_err(|_| TypesetError::Internal("the presses have stopped"))?;
    match answered.recv() {
        Ok(Ok(done)) => Ok(done),
        _ => Err(TypesetError::Internal("it panicked on this letter")),
    }
}

fn start_presses() -> Option<Sender<Work>> {
    let (sender, receiver) = mpsc::channel::<Work>();
    let receiver = Arc::new(Mutex::new(receiver));
    let started = (0..thread::available_parallelism().map_or(2, usize::from)).filter(|_| {
        let receiver = receiver.clone();
        let press = move || {
            while let Some(work) = next(&receiver) {
                work()
            }
        };
        thread::Builder::new().name("typeset".to_owned()).stack_size(STACK_BYTES).spawn(press).is_ok()
    });
    (started.count() > 0).then_some(sender)
}

/// The next piece of work; the lock is free again while it is done.
fn next(receiver: &Mutex<Receiver<Work>>) -> Option<Work> {
    receiver.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn check_size(what: &'static str, bytes: &[u8], max: usize) -> Result<(), TypesetError> {
    if bytes.len() > max {
        return Err(TypesetError::TooLarge { what, bytes: bytes.len(), max });
    }
    Ok(())
}

/// Counts open brackets outside strings, so that neither the JSON reader nor the layout recurses without bound.
/// Typst has its own depth limits, but lays out on worker threads whose stack we cannot choose.
fn check_depth(json: &[u8]) -> Result<(), TypesetError> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for &byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return Err(TypesetError::TooDeep { max: DEPTH_MAX });
        }
    }
    Ok(())
}

fn check_pages(document: PagedDocument) -> Result<PagedDocument, TypesetError> {
    let pages = document.pages().len();
    if pages > PAGES_MAX {
        return Err(TypesetError::TooManyPages { pages, max: PAGES_MAX });
    }
    Ok(document)
}
