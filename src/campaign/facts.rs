//! No stale fact: which variables of a recurring campaign must be renewed before a run, because they hold a date or are
//! marked as perishable in the letter, and were set for an earlier run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::plan::Plan;
use crate::domain::Timestamp;
use crate::domain::dated_text::names_a_moment;
use crate::intake::Parts;
use crate::store::records::campaigns::CampaignRow;

/// When a variable was set, or confirmed as still true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dated {
    /// The moment.
    pub set: Timestamp,
    /// How many runs the campaign had made by then.
    pub runs: i64,
}

/// When each variable of a campaign was set. One without an entry was set when the campaign was created.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Facts(BTreeMap<String, Dated>);

impl Facts {
    /// As a campaign's row has them; what cannot be read counts as never renewed.
    pub fn of(row: &CampaignRow) -> Self {
        Self(serde_json::from_str(&row.dated).unwrap_or_default())
    }

    /// As they are stored.
    pub fn written(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_else(|_| "{}".to_owned())
    }

    /// When a variable was set.
    pub fn dated(&self, name: &str, row: &CampaignRow) -> Dated {
        self.0.get(name).copied().unwrap_or(Dated { set: row.created_ms, runs: 0 })
    }

    /// Notes that a variable was set or confirmed now.
    pub fn renew(&mut self, name: &str, row: &CampaignRow, now: Timestamp) {
        self.0.insert(name.to_owned(), Dated { set: now, runs: row.runs });
    }

    /// Forgets the variables that the letter does not have.
    pub fn retain(&mut self, known: impl Fn(&str) -> bool) {
        self.0.retain(|name, _| known(name));
    }
}

/// The variables that are true for a while only, in the letter's order: those that are marked so, and those whose value, or
/// else default, names a moment. One that is left empty says nothing.
pub(super) fn perishable(parts: &Parts, plan: &Plan) -> Vec<String> {
    let Some(letter) = parts.renderer.letter(&plan.letter) else { return Vec::new() };
    let value = |name: &str, default: Option<&Value>| {
        let given = plan.variables.get(name).filter(|value| !is_blank(value));
        given.or(default).filter(|value| !is_blank(value)).cloned()
    };
    let variables = letter.variables.iter().filter_map(|variable| {
        let value = value(&variable.name, variable.default.as_ref())?;
        (variable.perishable || holds_a_moment(&value)).then(|| variable.name.clone())
    });
    variables.collect()
}

/// The variables that must be renewed before a run at that moment: a run has used them since they were set, or a planned
/// run that they were set for has passed. A plan that runs once has none.
pub(super) fn stale(parts: &Parts, plan: &Plan, row: &CampaignRow, moment: Timestamp) -> Vec<String> {
    if !plan.schedule.recurs() {
        return Vec::new();
    }
    let facts = Facts::of(row);
    let mut names = perishable(parts, plan);
    names.retain(|name| {
        let dated = facts.dated(name, row);
        let was_used = row.runs > dated.runs;
        let is_for_another = plan.next_after(dated.set, row.created_ms).is_some_and(|meant| meant < moment);
        was_used || is_for_another
    });
    names
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(entries) => entries.iter().all(is_blank),
        _ => false,
    }
}

fn holds_a_moment(value: &Value) -> bool {
    match value {
        Value::String(text) => names_a_moment(text),
        Value::Array(entries) => entries.iter().any(holds_a_moment),
        Value::Object(fields) => fields.values().any(holds_a_moment),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
