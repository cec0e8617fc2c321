//! The API's own description (OpenAPI 3.1), public: it holds no data.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{
    addresses, broadcasts, completing, imports, mail_setup, messages, people, problem_schema, providers, referrers,
    returns, returns_kept, submissions, suppressions,
};
use crate::public;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Touchline",
        description = "Outbound fax and email for practices that live on referrals. Errors are problem+json (RFC 9457), \
            also for an address that does not exist (404) or does not support the method (405). \
            Tokens are made with `touchline token create` and have the scopes send, read, operate."
    ),
    paths(
        messages::submit, messages::show, messages::act, messages::failures, submissions::undo, referrers::touches,
        people::list, people::show, people::add, people::edit, people::delete, people::merge, people::undo_merge,
        imports::import_list, imports::imports, imports::undo_import, people::open_conflicts, people::settle_conflict,
        addresses::revive, addresses::explain_reply, returns::list, returns::show, returns::work, returns_kept::reply, returns_kept::as_it_came,
        suppressions::list, suppressions::lift,
        providers::list, providers::show, mail_setup::show, mail_setup::check, broadcasts::list, broadcasts::show,
        broadcasts::resume, broadcasts::cancel
    ),
    components(schemas(
        public::SubmissionView,
        public::MessageDetail,
        public::UndoneView,
        public::TouchPage,
        public::FailureList,
        public::people::ReferrerList,
        public::people::ImportOutcome,
        public::people::ConflictList,
        public::ReturnPage,
        public::ReplyTextView,
        public::AsItCameView,
        public::SuppressionList,
        public::AccountList,
        public::MailSetupView,
        public::BroadcastList,
        public::BroadcastCancelledView,
        public::RevivalView,
        public::ReplyView,
        problem_schema::ProblemView
    )),
    security(("token" = [])),
    modifiers(&Token),
    tags(
        (name = "messages", description = "Letters on their way"),
        (name = "referrers", description = "People, their histories, and lists of them"),
        (name = "returns", description = "What came back for emails: bounces, replies, opt-outs"),
        (name = "providers", description = "The accounts that carry the letters, and the email setup"),
        (name = "broadcasts", description = "Letters to lists: which have paused themselves, and letting them go on"),
        (name = "addresses", description = "What is held against addresses, and why")
    )
)]
struct Description;

struct Token;

impl Modify for Token {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("tl_…").build();
        let components = openapi.components.get_or_insert_with(Default::default);
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// Written once: it never changes while the program runs.
static DESCRIPTION: LazyLock<String> = LazyLock::new(|| {
    serde_json::to_value(Description::openapi()).map(completing::complete).unwrap_or_default().to_string()
});

pub(super) async fn show() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DESCRIPTION.as_str())
}
