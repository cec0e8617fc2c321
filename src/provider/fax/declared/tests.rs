//! What is wrong with a description is said with its place, before anything is sent.

use super::check::parse;
use super::description::{Act, Auth, Check, Description, FaxShape, Find, Key, Limits, Request, Send, Status, Step};
use super::examples::{BEGINNING, EXAMPLES};
use super::replies::{Answers, Refused, Rule, Success};
use super::webhook::Webhook;

/// A small description that is sound.
const SOUND: &str = r#"title = "Acme"
sources = ["https://docs.acme.example"]
hosts = ["api.acme.example"]
base_url = "https://api.acme.example/v1"

[secrets.api_key]
about = "The key."

[settings.site]
about = "The site."

[auth]
kind = "bearer"
token = "{{secrets.api_key}}"

[send]
reference = "/id"

[send.request]
method = "POST"
path = "sites/{{settings.site}}/faxes"
json = '''
{
  "to": "{{to}}",
  "document": "{{document_base64}}"
}'''

[fax]
reference = "/id"
state = "/status"
states = { sent = "delivered" }
ours = "/reference"

[status]
request = { method = "GET", path = "faxes/{{reference}}" }

[find]
by = "scan"
items = "/faxes"
request = { method = "GET", path = "faxes", query = { since = "{{window_start}}" } }

[check]
request = { method = "GET", path = "account" }

[webhook]
proof = "hmac_sha256"
header = "x-acme-signature"
key = "secrets.api_key"
"#;

/// What is said of the sound description once a piece of it is written otherwise.
fn said(from: &str, to: &str) -> String {
    assert_eq!(SOUND.matches(from).count(), 1, "`{from}` must stand there once");
    match parse("acme.toml", &SOUND.replace(from, to)) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

/// The place at which a text begins in the description as it is after the change.
fn at(from: &str, to: &str, text: &str) -> String {
    let changed = SOUND.replace(from, to);
    let (line, column) = crate::provider::kit::problem::place(&changed, changed.find(text).expect("it stands there"));
    format!("acme.toml:{line}:{column}: ")
}

fn refuses(from: &str, to: &str, place: &str, words: &str) {
    let said = said(from, to);
    assert!(said.contains(words), "`{to}`: {said}");
    let at = at(from, to, place);
    assert!(said.contains(&at), "`{to}`: {said} is not at {at}");
}

#[test]
fn what_comes_with_the_program_is_sound() {
    assert_eq!(parse("acme.toml", SOUND).err(), None);
    for example in EXAMPLES.iter().chain([&BEGINNING]) {
        if let Err(error) = parse(example.name, example.text) {
            panic!("{error}");
        }
    }
}

#[test]
fn an_unknown_key_a_wrong_word_and_a_wrong_pointer_are_named_with_line_and_column() {
    refuses("[fax]\n", "[fax]\ncolour = \"blue\"\n", "colour", "unknown field `colour`");
    refuses("by = \"scan\"", "by = \"luck\"", "\"luck\"", "unknown variant `luck`");
    refuses("state = \"/status\"", "state = \"status\"", "\"status\"", "JSON pointer");
    refuses("\"delivered\"", "\"arrived\"", "\"arrived\"", "write progress, delivered, failed");
    refuses("method = \"POST\"", "method = \"SEND\"", "\"SEND\"", "unknown variant `SEND`");
}

#[test]
fn a_placeholder_that_does_not_exist_is_found_on_its_own_line_of_a_long_text() {
    let said = said("\"to\": \"{{to}}\",", "\"to\": \"{{to}}\",\n  \"x\": \"{{nobody}}\",");
    assert!(said.contains("there is no `nobody` here"), "{said}");
    let line = 1 + SOUND[..SOUND.find("\"to\": ").expect("there")].matches('\n').count() + 1;
    assert!(said.starts_with(&format!("acme.toml:{line}:9: ")), "{said}");
}

#[test]
fn nothing_secret_and_no_number_stands_in_a_url() {
    refuses(
        "path = \"account\"",
        "path = \"{{secrets.api_key}}\"",
        "{{secrets.api_key}}\" }",
        "a secret in a URL ends in logs",
    );
    let query = "query = { since = \"{{secrets.api_key}}\" }";
    refuses("query = { since = \"{{window_start}}\" }", query, "{{secrets.api_key}}\" } }", "a secret in a URL");
    let query = "query = { since = \"{{window_start}}\", to = \"{{to}}\" }";
    refuses("query = { since = \"{{window_start}}\" }", query, "{{to}}\" } }", "number_in_url");
    assert!(
        parse(
            "a",
            &format!("number_in_url = true\n{}", SOUND.replace("since = \"{{window_start}}\"", "to = \"{{to}}\""))
        )
        .is_ok()
    );
    let path = "path = \"sites/{{to}}/faxes\"";
    let said = said("path = \"sites/{{settings.site}}/faxes\"", path);
    assert!(said.contains("a fax number in a URL"), "a path never holds one: {said}");
    refuses("since = \"{{window_start}}\"", "since = \"{{sender}}\"", "{{sender}}", "no `sender` here");
}

#[test]
fn only_named_hosts_over_https_are_called() {
    let base = "base_url = \"https://api.acme.example/v1\"";
    refuses(base, "base_url = \"https://evil.example\"", "\"https://evil", "not among the hosts");
    refuses(base, "base_url = \"http://api.acme.example\"", "\"http://", "write https");
    refuses(
        "hosts = [\"api.acme.example\"]",
        "hosts = [\"https://api.acme.example\"]",
        "\"https://api.acme.example\"]",
        "a host name",
    );
    let said = said(
        "hosts = [\"api.acme.example\"]\nbase_url = \"https://api.acme.example/v1\"",
        "hosts = [\"10.1.2.3\"]\nbase_url = \"https://10.1.2.3/\"",
    );
    assert!(said.contains("private address"), "{said}");
}

#[test]
fn a_value_outside_the_quotes_of_json_is_refused() {
    refuses("\"to\": \"{{to}}\",", "\"to\": {{settings.site}},", "'''", "put every value into quotes");
    assert_eq!(said("\"to\": \"{{to}}\",", "\"to\": {{digits to}}, \"pages\": {{pages}},"), "");
}

#[test]
fn a_hand_over_carries_the_document_and_the_number_and_its_end_can_be_learned() {
    assert!(said("\"{{document_base64}}\"", "\"x\"").contains("nothing carries the document"));
    assert!(said("\"to\": \"{{to}}\",", "").contains("{{to}} stands nowhere"));
    let silent = SOUND.replace("[status]\nrequest = { method = \"GET\", path = \"faxes/{{reference}}\" }", "");
    let silent = &silent[..silent.find("[webhook]").expect("there")];
    let error = parse("acme.toml", silent).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("nobody could learn"), "{error}");
    refuses("path = \"faxes/{{reference}}\"", "path = \"faxes/1\"", "\"faxes/1\"", "asks about no fax");
}

#[test]
fn a_callback_needs_a_key_that_exists_and_a_time_that_is_signed() {
    let key = "key = \"secrets.api_key\"";
    refuses(key, "key = \"secrets.nobody\"", "\"secrets.nobody\"", "no such key");
    refuses(key, "key = \"settings.site\"", "\"settings.site\"", "only an Ed25519 key is public");
    refuses(key, &format!("{key}\ntimestamp_header = \"x-time\""), "\"hmac_sha256\"", "only if it is signed");
    refuses(key, &format!("{key}\nsigned = \"{{timestamp}}\""), "\"hmac_sha256\"", "must hold {body}");
    refuses(key, &format!("{key}\nsigned = \"{{boddy}}\""), "\"{boddy}\"", "there is no {boddy}");
}

#[test]
fn a_setting_that_sounds_secret_must_be_one_and_a_secret_has_no_default() {
    refuses("[settings.site]", "[settings.api_token]", "api_token", "sounds secret");
    refuses("[settings.site]", "[settings.kind]", "kind]", "cannot be a key");
    refuses("about = \"The key.\"", "about = \"The key.\"\ndefault = \"x\"", "api_key]", "has no default");
}

#[test]
fn every_mistake_is_listed_at_once() {
    let text = SOUND.replace("https://api.acme.example/v1", "http://api.acme.example").replace("{{reference}}", "1");
    let error = parse("acme.toml", &text).expect_err("refused");
    assert!(error.problems.len() >= 2, "{error}");
}

/// Learns which keys a section takes, as its reader asks for them.
struct Keys<'a>(&'a mut Vec<&'static str>);

impl<'de> serde::Deserializer<'de> for Keys<'_> {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: serde::de::Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(serde::de::Error::custom("only sections are asked for their keys"))
    }

    fn deserialize_struct<V: serde::de::Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.extend(fields);
        self.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct
        seq tuple tuple_struct map enum identifier ignored_any
    }
}

fn keys<'de, T: serde::Deserialize<'de>>(section: &str, all: &mut Vec<(String, &'static str)>) {
    let mut keys = Vec::new();
    let _ = T::deserialize(Keys(&mut keys));
    assert!(!keys.is_empty(), "{section} takes keys");
    all.extend(keys.into_iter().map(|key| (section.to_owned(), key)));
}

/// Every key of a description, each with its section.
fn all_keys() -> Vec<(String, &'static str)> {
    let mut all = Vec::new();
    keys::<Description>("the top", &mut all);
    keys::<Limits>("capabilities", &mut all);
    keys::<Key>("settings", &mut all);
    keys::<Auth>("auth", &mut all);
    keys::<Request>("request", &mut all);
    keys::<Step>("prepare", &mut all);
    keys::<Send>("send", &mut all);
    keys::<Answers>("answer", &mut all);
    keys::<Success>("success", &mut all);
    keys::<Refused>("refused", &mut all);
    keys::<Rule>("faults", &mut all);
    keys::<FaxShape>("fax", &mut all);
    keys::<Status>("status", &mut all);
    keys::<Find>("find", &mut all);
    keys::<Act>("cancel and purge", &mut all);
    keys::<Check>("check", &mut all);
    keys::<Webhook>("webhook", &mut all);
    all
}

#[test]
fn every_key_stands_in_the_page_and_in_the_template() {
    let page = include_str!("../../../../docs/adding-a-provider.md");
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words: std::collections::BTreeSet<&str> = BEGINNING.text.split(|c| !is_part(c)).collect();
    for (section, key) in all_keys() {
        assert!(page.contains(&format!("`{key}`")), "the page does not tell of `{key}` in {section}");
        assert!(words.contains(key), "the template does not tell of `{key}` in {section}");
    }
}

#[test]
fn a_list_of_words_for_success_or_refusal_is_not_empty() {
    for (from, to) in [
        ("[fax]\n", "[answer]\nsuccess = { at = \"/s\", is = [] }\n[fax]\n"),
        ("[send]\n", "[send]\nrefused = { at = \"/s\", is = {} }\n"),
    ] {
        let said = said(from, to);
        assert!(said.contains("at least one word"), "{to}: {said}");
    }
}
