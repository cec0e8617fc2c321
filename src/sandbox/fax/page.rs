//! The page of received faxes, for people who try the product out: plain HTML, no external content, no scripts.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;

use super::desk::Desk;
use super::guise::Guise;
use super::magic::{MAGIC, Magic};
use super::notice::Truth;
use super::record::{Fax, FaxStatus};
use super::told::Callback;
use super::trouble::Trouble;
use crate::domain::Timestamp;
use crate::wording;

/// The most faxes on the page.
const ROWS_MAX: usize = 200;
/// What a browser may do with the page: show it with its own styles, and follow its links.
const PAGE_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'";

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
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; overflow-x: auto; }
.fax { display: grid; grid-template-columns: 9rem 1fr; gap: 1.25rem; padding: 1.1rem; margin-bottom: .9rem; }
.fax a.page { display: block; height: 11.6rem; overflow: hidden; background: #fff; color: #5c6675; border: 1px solid
  var(--rule); border-radius: 4px; font-size: .85rem; text-align: center; }
.fax a.page img { display: block; width: 100%; }
.nopage { height: 11.6rem; border: 1px dashed var(--rule); border-radius: 4px; padding: 1rem; font-size: .85rem; }
.fax h2 { font-size: 1.05rem; margin: 0; font-variant-numeric: tabular-nums; }
.fax p { margin: .15rem 0 .4rem; }
.state { font-weight: 600; }
.state.good { color: var(--good); } .state.bad { color: var(--bad); } .state.wait { color: var(--wait); }
.why { color: var(--soft); font-weight: 400; }
ol { margin: .3rem 0 0; padding: 0; list-style: none; font-size: .9rem; color: var(--soft); font-variant-numeric: tabular-nums; }
ol b { font-weight: 600; color: var(--ink); } ol .bad { color: var(--bad); } ol .good { color: var(--good); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .5rem .9rem; border-top: 1px solid var(--rule); }
thead th { border-top: 0; font-size: .85rem; font-weight: 600; color: var(--soft); white-space: nowrap; }
td.free { width: 100%; }
.none { padding: 2.5rem 1rem; text-align: center; color: var(--soft); }
code { font: .9em ui-monospace, monospace; }
@media (max-width: 34rem) { .fax { grid-template-columns: 5rem 1fr; } .fax a.page, .nopage { height: 6.6rem; padding: 0; } }
</style>
</head>
<body>
<main>
<h1>Sandbox fax line{% if !guise.is_empty() %}, in the guise of {{ guise }}{% endif %}</h1>
<p>Nothing sent here leaves this machine: these are the faxes that a real line would have sent.
{% if live %}The page refreshes itself every 3 seconds. <a href="/">Stop refreshing</a>.{% else %}<a href="/">Refresh</a> or
<a href="/?live=true">refresh every 3 seconds</a>.{% endif %}{% if has_mail %} <a href="/mail">Mail</a>.{% endif %}</p>
{% if rows.is_empty() %}
<div class="card none">No faxes received yet.</div>
{% endif %}
{% for row in rows %}<article class="card fax">
{% if row.has_document %}<a class="page" href="/faxes/{{ row.id }}/document"><img src="/faxes/{{ row.id }}/page.png" loading="lazy" alt="First page of the fax to {{ row.to }}; opens the PDF"></a>
{% else %}<div class="nopage why">{{ row.no_document }}</div>{% endif %}
<div>
<h2>{{ row.to }}</h2>
<p><span class="state {{ row.tone }}">{{ row.status }}</span>{% if !row.why.is_empty() %} <span class="why">{{ row.why }} <code>{{ row.fault }}</code></span>{% endif %}</p>
<p>{{ row.pages }} &middot; received {{ row.received }}</p>
{% if !row.callbacks.is_empty() %}<ol aria-label="Callbacks sent">
{% for callback in row.callbacks %}<li>{{ callback.at }} <b>{{ callback.stage }}</b>{% if !callback.truth.is_empty() %} ({{ callback.truth }}){% endif %}: <span class="{{ callback.tone }}">{{ callback.answer }}</span></li>
{% endfor %}</ol>{% endif %}
</div>
</article>
{% endfor %}
{% if count > rows.len() %}<p>The newest {{ rows.len() }} of {{ count }} are shown.</p>{% endif %}
<h2>Numbers that misbehave on purpose</h2>
<p>The last four digits decide. Use any area code with <code>555-</code>, for instance <code>(312) 555-0117</code>; every
other number delivers{% if plan.is_empty() %}.{% else %}, unless something else decides:{% endif %}</p>
{% if !plan.is_empty() %}<ul>{% for sentence in plan %}<li>{{ sentence }}</li>{% endfor %}</ul>{% endif %}
<div class="card">
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
    guise: &'static str,
    plan: Vec<String>,
    rows: Vec<Row>,
    count: usize,
    live: bool,
    magics: &'static [Magic],
    has_mail: bool,
}

struct Row {
    id: String,
    received: String,
    to: String,
    status: &'static str,
    tone: &'static str,
    why: &'static str,
    fault: &'static str,
    pages: String,
    has_document: bool,
    no_document: &'static str,
    callbacks: Vec<CallbackLine>,
}

struct CallbackLine {
    at: String,
    stage: &'static str,
    truth: &'static str,
    tone: &'static str,
    answer: String,
}

impl Row {
    fn of(fax: &Fax, callbacks: &[Callback]) -> Self {
        let (status, tone) = match fax.status {
            FaxStatus::Queued => ("Queued", "wait"),
            FaxStatus::Dialing => ("Dialing", "wait"),
            FaxStatus::Delivered => ("Delivered", "good"),
            FaxStatus::Failed => ("Failed", "bad"),
            FaxStatus::Cancelled => ("Cancelled", "bad"),
        };
        let fault = fax.fault.filter(|_| fax.status == FaxStatus::Failed);
        Self {
            id: fax.id.clone(),
            received: received(fax.received_ms),
            to: format!("•••-{}", fax.to_tail),
            status,
            tone,
            why: fault.map_or("", |fault| wording::fault(fault)),
            fault: fault.map_or("", |fault| fault.as_str()),
            pages: pages(fax),
            has_document: fax.document.is_some(),
            no_document: if fax.purged { "Deleted on request" } else { "No longer stored" },
            callbacks: callbacks.iter().map(CallbackLine::of).collect(),
        }
    }
}

impl CallbackLine {
    fn of(callback: &Callback) -> Self {
        let truth = match callback.truth {
            Truth::Authentic => "",
            Truth::Forged => "forged",
            Truth::Stale => "signed a day ago",
        };
        let answer = callback.answer.map_or_else(|| "no answer".to_owned(), |status| format!("answered {status}"));
        // A forgery that is rejected is as it should be.
        let is_well = matches!(callback.answer, Some(200..=299)) == (callback.truth == Truth::Authentic);
        Self {
            at: callback.at.to_utc().format("%H:%M:%S").to_string(),
            stage: callback.stage,
            truth,
            tone: if is_well { "good" } else { "bad" },
            answer,
        }
    }
}

fn received(time: Timestamp) -> String {
    time.to_utc().format("%b %-d, %Y %H:%M:%S UTC").to_string()
}

fn pages(fax: &Fax) -> String {
    let word = if fax.pages == 1 { "page" } else { "pages" };
    match fax.pages_confirmed {
        Some(confirmed) => format!("{confirmed} of {} {word}", fax.pages),
        None => format!("{} {word}", fax.pages),
    }
}

/// The page's query parameters.
#[derive(Deserialize)]
pub(super) struct PageQuery {
    #[serde(default)]
    live: bool,
}

/// `GET /`: what was received, newest first.
pub(super) async fn received_page(
    State(desk): State<Arc<Desk>>,
    Query(query): Query<PageQuery>,
) -> Result<Response, Trouble> {
    let line = &desk.calls.line;
    let rows = line.newest(ROWS_MAX).iter().map(|fax| Row::of(fax, &desk.calls.hooks.told(&fax.id))).collect();
    let guise = if desk.guise == Guise::Own { "" } else { desk.guise.title() };
    let plan = desk.calls.plan.words();
    let page = ReceivedPage {
        guise,
        plan,
        rows,
        count: line.count(),
        live: query.live,
        magics: MAGIC,
        has_mail: desk.has_mail,
    };
    let html = page.render().map_err(|_| Trouble::Broken(500))?;
    Ok(([(header::CONTENT_SECURITY_POLICY, PAGE_POLICY), (header::CACHE_CONTROL, "no-store")], Html(html))
        .into_response())
}

/// `GET /faxes/{id}/document`: the PDF as received.
pub(super) async fn document(State(desk): State<Arc<Desk>>, Path(id): Path<String>) -> Result<Response, Trouble> {
    let fax = desk.calls.line.get(&id)?;
    let document = fax.document.ok_or(Trouble::NoDocument)?;
    let headers = [
        (header::CONTENT_TYPE, "application/pdf"),
        (header::CONTENT_DISPOSITION, "inline; filename=\"fax.pdf\""),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, document).into_response())
}

/// `GET /faxes/{id}/page.png`: the first page as a picture, where the document can be read.
pub(super) async fn picture(State(desk): State<Arc<Desk>>, Path(id): Path<String>) -> Result<Response, Trouble> {
    let document = desk.calls.line.get(&id)?.document.ok_or(Trouble::NoDocument)?;
    let picture = desk.pictures.of(&id, document).await.ok_or(Trouble::NoDocument)?;
    Ok(([(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "no-store")], picture).into_response())
}
