//! The page of received faxes, for people who try the product out: plain HTML, nothing from outside, no scripts.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;

use super::api::{Desk, Refusal};
use super::magic::{MAGIC, Magic};
use super::record::{Fax, FaxStatus};
use crate::domain::Timestamp;

/// The most faxes on the page.
const ROWS_MAX: usize = 200;
/// What a browser may do with the page: show it with its own styles, and follow its links.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{% if live %}<meta http-equiv="refresh" content="3">{% endif %}
<title>Sandbox fax line</title>
<style>
:root { color-scheme: light dark; --paper: #fbfaf7; --ink: #1d2430; --soft: #5c6675; --rule: #dfdcd3; --card: #fff;
  --good: #17694a; --bad: #a32a2a; --wait: #8a5a00; --link: #1f5fa8; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181f; --ink: #e8eaee; --soft: #9aa4b2; --rule: #2b323d;
  --card: #1b212a; --good: #6fd0a5; --bad: #f09a9a; --wait: #e6bd6a; --link: #8ab8f0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .35rem; letter-spacing: -.01em; }
h2 { font-size: 1.1rem; margin: 2.5rem 0 .6rem; }
p { margin: 0 0 1rem; color: var(--soft); max-width: 46rem; }
a { color: var(--link); }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--rule); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .6rem .9rem; border-top: 1px solid var(--rule); }
td, thead th { white-space: nowrap; }
thead th { border-top: 0; font-size: .85rem; font-weight: 600; color: var(--soft); }
td.free { white-space: normal; width: 100%; }
.state { font-weight: 600; }
.state.good { color: var(--good); } .state.bad { color: var(--bad); } .state.wait { color: var(--wait); }
.why { color: var(--soft); font-weight: 400; }
@media (max-width: 46rem) { .faxes thead { display: none; } .faxes tr { display: block; padding: .6rem 0; border-top:
  1px solid var(--rule); } .faxes tr:first-child { border-top: 0; } .faxes td { display: block; border: 0; padding: .1rem .9rem; }
  .faxes td:nth-child(4)::after { content: " pages"; } }
.none { padding: 2.5rem 1rem; text-align: center; color: var(--soft); }
code { font: .9em ui-monospace, monospace; }
</style>
</head>
<body>
<main>
<h1>Sandbox fax line</h1>
<p>Nothing sent here leaves this machine: these are the faxes that a real line would have called.
{% if live %}The page refreshes itself every 3 seconds. <a href="/">Stop that</a>.{% else %}<a href="/">Refresh</a> or
<a href="/?live=true">refresh every 3 seconds</a>.{% endif %}</p>
<div class="scroll">
{% if rows.is_empty() %}
<div class="none">No fax has come in yet.</div>
{% else %}
<table class="faxes">
<thead><tr><th scope="col">Received</th><th scope="col">To</th><th scope="col">Status</th><th scope="col">Pages</th>
<th scope="col">Document</th></tr></thead>
<tbody>
{% for row in rows %}<tr>
<td>{{ row.received }}</td>
<td>{{ row.to }}</td>
<td class="free"><span class="state {{ row.tone }}">{{ row.status }}</span>{% if !row.why.is_empty() %} <span class="why">{{ row.why }}</span>{% endif %}</td>
<td>{{ row.pages }}</td>
<td>{% if row.has_document %}<a href="/faxes/{{ row.id }}/document">Open the PDF</a>{% else %}<span class="why">{{ row.no_document }}</span>{% endif %}</td>
</tr>
{% endfor %}</tbody>
</table>
{% endif %}
</div>
{% if count > rows.len() %}<p>The newest {{ rows.len() }} of {{ count }} are shown.</p>{% endif %}
<h2>Numbers that misbehave on purpose</h2>
<p>The last four digits decide. Use any area code with <code>555-</code>, for instance <code>(312) 555-0117</code>; every
other number delivers.</p>
<div class="scroll">
<table>
<thead><tr><th scope="col">Ends in</th><th scope="col">What happens</th></tr></thead>
<tbody>
{% for magic in magics %}<tr><td><code>{{ magic.digits }}</code></td><td class="free">{{ magic.about }}</td></tr>
{% endfor %}</tbody>
</table>
</div>
</main>
</body>
</html>
"##
)]
struct ReceivedPage {
    rows: Vec<Row>,
    count: usize,
    live: bool,
    magics: &'static [Magic],
}

struct Row {
    id: String,
    received: String,
    to: String,
    status: &'static str,
    tone: &'static str,
    why: &'static str,
    pages: String,
    has_document: bool,
    no_document: &'static str,
}

impl Row {
    fn of(fax: &Fax) -> Self {
        let (status, tone) = match fax.status {
            FaxStatus::Queued => ("Queued", "wait"),
            FaxStatus::Dialing => ("Dialing", "wait"),
            FaxStatus::Delivered => ("Delivered", "good"),
            FaxStatus::Failed => ("Failed", "bad"),
            FaxStatus::Cancelled => ("Cancelled", "bad"),
        };
        let why = if fax.status == FaxStatus::Failed { fax.fault.map_or("", |fault| fault.explain()) } else { "" };
        Self {
            id: fax.id.clone(),
            received: received(fax.received_ms),
            to: format!("•••-{}", fax.to_tail),
            status,
            tone,
            why,
            pages: pages(fax),
            has_document: fax.document.is_some(),
            no_document: if fax.purged { "Deleted on request" } else { "No longer kept" },
        }
    }
}

fn received(time: Timestamp) -> String {
    time.to_utc().format("%b %-d, %Y %H:%M:%S UTC").to_string()
}

fn pages(fax: &Fax) -> String {
    match fax.pages_confirmed {
        Some(confirmed) => format!("{confirmed} of {}", fax.pages),
        None => fax.pages.to_string(),
    }
}

/// How the page was asked for.
#[derive(Deserialize)]
pub(super) struct PageQuery {
    #[serde(default)]
    live: bool,
}

/// `GET /`: what was received, newest first.
pub(super) async fn received_page(
    State(desk): State<Arc<Desk>>,
    Query(query): Query<PageQuery>,
) -> Result<Response, Refusal> {
    let line = &desk.calls.line;
    let rows = line.newest(ROWS_MAX).iter().map(Row::of).collect();
    let page = ReceivedPage { rows, count: line.count(), live: query.live, magics: MAGIC };
    let html = page.render().map_err(|_| Refusal::new(500, "provider_error", "the page could not be made"))?;
    Ok(([(header::CONTENT_SECURITY_POLICY, PAGE_POLICY), (header::CACHE_CONTROL, "no-store")], Html(html))
        .into_response())
}

/// `GET /faxes/{id}/document`: the PDF as it came in.
pub(super) async fn document(State(desk): State<Arc<Desk>>, Path(id): Path<String>) -> Result<Response, Refusal> {
    let fax = desk.calls.line.get(&id)?;
    let document = fax.document.ok_or(Refusal::new(404, "not_found", "the document is no longer kept"))?;
    let headers = [
        (header::CONTENT_TYPE, "application/pdf"),
        (header::CONTENT_DISPOSITION, "inline; filename=\"fax.pdf\""),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, document).into_response())
}
