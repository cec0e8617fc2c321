//! The letters: read, compiled and checked once, at start. A letter in the catalog renders, given its variables. One with a
//! mistake is out of service, and so is every letter that includes a partial with a mistake; the others are not touched.

use std::collections::BTreeMap;

use ring::digest;
use serde::Serialize;
use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization;

use super::context::shape;
use super::draft;
use super::error::{TemplateError, place};
use super::front_matter::{self, Category, FrontMatter, Placed};
use super::paths::{Partial, Walk};
use super::registry::Registries;
use super::sources::{Sources, letter_of};
use super::variables::Variable;
use crate::domain::channel::{PhiClass, Purpose};

/// A letter, as shown in a list to choose from.
#[derive(Debug, Clone, Serialize)]
pub struct Letter {
    /// Its folder, such as `introduction`.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// When to use it.
    pub about: String,
    /// What it is for.
    pub purpose: Purpose,
    /// Whether it holds health information.
    pub phi: PhiClass,
    /// Its category.
    pub category: Category,
    /// The most pages its fax may have, a cover page not counted.
    pub pages_max: u32,
    /// Whether its fax has a reply form at the foot, where there is room.
    pub reply_form: bool,
    /// How many days it does not go to the same referrer again; 0: it always may. None: the default of its kind.
    pub repeat_days: Option<u32>,
    /// Its variables, in the order of the file.
    pub variables: Vec<Variable>,
    /// Whether mail has separate wording.
    pub has_email_body: bool,
    /// Whether it has a large line above its text.
    pub has_headline: bool,
    /// Whether it is built in.
    pub built_in: bool,
    /// What stands for its content: the same for every letter with the same purpose, headline, text and wording for mail,
    /// whatever its name.
    #[serde(skip)]
    pub content: String,
    /// Sample values, from `sample.json`; empty if there is none.
    #[serde(skip)]
    pub sample: Map<String, Value>,
}

impl Letter {
    pub(crate) fn body_name(&self) -> String {
        format!("{}/letter.md", self.name)
    }

    pub(crate) fn email_name(&self) -> String {
        if self.has_email_body { format!("{}/email.md", self.name) } else { self.body_name() }
    }

    pub(crate) fn subject_name(&self) -> String {
        format!("{}#subject", self.name)
    }

    pub(crate) fn headline_name(&self) -> String {
        format!("{}#headline", self.name)
    }
}

/// All letters with their compiled text.
#[derive(Debug)]
pub struct Catalog {
    pub(crate) letters: BTreeMap<String, Letter>,
    /// The letters that are out of service, each with its mistakes, in order of place.
    pub(crate) broken: BTreeMap<String, Vec<TemplateError>>,
    /// Every mistake in every letter, partial, letterhead and notice, each once, in order of place.
    pub(crate) mistakes: Vec<TemplateError>,
    pub(crate) registries: Registries,
}

/// The partials that compile, and the mistakes of those that have some.
#[derive(Debug, Default)]
struct Partials {
    sound: BTreeMap<String, Partial>,
    mistakes: BTreeMap<String, Vec<TemplateError>>,
}

impl Catalog {
    /// Compiles and checks every letter and partial.
    #[must_use]
    pub fn compile(sources: &Sources) -> Self {
        let mut registries = Registries::default();
        let partials = partials(sources, &mut registries);
        let mut letters = BTreeMap::new();
        let mut broken: BTreeMap<String, Vec<TemplateError>> = BTreeMap::new();
        for error in sources.unreadable() {
            if let Some(letter) = letter_of(&error.template) {
                broken.entry(letter.to_owned()).or_default().push(error.clone());
            }
        }
        for name in sources.letters() {
            match letter(name, sources, &mut registries, &partials) {
                Ok(letter) if !broken.contains_key(name) => {
                    letters.insert(name.to_owned(), letter);
                }
                Ok(_) => {}
                Err(found) => broken.entry(name.to_owned()).or_default().extend(found),
            }
        }
        broken.values_mut().for_each(in_order);
        let mut mistakes: Vec<TemplateError> =
            broken.values().chain(partials.mistakes.values()).flatten().cloned().collect();
        in_order(&mut mistakes);
        Self { letters, broken, mistakes, registries }
    }

    /// Takes the letters that `need` something with these mistakes out of service.
    pub(super) fn take_out(&mut self, need: impl Fn(&Letter) -> bool, found: &[TemplateError]) {
        if found.is_empty() {
            return;
        }
        for name in self.letters.extract_if(.., |_, letter| need(letter)).map(|(name, _)| name) {
            self.broken.insert(name, found.to_vec());
        }
        self.note(found);
    }

    /// Adds mistakes in what letters share.
    pub(super) fn note(&mut self, found: &[TemplateError]) {
        self.mistakes.extend_from_slice(found);
        in_order(&mut self.mistakes);
    }
}

/// In order of place, each once. A mistake in a partial is found again in every letter that includes it, and what is
/// suggested instead may differ there.
fn in_order(errors: &mut Vec<TemplateError>) {
    let placed = |error: &TemplateError| (error.template.clone(), error.line, error.column);
    errors.sort_by_cached_key(|error| (placed(error), error.message.clone()));
    errors.dedup_by(|later, first| {
        let is_shared = first.template.starts_with("partials/");
        placed(later) == placed(first)
            && (later.message == first.message || (is_shared && what_is_wrong(later) == what_is_wrong(first)))
    });
}

/// A mistake's message without what is suggested instead.
fn what_is_wrong(error: &TemplateError) -> &str {
    error.message.split(['—', ';']).next().unwrap_or_default().trim_end()
}

fn partials(sources: &Sources, registries: &mut Registries) -> Partials {
    let mut partials = Partials::default();
    for error in sources.unreadable() {
        let name = error.template.strip_prefix("partials/").and_then(|file| file.strip_suffix(".md"));
        if let Some(name) = name {
            partials.mistakes.entry(name.to_owned()).or_default().push(error.clone());
        }
    }
    for (name, file) in sources.partials() {
        let Some(source) = sources.get(file) else { continue };
        let (promotional, text) = tagged(&source.text);
        let mut errors: Vec<TemplateError> = draft::check(file, &text).into_iter().collect();
        match registries.add_body(name, file, &text) {
            Ok(template) => {
                let template = template.clone();
                partials.sound.insert(name.to_owned(), Partial { template, file: file.to_owned(), promotional });
            }
            Err(error) => errors.push(error),
        }
        if !errors.is_empty() {
            partials.mistakes.entry(name.to_owned()).or_default().extend(errors);
        }
    }
    partials
}

/// Whether the first line tags the partial as promotional, and its text. The tag becomes a comment of the template
/// language, which leaves the line numbers as they are and prints nothing; the text ends with a line end.
fn tagged(text: &str) -> (bool, String) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let tag = first.trim();
    let tag = tag.strip_prefix("<!--").and_then(|t| t.strip_suffix("-->"));
    let tag = tag.or_else(|| first.trim().strip_prefix("{{!--").and_then(|t| t.strip_suffix("--}}")));
    if tag.is_some_and(|tag| tag.trim() == "promotional") {
        (true, format!("{{{{!-- promotional --}}}}\n{}\n", rest.trim_end()))
    } else {
        (false, format!("{}\n", text.trim_end()))
    }
}

fn letter(
    name: &str,
    sources: &Sources,
    registries: &mut Registries,
    partials: &Partials,
) -> Result<Letter, Vec<TemplateError>> {
    if !is_name(name) {
        return Err(vec![TemplateError::whole(
            name,
            "a letter's folder is named with lower-case letters, digits and -",
        )]);
    }
    let file = format!("{name}/letter.md");
    let source = sources.get(&file).ok_or_else(|| vec![TemplateError::whole(file.as_str(), "the file is missing")])?;
    let front = front_matter::read(&file, &source.text)?;
    let email_file = format!("{name}/email.md");
    let email = sources.get(&email_file);
    let sample_file = format!("{name}/sample.json");

    let mut errors = Vec::new();
    let letter = Letter {
        name: name.to_owned(),
        title: front.title.clone(),
        about: front.about.clone(),
        purpose: front.purpose,
        phi: front.phi,
        category: front.category,
        pages_max: front.pages_max,
        reply_form: front.reply_form,
        repeat_days: front.repeat_days,
        variables: front.variables.clone(),
        has_email_body: email.is_some(),
        has_headline: front.headline.is_some(),
        built_in: source.built_in,
        content: content(&front, &source.text[front.body..], email.map(|email| email.text.as_str())),
        sample: sample(sources, &sample_file).unwrap_or_else(|error| {
            errors.push(error);
            Map::new()
        }),
    };
    let mut bodies = vec![(file.clone(), body_at_its_lines(&source.text, front.body))];
    bodies.extend(email.map(|email| (email_file, format!("{}\n", email.text.trim_end()))));
    compile(&letter, &front, &source.text, &bodies, registries, partials, &mut errors);
    if errors.is_empty() { Ok(letter) } else { Err(errors) }
}

/// The hash that stands for a letter's content. White space makes no difference; title, subject and description are not
/// what the recipient is told.
fn content(front: &FrontMatter, body: &str, email: Option<&str>) -> String {
    let headline = front.headline.as_ref().map(|placed| placed.text.as_str()).unwrap_or_default();
    let said = |text: &str| text.nfc().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ");
    let parts = [front.purpose.as_str(), &said(headline), &said(body), &email.map(said).unwrap_or_default()].join("\0");
    hex::encode(digest::digest(&digest::SHA256, parts.as_bytes()))
}

/// Registers a letter's texts and checks Markdown and names of each.
fn compile(
    letter: &Letter,
    front: &FrontMatter,
    source: &str,
    bodies: &[(String, String)],
    registries: &mut Registries,
    partials: &Partials,
    errors: &mut Vec<TemplateError>,
) {
    let shape = shape(&front.variables);
    let is_broken = |name: &str| partials.mistakes.contains_key(name);
    let mut walk = Walk::new(&shape, &partials.sound, front.purpose == Purpose::Advertisement);
    walk.is_broken = &is_broken;
    for (file, text) in bodies {
        errors.extend(draft::check(file, text));
        match registries.add_body(file, file, text) {
            Ok(template) => walk.file(file, template),
            Err(error) => errors.push(error),
        }
    }
    let file = letter.body_name();
    let lines = [(letter.subject_name(), Some(&front.subject)), (letter.headline_name(), front.headline.as_ref())];
    for (name, placed) in lines {
        let Some(placed) = placed else { continue };
        match registries.add_line(&name, &file, &line_at_its_place(source, placed)) {
            Ok(template) => walk.file(&file, template),
            Err(error) => errors.push(error),
        }
    }
    errors.append(&mut walk.errors);
    let included = walk.included.iter().filter_map(|name| partials.mistakes.get(name));
    errors.extend(included.flatten().cloned());
}

/// The body with one empty line for each line of front matter, so that errors count lines as the file does.
fn body_at_its_lines(source: &str, body: usize) -> String {
    let above = source[..body].matches('\n').count();
    format!("{}{}\n", "\n".repeat(above), source[body..].trim_end())
}

/// A text of the front matter moved to its place in the file; the white space before it is trimmed
/// when it is rendered.
fn line_at_its_place(source: &str, placed: &Placed) -> String {
    let (line, column) = place(source, placed.offset);
    format!("{}{}{}", "\n".repeat(line - 1), " ".repeat(column), placed.text)
}

fn sample(sources: &Sources, file: &str) -> Result<Map<String, Value>, TemplateError> {
    let Some(source) = sources.get(file) else { return Ok(Map::new()) };
    serde_json::from_str(&source.text).map_err(|error| {
        TemplateError::at(file, (error.line().max(1), error.column().max(1)), "is not a JSON object of sample values")
    })
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tagged_partial_prints_its_text_and_not_its_tag() {
        for tag in ["<!-- promotional -->", "{{!-- promotional --}}"] {
            let (promotional, text) = tagged(&format!("{tag}\n**Call** us\n"));
            assert!(promotional);
            let mut registries = Registries::default();
            registries.add_body("p", "p.md", &text).expect("sound");
            assert_eq!(registries.body("p", &Value::Null), Ok("**Call** us\n".to_owned()));
        }
        assert_eq!(tagged("plain"), (false, "plain\n".to_owned()));
    }
}
