//! From a described request to one that can be sent, and what is told of it to somebody who tries a description.

use std::sync::Arc;
use std::time::Duration;

use handlebars::Context;
use reqwest::multipart::Form;
use reqwest::{RequestBuilder, header};
use serde_json::Value;
use url::Url;

use super::answer::is_one_part;
use super::description::{Method, Request, Texts};
use super::fill::{Filler, Scope};
use super::values::Values;
use crate::domain::fault::{Failure, Fault};
use crate::http;
use crate::http::{Answer, Trouble};
use crate::provider::kit::auth::sensitive;
use crate::provider::kit::client::Client;
use crate::provider::kit::letter::Letter;

/// Who is told of each step, in words that hold no value of a secret, a number or a document.
pub type Watch = Arc<dyn Fn(&str) + Send + Sync>;

/// What makes the calls of one account.
pub struct Caller {
    /// Connects to nothing but the description's hosts.
    pub client: Client,
    /// Fills in.
    pub filler: Filler,
    /// Who is told.
    pub watch: Option<Watch>,
}

impl Caller {
    /// Makes a request of its description.
    ///
    /// # Errors
    /// A value is missing or cannot be where it should. Nothing was sent.
    pub fn prepare(
        &self,
        request: &Request,
        values: Values,
        letter: Option<&Letter<'_>>,
    ) -> Result<RequestBuilder, Failure> {
        let values = match letter {
            Some(letter) if wants_document(request) => values.with_document(letter),
            _ => values,
        };
        let values = Context::wraps(Value::Object(values.0)).map_err(|_| unfit("the values cannot be filled in"))?;
        let mut url = self.url(request.path.get_ref(), &values)?;
        let query = self.fields(&request.query, &values)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(&query);
        }
        let mut told = Told::new(request, self.client.base(), &query);
        let builder = self.client.request_to(method(*request.method.get_ref()), url);
        let headers = self.fields(&request.headers, &values)?;
        let says_accept = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("accept"));
        let mut builder = if says_accept { builder } else { builder.header(header::ACCEPT, "application/json") };
        for (name, value) in headers {
            builder = builder.header(&name, sensitive(&value)?);
            told.headers.push(name);
        }
        let builder = self.body(builder, request, &values, letter, &mut told)?;
        self.tell(|| told.words());
        Ok(builder)
    }

    /// The base with a path appended, part by part, so that no value can add one.
    fn url(&self, path: &str, values: &Context) -> Result<Url, Failure> {
        let mut parts = Vec::new();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let filled = self.filler.plain(part, values)?;
            if part.contains("{{") && !is_one_part(&filled) {
                return Err(unfit("a value is empty or cannot stand in the path of a URL"));
            }
            parts.push(filled);
        }
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        Ok(http::endpoint(self.client.base(), &parts))
    }

    /// Names with their values; empty ones are left out.
    fn fields(&self, texts: &Texts, values: &Context) -> Result<Vec<(String, String)>, Failure> {
        let mut fields = Vec::with_capacity(texts.len());
        for (name, text) in texts {
            let value = self.filler.plain(text.get_ref(), values)?;
            if !value.is_empty() {
                fields.push((name.get_ref().clone(), value));
            }
        }
        Ok(fields)
    }

    fn body(
        &self,
        builder: RequestBuilder,
        request: &Request,
        values: &Context,
        letter: Option<&Letter<'_>>,
        told: &mut Told,
    ) -> Result<RequestBuilder, Failure> {
        if let Some(json) = &request.json {
            let body = self.filler.json(json.get_ref(), values)?;
            told.body = format!("JSON, {} bytes", body.len());
            return Ok(builder.header(header::CONTENT_TYPE, "application/json").body(body));
        }
        if let Some(fields) = &request.form {
            let fields = self.fields(fields, values)?;
            told.body = format!("a form with {}", names(&fields));
            return Ok(builder.form(&fields));
        }
        if let Some(fields) = &request.multipart {
            let fields = self.fields(fields, values)?;
            told.body = format!("a form in parts with {}", names(&fields));
            let mut form = Form::new();
            for (name, value) in fields {
                form = form.text(name, value);
            }
            if let (Some(name), Some(letter)) = (&request.document_field, letter) {
                told.body.push_str(&format!(", and {} (PDF, {} bytes)", name.get_ref(), letter.pdf.len()));
                form = form.part(name.get_ref().clone(), letter.part());
            }
            return Ok(builder.multipart(form));
        }
        match letter {
            Some(letter) if request.document_body => {
                told.body = format!("the document itself, {} bytes", letter.pdf.len());
                Ok(builder.header(header::CONTENT_TYPE, "application/pdf").body(letter.pdf.to_vec()))
            }
            // A call that could have a body says that it has none: a gateway may answer 411 (RFC 9110 §8.6).
            _ if !matches!(request.method.get_ref(), Method::Get | Method::Delete) => {
                Ok(builder.header(header::CONTENT_LENGTH, "0"))
            }
            _ => Ok(builder),
        }
    }

    /// Sends it and reads the answer.
    ///
    /// # Errors
    /// Says whether the request can have taken effect.
    pub async fn call(&self, request: RequestBuilder, within: Duration) -> Result<Answer, Trouble> {
        let answer = self.client.call(request, within).await;
        match &answer {
            Ok(answer) => self.tell(|| format!("answered: status {}, {} bytes", answer.status, answer.body.len())),
            Err(trouble) => {
                let why = trouble.clone().failure().raw_text;
                self.tell(|| format!("no answer: {}", why.unwrap_or_default()));
            }
        }
        answer
    }

    /// A call that changes nothing or can be repeated without harm.
    ///
    /// # Errors
    /// There was no whole answer.
    pub async fn ask(&self, request: &Request, values: Values) -> Result<Answer, Failure> {
        let request = self.prepare(request, values, None)?;
        self.call(request, self.client.timeout()).await.map_err(Trouble::failure)
    }

    /// Tells whoever watches.
    pub fn tell(&self, words: impl FnOnce() -> String) {
        if let Some(watch) = &self.watch {
            watch(&words());
        }
    }
}

/// Whether the document stands among the values of the request's body.
fn wants_document(request: &Request) -> bool {
    let fields = request.form.iter().chain(&request.multipart).flat_map(std::collections::BTreeMap::values);
    fields.chain(&request.json).any(|text| Scope::uses(text.get_ref(), "document_base64"))
}

fn unfit(words: &str) -> Failure {
    Failure::new(Fault::AccountError).text(words)
}

const fn method(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Patch => reqwest::Method::PATCH,
        Method::Delete => reqwest::Method::DELETE,
    }
}

fn names(fields: &[(String, String)]) -> String {
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    if names.is_empty() { "no fields".to_owned() } else { names.join(", ") }
}

/// What is told of a request: names, never values.
struct Told {
    line: String,
    query: String,
    headers: Vec<String>,
    body: String,
}

impl Told {
    /// The path as it is written, because what is filled in may be a number if a pointer leads astray.
    fn new(request: &Request, base: &Url, query: &[(String, String)]) -> Self {
        let query = if query.is_empty() { String::new() } else { format!("; query: {}", names(query)) };
        let (method, host) = (method(*request.method.get_ref()), base.host_str().unwrap_or_default());
        let line = format!("{method} {host} {}/{}", base.path().trim_end_matches('/'), request.path.get_ref());
        Self { line, query, headers: Vec::new(), body: "none".to_owned() }
    }

    fn words(&self) -> String {
        let headers = if self.headers.is_empty() { "none of its own".to_owned() } else { self.headers.join(", ") };
        format!("request: {}{}; headers: {headers}; body: {}", self.line, self.query, self.body)
    }
}
