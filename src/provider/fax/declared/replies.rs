//! How answers are read: what their statuses and their own words mean, for all calls and for one.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::domain::fault::Fault;
use crate::provider::kit::pointer::{Pointer, Pointers};

/// Statuses with the fault that they mean where the body says nothing better.
pub type Statuses = BTreeMap<Spanned<String>, Fault>;

/// `[answer]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Answers {
    /// Where a 2xx says whether it was a success after all.
    pub success: Option<Success>,
    /// The words with which a 2xx refuses after all.
    pub refused: Option<Refused>,
    /// Where an error's code stands.
    pub code: Pointers,
    /// Where its words stand; all that are there are joined.
    pub text: Pointers,
    /// What an error means; the first rule that fits counts.
    pub faults: Vec<Rule>,
}

/// A sign of success within a 2xx.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Success {
    /// Where it stands.
    pub at: Pointer,
    /// The words for success; anything else is a refusal.
    pub is: Vec<String>,
}

/// A refusal within a 2xx: certainly nothing was sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// Where its word stands.
    pub at: Pointer,
    /// The words, compared whole and without regard to case, and what each means where no rule for faults says better.
    pub is: BTreeMap<String, Fault>,
}

/// How the answer to one call is read.
#[derive(Debug, Clone, Copy)]
pub struct Signs<'a> {
    /// What its statuses mean.
    pub statuses: &'a Statuses,
    /// Its own sign of success.
    pub success: Option<&'a Success>,
    /// Its own words for a refusal.
    pub refused: Option<&'a Refused>,
}

/// One rule from their words to our faults.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Where the word stands.
    pub at: Pointer,
    /// The rule is for things of which each of these says that; an empty word means that nothing stands there.
    #[serde(default)]
    pub when: BTreeMap<Pointer, String>,
    /// Words, compared whole and without regard to case.
    #[serde(default)]
    pub is: BTreeMap<String, Fault>,
    /// Pieces of words, the longest first; an asterisk stands for anything between.
    #[serde(default)]
    pub has: BTreeMap<String, Fault>,
}
