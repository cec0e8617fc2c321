//! Why a letter could not be typeset.

use typst::WorldExt;
use typst::diag::SourceDiagnostic;
use typst::syntax::{DiagSpan, Source};

use crate::world::LetterWorld;

/// How many diagnostics an error text quotes; the rest are counted.
const DIAGNOSTICS_MAX: usize = 5;

/// Why a letter could not be typeset or exported. The texts name lines of the Typst source and what is wrong there;
/// they never quote the letter.
#[derive(Debug, thiserror::Error)]
pub enum TypesetError {
    /// Typst refused the source, or the source refused the letter. One line per diagnostic, with its place.
    #[error("the letterhead could not be typeset: {0}")]
    Diagnostics(String),
    /// The letter's JSON or a picture is larger than a letter can need.
    #[error("the {what} has {bytes} bytes; at most {max} are accepted")]
    TooLarge {
        /// Which part: letter, signature or logo.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The letter nests lists, quotes or emphasis more deeply than can be typeset safely.
    #[error("the letter nests its content more than {max} levels deep")]
    TooDeep {
        /// The limit, counted in JSON brackets.
        max: usize,
    },
    /// The letter fills more pages than a fax may have.
    #[error("the letter fills {pages} pages; at most {max} are accepted")]
    TooManyPages {
        /// Pages it fills.
        pages: usize,
        /// The limit.
        max: usize,
    },
    /// The document does not have the requested page.
    #[error("page {page} was asked for, but the document has {pages}")]
    NoSuchPage {
        /// The requested page, from 0.
        page: usize,
        /// How many there are.
        pages: usize,
    },
    /// No thread could be started, or the typesetter failed internally. A fault of this program, not of the letter.
    #[error("the typesetter failed: {0}")]
    Internal(&'static str),
}

/// Turns Typst's diagnostics into one error, each with its place as far as known.
pub(crate) fn from_diagnostics(world: &LetterWorld, diagnostics: &[SourceDiagnostic]) -> TypesetError {
    let told = diagnostics.iter().map(|d| {
        let hints: Vec<&str> = d.hints.iter().map(|hint| hint.v.as_str()).collect();
        one_line(&place(world, d.span), &d.message, &hints)
    });
    TypesetError::Diagnostics(quoted(told))
}

/// The errors of a source that does not even parse, before any letter is seen.
pub(crate) fn syntax_error(source: &Source) -> Option<TypesetError> {
    let (errors, _) = source.root().errors_and_warnings();
    if errors.is_empty() {
        return None;
    }
    let told = errors.iter().map(|e| {
        let line = match e.span.get() {
            typst::syntax::DiagSpanKind::Number { num, sub_range, .. } => source.range(num, sub_range),
            _ => None,
        };
        one_line(&line_of(source, line.map(|range| range.start)), &e.message, &[])
    });
    Some(TypesetError::Diagnostics(quoted(told)))
}

fn place(world: &LetterWorld, span: DiagSpan) -> String {
    let main = world.main_source();
    match span.id() {
        Some(id) if id == main.id() => line_of(main, world.range(span).map(|range| range.start)),
        Some(id) => id.vpath().get_without_slash().to_owned(),
        None => String::new(),
    }
}

fn line_of(source: &Source, offset: Option<usize>) -> String {
    match offset.and_then(|at| source.lines().byte_to_line(at)) {
        Some(line) => format!("line {}", line + 1),
        None => String::new(),
    }
}

fn one_line(place: &str, message: &str, hints: &[&str]) -> String {
    let mut text = String::new();
    if !place.is_empty() {
        text.push_str(place);
        text.push_str(": ");
    }
    text.push_str(message);
    if !hints.is_empty() {
        text.push_str(&format!(" ({})", hints.join("; ")));
    }
    text
}

fn quoted(mut told: impl Iterator<Item = String>) -> String {
    let first: Vec<String> = told.by_ref().take(DIAGNOSTICS_MAX).collect();
    let more = told.count();
    let mut text = first.join("; ");
    if more > 0 {
        text.push_str(&format!("; and {more} more"));
    }
    text
}
