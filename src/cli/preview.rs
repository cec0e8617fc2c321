//! `touchline preview`: what one recipient would get, as files to look at. Nothing is sent, and nothing is stored but who
//! looked at a letter that identifies a patient.

use std::path::PathBuf;

use serde_json::json;

use super::console::{Console, count, table};
use super::exit::{CliError, Ending};
use super::filling;
use super::sample;
use super::template;
use super::variables::VariableArgs;
use crate::access;
use crate::app::Gateway;
use crate::domain::id::{AttemptId, MessageId, short};
use crate::domain::referrer::Referrer;
use crate::domain::{AddressKey, PhiClass};
use crate::referrers::audience;
use crate::render::{Job, LintFinding, Preview, Severity, write_preview};

/// Which letter, for whom, and where to write it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The letter, as `touchline template list` shows it
    #[arg(value_name = "LETTER")]
    letter: String,
    /// For whom: a referrer's id, NPI, email address or name
    #[arg(long = "for", value_name = "REFERRER", required_unless_present = "sample")]
    referrer: Option<String>,
    /// Use the letter's sample values, for a made-up recipient
    #[arg(long, conflicts_with = "referrer")]
    sample: bool,
    /// The folder to write to; files of the same names are overwritten
    #[arg(long, value_name = "DIR", default_value = "preview")]
    out: PathBuf,
    #[command(flatten)]
    variables: VariableArgs,
}

/// Writes the preview.
///
/// # Errors
/// Unknown letter or referrer; variables are missing; a file cannot be written; the page is not fit to send; a preview of a
/// patient's letter cannot be recorded.
pub async fn run(console: &Console, args: Args) -> Result<(), CliError> {
    let given = args.variables.read()?;
    let gateway = console.gateway_to_read().await?;
    let letter = template::named(&gateway.renderer, &args.letter)?;
    args.variables.refuse_patients(letter)?;
    let referrer = match &args.referrer {
        Some(name) => audience::one(&mut gateway.store.read().await?, name).await?,
        None => sample::referrer(),
    };
    // The letter's own sample is about nobody.
    let of_a_patient = letter.phi == PhiClass::Identified && !(args.sample && given.is_empty());
    let mut variables = if args.sample { letter.sample.clone() } else { serde_json::Map::new() };
    variables.extend(given);
    let message = MessageId::new();
    let email = referrer.email.clone().or_else(|| sample::referrer().email);
    let unsubscribe = email.and_then(|email| gateway.opt_out.link(message, &AddressKey::from(&email)));
    let job = Job {
        letter: &args.letter,
        referrer: &referrer,
        variables: &variables,
        now: gateway.clock.now(),
        reference: &short(&message.0),
        unsubscribe: unsubscribe.as_deref(),
        automatic: false,
    };
    let flaws = gateway.renderer.flaws(&args.letter, &referrer, &variables);
    if !flaws.is_empty() {
        return Err(CliError::refused(filling::flaws(&args.letter, &flaws, letter.phi == PhiClass::Identified)));
    }
    let eml = eml(&gateway, &job, &referrer)?;
    if of_a_patient {
        let whose = args.referrer.as_ref().map(|_| referrer.id);
        access::note_preview(&gateway.access(), &args.letter, whose, &console.who).await?;
    }
    let preview = write_preview(&gateway.renderer, &job, &args.out, eml.as_deref())?;
    tell(console, &preview, eml.is_some())?;
    let unfit = preview.lint.iter().any(|finding| finding.severity == Severity::Error);
    if unfit { Err(CliError::said(Ending::Failed)) } else { Ok(()) }
}

/// The email as it would be sent; none if the referrer has no address.
fn eml(gateway: &Gateway, job: &Job<'_>, referrer: &Referrer) -> Result<Option<Vec<u8>>, CliError> {
    let Some(to) = &referrer.email else { return Ok(None) };
    let (mail, _) = gateway.renderer.mail(job)?;
    crate::provider::mail::compose(&mail, to, AttemptId::new(), job.now, None)
        .map(Some)
        .map_err(|error| CliError::refused(format!("the email cannot be sent: {error}")))
}

fn tell(console: &Console, preview: &Preview, has_eml: bool) -> Result<(), CliError> {
    let files: Vec<String> = preview.files.iter().map(|file| file.display().to_string()).collect();
    let object = json!({ "files": files, "pages": preview.pages, "subject": preview.subject, "lint": preview.lint });
    console.answer(&object, || {
        let pages = usize::try_from(preview.pages).unwrap_or(usize::MAX);
        let mut text = format!("Subject: {}\nFax: {}\n", preview.subject, count(pages, "page"));
        for file in &files {
            text.push_str(&format!("  {file}\n"));
        }
        if !has_eml {
            text.push_str("No email.eml: this referrer has no email address.\n");
        }
        text.push_str(&findings(&preview.lint));
        text
    })
}

/// The lint's findings, for people.
#[must_use]
pub fn findings(lint: &[LintFinding]) -> String {
    if lint.is_empty() {
        return "The page is fit for fax machines.".to_owned();
    }
    let rows = lint.iter().map(|finding| {
        let severity = match finding.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        let page = finding.page.map(|page| page.to_string()).unwrap_or_default();
        vec![severity.to_owned(), finding.rule.to_owned(), page, finding.message.clone()]
    });
    table(&["", "rule", "page", "what was found"], rows)
}
