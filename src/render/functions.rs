//! The functions templates may call. Each returns a value that is then escaped like any other.

use handlebars::{
    Context, Handlebars, Helper, HelperDef, PathAndJson, RenderContext, RenderError, RenderErrorReason, ScopedJson,
};
use serde_json::Value;

use super::dialable;
use super::measures::change;
use crate::domain::address::pretty_number;
use crate::domain::listed::listed;

/// How a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// Its name.
    pub name: &'static str,
    /// The least and the most arguments.
    pub arguments: (usize, usize),
    /// Whether the first argument is a list.
    pub takes_list: bool,
    /// An example for error texts.
    pub usage: &'static str,
}

impl Signature {
    /// Whether this many arguments are right.
    #[must_use]
    pub fn accepts(&self, count: usize) -> bool {
        (self.arguments.0..=self.arguments.1).contains(&count)
    }
}

const fn signature_of(
    name: &'static str,
    arguments: (usize, usize),
    takes_list: bool,
    usage: &'static str,
) -> Signature {
    Signature { name, arguments, takes_list, usage }
}

/// Every function: ours, then the Handlebars helpers that letters may use.
const SIGNATURES: [Signature; 18] = [
    signature_of("phone", (1, 1), false, "{{phone practice.phone}}"),
    signature_of("date", (0, 1), false, "{{date some_day}}"),
    signature_of("list", (1, 2), true, "{{list some_list}} or {{list some_list \"or\"}}"),
    signature_of("mentions", (2, 8), true, "(mentions practice.conditions \"OCD\" \"obsessive\")"),
    signature_of("plural", (3, 3), false, "{{plural some_number \"patient\" \"patients\"}}"),
    signature_of("url", (1, 1), false, "{{url some_address}}"),
    signature_of("phone_link", (1, 1), false, "{{phone_link practice.phone}}"),
    signature_of("as_sentence", (1, 1), false, "{{as_sentence some_text}}"),
    signature_of("default", (2, 2), false, "{{default some_text \"not recorded\"}}"),
    signature_of("percent_change", (2, 2), false, "{{percent_change before after}}"),
    signature_of("eq", (2, 2), false, "(eq a b)"),
    signature_of("ne", (2, 2), false, "(ne a b)"),
    signature_of("gt", (2, 2), false, "(gt a b)"),
    signature_of("lt", (2, 2), false, "(lt a b)"),
    signature_of("and", (2, 8), false, "(and a b)"),
    signature_of("or", (2, 8), false, "(or a b)"),
    signature_of("not", (1, 1), false, "(not a)"),
    signature_of("len", (1, 1), true, "(len some_list)"),
];

/// The names of all functions.
pub fn names() -> impl Iterator<Item = &'static str> {
    SIGNATURES.iter().map(|signature| signature.name)
}

/// How the function of that name is called.
#[must_use]
pub fn signature(name: &str) -> Option<&'static Signature> {
    SIGNATURES.iter().find(|signature| signature.name == name)
}

/// Whether there is a function of that name.
#[must_use]
pub fn is_known(name: &str) -> bool {
    signature(name).is_some()
}

/// A function's implementation: takes arguments and the whole context, returns a value or what is wrong.
type Run = fn(&[&Value], &Value) -> Result<Value, String>;

struct Function(&'static str, Run);

impl HelperDef for Function {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let arguments: Vec<&Value> = helper.params().iter().map(PathAndJson::value).collect();
        (self.1)(&arguments, context.data())
            .map(ScopedJson::Derived)
            .map_err(|problem| RenderErrorReason::Other(format!("{}: {problem}", self.0)).into())
    }
}

/// Registers our functions.
pub fn register(registry: &mut Handlebars<'_>) {
    let ours: [(&'static str, Run); 10] = [
        ("phone", phone),
        ("date", date),
        ("list", list),
        ("mentions", mentions),
        ("plural", plural),
        ("url", url),
        ("phone_link", phone_link),
        ("as_sentence", as_sentence),
        ("default", default),
        ("percent_change", percent_change),
    ];
    for (name, run) in ours {
        registry.register_helper(name, Box::new(Function(name, run)));
    }
}

fn argument<'a>(arguments: &[&'a Value], index: usize) -> &'a Value {
    arguments.get(index).copied().unwrap_or(&Value::Null)
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        _ => String::new(),
    }
}

/// `+13125550142` becomes `(312) 555-0142`; anything else is unchanged. The space is non-breaking.
fn phone(arguments: &[&Value], _: &Value) -> Result<Value, String> {
    Ok(Value::String(pretty_number(&words(argument(arguments, 0))).replace(' ', "\u{a0}")))
}

/// `2026-11-23` becomes `November 23, 2026`; without an argument, the day of the letter.
fn date(arguments: &[&Value], context: &Value) -> Result<Value, String> {
    let Some(day) = arguments.first() else { return Ok(context["date"].clone()) };
    let text = words(day);
    if text.is_empty() {
        return Ok(Value::String(text));
    }
    let day = super::variables::day(&text).ok_or("the value is not a day written as 2026-11-23")?;
    Ok(Value::String(day.format("%B %-d, %Y").to_string()))
}

/// `a`, `a and b`, `a, b and c`; the second argument replaces `and`.
fn list(arguments: &[&Value], _: &Value) -> Result<Value, String> {
    let entries: Vec<String> =
        argument(arguments, 0).as_array().ok_or("the value is not a list")?.iter().map(words).collect();
    let and = argument(arguments, 1).as_str().unwrap_or("and");
    Ok(Value::String(listed(entries, and)))
}

/// Whether an entry of the list has one of the further arguments as a whole word, in any case.
fn mentions(arguments: &[&Value], _: &Value) -> Result<Value, String> {
    let entries = argument(arguments, 0).as_array().ok_or("the value is not a list")?;
    let sought: Vec<String> = arguments.iter().skip(1).map(|word| words(word).to_lowercase()).collect();
    let has_one = |entry: &Value| {
        let said = words(entry).to_lowercase();
        said.split(|c: char| !c.is_alphanumeric()).any(|word| sought.iter().any(|sought| sought == word))
    };
    Ok(Value::Bool(entries.iter().any(has_one)))
}

/// `1 patient`, `2 patients`.
fn plural(arguments: &[&Value], _: &Value) -> Result<Value, String> {
    let count = argument(arguments, 0);
    let number = words(count).trim().parse::<f64>().map_err(|_| "the value is not a number")?;
    let form = argument(arguments, if (number - 1.0).abs() < f64::EPSILON { 1 } else { 2 });
    Ok(Value::String(format!("{} {}", words(count), words(form))))
}

/// A web address for the target of a link; https if no scheme is given.
fn url(arguments: &[&Value], _: &Value) -> Result<Value, String> {
    let text = words(argument(arguments, 0));
    let text = text.trim();
    let full = if text.contains("://") || text.starts_with("mailto:") || text.starts_with("tel:") {
        text.to_owned()
    } else {
        format!("https://{text}")
    };
    let parsed = url::Url::parse(&full).map_err(|_| "the value is not a web address")?;
    if !matches!(parsed.scheme(), "http" | "https" | "mailto" | "tel") {
        return Err("a link must begin with https://, http://, mailto: or tel:".to_owned());
    }
    Ok(Value::String(parsed.to_string()))
}

/// The target of a link that dials a number: `tel:+13125550142`.
fn phone_link(arguments: &[&Value], _: &Value) -> Result<Value, String> {
    let number = pretty_number(words(argument(arguments, 0)).trim());
    dialable::link(&number).map(Value::String).ok_or_else(|| "the value is not a telephone number".to_owned())
}

/// The text with a period after it, unless it ends a sentence already: a value may be entered with or without one.
fn as_sentence(arguments: &[&Value], _: &Value) -> Result<Value, String> {
    let text = words(argument(arguments, 0));
    let text = text.trim();
    let said = text.trim_end_matches(['"', '\'', '”', '’', ')', ']']);
    let ends = text.is_empty() || said.ends_with(['.', '!', '?', '…']);
    Ok(Value::String(if ends { text.to_owned() } else { format!("{text}.") }))
}

/// The first argument, or the second if the first is empty. Zero is not empty.
fn default(arguments: &[&Value], _: &Value) -> Result<Value, String> {
    let value = argument(arguments, 0);
    let empty = value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
    Ok(if empty { argument(arguments, 1) } else { value }.clone())
}

/// `63% lower`.
fn percent_change(arguments: &[&Value], _: &Value) -> Result<Value, String> {
    let number = |index| words(argument(arguments, index)).trim().parse::<f64>().ok();
    Ok(Value::String(change(number(0), number(1))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn say(template: &str) -> String {
        let mut registry = Handlebars::new();
        registry.register_escape_fn(handlebars::no_escape);
        registry.set_strict_mode(true);
        register(&mut registry);
        let data = json!({"date": "November 23, 2026", "day": "2026-12-01", "tel": "+13125550142", "none": null, "n": 0,
            "one": ["a"], "two": ["a", "b"], "three": ["a", "b", "c"], "empty": [], "offered": ["esketamine (Spravato)", "TMS"],
            "one_said": "It helped", "two_said": "“Yes.”", "site": "journal.example/a b(c)"});
        registry.render_template(template, &data).unwrap_or_else(|error| format!("error: {}", error.reason()))
    }

    #[test]
    fn functions_write_as_people_do() {
        for (template, text) in [
            ("{{phone tel}}", "(312)\u{a0}555-0142"),
            ("{{date day}}", "December 1, 2026"),
            ("{{date}}", "November 23, 2026"),
            ("{{list one}}|{{list two}}|{{list three}}|{{list empty}}", "a|a and b|a, b and c|"),
            ("{{list two \"or\"}}", "a or b"),
            ("{{#if (mentions offered \"ECT\" \"tms\")}}yes{{/if}}", "yes"),
            ("{{#if (mentions offered \"ketamine\")}}yes{{else}}no{{/if}}", "no"),
            ("{{#if (mentions empty \"ECT\")}}yes{{else}}no{{/if}}", "no"),
            ("{{plural 1 \"day\" \"days\"}}, {{plural 2 \"day\" \"days\"}}", "1 day, 2 days"),
            ("{{default none \"not recorded\"}}, {{default n \"not recorded\"}}", "not recorded, 0"),
            ("{{percent_change 19 7}}, {{percent_change 0 7}}", "63% lower, not computed"),
            ("{{phone_link tel}}", "tel:+13125550142"),
            ("{{as_sentence one_said}} {{as_sentence two_said}}|{{as_sentence none}}", "It helped. “Yes.”|"),
            ("{{url site}}", "https://journal.example/a%20b(c)"),
            ("{{#if (eq day \"2026-12-01\")}}yes{{/if}}", "yes"),
        ] {
            assert_eq!(say(template), text, "{template}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_an_error_that_does_not_quote_the_value() {
        assert_eq!(say("{{date tel}}"), "error: date: the value is not a day written as 2026-11-23");
        assert_eq!(
            say("{{url \"javascript://x\"}}"),
            "error: url: a link must begin with https://, http://, mailto: or tel:"
        );
        assert_eq!(say("{{phone_link day}}"), "error: phone_link: the value is not a telephone number");
        assert_eq!(say("{{list day}}"), "error: list: the value is not a list");
    }
}
