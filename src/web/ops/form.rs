//! Forms: every one comes from a logged-in operator and brings back the session's form key.

use std::collections::BTreeMap;

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Redirect, Response};

use crate::domain::storable::is_storable;
use crate::web::WebState;
use crate::web::problem::{Kind, PageProblem, Problem};
use crate::web::session::Operator;

/// A form as it came in, its key checked.
#[derive(Debug)]
pub struct Posted {
    /// Who sent it.
    pub operator: Operator,
    /// What was filled in.
    pub fields: Fields,
}

impl FromRequest<WebState> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, state: &WebState) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let operator = Operator::from_request_parts(&mut parts, state).await?;
        // How much may come was measured before.
        let octets = to_bytes(body, usize::MAX)
            .await
            .map_err(|_| PageProblem(Problem::new(Kind::Malformed, "the form was cut off")).into_response())?;
        let fields = Fields::parse(&octets);
        fields.check_storable().map_err(IntoResponse::into_response)?;
        operator.check_form(fields.text("form_key")).map_err(IntoResponse::into_response)?;
        Ok(Self { operator, fields })
    }
}

/// What was filled in, by the fields' names; of a repeated name the last counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(BTreeMap<String, String>);

impl Fields {
    /// Reads a form (`application/x-www-form-urlencoded`). What is not valid text becomes a replacement character.
    #[must_use]
    pub fn parse(octets: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(octets).into_owned().collect())
    }

    /// That every database can hold what was filled in.
    ///
    /// # Errors
    /// 422: only a program sends such a character.
    pub fn check_storable(&self) -> Result<(), PageProblem> {
        if self.0.iter().all(|(name, text)| is_storable(name) && is_storable(text)) {
            return Ok(());
        }
        Err(refused("The form contains a character that cannot be stored (U+0000)."))
    }

    /// A field's text without the space around it; empty if it is not there.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |text| text.trim())
    }

    /// A field's text as it was typed, with the space around it; empty if it is not there. For passwords.
    #[must_use]
    pub fn as_typed(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The same without some of the fields.
    #[must_use]
    pub fn without(mut self, names: &[&str]) -> Self {
        self.0.retain(|name, _| !names.contains(&name.as_str()));
        self
    }

    /// Fields that were read elsewhere, as from a page's address.
    #[must_use]
    pub fn of<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(fields.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect())
    }

    /// The names of its fields.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether the form has that field, filled in or not.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A field that may be left empty.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// A field that must be filled in with one line.
    ///
    /// # Errors
    /// 422, naming the field by its `label`.
    pub fn line(&self, name: &str, label: &str, chars_max: usize) -> Result<String, PageProblem> {
        self.optional_line(name, label, chars_max)?
            .ok_or_else(|| refused_field(name, format!("Please fill in: {label}.")))
    }

    /// A field that may be left empty, and else is one line.
    ///
    /// # Errors
    /// 422, naming the field by its `label`.
    pub fn optional_line(&self, name: &str, label: &str, chars_max: usize) -> Result<Option<String>, PageProblem> {
        let Some(text) = self.optional(name) else { return Ok(None) };
        if text.chars().count() > chars_max {
            return Err(refused_field(name, format!("Too long: {label} may have at most {chars_max} characters.")));
        }
        if text.chars().any(char::is_control) {
            return Err(refused_field(name, format!("Please use a single line: {label}.")));
        }
        Ok(Some(text.to_owned()))
    }

    /// A field that has a word of a fixed list.
    ///
    /// # Errors
    /// 422: only a changed page sends another word.
    pub fn word<T: std::str::FromStr>(&self, name: &str, label: &str) -> Result<T, PageProblem> {
        self.text(name).parse().map_err(|_| refused_field(name, format!("Please choose: {label}.")))
    }
}

/// A form that cannot be carried out, and what to do, in words. They hold nothing that was filled in.
#[must_use]
pub fn refused(words: impl Into<String>) -> PageProblem {
    PageProblem(Problem::new(Kind::Invalid, words))
}

/// The same about one field, beside which it is said.
#[must_use]
pub fn refused_field(name: &str, words: impl Into<String>) -> PageProblem {
    PageProblem(Problem::field(Kind::Invalid, name, words))
}

/// There is no such page.
#[must_use]
pub fn nowhere() -> PageProblem {
    PageProblem(Problem::new(Kind::NotFound, "This page does not exist, or its contents are gone."))
}

/// After an act: the browser asks for that page next (303), so that reloading repeats nothing.
#[must_use]
pub fn then_show(page: &str) -> Response {
    Redirect::to(page).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_trimmed_bounded_and_one_line() {
        let fields = Fields::parse(b"title=+Lunch+&note=a%0Ab&long=abcdef");
        assert_eq!(fields.line("title", "title", 80).expect("a line"), "Lunch");
        assert!(fields.line("note", "note", 80).is_err());
        assert!(fields.line("long", "long", 3).is_err());
        assert!(fields.line("missing", "missing", 3).is_err());
        assert_eq!(fields.optional("missing"), None);
        assert_eq!((fields.as_typed("title"), fields.as_typed("missing")), (" Lunch ", ""));
        let rest = fields.without(&["title", "missing"]);
        assert!(!rest.has("title") && rest.has("note"));
    }

    #[test]
    fn what_no_database_can_hold_is_refused() {
        assert!(Fields::parse(b"note=a%0Ab").check_storable().is_ok());
        assert!(Fields::parse(b"note=a%00b").check_storable().is_err());
        assert!(Fields::parse(b"%00=b").check_storable().is_err());
    }

    #[test]
    fn broken_encodings_are_read_without_panic() {
        let fields = Fields::parse(b"\xff\xfe=%zz&form_key=%");
        assert_eq!(fields.text("form_key"), "%");
    }
}
