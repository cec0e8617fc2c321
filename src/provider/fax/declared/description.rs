//! A description as it is written: TOML, typed, unknown keys refused. What a key means stands at its field; which keys
//! must fit together is checked in [`super::check`].

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::replies::{Answers, Refused, Rule, Signs, Statuses, Success};
use super::webhook::Webhook;
use crate::provider::kit::pointer::{Pointer, Pointers};

/// A text with `{{placeholders}}`, and where it is in the file.
pub type Text = Spanned<String>;
/// Names with such texts.
pub type Texts = BTreeMap<Spanned<String>, Text>;

/// One provider.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Name for people.
    pub title: String,
    /// Where its facts come from.
    pub sources: Vec<String>,
    /// What to do in the provider's console.
    #[serde(default)]
    pub setup: Vec<String>,
    /// What is left out or unverified.
    #[serde(default)]
    pub gaps: Vec<String>,
    /// The only hosts that are called, over https.
    #[serde(default)]
    pub hosts: Vec<Spanned<String>>,
    /// Hosts that may have a private or loopback address, and may be called over http.
    #[serde(default)]
    pub private_hosts: Vec<Spanned<String>>,
    /// What every path is appended to.
    pub base_url: Spanned<String>,
    /// Whether fax numbers may stand in the query of a URL, because the API leaves no choice.
    #[serde(default)]
    pub number_in_url: bool,
    /// What it can do beyond what the sections below say.
    #[serde(default)]
    pub capabilities: Limits,
    /// What an account of it needs.
    #[serde(default)]
    pub settings: BTreeMap<Spanned<String>, Key>,
    /// The secrets that an account of it needs.
    #[serde(default)]
    pub secrets: BTreeMap<Spanned<String>, Key>,
    /// How a call proves whose it is.
    #[serde(default)]
    pub auth: Auth,
    /// Calls before the one that dials, in order.
    #[serde(default)]
    pub prepare: Vec<Step>,
    /// The call that dials.
    pub send: Send,
    /// How answers say that something is wrong.
    #[serde(default)]
    pub answer: Answers,
    /// How a fax is described, in answers, listings and callbacks.
    #[serde(default)]
    pub fax: FaxShape,
    /// Asking for the state.
    pub status: Option<Status>,
    /// Looking for a hand-over of unknown outcome.
    pub find: Option<Find>,
    /// Asking to stop.
    pub cancel: Option<Act>,
    /// Having the document deleted.
    pub purge: Option<Act>,
    /// Credentials and reachability.
    pub check: Check,
    /// Callbacks.
    pub webhook: Option<Webhook>,
}

/// `[capabilities]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Whether it dials again by itself, and that cannot be switched off.
    pub redials: bool,
    /// Whether it prints the header line itself.
    pub stamps_header: bool,
    /// Largest number of pages.
    pub pages_max: Option<u32>,
    /// Largest document in bytes.
    pub bytes_max: Option<usize>,
    /// Hand-overs a minute.
    pub submits_per_minute: Option<u32>,
    /// Questions a minute.
    pub questions_per_minute: Option<u32>,
}

/// A setting or secret of an account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// What it is and where to find it.
    pub about: String,
    /// Whether the account cannot work without it; yes unless said otherwise.
    #[serde(default = "yes")]
    pub required: bool,
    /// Its value where the account gives none; not for secrets.
    pub default: Option<String>,
}

const fn yes() -> bool {
    true
}

/// `[auth]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// Which way.
    pub kind: AuthKind,
    /// For `basic`.
    pub user: Option<Text>,
    /// For `basic`.
    pub password: Option<Text>,
    /// For `bearer`.
    pub token: Option<Text>,
    /// For `header`: its name.
    pub name: Option<Spanned<String>>,
    /// For `header`: its value.
    pub value: Option<Text>,
    /// For `oauth2`: where tokens come from.
    pub token_url: Option<Spanned<String>>,
    /// For `oauth2`.
    pub client_id: Option<Text>,
    /// For `oauth2`.
    pub client_secret: Option<Text>,
    /// For `oauth2`, where asked for.
    pub scope: Option<Text>,
    /// For `oauth2`, where asked for.
    pub audience: Option<Text>,
    /// For `oauth2`: whether id and secret stand in the form instead of HTTP Basic.
    pub client_in_form: bool,
}

/// How a call proves whose it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthKind {
    /// Not at all, or by fields of the body.
    #[default]
    None,
    /// RFC 7617.
    Basic,
    /// RFC 6750.
    Bearer,
    /// A header of its own.
    Header,
    /// RFC 6749 §4.4.
    Oauth2,
}

/// One request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The method.
    pub method: Spanned<Method>,
    /// Appended to `base_url`; each part between slashes is escaped by itself.
    pub path: Spanned<String>,
    /// Query parameters; one that comes out empty is left out.
    #[serde(default)]
    pub query: Texts,
    /// Headers; one that comes out empty is left out.
    #[serde(default)]
    pub headers: Texts,
    /// The body as JSON; values are escaped for JSON strings.
    pub json: Option<Text>,
    /// The body as a form (application/x-www-form-urlencoded).
    pub form: Option<Texts>,
    /// The body as a form with parts (multipart/form-data).
    pub multipart: Option<Texts>,
    /// The part of `multipart` that holds the document.
    pub document_field: Option<Spanned<String>>,
    /// The document itself is the body.
    #[serde(default)]
    pub document_body: bool,
}

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    Get,
    /// Makes.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Deletes.
    Delete,
}

/// `[[prepare]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What its values are called by: `{{name.value}}`.
    pub name: Spanned<String>,
    /// The call.
    pub request: Request,
    /// What to take from its answer; each must be there.
    #[serde(default)]
    pub take: BTreeMap<Spanned<String>, Pointers>,
    /// What a status means.
    #[serde(default)]
    pub statuses: Statuses,
    /// Where a 2xx to this call says whether it was a success; as under `[answer]` unless given.
    pub success: Option<Success>,
    /// The words with which a 2xx to this call refuses; as under `[answer]` unless given.
    pub refused: Option<Refused>,
}

/// `[send]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Send {
    /// The call.
    pub request: Request,
    /// Where the answer holds their reference.
    pub reference: Pointers,
    /// What a status means.
    #[serde(default)]
    pub statuses: Statuses,
    /// Where a 2xx to this call says whether it was a success; as under `[answer]` unless given.
    pub success: Option<Success>,
    /// The words with which a 2xx to this call refuses; as under `[answer]` unless given.
    pub refused: Option<Refused>,
}

/// `[fax]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaxShape {
    /// Their reference.
    pub reference: Pointers,
    /// The word for its state.
    pub state: Pointers,
    /// What the words mean; a word that is not listed is progress.
    pub states: BTreeMap<String, super::fax::State>,
    /// Pages that the far machine confirmed; never a count of the document's pages.
    pub pages: Pointers,
    /// Pages of the document.
    pub pages_total: Pointers,
    /// A finer word for the stage of a fax on its way.
    pub stage: Pointers,
    /// The code of a failure; all that are there are joined.
    pub code: Pointers,
    /// The words of a failure; all that are there are joined.
    pub text: Pointers,
    /// What a failure means; the first rule that fits counts.
    pub faults: Vec<Rule>,
    /// Our reference.
    pub ours: Pointers,
    /// What is there in every fax: one without our reference in it is certainly not ours.
    pub ours_within: Pointers,
    /// How our reference is written there: `{{attempt}}` unless given.
    pub ours_is: Option<Text>,
    /// The number it goes to.
    pub to: Pointers,
    /// When it was made (RFC 3339, or seconds since 1970).
    pub created: Pointers,
    /// What is no fax of ours: each of these says one of those.
    pub skip: BTreeMap<Pointer, Vec<String>>,
    /// The charge.
    pub cost: Pointers,
    /// Its unit.
    pub cost_unit: Option<String>,
}

/// `[status]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// The call.
    pub request: Request,
    /// Where the answer holds the fax; the whole answer unless given.
    #[serde(default)]
    pub at: Pointers,
    /// What a status means.
    #[serde(default)]
    pub statuses: Statuses,
    /// Where a 2xx to this call says whether it was a success; as under `[answer]` unless given.
    pub success: Option<Success>,
    /// The words with which a 2xx to this call refuses; as under `[answer]` unless given.
    pub refused: Option<Refused>,
}

/// How certain a look-up is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The question itself is for our reference.
    Exact,
    /// A window of time is listed and our reference compared.
    Scan,
    /// Only number and time can be compared.
    Heuristic,
}

/// `[find]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Find {
    /// How certain it is.
    pub by: Spanned<Certainty>,
    /// The call.
    pub request: Request,
    /// Where the answer holds the list.
    pub items: Pointers,
    /// How far before the attempt the window begins.
    #[serde(default = "five")]
    pub minutes_before: u32,
    /// How far after it the window ends.
    #[serde(default = "thirty")]
    pub minutes_after: u32,
    /// Faxes a page, as `{{page_size}}`. A page of a listing without pages that is full is not the whole.
    pub page_size: Option<u32>,
    /// The number of the first page.
    #[serde(default = "one")]
    pub page_first: u32,
    /// Where the number of pages stands.
    #[serde(default)]
    pub pages: Pointers,
    /// Where the number of faxes stands.
    #[serde(default)]
    pub total: Pointers,
    /// What a status means.
    #[serde(default)]
    pub statuses: Statuses,
    /// Where a 2xx to this call says whether it was a success; as under `[answer]` unless given.
    pub success: Option<Success>,
    /// The words with which a 2xx to this call refuses; as under `[answer]` unless given.
    pub refused: Option<Refused>,
}

const fn one() -> u32 {
    1
}

const fn five() -> u32 {
    5
}

const fn thirty() -> u32 {
    30
}

/// `[cancel]` and `[purge]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// The call.
    pub request: Request,
    /// Statuses that mean that it is done already.
    #[serde(default)]
    pub done: Vec<u16>,
    /// What a status means.
    #[serde(default)]
    pub statuses: Statuses,
    /// Where a 2xx to this call says whether it was a success; as under `[answer]` unless given.
    pub success: Option<Success>,
    /// The words with which a 2xx to this call refuses; as under `[answer]` unless given.
    pub refused: Option<Refused>,
}

/// `[check]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The call: changes nothing, sends nothing.
    pub request: Request,
    /// What the answer must hold.
    #[serde(default)]
    pub has: Pointers,
    /// What a status means.
    #[serde(default)]
    pub statuses: Statuses,
    /// Where a 2xx to this call says whether it was a success; as under `[answer]` unless given.
    pub success: Option<Success>,
    /// The words with which a 2xx to this call refuses; as under `[answer]` unless given.
    pub refused: Option<Refused>,
}

/// How the answer to each call is read.
macro_rules! signs {
    ($($call:ty),+) => {$(
        impl $call {
            /// How its answer is read.
            #[must_use]
            pub const fn signs(&self) -> Signs<'_> {
                Signs { statuses: &self.statuses, success: self.success.as_ref(), refused: self.refused.as_ref() }
            }
        }
    )+};
}

signs!(Step, Send, Status, Find, Act, Check);
