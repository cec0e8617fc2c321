//! A request as it came in, and everything about it that is not as the document has it.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Multipart, Request};
use serde_json::{Map, Value, json};

use super::document::{Document, Operation, kind};

/// Largest request read.
const REQUEST_BYTES_MAX: usize = 1024 * 1024;

/// A request, with its body as JSON: a form becomes an object of texts.
#[derive(Debug, Clone)]
pub struct Incoming {
    pub method: String,
    /// Without the prefix.
    pub path: String,
    pub query: Vec<(String, String)>,
    pub content_type: Option<String>,
    pub authorization: Option<String>,
    pub body: Value,
}

impl Incoming {
    /// Reads it whole.
    ///
    /// # Errors
    /// It is not below the prefix, or its body is not what its type says.
    pub async fn read(request: Request, prefix: &str) -> Result<Self, String> {
        let (parts, body) = request.into_parts();
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let path = parts.uri.path().strip_prefix(prefix).ok_or("the path does not begin with the prefix")?.to_owned();
        let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or("").as_bytes()).into_owned().collect();
        let full_type = header("content-type");
        let content_type = full_type.as_deref().and_then(|text| text.split(';').next()).map(str::to_owned);
        let bytes = axum::body::to_bytes(body, REQUEST_BYTES_MAX).await.map_err(|error| error.to_string())?;
        let body = match content_type.as_deref() {
            Some("application/json") => serde_json::from_slice(&bytes).map_err(|error| error.to_string())?,
            Some("multipart/form-data") => form(full_type.as_deref().unwrap_or(""), bytes).await?,
            _ => Value::Null,
        };
        let (method, authorization) = (parts.method.to_string(), header("authorization"));
        Ok(Self { method, path, query, content_type, authorization, body })
    }

    /// `POST /faxes` and the like.
    pub fn call(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// What is not as the document has it.
    pub fn violations(&self, operation: &Operation<'_>) -> Vec<String> {
        let mut violations = Vec::new();
        if !self.authorization.as_deref().is_some_and(|text| text.starts_with("Bearer ") && text.len() > 7) {
            violations.push("no bearer token".to_owned());
        }
        violations.extend(self.path_violations(operation));
        violations.extend(self.query_violations(operation));
        violations.extend(self.body_violations(operation));
        violations.into_iter().map(|violation| format!("{}: {violation}", self.call())).collect()
    }

    fn path_violations(&self, operation: &Operation<'_>) -> Vec<String> {
        let parts = operation.template.split('/').zip(self.path.split('/'));
        let mut violations = Vec::new();
        for (template, given) in parts {
            let Some(name) = template.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else { continue };
            let parameters = operation.parameters("path");
            match parameters.iter().find(|parameter| parameter["name"] == name) {
                Some(parameter) => violations.extend(operation.document.errors(&parameter["schema"], &json!(given))),
                None => violations.push(format!("the document does not describe {{{name}}}")),
            }
        }
        violations
    }

    /// Query names such as `filter[created_at][gte]` (style deepObject) become one nested object per parameter.
    fn query_violations(&self, operation: &Operation<'_>) -> Vec<String> {
        let parameters = operation.parameters("query");
        let mut violations = Vec::new();
        for (name, value) in &self.query {
            let keys: Vec<&str> = name.split('[').map(|part| part.trim_end_matches(']')).collect();
            let found = parameters.iter().find(|parameter| parameter["name"] == keys[0]);
            let mut schema = found.map(|parameter| operation.document.resolve(&parameter["schema"]));
            for key in &keys[1..] {
                let part = schema.and_then(|schema| schema["properties"].get(key));
                schema = part.map(|part| operation.document.resolve(part));
            }
            match schema {
                Some(schema) => {
                    violations.extend(operation.document.errors(schema, &typed(operation.document, schema, value)))
                }
                None => violations.push(format!("query {name} is not documented")),
            }
        }
        for parameter in parameters.iter().filter(|parameter| parameter["required"] == true) {
            let name = parameter["name"].as_str().unwrap_or("");
            if !self.query.iter().any(|(given, _)| given == name || given.starts_with(&format!("{name}["))) {
                violations.push(format!("query {name} is required"));
            }
        }
        violations
    }

    fn body_violations(&self, operation: &Operation<'_>) -> Vec<String> {
        let documented = &operation.value["requestBody"]["content"];
        let Some(content_type) = self.content_type.as_deref() else {
            return if documented.is_null() { Vec::new() } else { vec!["a body is required".to_owned()] };
        };
        let Some(content) = documented.get(content_type) else {
            return vec![format!("a body of type {content_type} is not documented")];
        };
        let document = operation.document;
        let schema = document.resolve(&content["schema"]);
        let mut violations = Vec::new();
        let mut body = Map::new();
        for (name, value) in self.body.as_object().into_iter().flatten() {
            let Some(part) = schema["properties"].get(name) else {
                violations.push(format!("field {name} is not documented"));
                continue;
            };
            let is_form = content_type == "multipart/form-data";
            let text = value.as_str().filter(|_| is_form);
            body.insert(name.clone(), text.map_or_else(|| value.clone(), |text| typed(document, part, text)));
        }
        violations.extend(document.errors(&content["schema"], &Value::Object(body)));
        violations
    }
}

/// A text from a query or a form as the type that its schema asks for; left as text if it cannot be one.
fn typed(document: &Document, schema: &Value, text: &str) -> Value {
    match kind(document.resolve(schema)) {
        "integer" => text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number)),
        "boolean" => text.parse::<bool>().map_or_else(|_| json!(text), |truth| json!(truth)),
        _ => json!(text),
    }
}

async fn form(content_type: &str, bytes: Bytes) -> Result<Value, String> {
    let request = Request::builder().header("content-type", content_type).body(Body::from(bytes));
    let request = request.map_err(|error| error.to_string())?;
    let mut form = Multipart::from_request(request, &()).await.map_err(|error| error.to_string())?;
    let mut object = Map::new();
    while let Some(field) = form.next_field().await.map_err(|error| error.to_string())? {
        let name = field.name().ok_or("a field without a name")?.to_owned();
        let content = field.bytes().await.map_err(|error| error.to_string())?;
        if object.insert(name.clone(), json!(String::from_utf8_lossy(&content))).is_some() {
            return Err(format!("field {name} comes twice"));
        }
    }
    Ok(Value::Object(object))
}
