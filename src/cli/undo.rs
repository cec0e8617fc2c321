//! `touchline undo`: withdraw a submission before any provider is called.

use super::console::{Console, count};
use super::exit::CliError;
use super::ids::TypedId;
use crate::domain::id::SubmissionId;
use crate::operator;
use crate::public::UndoneView;
use crate::store::records::short_ids::Kept;

/// Which submission.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The submission, as `touchline send` showed it; `latest` is your most recent one that can still be withdrawn
    #[arg(value_name = "SUBMISSION", default_value = LATEST)]
    submission: String,
}

const LATEST: &str = "latest";

/// Withdraws it.
///
/// # Errors
/// There is no such submission, or its undo window has ended.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let parts = console.gateway_to_read().await?.operator();
    let id = match args.submission.trim() {
        LATEST => operator::latest(&parts, &console.who).await?,
        text => {
            let typed: TypedId = text.parse().map_err(|_| {
                CliError::not_found(
                    "there is no such submission: `touchline send` shows its id, `latest` is your most recent one",
                )
            })?;
            SubmissionId(typed.find(&mut parts.store.read().await?, Kept::Submission).await?)
        }
    };
    let undone = operator::undo(&parts, id, &console.who).await?;
    console.answer(&UndoneView::of(undone.submission, undone.messages, undone.at), || {
        let rest = if undone.was_unfolding { ", and the rest of the list is stopped" } else { "" };
        format!("Withdrawn: {}{rest}. Nothing was sent.", count(undone.messages, "message"))
    })
}
