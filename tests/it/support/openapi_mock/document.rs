//! Reading an OpenAPI 3.1 document: its operations, its schemas, and answers that fit them.

use serde_json::{Map, Value, json};

/// An OpenAPI document.
pub struct Document(Value);

/// One operation of it.
pub struct Operation<'a> {
    pub document: &'a Document,
    /// The path with its parameters in braces.
    pub template: String,
    pub value: &'a Value,
}

/// Deepest schema for which an example is made; the published ones end long before.
const DEPTH_MAX: usize = 12;

impl Document {
    pub fn new(value: Value) -> Self {
        Self(value)
    }

    /// A part of the document by its JSON pointer.
    pub fn at(&self, pointer: &str) -> &Value {
        self.0.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// The operation for a request; literal parts of a path win over parameters.
    pub fn operation(&self, method: &str, path: &str) -> Option<Operation<'_>> {
        let paths = self.0["paths"].as_object()?;
        let mut fitting: Vec<_> = paths.iter().filter(|(template, _)| fits(template, path)).collect();
        fitting.sort_by_key(|(template, _)| template.matches('{').count());
        let (template, item) = fitting.into_iter().next()?;
        let value = item.get(method.to_lowercase())?;
        Some(Operation { document: self, template: template.clone(), value })
    }

    /// What a `$ref` points to, as often as it takes.
    pub fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
            Some(pointer) => self.resolve(self.at(pointer)),
            None => value,
        }
    }

    /// How an instance differs from a schema of this document.
    pub fn errors(&self, schema: &Value, instance: &Value) -> Vec<String> {
        let whole = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "components": self.0["components"],
            "allOf": [schema],
        });
        let validator =
            jsonschema::options().should_validate_formats(true).build(&whole).expect("the published schemas are valid");
        validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    /// An instance that fits the schema: its example where it has one, else made from its parts.
    pub fn example(&self, schema: &Value) -> Value {
        self.example_within(schema, DEPTH_MAX)
    }

    fn example_within(&self, schema: &Value, depth: usize) -> Value {
        let schema = self.resolve(schema);
        if let Some(example) = schema.get("example").or_else(|| schema.get("default")) {
            return example.clone();
        }
        if let Some(first) = schema["enum"].get(0) {
            return first.clone();
        }
        match kind(schema) {
            "object" if depth > 0 => {
                let empty = Map::new();
                let properties = schema["properties"].as_object().unwrap_or(&empty);
                properties.iter().map(|(name, part)| (name.clone(), self.example_within(part, depth - 1))).collect()
            }
            "array" if depth > 0 => json!([self.example_within(&schema["items"], depth - 1)]),
            "integer" | "number" => json!(1),
            "boolean" => json!(true),
            "string" => json!(match schema["format"].as_str() {
                Some("uuid") => "0ccc7b54-4df3-4bca-a65a-3da1ecc777f0",
                Some("date-time") => "2026-11-23T15:00:00Z",
                Some("uri") => "https://example.com/",
                _ => "text",
            }),
            _ => json!({}),
        }
    }
}

/// The first type of a schema; an untyped one with properties is an object.
pub fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(kind) => kind,
        Value::Array(kinds) => kinds.first().and_then(Value::as_str).unwrap_or(""),
        _ if schema["properties"].is_object() => "object",
        _ => "",
    }
}

impl Operation<'_> {
    /// The parameters of one place (`path`, `query`), with references resolved.
    pub fn parameters(&self, place: &str) -> Vec<&Value> {
        let all = self.value["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let resolved = all.iter().map(|parameter| self.document.resolve(parameter));
        resolved.filter(|parameter| parameter["in"] == place).collect()
    }

    /// The status of its success.
    pub fn success(&self) -> u16 {
        self.statuses().into_iter().find(|status| *status < 300).expect("every operation can succeed")
    }

    /// The statuses that the document names.
    pub fn statuses(&self) -> Vec<u16> {
        let responses = self.value["responses"].as_object().into_iter().flatten();
        responses.filter_map(|(status, _)| status.parse().ok()).collect()
    }

    /// Whether the document allows any other status too.
    pub fn has_default(&self) -> bool {
        self.value["responses"].get("default").is_some()
    }

    /// The body of an answer with that status: the given one if it fits, else the document's example.
    ///
    /// # Errors
    /// The status is not documented, or the given body does not fit.
    pub fn answer(&self, status: u16, given: Option<Value>) -> Result<Option<Value>, String> {
        let responses = &self.value["responses"];
        let response = responses.get(status.to_string()).or_else(|| responses.get("default"));
        let response = response.ok_or_else(|| format!("{} does not document {status}", self.template))?;
        let content = &self.document.resolve(response)["content"]["application/json"];
        if let Some(body) = given {
            let errors = self.document.errors(&content["schema"], &body);
            return if errors.is_empty() { Ok(Some(body)) } else { Err(format!("the test's own answer: {errors:?}")) };
        }
        if content.is_null() {
            return Ok(None);
        }
        let named = content["examples"].as_object().and_then(|all| all.values().next()).map(|one| one["value"].clone());
        let example = content.get("example").cloned().or(named);
        Ok(Some(example.unwrap_or_else(|| self.document.example(&content["schema"]))))
    }
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(&path).all(|(part, given)| (part.starts_with('{') && !given.is_empty()) || part == given)
}
