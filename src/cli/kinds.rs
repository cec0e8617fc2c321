//! Kinds of provider and their settings, as they are named in arguments.

use std::collections::BTreeMap;

use super::exit::CliError;
use crate::provider::{REGISTRY, Setting, Spec, find_spec};

/// The kind of that name.
///
/// # Errors
/// There is none; the error names those there are.
pub(super) fn spec_named(kind: &str) -> Result<&'static Spec, CliError> {
    find_spec(kind).ok_or_else(|| {
        let kinds: Vec<&str> = REGISTRY.iter().map(|spec| spec.kind).collect();
        CliError::usage(format!("there is no provider `{kind}`; there are: {}", kinds.join(", ")))
    })
}

/// Refuses a key that cannot be set in an argument: one the kind does not have, or a secret.
///
/// # Errors
/// It is such a key; the error names those that can be set.
pub(super) fn check_key(spec: &Spec, key: &str) -> Result<(), CliError> {
    let settable = spec.settings.iter().filter(|setting| !setting.secret).map(|setting| setting.key);
    let keys: Vec<&str> = settable.collect();
    if keys.contains(&key) {
        return Ok(());
    }
    Err(CliError::usage(format!("{} takes these settings here: {}", spec.kind, keys.join(", "))))
}

/// The first setting that an account cannot work without and that was not given; secrets aside.
pub(super) fn missing_setting<'s>(spec: &'s Spec, given: &BTreeMap<String, String>) -> Option<&'s Setting> {
    let is_required = |setting: &Setting| setting.is_required(|key| given.contains_key(key));
    spec.settings.iter().find(|setting| is_required(setting) && !setting.secret && !given.contains_key(setting.key))
}
