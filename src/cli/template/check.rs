//! `touchline template check`: every letter, partial and notice, and each letter tried with its sample.

use std::path::Path;

use serde_json::{Value, json};

use super::{lines, load};
use crate::cli::console::{Console, count, print, warn};
use crate::cli::exit::{CliError, Ending};
use crate::cli::sample;
use crate::domain::{Clock, SystemClock};
use crate::render::{Job, Letter, LintFinding, Renderer, Severity, TemplateError};

/// The result of trying one letter.
#[derive(Debug)]
struct Tried {
    letter: String,
    /// Its variables that a campaign renews for every run.
    perishable: Vec<String>,
    error: Option<String>,
    lint: Vec<LintFinding>,
}

impl Tried {
    fn is_unfit(&self) -> bool {
        self.error.is_some() || self.lint.iter().any(|finding| finding.severity == Severity::Error)
    }
}

/// Checks the letters of a folder, or of the configured one.
///
/// # Errors
/// A letter has errors.
pub(super) fn run(console: &Console, folder: Option<&Path>) -> Result<(), CliError> {
    let renderer = match load(console, folder)? {
        Ok(renderer) => renderer,
        Err(errors) => return tell_errors(console, &errors),
    };
    let tried: Vec<Tried> = renderer.letters().map(|letter| try_letter(&renderer, letter)).collect();
    tell_tried(console, &tried)?;
    if tried.iter().any(Tried::is_unfit) { Err(CliError::said(Ending::Configuration)) } else { Ok(()) }
}

/// Errors in the files themselves: nothing can be tried.
fn tell_errors(console: &Console, errors: &[TemplateError]) -> Result<(), CliError> {
    if console.json {
        let found: Vec<Value> = errors
            .iter()
            .map(|e| json!({ "file": e.template, "line": e.line, "column": e.column, "message": e.message }))
            .collect();
        console.answer(&json!({ "ok": false, "errors": found }), String::new)?;
    } else {
        warn(&format!("{} found:\n{}", count(errors.len(), "mistake"), lines(errors)));
    }
    Err(CliError::said(Ending::Configuration))
}

/// One letter on both channels with its sample values.
fn try_letter(renderer: &Renderer, letter: &Letter) -> Tried {
    let referrer = sample::referrer();
    let job = Job {
        letter: &letter.name,
        referrer: &referrer,
        variables: &letter.sample,
        now: SystemClock.now(),
        reference: "5A3C9E01",
        unsubscribe: None,
        automatic: false,
    };
    let perishable: Vec<String> =
        letter.variables.iter().filter(|one| one.perishable).map(|one| one.name.clone()).collect();
    let name = letter.name.clone();
    let fax = renderer.fax(&job).and_then(|fax| renderer.mail(&job).map(|_| fax));
    match fax {
        Ok(fax) => match fax.inspect() {
            Ok(lint) => Tried { letter: name, perishable, error: None, lint },
            Err(error) => Tried { letter: name, perishable, error: Some(error.to_string()), lint: fax.lint },
        },
        Err(error) => {
            let error = format!("{error} (tried with {}/sample.json)", letter.name);
            Tried { letter: name, perishable, error: Some(error), lint: Vec::new() }
        }
    }
}

fn tell_tried(console: &Console, tried: &[Tried]) -> Result<(), CliError> {
    let sound = !tried.iter().any(Tried::is_unfit);
    let letters: Vec<Value> = tried
        .iter()
        .map(|one| {
            json!({
                "letter": one.letter,
                "ok": !one.is_unfit(),
                "error": one.error,
                "lint": one.lint,
                "perishable": one.perishable,
            })
        })
        .collect();
    if console.json {
        return console.answer(&json!({ "ok": sound, "letters": letters }), String::new);
    }
    for one in tried {
        let problems = one.error.iter().cloned().chain(one.lint.iter().map(|finding| finding.message.clone()));
        for problem in problems {
            warn(&format!("{}: {problem}", one.letter));
        }
    }
    let unfit = tried.iter().filter(|one| one.is_unfit()).count();
    print(&match unfit {
        0 => format!("{} checked, all sound.", count(tried.len(), "letter")),
        unfit => format!("{} checked, {unfit} not sound.", count(tried.len(), "letter")),
    });
    Ok(())
}
