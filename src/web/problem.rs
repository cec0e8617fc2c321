//! What goes wrong at the outside faces, reported in one form: problem+json (RFC 9457) for programs, a plain page for
//! people. Everything from below is mapped here, once. No text repeats an address, a key or a body.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::html;
use crate::access::AccessError;
use crate::campaign::CampaignError;
use crate::consent::ConsentError;
use crate::domain::campaign::CampaignWait;
use crate::feedback::returns::replies::ReplyError;
use crate::feedback::returns::working::WorkError;
use crate::intake::IntakeError;
use crate::operator::OperatorError;
use crate::referrers::ReferrersError;
use crate::store::StoreError;

/// When to try again after a temporary problem.
const COME_AGAIN_SECONDS: u64 = 5;
/// When to ask again for the answer to a list that is still being put on the queue.
const UNFOLDING_SECONDS: u64 = 2;

/// What kind of trouble. The word is part of the problem's `type` and never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request cannot be read at all.
    Malformed,
    /// No token, or one that is not known.
    Unauthorized,
    /// Known, but not allowed to.
    Forbidden,
    /// It does not exist.
    NotFound,
    /// It exists, but does not support that method.
    MethodNotAllowed,
    /// Its state does not allow it.
    WrongState,
    /// The idempotency key was used for another request.
    KeyReused,
    /// It already exists.
    Conflict,
    /// It did not arrive in time.
    TooSlow,
    /// Its head is larger than is accepted.
    HeadTooLarge,
    /// Larger than is accepted.
    TooLarge,
    /// Not a supported media type.
    UnsupportedMediaType,
    /// It can be read, but not be carried out.
    Invalid,
    /// The letter cannot be written for every recipient.
    MissingVariables,
    /// Too often.
    TooManyTries,
    /// The queue is full.
    QueueFull,
    /// An internal error.
    Internal,
    /// Not now.
    Unavailable,
}

impl Kind {
    const fn told(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Malformed => (StatusCode::BAD_REQUEST, "malformed", "The request cannot be read"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized", "A token is required"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "Not allowed"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "Not found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed"),
            Self::WrongState => (StatusCode::CONFLICT, "wrong-state", "Its state does not allow it"),
            Self::KeyReused => (StatusCode::CONFLICT, "key-reused", "The idempotency key was already used"),
            Self::Conflict => (StatusCode::CONFLICT, "conflict", "It already exists"),
            Self::HeadTooLarge => {
                (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "head-too-large", "The head of the request is too large")
            }
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too-slow", "The request did not arrive in time"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The request is too large"),
            Self::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The media type is not supported")
            }
            Self::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The request cannot be carried out"),
            Self::MissingVariables => {
                (StatusCode::UNPROCESSABLE_ENTITY, "missing-variables", "The letter is missing variables")
            }
            Self::TooManyTries => (StatusCode::TOO_MANY_REQUESTS, "too-many-tries", "Too many attempts"),
            Self::QueueFull => (StatusCode::TOO_MANY_REQUESTS, "queue-full", "The queue is full"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Temporarily unavailable"),
        }
    }
}

/// A problem, reported as `application/problem+json`.
#[derive(Debug)]
pub struct Problem {
    kind: Kind,
    detail: String,
    fields: Map<String, Value>,
    retry_after_seconds: Option<u64>,
    challenge: Option<HeaderValue>,
    database_unusable: bool,
    cause: Option<Box<Cause>>,
}

/// Part of the answer to a request that met a damaged database. It is not sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct DatabaseUnusable;

/// Part of the answer to a form that was refused: what is wrong, and with which of its fields. It is not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The field's name; none if it is about all of the form.
    pub field: Option<String>,
    /// What is wrong, as a sentence.
    pub words: String,
}

/// Part of the answer to a request that failed: why, for the log. It is not sent.
#[derive(Debug, Clone)]
pub(super) struct Cause(pub(super) String);

impl Problem {
    /// A problem of that kind, with what happened and what to do in words.
    #[must_use]
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            fields: Map::new(),
            retry_after_seconds: None,
            challenge: None,
            database_unusable: false,
            cause: None,
        }
    }

    /// The same about one field of the request.
    #[must_use]
    pub fn field(kind: Kind, field: &str, detail: impl Into<String>) -> Self {
        Self::new(kind, detail).with("field", field)
    }

    /// With one more member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    /// With the time after which to come again, in the body and as `Retry-After`.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self.with("retry_after_seconds", seconds)
    }

    /// With a `WWW-Authenticate` challenge (RFC 6750 §3).
    #[must_use]
    pub fn challenge(mut self, challenge: &'static str) -> Self {
        self.challenge = Some(HeaderValue::from_static(challenge));
        self
    }

    /// With what the log says of it. It must hold nothing of the request.
    fn caused_by(self, error: &impl ToString) -> Self {
        Self { cause: Some(Box::new(Cause(error.to_string()))), ..self }
    }

    /// What kind it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The answer to a request for that path: problem+json for programs, a page for people.
    #[must_use]
    pub fn answer(self, path: &str) -> Response {
        if path.starts_with("/api/") || path.starts_with("/hooks/") {
            self.into_response()
        } else {
            PageProblem(self).into_response()
        }
    }

    /// What is wrong with the form, if a person can fix it there.
    pub(super) fn refused(&self) -> Option<Refused> {
        let is_about_form = matches!(
            self.kind,
            Kind::Invalid | Kind::MissingVariables | Kind::WrongState | Kind::Conflict | Kind::Forbidden
        );
        let field = self.fields.get("field").and_then(Value::as_str).map(str::to_owned);
        let words = format!("{}.", crate::wording::capitalized(self.detail.trim_end_matches('.')));
        is_about_form.then_some(Refused { field, words })
    }

    fn add_headers(&self, response: &mut Response) {
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(challenge) = &self.challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge.clone());
        }
        if self.database_unusable {
            response.extensions_mut().insert(DatabaseUnusable);
        }
        if let Some(cause) = &self.cause {
            response.extensions_mut().insert(Cause::clone(cause));
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, code, title) = self.kind.told();
        let mut body = self.fields.clone();
        body.insert("type".to_owned(), format!("urn:touchline:problem:{code}").into());
        body.insert("title".to_owned(), title.into());
        body.insert("status".to_owned(), status.as_u16().into());
        body.insert("detail".to_owned(), self.detail.as_str().into());
        let mut response = (
            status,
            [(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))],
            Value::Object(body).to_string(),
        )
            .into_response();
        self.add_headers(&mut response);
        response
    }
}

/// The same problem, shown on a page.
#[derive(Debug)]
pub struct PageProblem(pub Problem);

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<link rel="stylesheet" href="/assets/touchline.css">
<link rel="icon" href="/assets/touchline.svg" type="image/svg+xml">
</head>
<body>
<main class="plain">
<h1>{{ title }}</h1>
<p>{{ detail }}</p>
<p><a href="/">Back to the overview</a></p>
</main>
</body>
</html>
"#
)]
struct ProblemPage<'a> {
    title: &'a str,
    detail: &'a str,
}

impl IntoResponse for PageProblem {
    fn into_response(self) -> Response {
        let (status, _, title) = self.0.kind.told();
        let mut response = html(status, &ProblemPage { title, detail: &self.0.detail });
        self.0.add_headers(&mut response);
        if let Some(refused) = self.0.refused() {
            response.extensions_mut().insert(refused);
        }
        response
    }
}

impl<E: Into<Problem>> From<E> for PageProblem {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(_) => Self::new(Kind::Conflict, "one with the same key already exists"),
            StoreError::Refused(_) => {
                tracing::warn!(%error, "a request was refused");
                Self::new(Kind::Invalid, format!("{error}; nothing was changed"))
            }
            StoreError::Unavailable(_) | StoreError::InUse(_) => {
                Self::new(Kind::Unavailable, "the database is unavailable; nothing was changed")
                    .retry_after(COME_AGAIN_SECONDS)
                    .caused_by(&error)
            }
            StoreError::Unusable(_) | StoreError::Corrupt(_) => {
                let problem = Self::new(Kind::Internal, "the database cannot be used; see the log").caused_by(&error);
                Self { database_unusable: matches!(error, StoreError::Unusable(_)), ..problem }
            }
        }
    }
}

impl From<IntakeError> for Problem {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::NotFound(detail) => Self::new(Kind::NotFound, detail),
            IntakeError::Invalid(detail) => Self::new(Kind::Invalid, detail),
            IntakeError::MissingVariables(gaps) => {
                let missing: Vec<Value> = gaps.iter().map(|gap| gap.to_string().into()).collect();
                Self::new(Kind::MissingVariables, "the letter cannot be written for every recipient; nothing was sent")
                    .with("missing", missing)
            }
            IntakeError::KeyReused => Self::new(Kind::KeyReused, error.to_string()),
            IntakeError::QueueFull { depth, retry_after_seconds } => {
                Self::new(Kind::QueueFull, error.to_string()).with("depth", depth).retry_after(retry_after_seconds)
            }
            IntakeError::Unfolding => Self::new(Kind::Unavailable, error.to_string()).retry_after(UNFOLDING_SECONDS),
            IntakeError::Store(error) => error.into(),
        }
    }
}

impl From<CampaignError> for Problem {
    fn from(error: CampaignError) -> Self {
        match error {
            CampaignError::NotFound(detail) => Self::new(Kind::NotFound, detail),
            CampaignError::Invalid(detail) => Self::new(Kind::Invalid, detail),
            CampaignError::Schedule(misread) => Self::new(Kind::Invalid, misread.in_short()),
            CampaignError::WrongState(detail) => Self::new(Kind::WrongState, detail),
            CampaignError::Renew { ref variables, .. } => Self::new(Kind::WrongState, error.to_string())
                .with("reason", CampaignWait::RenewVariables.as_str())
                .with("variables", variables.clone()),
            CampaignError::Intake(error) => error.into(),
            CampaignError::Store(error) => error.into(),
        }
    }
}

impl From<ReferrersError> for Problem {
    fn from(error: ReferrersError) -> Self {
        match error {
            ReferrersError::NotFound(detail) => Self::new(Kind::NotFound, detail),
            ReferrersError::Known(who) => Self::new(
                Kind::Invalid,
                format!("{who}; change that one, or say `\"another\": true` if this is another person"),
            ),
            ReferrersError::Invalid(detail) => Self::new(Kind::Invalid, detail),
            ReferrersError::Store(error) => error.into(),
        }
    }
}

impl From<ConsentError> for Problem {
    fn from(error: ConsentError) -> Self {
        match error {
            ConsentError::NotFound(detail) => Self::new(Kind::NotFound, detail),
            ConsentError::Store(error) => error.into(),
        }
    }
}

impl From<OperatorError> for Problem {
    fn from(error: OperatorError) -> Self {
        match error {
            OperatorError::NotFound(detail) => Self::new(Kind::NotFound, detail),
            OperatorError::Invalid(detail) => Self::new(Kind::Invalid, detail),
            OperatorError::WrongState(detail) | OperatorError::NotStopped(detail) => {
                Self::new(Kind::WrongState, detail)
            }
            OperatorError::Store(error) => error.into(),
        }
    }
}

impl From<WorkError> for Problem {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::NotFound(_) => Self::new(Kind::NotFound, error.to_string()),
            WorkError::Invalid(detail) => Self::new(Kind::WrongState, detail),
            WorkError::Store(error) => error.into(),
        }
    }
}

impl From<ReplyError> for Problem {
    fn from(error: ReplyError) -> Self {
        match error {
            ReplyError::NotFound(_) => Self::new(Kind::NotFound, error.to_string()),
            ReplyError::NotKept(detail) | ReplyError::Locked(detail) => Self::new(Kind::WrongState, detail),
            ReplyError::Store(error) => error.into(),
        }
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Invalid(detail) | AccessError::Password(detail) => Self::new(Kind::Invalid, detail),
            AccessError::Taken(detail) => Self::new(Kind::Conflict, detail),
            AccessError::NotFound(detail) => Self::new(Kind::NotFound, detail),
            AccessError::Store(error) => error.into(),
            AccessError::Machine => Self::new(Kind::Internal, error.to_string()).caused_by(&error),
        }
    }
}
