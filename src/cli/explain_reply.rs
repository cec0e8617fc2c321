//! `touchline explain-reply`: what a mail server's reply means, whose fault it is, and what is done about it.

use super::arguments::word;
use super::console::{Console, table};
use super::exit::CliError;
use crate::domain::mail_reply::{Phase, QuotedReply};
use crate::public::ReplyView;

/// The reply, and where it came.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The reply as the server gave it, such as "550 5.1.1 no such user"; `\n` separates its lines
    #[arg(value_name = "REPLY")]
    reply: String,
    /// Where in the dialogue it came, or `bounce` for the words of a bounce
    #[arg(long, default_value = "rcpt", value_parser = word(Phase::ALL, Phase::as_str))]
    phase: Phase,
}

/// Explains it. Needs neither configuration nor database.
///
/// # Errors
/// It does not begin with a code, or refuses nothing.
pub fn run(console: &Console, args: &Args) -> Result<(), CliError> {
    let quoted = args.reply.replace("\\n", "\n");
    let reply = QuotedReply::parse(&quoted).filter(QuotedReply::is_refusal).ok_or_else(|| {
        CliError::refused(
            "give a refusal with its code first, such as \"550 5.1.1 no such user\" or \"5.1.1 no such user\"",
        )
    })?;
    let view = ReplyView::of(args.phase, &reply.judge(args.phase));
    console.answer(&view, || {
        let or_any = |text: &str| if text == "*" { "any".to_owned() } else { text.to_owned() };
        let phases = if view.row.phases.is_empty() { "any".to_owned() } else { view.row.phases.join(", ") };
        let words = if view.row.words.is_empty() { "any".to_owned() } else { view.row.words.join(" | ") };
        let rows = [
            ("verdict", format!("{}: {}", view.about, view.fault.replace('_', " "))),
            ("about", view.about_words.to_owned()),
            ("what is done", view.consequence.to_owned()),
            ("what to do", view.remedy_words.to_owned()),
            ("proves a bad mailbox", if view.proves_mailbox { "yes" } else { "no" }.to_owned()),
            ("row: phase", phases),
            ("row: code", or_any(view.row.code)),
            ("row: enhanced code", or_any(view.row.enhanced)),
            ("row: words", words),
            ("row: source", view.row.source.to_owned()),
        ];
        table(&["", ""], rows.into_iter().map(|(what, words)| vec![what.to_owned(), words]))
    })
}
