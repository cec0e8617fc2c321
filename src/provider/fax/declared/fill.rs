//! Filling placeholders in: Handlebars, strict, with `if`, `unless` and the few functions below; no partials, no raw
//! values. What may stand where is checked before anything is sent, in [`Scope`].

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use handlebars::template::{HelperTemplate, Parameter, Template, TemplateElement};
use handlebars::{
    Context, Handlebars, Helper, HelperDef, Path, RenderContext, RenderError, RenderErrorReason, ScopedJson, no_escape,
};
use serde_json::Value;

use crate::domain::fault::{Failure, Fault};

/// The functions, with how many arguments each takes.
const FUNCTIONS: [(&str, usize); 4] = [("base64", 1), ("digits", 1), ("national", 1), ("first", 2)];

/// Two registries without a template in them: values as they are, and values escaped for JSON strings.
pub struct Filler {
    plain: Handlebars<'static>,
    json: Handlebars<'static>,
}

impl Default for Filler {
    fn default() -> Self {
        Self { plain: registry(no_escape), json: registry(json_escape) }
    }
}

fn registry(escape: impl Fn(&str) -> String + Send + Sync + 'static) -> Handlebars<'static> {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.register_escape_fn(escape);
    for (name, _) in FUNCTIONS {
        registry.register_helper(name, Box::new(Function(name)));
    }
    registry
}

/// For the inside of a JSON string (RFC 8259 §7).
fn json_escape(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

impl Filler {
    /// Fills in for a place that escapes by itself: forms, headers, queries, parts of a path.
    ///
    /// # Errors
    /// A placeholder has no value; nothing of the values is quoted.
    pub fn plain(&self, text: &str, values: &Context) -> Result<String, Failure> {
        self.plain.render_template_with_context(text, values).map_err(|_| unfilled())
    }

    /// Fills in JSON; what comes out is JSON without superfluous space, or it is an error.
    ///
    /// # Errors
    /// As [`Filler::plain`].
    pub fn json(&self, text: &str, values: &Context) -> Result<String, Failure> {
        let filled = self.json.render_template_with_context(text, values).map_err(|_| unfilled())?;
        serde_json::from_str::<Value>(&filled).map(|json| json.to_string()).map_err(|_| unfilled())
    }
}

fn unfilled() -> Failure {
    Failure::new(Fault::AccountError).text("the provider's description makes no valid request of these values")
}

struct Function(&'static str);

impl HelperDef for Function {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let argument = |index| helper.param(index).map(|value| value.value());
        let text = argument(0).and_then(crate::provider::kit::reading::words).unwrap_or_default();
        let digits = || text.chars().filter(char::is_ascii_digit).collect::<String>();
        let result = match self.0 {
            "base64" => BASE64.encode(&text),
            "digits" => digits(),
            "national" => {
                let digits = digits();
                digits.strip_prefix('1').filter(|rest| rest.len() == 10).map_or(digits.clone(), str::to_owned)
            }
            _ => {
                let most = argument(1).and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok());
                let most = most.ok_or_else(|| RenderErrorReason::Other("a number is needed".to_owned()))?;
                text.chars().take(most).collect()
            }
        };
        Ok(ScopedJson::Derived(Value::from(result)))
    }
}

/// What is wrong with a text: line and column within it, from 1, if known, and the words.
pub type Finding = (Option<(usize, usize)>, String);

/// The names that may be used in one place.
#[derive(Debug, Default)]
pub struct Scope {
    /// Dotted names.
    pub names: BTreeSet<String>,
    /// Names that exist but not here, each with the reason.
    pub refused: Vec<(String, &'static str)>,
    /// Whether `{{#if}}` may be used.
    pub blocks: bool,
}

impl Scope {
    /// Everything that is wrong with a text.
    #[must_use]
    pub fn check(&self, text: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        match Template::compile(text) {
            Ok(template) => self.template(&template, (1, 1), &mut findings),
            Err(error) => {
                let words = error.reason().to_string();
                let words = words.lines().next().unwrap_or_default().to_owned();
                findings.push((error.pos(), format!("the placeholders cannot be read: {words}")));
            }
        }
        findings
    }

    /// Whether a text uses a name of that beginning.
    #[must_use]
    pub fn uses(text: &str, name: &str) -> bool {
        let empty = Self { blocks: true, ..Self::default() };
        let asked = format!("`{name}`");
        empty.check(text).iter().any(|(_, words)| words.contains(&asked))
    }

    fn template(&self, template: &Template, outer: (usize, usize), findings: &mut Vec<Finding>) {
        for (index, element) in template.elements.iter().enumerate() {
            let at = template.mapping.get(index).map_or(outer, |mapping| (mapping.0, mapping.1));
            let mut say = |words: String| findings.push((Some(at), words));
            match element {
                TemplateElement::RawString(_) | TemplateElement::Comment(_) => {}
                TemplateElement::Expression(expression) => self.expression(expression, at, findings),
                TemplateElement::HelperBlock(block) => self.block(block, at, findings),
                TemplateElement::HtmlExpression(_) => {
                    say("values are always escaped: write {{…}}, not {{{…}}}".to_owned())
                }
                _ => say("partials and decorators are not used here".to_owned()),
            }
        }
    }

    fn block(&self, block: &HelperTemplate, at: (usize, usize), findings: &mut Vec<Finding>) {
        let name = written(&block.name);
        let subject = match (name.as_str(), &block.params[..]) {
            ("if" | "unless", [subject]) if self.blocks => subject,
            ("if" | "unless", _) if self.blocks => {
                return findings.push((Some(at), format!("write {{{{#{name} value}}}}")));
            }
            _ => {
                let words = if self.blocks { "only #if and #unless can be used" } else { "no blocks can be used here" };
                return findings.push((Some(at), words.to_owned()));
            }
        };
        self.parameter(subject, at, findings);
        for inner in block.template.iter().chain(&block.inverse) {
            self.template(inner, at, findings);
        }
    }

    fn expression(&self, expression: &HelperTemplate, at: (usize, usize), findings: &mut Vec<Finding>) {
        let name = written(&expression.name);
        match FUNCTIONS.iter().find(|(known, _)| *known == name) {
            Some((_, count)) if *count != expression.params.len() || !expression.hash.is_empty() => {
                findings
                    .push((Some(at), format!("`{name}` takes {count} argument{}", if *count == 1 { "" } else { "s" })));
            }
            Some(("first", _)) if !is_count(&expression.params[1]) => {
                findings.push((Some(at), "write {{first value 20}}".to_owned()));
            }
            Some(_) => expression.params.iter().for_each(|parameter| self.parameter(parameter, at, findings)),
            None if expression.params.is_empty() && expression.hash.is_empty() => self.name(&name, at, findings),
            None => {
                let known: Vec<&str> = FUNCTIONS.iter().map(|(name, _)| *name).collect();
                findings.push((Some(at), format!("unknown function `{name}`: there are {}", known.join(", "))));
            }
        }
    }

    fn parameter(&self, parameter: &Parameter, at: (usize, usize), findings: &mut Vec<Finding>) {
        match parameter {
            Parameter::Path(_) | Parameter::Name(_) => self.name(&written(parameter), at, findings),
            Parameter::Subexpression(inner) => match inner.as_element() {
                TemplateElement::Expression(expression) => self.expression(expression, at, findings),
                _ => findings.push((Some(at), "this cannot be used here".to_owned())),
            },
            _ => {}
        }
    }

    fn name(&self, name: &str, at: (usize, usize), findings: &mut Vec<Finding>) {
        if self.names.contains(name) {
            return;
        }
        let refused = self.refused.iter().find(|(known, _)| known == name);
        let words = match refused {
            Some((_, why)) => format!("`{name}` cannot stand here: {why}"),
            None => {
                let known: Vec<&str> = self.names.iter().map(String::as_str).collect();
                format!("there is no `{name}` here; there is: {}", known.join(", "))
            }
        };
        findings.push((Some(at), words));
    }
}

fn is_count(parameter: &Parameter) -> bool {
    matches!(parameter, Parameter::Literal(Value::Number(number)) if number.as_u64().is_some())
}

fn written(parameter: &Parameter) -> String {
    match parameter {
        Parameter::Name(name) => name.clone(),
        Parameter::Path(Path::Relative((_, text)) | Path::Local((_, _, text))) => text.clone(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn context(value: Value) -> Context {
        Context::wraps(value).expect("plain JSON")
    }

    #[test]
    fn a_value_in_json_stays_within_its_quotes() {
        let filler = Filler::default();
        let values = context(json!({ "sender": "A \"quoted\" \\ name\n\u{1}, x\":1" }));
        let filled = filler.json(r#"{"name": "{{sender}}"}"#, &values).expect("sound");
        let read: Value = serde_json::from_str(&filled).expect("JSON");
        assert_eq!(read, json!({ "name": "A \"quoted\" \\ name\n\u{1}, x\":1" }));
    }

    #[test]
    fn what_does_not_come_out_as_json_is_not_sent() {
        let filler = Filler::default();
        let values = context(json!({ "sender": "x, \"to\": 1" }));
        assert!(filler.json(r#"{"name": {{sender}}}"#, &values).is_err());
        assert!(filler.plain("{{nobody}}", &values).is_err());
    }

    #[test]
    fn functions_write_numbers_and_references_as_apis_want_them() {
        let filler = Filler::default();
        let values = context(json!({ "to": "+13125550142", "attempt": "0199c0de-7a11-7000-8000-00000000c0de" }));
        let said = |text: &str| filler.plain(text, &values).expect("sound");
        assert_eq!(said("{{digits to}} {{national to}}"), "13125550142 3125550142");
        assert_eq!(said("{{first attempt 8}}"), "0199c0de");
        assert_eq!(said("{{base64 attempt}}"), "MDE5OWMwZGUtN2ExMS03MDAwLTgwMDAtMDAwMDAwMDBjMGRl");
    }

    #[test]
    fn names_are_checked_in_branches_that_are_not_taken_and_raw_values_are_refused() {
        let scope =
            Scope { names: BTreeSet::from(["a".to_owned()]), refused: vec![("to".to_owned(), "no")], blocks: true };
        let said = |text: &str| scope.check(text).into_iter().map(|(_, words)| words).collect::<Vec<_>>().join("; ");
        assert_eq!(said("{{#if a}}{{a}}{{else}}{{first a 3}}{{/if}}"), "");
        assert!(said("{{#if a}}x{{else}}{{b}}{{/if}}").contains("no `b`"));
        assert!(said("{{to}}").contains("cannot stand here: no"));
        assert!(said("{{{a}}}").contains("always escaped"));
        assert!(said("{{> part}}").contains("partials"));
        assert!(said("{{#each a}}x{{/each}}").contains("#if"));
        assert!(said("{{lookup a}}").contains("unknown function"));
        assert!(scope.check("one\n {{#if a}").first().is_some_and(|(at, _)| at.is_some()));
        assert!(Scope::uses("x{{#if page}}{{page}}{{/if}}", "page") && !Scope::uses("{{pages}}", "page"));
    }
}
