//! The page of caught mail, for people who rehearse: what would have been mailed, to whom, and how it looks. Plain HTML, no
//! external content, no scripts; a mail's own HTML is shown in a frame that may do nothing.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use mail_parser::MessageParser;

use super::{CaughtMail, Mailroom};

/// The most mails in the list.
const ROWS_MAX: usize = 200;
/// What a browser may do with the list and a mail's page: styles of its own, and the frame.
const PAGE_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'";
/// What it may do with a mail's HTML: show it, within our page.
const MAIL_POLICY: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'";

/// Text that is shown, escaped by the template.
struct Row {
    number: u64,
    subject: String,
    to: String,
    received: String,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sandbox mail</title>
<style>
:root { color-scheme: light dark; --paper: #fbfaf7; --ink: #1d2430; --soft: #5c6675; --rule: #dfdcd3; --card: #fff; --link: #1f5fa8; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181f; --ink: #e8eaee; --soft: #9aa4b2; --rule: #2b323d; --card: #1b212a; --link: #8ab8f0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .35rem; }
p { margin: 0 0 1rem; color: var(--soft); }
a { color: var(--link); }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .5rem .9rem; border-top: 1px solid var(--rule); vertical-align: top; }
thead th { border-top: 0; font-size: .85rem; color: var(--soft); }
.none { padding: 2.5rem 1rem; text-align: center; color: var(--soft); }
iframe { width: 100%; height: 60rem; border: 0; background: #fff; display: block; }
pre { white-space: pre-wrap; padding: 1rem; margin: 0; }
</style>
</head>
<body>
<main>
{% if let Some(shown) = shown %}<h1>{{ shown.subject }}</h1>
<p>To {{ shown.to }} &middot; {{ shown.received }} &middot; <a href="/mail">All mail</a></p>
<div class="card">{% if has_html %}<iframe sandbox title="The mail" src="/mail/{{ shown.number }}/html"></iframe>{% else %}<pre>{{ text }}</pre>{% endif %}</div>
{% else %}<h1>Sandbox mail</h1>
<p>Nothing sent here leaves this machine: this is the mail that a real server would have sent.
<a href="/mail">Refresh</a> &middot; <a href="/">Faxes</a></p>
{% if rows.is_empty() %}<div class="card none">No mail received yet.</div>
{% else %}<div class="card"><table>
<thead><tr><th scope="col">To</th><th scope="col">Subject</th><th scope="col">Received</th></tr></thead>
<tbody>
{% for row in rows %}<tr><td>{{ row.to }}</td><td><a href="/mail/{{ row.number }}">{{ row.subject }}</a></td><td>{{ row.received }}</td></tr>
{% endfor %}</tbody>
</table></div>
{% endif %}{% endif %}</main>
</body>
</html>
"##
)]
struct MailPage {
    shown: Option<Row>,
    has_html: bool,
    text: String,
    rows: Vec<Row>,
}

/// `/mail`, `/mail/{number}` and `/mail/{number}/html`. The first mail since the start has number 1.
pub(super) fn router(mailroom: Arc<Mailroom>) -> Router {
    Router::new()
        .route("/mail", get(list))
        .route("/mail/{number}", get(one))
        .route("/mail/{number}/html", get(html))
        .with_state(mailroom)
}

async fn list(State(mailroom): State<Arc<Mailroom>>) -> Response {
    let rows = mailroom.newest(ROWS_MAX).iter().map(|(number, mail)| row(*number, mail)).collect();
    respond(&MailPage { shown: None, has_html: false, text: String::new(), rows })
}

async fn one(State(mailroom): State<Arc<Mailroom>>, Path(number): Path<u64>) -> Response {
    let Some(mail) = mailroom.numbered(number) else { return StatusCode::NOT_FOUND.into_response() };
    let parsed = MessageParser::default().parse(&mail.eml);
    let has_html = parsed.as_ref().is_some_and(|parsed| parsed.html_body_count() > 0);
    let text = parsed.and_then(|parsed| parsed.body_text(0).map(|text| text.into_owned())).unwrap_or_default();
    respond(&MailPage { shown: Some(row(number, &mail)), has_html, text, rows: Vec::new() })
}

async fn html(State(mailroom): State<Arc<Mailroom>>, Path(number): Path<u64>) -> Response {
    let mail = mailroom.numbered(number);
    let html = mail.and_then(|mail| {
        let parsed = MessageParser::default().parse(&mail.eml)?;
        parsed.body_html(0).map(|html| html.into_owned())
    });
    match html {
        Some(html) => ([(header::CONTENT_SECURITY_POLICY, MAIL_POLICY)], Html(html)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn respond(page: &MailPage) -> Response {
    match page.render() {
        Ok(html) => ([(header::CONTENT_SECURITY_POLICY, PAGE_POLICY), (header::CACHE_CONTROL, "no-store")], Html(html))
            .into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn row(number: u64, mail: &CaughtMail) -> Row {
    let subject =
        MessageParser::default().parse_headers(&mail.eml).and_then(|parsed| parsed.subject().map(str::to_owned));
    Row {
        number,
        subject: subject.filter(|subject| !subject.trim().is_empty()).unwrap_or_else(|| "(no subject)".to_owned()),
        to: mail.to.join(", "),
        received: mail.received_at.to_utc().format("%b %-d, %Y %H:%M:%S UTC").to_string(),
    }
}
