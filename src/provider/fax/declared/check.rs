//! What must hold of a description beyond its types: names that exist where they are used, sections that fit together,
//! hosts that are named, nothing secret or personal in a URL. Every mistake is found at once, each with its place.

mod webhook;

use std::collections::BTreeSet;

use toml::Spanned;

use super::description::{AuthKind, Certainty, Description, Method, Request, Text};
use super::fill::Scope;
use super::hosts::Hosts;
use super::probe;
use super::replies::{Refused, Signs, Success};
use super::values::{Moment, Place, scope};
use crate::provider::ACCOUNT_KEYS;
use crate::provider::kit::problem::{DescriptionError, Problem, place, place_within};

/// Keys that an account of this kind has of itself, beside those that every account may have.
const OWN_KEYS: [&str; 3] = ["description", "from", "callback_secret"];
/// Names that values of ours have.
const OURS: [&str; 16] = [
    "settings",
    "secrets",
    "attempt",
    "attempt_hex",
    "to",
    "from",
    "pages",
    "sender",
    "callback",
    "document_base64",
    "reference",
    "page",
    "offset",
    "page_size",
    "window_start",
    "window_end",
];
/// Headers that the connection or the body set.
const HEADERS_REFUSED: [&str; 6] =
    ["host", "content-length", "content-type", "transfer-encoding", "connection", "expect"];
/// Calls before the one that dials.
const STEPS_MAX: usize = 4;
/// Longest part of a word of ours.
const WORD_CHARS_MAX: usize = 40;

/// Reads a description and checks it.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(file: &str, text: &str) -> Result<(Description, Hosts), DescriptionError> {
    let description: Description = toml::from_str(text).map_err(|error| {
        let place = error.span().map(|span| place(text, span.start));
        let message = error.message().replace('\n', " ");
        DescriptionError { file: file.to_owned(), problems: vec![Problem { place, message }] }
    })?;
    let hosts = Hosts { public: names(&description.hosts), private: names(&description.private_hosts) };
    let mut check = Check { text, description: &description, problems: Vec::new() };
    check.head(&hosts);
    check.auth(&hosts);
    check.calls();
    check.outcome();
    check.find();
    check.webhook();
    let problems = check.problems;
    if problems.is_empty() {
        Ok((description, hosts))
    } else {
        Err(DescriptionError { file: file.to_owned(), problems })
    }
}

fn names(hosts: &[Spanned<String>]) -> BTreeSet<String> {
    // As a URL's host is written: in lower case, international names in their ASCII form.
    hosts.iter().filter_map(|host| url::Host::parse(host.get_ref()).ok()).map(|host| host.to_string()).collect()
}

struct Check<'a> {
    text: &'a str,
    description: &'a Description,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn whole(&mut self, message: impl Into<String>) {
        self.problems.push(Problem { place: None, message: message.into() });
    }

    fn at<T>(&mut self, what: &Spanned<T>, message: impl Into<String>) {
        let place = Some(place(self.text, what.span().start));
        self.problems.push(Problem { place, message: message.into() });
    }

    fn head(&mut self, hosts: &Hosts) {
        let description = self.description;
        if description.title.trim().is_empty() || description.sources.is_empty() {
            self.whole("title and sources must say which provider this is, and where its facts come from");
        }
        for host in description.hosts.iter().chain(&description.private_hosts) {
            if url::Host::parse(host.get_ref()).is_err() {
                self.at(host, "write a host name or an address alone, without https:// and without a port");
            }
        }
        if let Err(why) = hosts.admit(description.base_url.get_ref()) {
            self.at(&description.base_url, why);
        }
        for (keys, secret) in [(&description.settings, false), (&description.secrets, true)] {
            for (key, declared) in keys {
                let name = key.get_ref().as_str();
                let mut reserved = ACCOUNT_KEYS.iter().chain(&OWN_KEYS).copied();
                if !is_word(name) || reserved.any(|key| key == name) {
                    self.at(
                        key,
                        format!(
                            "`{name}` cannot be a key: use a-z, 0-9 and _, and none of: {}",
                            [&ACCOUNT_KEYS[..], &OWN_KEYS].concat().join(", ")
                        ),
                    );
                }
                if !secret && description.secrets.contains_key(name) {
                    self.at(key, format!("`{name}` is declared twice"));
                }
                if !secret && sounds_secret(name) {
                    self.at(key, format!("`{name}` sounds secret: declare it under [secrets]"));
                }
                if secret && declared.default.is_some() {
                    self.at(key, "a secret has no default");
                }
                if declared.about.trim().is_empty() {
                    self.at(key, "about must say what it is and where to find it");
                }
            }
        }
        let limits = &description.capabilities;
        let zero = limits.pages_max == Some(0) || limits.bytes_max == Some(0);
        if zero || limits.submits_per_minute == Some(0) || limits.questions_per_minute == Some(0) {
            self.whole("a limit in [capabilities] is zero: leave out what is not limited");
        }
    }

    fn auth(&mut self, hosts: &Hosts) {
        let auth = &self.description.auth;
        let texts = [
            &auth.user,
            &auth.password,
            &auth.token,
            &auth.value,
            &auth.client_id,
            &auth.client_secret,
            &auth.scope,
            &auth.audience,
        ];
        let scope = scope(self.description, Moment::Account, Place::Header);
        for text in texts.into_iter().flatten() {
            self.filled(text, &scope);
        }
        let complete = match auth.kind {
            AuthKind::None => true,
            AuthKind::Basic => auth.user.is_some() && auth.password.is_some(),
            AuthKind::Bearer => auth.token.is_some(),
            AuthKind::Header => auth.name.is_some() && auth.value.is_some(),
            AuthKind::Oauth2 => auth.token_url.is_some() && auth.client_id.is_some() && auth.client_secret.is_some(),
        };
        if !complete {
            self.whole(
                "[auth] lacks something: basic needs user and password, bearer needs token, header needs name and value, \
                 oauth2 needs token_url, client_id and client_secret",
            );
        }
        if let Some(name) = &auth.name {
            self.header_name(name);
        }
        if let Some(url) = &auth.token_url
            && let Err(why) = hosts.admit(url.get_ref())
        {
            self.at(url, why);
        }
    }

    fn calls(&mut self) {
        let description = self.description;
        let mut taken = Vec::new();
        let mut step_names = BTreeSet::new();
        if description.prepare.len() > STEPS_MAX {
            self.whole(format!("there can be {STEPS_MAX} calls under [[prepare]] at most"));
        }
        for step in &description.prepare {
            let name = step.name.get_ref().as_str();
            if !is_word(name) || OURS.contains(&name) || !step_names.insert(name) {
                self.at(
                    &step.name,
                    format!("`{name}` cannot be a name: use a-z, 0-9 and _, none twice, and none of ours"),
                );
            }
            self.request(&step.request, Moment::Letter(&taken));
            self.signs(step.signs());
            for key in step.take.keys() {
                if !is_word(key.get_ref()) {
                    self.at(key, "use a-z, 0-9 and _");
                }
                taken.push(format!("{name}.{}", key.get_ref()));
            }
        }
        self.request(&description.send.request, Moment::Letter(&taken));
        self.signs(description.send.signs());
        let asked = [
            description.status.as_ref().map(|call| ("status", &call.request, call.signs())),
            description.cancel.as_ref().map(|call| ("cancel", &call.request, call.signs())),
            description.purge.as_ref().map(|call| ("purge", &call.request, call.signs())),
        ];
        for (name, request, signs) in asked.into_iter().flatten() {
            self.request(request, Moment::Reference);
            self.signs(signs);
            if !texts_of(request).iter().any(|text| Scope::uses(text, "reference")) {
                self.at(&request.path, format!("[{name}] asks about no fax: {{{{reference}}}} stands nowhere in it"));
            }
        }
        self.request(&description.check.request, Moment::Account);
        self.signs(description.check.signs());
        self.words(description.answer.success.as_ref(), description.answer.refused.as_ref());
    }

    fn request(&mut self, request: &Request, moment: Moment<'_>) {
        self.path(&request.path, moment);
        let description = self.description;
        let scope_in = |place| scope(description, moment, place);
        let fields = |texts: &Option<super::description::Texts>| {
            texts.iter().flatten().map(|(_, text)| text.clone()).collect::<Vec<_>>()
        };
        for text in request.query.values() {
            self.filled(text, &scope_in(Place::Query));
        }
        for (name, text) in &request.headers {
            self.header_name(name);
            self.filled(text, &scope_in(Place::Header));
        }
        for text in fields(&request.form).iter().chain(&fields(&request.multipart)).chain(&request.json) {
            self.filled(text, &scope_in(Place::Body));
        }
        if let Some(json) = &request.json
            && let Some(why) = probe::json(description, json.get_ref())
        {
            self.at(json, why);
        }
        self.bodies(request, matches!(moment, Moment::Letter(_)));
    }

    fn path(&mut self, path: &Spanned<String>, moment: Moment<'_>) {
        let scope = scope(self.description, moment, Place::Path);
        let text = path.get_ref();
        if text.contains(['?', '#', '\\']) || text.contains("//") || text.starts_with("http") {
            self.at(path, "write only what is appended to base_url, without ? and #");
        }
        let mut column = 0;
        for part in text.split('/') {
            if matches!(part, "." | "..") {
                self.at(path, "a path holds no . and no ..");
            }
            for (inner, why) in scope.check(part) {
                let inner = inner.map(|(line, at)| (line, at + column));
                let place = Some(place_within(self.text, path.span().start, inner));
                self.problems.push(Problem { place, message: why });
            }
            column += part.chars().count() + 1;
        }
    }

    fn bodies(&mut self, request: &Request, is_letter: bool) {
        let written =
            [request.json.is_some(), request.form.is_some(), request.multipart.is_some(), request.document_body];
        if written.iter().filter(|given| **given).count() > 1 {
            self.at(&request.path, "a request has one body: json, form, multipart or document_body");
        }
        if *request.method.get_ref() == Method::Get && written.contains(&true) {
            self.at(&request.method, "a GET has no body: write POST, or move the values to query");
        }
        if let Some(field) = &request.document_field
            && request.multipart.is_none()
        {
            self.at(field, "document_field is a part of multipart: add multipart = {}");
        }
        if !is_letter && (request.document_field.is_some() || request.document_body) {
            self.at(&request.path, "there is no document to send here");
        }
    }

    fn filled(&mut self, text: &Text, scope: &Scope) {
        for (inner, message) in scope.check(text.get_ref()) {
            let place = Some(place_within(self.text, text.span().start, inner));
            self.problems.push(Problem { place, message });
        }
    }

    fn header_name(&mut self, name: &Spanned<String>) {
        let lower = name.get_ref().to_ascii_lowercase();
        if reqwest::header::HeaderName::from_bytes(lower.as_bytes()).is_err()
            || HEADERS_REFUSED.contains(&lower.as_str())
        {
            self.at(
                name,
                format!("this header cannot be set; it is no name, or one of: {}", HEADERS_REFUSED.join(", ")),
            );
        }
    }

    fn signs(&mut self, signs: Signs<'_>) {
        for status in signs.statuses.keys() {
            if !status.get_ref().parse::<u16>().is_ok_and(|number| (300..500).contains(&number)) {
                self.at(status, "write an HTTP status from 300 to 499");
            }
        }
        self.words(signs.success, signs.refused);
    }

    fn words(&mut self, success: Option<&Success>, refused: Option<&Refused>) {
        if success.is_some_and(|success| success.is.is_empty()) || refused.is_some_and(|refused| refused.is.is_empty())
        {
            self.whole("`is` of success and of refused lists at least one word");
        }
    }

    /// What makes a hand-over useful: the document and the number go out, and the end can be learned.
    fn outcome(&mut self) {
        let description = self.description;
        let send = &description.send;
        let requests: Vec<&Request> =
            description.prepare.iter().map(|step| &step.request).chain(std::iter::once(&send.request)).collect();
        let uses =
            |name: &str| requests.iter().any(|request| texts_of(request).iter().any(|text| Scope::uses(text, name)));
        let carries = requests.iter().any(|request| request.document_field.is_some() || request.document_body);
        if !carries && !uses("document_base64") {
            self.at(
                &send.request.path,
                "nothing carries the document: use document_field, document_body or {{document_base64}}",
            );
        }
        if !uses("to") {
            self.at(&send.request.path, "nothing says where the fax goes: {{to}} stands nowhere");
        }
        if send.reference.is_empty() {
            self.whole("[send] must say where the answer holds their reference");
        }
        if description.status.is_none() && description.webhook.is_none() {
            self.whole("nobody could learn what became of a fax: add [status] or [webhook]");
        }
        if description.status.is_some() && description.fax.state.is_empty() {
            self.whole("[fax] must say where the state stands");
        }
        if let Some(text) = &description.fax.ours_is {
            let scope = scope(description, Moment::Attempt, Place::Body);
            self.filled(text, &scope);
        }
    }

    fn find(&mut self) {
        let Some(find) = &self.description.find else { return };
        self.request(&find.request, Moment::Find);
        self.signs(find.signs());
        let fax = &self.description.fax;
        let by = *find.by.get_ref();
        if fax.reference.is_empty() {
            self.at(&find.by, "[fax] must say where their reference stands");
        }
        if by != Certainty::Heuristic && fax.ours.is_empty() {
            self.at(&find.by, "[fax] must say where our reference stands (ours); without it, write by = \"heuristic\"");
        }
        if by == Certainty::Heuristic && fax.to.is_empty() {
            self.at(&find.by, "[fax] must say where the number stands (to): there is nothing else to compare");
        }
        let asks = |name: &str| texts_of(&find.request).iter().any(|text| Scope::uses(text, name));
        if by == Certainty::Exact && !asks("attempt") && !asks("attempt_hex") {
            self.at(&find.by, "an exact question names our reference: {{attempt}} stands nowhere in it");
        }
        if find.page_size == Some(0) || !(1..=1440).contains(&find.minutes_after) || find.minutes_before > 1440 {
            self.at(
                &find.by,
                "page_size is at least 1; a window is at most a day each way, and does not end at the attempt",
            );
        }
    }
}

/// Every text of a request into which something is filled.
fn texts_of(request: &Request) -> Vec<&str> {
    let fields = request.form.iter().chain(&request.multipart).chain([&request.query, &request.headers]);
    let texts =
        fields.flat_map(std::collections::BTreeMap::values).chain(&request.json).chain(std::iter::once(&request.path));
    texts.map(|text| text.get_ref().as_str()).collect()
}

fn is_word(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    (1..=WORD_CHARS_MAX).contains(&text.len()) && text.bytes().all(plain) && !text.as_bytes()[0].is_ascii_digit()
}

fn sounds_secret(key: &str) -> bool {
    ["secret", "password", "token", "api_key", "private_key", "passphrase"].iter().any(|word| key.contains(word))
}
