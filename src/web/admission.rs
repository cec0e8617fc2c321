//! Admission: the whole request is here before anything is done for it, and each face has slots of its own.
//!
//! A body is read within a limit of octets and of time, into memory of which large bodies share a limited amount, while no
//! slot is taken. Then the request takes one of its face's slots, so that no face can starve another, and is carried out
//! within a limit of time.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use super::WebState;
use super::problem::{Kind, Problem};
use super::server::Activity;

/// The longest that one request may take once it is here. A list that is longer on its way is answered earlier, with its
/// submission (`web::api`).
const REQUEST_TIME_MAX: Duration = Duration::from_secs(120);
/// What such a request is answered.
const TOOK_TOO_LONG: &str = "this took too long; it may have been carried out anyway. Check before you repeat it; \
    a submission with the same Idempotency-Key is never carried out twice";
/// What of each body does not count toward the memory that is shared; the number of connections limits it.
const FREE_OCTETS: usize = 64 * 1024;
/// The unit in which shared memory is handed out.
const UNIT_OCTETS: usize = 1024;
/// What is thrown away of a body that is too large, and for how long, before the answer: a client that still sends does not
/// read one.
const THROWN_AWAY_OCTETS: usize = 16 * 1024 * 1024;
const THROWN_AWAY_WITHIN: Duration = Duration::from_secs(2);
/// Who sends at least this many octets a second may take longer than a body otherwise may.
const OCTETS_A_SECOND: usize = 32 * 1024;

/// What all faces share: how long a body may take, and the memory for large ones.
#[derive(Debug, Clone)]
pub(super) struct Bodies {
    within: Duration,
    memory: Arc<Semaphore>,
}

impl Bodies {
    pub(super) fn new(within: Duration, octets_max: usize) -> Self {
        Self { within, memory: Arc::new(Semaphore::new(octets_max / UNIT_OCTETS)) }
    }
}

/// What a face admits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Face {
    /// Requests carried out at once.
    pub at_once: usize,
    /// Octets of a body.
    pub body_max: usize,
}

/// What one face admits, with its slots.
#[derive(Debug)]
struct Admission {
    slots: Semaphore,
    body_max: usize,
    bodies: Bodies,
}

/// A body that has been read, and the shared memory that it takes.
type Whole = (Bytes, Option<OwnedSemaphorePermit>);

/// Admits requests to all routes of a face.
pub(super) fn admitting(routes: Router<WebState>, face: Face, bodies: &Bodies) -> Router<WebState> {
    let admission = Admission { slots: Semaphore::new(face.at_once), body_max: face.body_max, bodies: bodies.clone() };
    // The body has been measured: no second limit.
    routes.layer(DefaultBodyLimit::disable()).layer(from_fn_with_state(Arc::new(admission), admit))
}

async fn admit(State(face): State<Arc<Admission>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let activity = request.extensions().get::<Activity>().cloned();
    let (parts, body) = request.into_parts();
    let announced = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let (body, _memory) = match face.read(body, announced).await {
        Ok(whole) => whole,
        Err(problem) => return problem.answer(&path),
    };
    if let Some(activity) = activity {
        activity.works();
    }
    let Ok(_slot) = face.slots.try_acquire() else {
        return Problem::new(Kind::Unavailable, "too many requests at once").retry_after(1).answer(&path);
    };
    match timeout(REQUEST_TIME_MAX, next.run(Request::from_parts(parts, Body::from(body)))).await {
        Ok(response) => response,
        // Where the handler was cut off is not known here: before its commit, or after it.
        Err(_) => Problem::new(Kind::Unavailable, TOOK_TOO_LONG).retry_after(5).answer(&path),
    }
}

impl Admission {
    /// Reads a body to its end. `announced` is how long it will be, if that was said.
    async fn read(&self, body: Body, announced: Option<usize>) -> Result<Whole, Problem> {
        let (began, mut chunks) = (Instant::now(), body.into_data_stream());
        if announced.is_some_and(|octets| octets > self.body_max) {
            throw_away(chunks).await;
            return Err(self.too_large());
        }
        let (mut read, mut memory) = (Vec::new(), None);
        loop {
            let allowance = Duration::from_millis((read.len() * 1_000 / OCTETS_A_SECOND) as u64);
            let next = timeout_at(began + self.bodies.within + allowance, chunks.next()).await;
            let Some(chunk) = next.map_err(|_| too_slow())? else { break };
            let chunk = chunk.map_err(|_| Problem::new(Kind::Malformed, "the request body was cut off"))?;
            if read.len() + chunk.len() > self.body_max {
                throw_away(chunks).await;
                return Err(self.too_large());
            }
            self.bodies.take(&mut memory, read.len() + chunk.len())?;
            read.extend_from_slice(&chunk);
        }
        Ok((Bytes::from(read), memory))
    }

    fn too_large(&self) -> Problem {
        let most = self.body_max;
        let words = if most.is_multiple_of(1024 * 1024) {
            format!("a body has at most {} MiB here", most / 1024 / 1024)
        } else {
            format!("a body has at most {} KiB here", most / 1024)
        };
        Problem::new(Kind::TooLarge, words)
    }
}

impl Bodies {
    /// Takes the shared memory for a body of so many octets, beyond what it has already.
    fn take(&self, memory: &mut Option<OwnedSemaphorePermit>, octets: usize) -> Result<(), Problem> {
        let wanted = octets.saturating_sub(FREE_OCTETS).div_ceil(UNIT_OCTETS);
        let has = memory.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = u32::try_from(wanted.saturating_sub(has)).unwrap_or(u32::MAX);
        if more == 0 {
            return Ok(());
        }
        let busy = || Problem::new(Kind::Unavailable, "too many large bodies at once").retry_after(5);
        let taken = self.memory.clone().try_acquire_many_owned(more).map_err(|_| busy())?;
        match memory {
            Some(memory) => memory.merge(taken),
            None => *memory = Some(taken),
        }
        Ok(())
    }
}

/// Reads on without keeping anything.
async fn throw_away(mut chunks: BodyDataStream) {
    let reading = async {
        let mut octets = 0;
        while let Some(Ok(chunk)) = chunks.next().await {
            octets += chunk.len();
            if octets > THROWN_AWAY_OCTETS {
                break;
            }
        }
    };
    // Whether it came to its end does not matter.
    drop(timeout(THROWN_AWAY_WITHIN, reading).await);
}

fn too_slow() -> Problem {
    Problem::new(Kind::TooSlow, "the request body did not arrive in time")
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::http::StatusCode;
    use axum::routing::post;
    use futures_util::stream;
    use tower::ServiceExt;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn face(at_once: usize, body_max: usize, bodies: Bodies) -> Arc<Admission> {
        Arc::new(Admission { slots: Semaphore::new(at_once), body_max, bodies })
    }

    /// What is answered through a face to a body, by a handler that tells how many octets it got.
    async fn answer(face: &Arc<Admission>, body: Body) -> (StatusCode, String) {
        let routes = post(async |body: Bytes| body.len().to_string());
        let router = Router::new().route("/api/v1/x", routes.layer(DefaultBodyLimit::disable()));
        let router = router.layer(from_fn_with_state(face.clone(), admit));
        let answer = router.oneshot(Request::post("/api/v1/x").body(body).expect("a request")).await;
        let answer = answer.expect("an answer");
        let status = answer.status();
        let body = to_bytes(answer.into_body(), 10_000).await.expect("a body");
        (status, String::from_utf8(body.to_vec()).expect("text"))
    }

    /// A body of so many chunks of 64 KiB, one after each wait.
    fn trickle(chunks: usize, wait: Duration) -> Body {
        Body::from_stream(stream::unfold(0, move |sent| async move {
            tokio::time::sleep(wait).await;
            let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
            (sent < chunks).then_some((Ok::<_, std::io::Error>(chunk), sent + 1))
        }))
    }

    /// Time is paused, so that the two minutes pass immediately.
    #[tokio::test(start_paused = true)]
    async fn a_request_that_takes_too_long_may_have_been_carried_out() {
        let endless = post(std::future::pending::<()>);
        let router = Router::new().route("/api/v1/endless", endless);
        let router = router.layer(from_fn_with_state(face(1, 10, Bodies::new(MINUTE, 0)), admit));
        let request = Request::post("/api/v1/endless").body(Body::empty()).expect("a request");
        let answer = router.oneshot(request).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.headers().contains_key(header::RETRY_AFTER));
        let body = to_bytes(answer.into_body(), 10_000).await.expect("a body");
        let said = String::from_utf8(body.to_vec()).expect("text");
        assert!(said.contains("may have been carried out") && !said.contains("nothing"), "{said}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_takes_no_slot_and_is_given_up() {
        let face = face(1, 1024 * 1024, Bodies::new(MINUTE, 1024 * 1024));
        let slow = answer(&face, Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>()));
        let mut slow = Box::pin(slow);
        assert!(futures_util::poll!(slow.as_mut()).is_pending());
        assert_eq!(answer(&face, Body::from("abc")).await, (StatusCode::OK, "3".to_owned()));
        assert_eq!(slow.await.0, StatusCode::REQUEST_TIMEOUT);
    }

    /// 64 KiB in each second and a half are more than the least, and two minutes more than one.
    #[tokio::test(start_paused = true)]
    async fn a_large_body_may_take_longer_as_long_as_it_comes() {
        let face = face(1, 16 * 1024 * 1024, Bodies::new(MINUTE, 16 * 1024 * 1024));
        let (status, octets) = answer(&face, trickle(80, Duration::from_millis(1_500))).await;
        assert_eq!((status, octets), (StatusCode::OK, (80 * 64 * 1024).to_string()));
        let (status, _) = answer(&face, trickle(80, Duration::from_secs(4))).await;
        assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
    }

    #[tokio::test]
    async fn octets_are_limited_for_each_body_and_for_all_large_ones_and_given_back() {
        let roomy = face(1, 256 * 1024, Bodies::new(MINUTE, 1024 * 1024));
        assert_eq!(answer(&roomy, trickle(5, Duration::ZERO)).await.0, StatusCode::PAYLOAD_TOO_LARGE);
        let face = face(1, 256 * 1024, Bodies::new(MINUTE, 100 * 1024));
        let of = |kib: usize| Body::from(vec![b'x'; kib * 1024]);
        assert_eq!(answer(&face, of(257)).await.0, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(answer(&face, of(165)).await.0, StatusCode::SERVICE_UNAVAILABLE, "64 KiB are free, 100 shared");
        for _ in 0..3 {
            assert_eq!(answer(&face, of(164)).await.0, StatusCode::OK);
        }
        assert_eq!(face.bodies.memory.available_permits(), 100);
    }
}
