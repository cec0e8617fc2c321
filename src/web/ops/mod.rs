//! The dashboard: what an operator watches and decides. Every page is written on the server and works without a script;
//! every form brings back its session's key and ends in a redirect with a short notice, or is shown again by `again` with
//! what was filled in and what is wrong.
//!
//! - [`view`] makes plain values of the store's rows; each page below asks the store, calls it, and fills its template
//!   in `src/web/pages`
//! - `overview` (with `undo`), `failures`, `calls` (whom to telephone, and what to ask; `calls_answer`: what each answer does), `messages`, `message` (with `sheet` and `document`: the letter as it was sent)
//! - `returns`, `returns_show`, `returns_kept`: what came back for emails
//! - `referrers`, `addresses`, `referrer`, `referrer_forms`, `people` (add, merge, imports, differences); `campaigns`,
//!   `campaign`, `campaign_run`, `providers` (with `mailboxes`), `email_setup`, `suppressions`, `operators`, `audit`
//! - `frame` surrounds every page, `form` reads what is posted, `pager` cuts lists into pages, `query` what is asked, `notice` says what was done, `assets` is the style sheet and the icon
//!
//! Names and addresses of people never stand in a page's address; ids do.

mod addresses;
pub(super) mod again;
mod assets;
mod audit;
mod calls;
mod calls_answer;
mod campaign;
mod campaign_run;
mod campaigns;
mod document;
mod email_setup;
mod failures;
mod form;
mod frame;
mod mailboxes;
mod message;
mod messages;
mod notice;
mod operators;
mod overview;
mod pager;
mod people;
mod providers;
mod query;
mod referrer;
mod referrer_forms;
mod referrers;
mod returns;
mod returns_kept;
mod returns_show;
mod sheet;
mod suppressions;
mod undo;
pub mod view;

pub use failures::BULK_WITHIN;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use super::WebState;

/// The dashboard: its [`pages`], and before them what shows a refused form again.
pub(super) fn routes(shown: again::Pages) -> Router<WebState> {
    pages().layer(from_fn_with_state(shown, again::show_again))
}

/// The dashboard's pages. All but the style sheet and the icon send those who are not logged in to the login page.
pub(super) fn pages() -> Router<WebState> {
    Router::new()
        .route("/", get(overview::show))
        .route("/failures", get(failures::show).post(failures::act))
        .route("/calls/permission", get(calls::permission))
        .route("/calls/number", get(calls::number))
        .route("/calls/permission/{id}", post(calls_answer::permission))
        .route("/calls/number/{id}", post(calls_answer::number))
        .route("/messages", get(messages::show))
        .route("/broadcasts/{id}/cancel", post(messages::cancel_broadcast))
        .route("/broadcasts/{id}/resume", post(messages::resume_broadcast))
        .route("/messages/{id}", get(message::show).post(message::act))
        .route("/messages/{id}/correct", post(message::correct))
        .route("/messages/{id}/permit", post(message::permit))
        .route("/messages/{id}/page/{file}", get(document::page))
        .route("/messages/{id}/document.pdf", get(document::pdf))
        .route("/messages/{id}/mail.html", get(document::mail))
        .route("/returns", get(returns::show))
        .route("/returns/{id}", get(returns_show::show).post(returns_show::act))
        .route("/returns/{id}/letter", post(returns_show::name_letter))
        .route("/submissions/{id}/undo", post(undo::act))
        .route("/referrers", get(referrers::show).post(referrers::search))
        .route("/referrers/addresses", get(addresses::show).post(addresses::revive_all))
        .route("/referrers/new", get(people::new).post(people::add))
        .route("/referrers/imports", get(people::imports))
        .route("/referrers/imports/{id}/undo", post(people::undo_import))
        .route("/referrers/differences", get(people::differences))
        .route("/referrers/differences/{id}", post(people::settle))
        .route("/referrers/{id}/revive", post(addresses::revive))
        .route("/referrers/{id}", get(referrer::show))
        .route("/referrers/{id}/delete", post(people::delete))
        .route("/referrers/{id}/merge", post(people::merge))
        .route("/referrers/{id}/merges/{merge}/undo", post(people::undo_merge))
        .route("/referrers/{id}/locations/{location}", post(people::prefer))
        .route("/referrers/{id}/state", post(referrer_forms::state))
        .route("/referrers/{id}/details", post(referrer_forms::details))
        .route("/referrers/{id}/touch", post(referrer_forms::touch))
        .route("/referrers/{id}/basis", post(referrer_forms::basis))
        .route("/referrers/{id}/basis/{basis}", post(referrer_forms::end_basis))
        .route("/referrers/{id}/suppress", post(referrer_forms::suppress))
        .route("/campaigns", get(campaigns::show).post(campaigns::act))
        .route("/campaigns/{id}", get(campaign::show))
        .route("/campaigns/{id}/edit", post(campaign::edit))
        .route("/campaigns/{id}/rename", post(campaign::rename))
        .route("/campaigns/{id}/remove", post(campaign::remove))
        .route("/campaigns/{id}/run", get(campaign_run::show).post(campaign_run::run))
        .route("/campaigns/{id}/first-page/{file}", get(campaign_run::first_page))
        .route("/providers", get(providers::show).post(providers::act))
        .route("/providers/email-setup", get(email_setup::show).post(email_setup::look))
        .route("/suppressions", get(suppressions::show).post(suppressions::add))
        .route("/suppressions/{id}/lift", post(suppressions::lift))
        .route("/operators", get(operators::show).post(operators::add))
        .route("/operators/{id}/password", post(operators::set_password))
        .route("/operators/{id}/disable", post(operators::disable))
        .route("/operators/{id}/enable", post(operators::enable))
        .route("/operators/{id}/remove", post(operators::remove))
        .route("/audit", get(audit::show))
        .route("/assets/touchline.css", get(assets::css))
        .route("/assets/touchline.svg", get(assets::icon))
}
