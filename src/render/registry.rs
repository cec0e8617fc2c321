//! The two Handlebars registries: bodies, where values are escaped for Markdown, and single lines, where they are
//! not. Both are strict.

use handlebars::{Handlebars, RenderErrorReason, Template, no_escape};
use serde_json::Value;

use super::error::TemplateError;
use super::{escape, functions};

/// The longest rendered body, in bytes.
const RENDERED_BYTES_MAX: usize = 512 * 1024;

/// Compiled templates by name. A body's name is its file; a partial's name is how it is included.
#[derive(Debug)]
pub struct Registries {
    bodies: Handlebars<'static>,
    lines: Handlebars<'static>,
}

impl Default for Registries {
    fn default() -> Self {
        Self { bodies: strict(escape::escape), lines: strict(no_escape) }
    }
}

fn strict(escape: impl Fn(&str) -> String + Send + Sync + 'static) -> Handlebars<'static> {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.set_prevent_indent(true);
    registry.register_escape_fn(escape);
    functions::register(&mut registry);
    registry
}

impl Registries {
    /// Compiles a body or partial.
    ///
    /// # Errors
    /// Syntax errors with line and column.
    pub fn add_body(&mut self, name: &str, file: &str, source: &str) -> Result<&Template, TemplateError> {
        add(&mut self.bodies, name, file, source)
    }

    /// Compiles a single line, such as a subject.
    ///
    /// # Errors
    /// Syntax errors with line and column.
    pub fn add_line(&mut self, name: &str, file: &str, source: &str) -> Result<&Template, TemplateError> {
        add(&mut self.lines, name, file, source)
    }

    /// Fills a body in; the result is Markdown.
    ///
    /// # Errors
    /// What fails in the template with these values, with its place; values are not quoted.
    pub fn body(&self, name: &str, context: &Value) -> Result<String, TemplateError> {
        let text = render(&self.bodies, name, context)?;
        if text.len() > RENDERED_BYTES_MAX {
            return Err(TemplateError::whole(name, "the filled-in letter is longer than half a megabyte"));
        }
        Ok(text)
    }

    /// Fills a line in; white space is collapsed, so that no value can add a line.
    ///
    /// # Errors
    /// As [`Registries::body`].
    pub fn line(&self, name: &str, context: &Value) -> Result<String, TemplateError> {
        render(&self.lines, name, context).map(|text| escape::one_line(&text))
    }
}

fn add<'a>(
    registry: &'a mut Handlebars<'static>,
    name: &str,
    file: &str,
    source: &str,
) -> Result<&'a Template, TemplateError> {
    registry.register_template_string(name, source).map_err(|error| {
        let message = error.reason().to_string().lines().next().unwrap_or("the placeholders do not parse").to_owned();
        match error.pos() {
            Some(at) => TemplateError::at(file, at, message),
            None => TemplateError::whole(file, message),
        }
    })?;
    Ok(registry.get_template(name).expect("the template was registered under this name just now"))
}

fn render(registry: &Handlebars<'static>, name: &str, context: &Value) -> Result<String, TemplateError> {
    registry.render(name, context).map_err(|error| {
        let message = match error.reason() {
            RenderErrorReason::MissingVariable(Some(path)) => format!("unknown variable `{path}`"),
            reason => reason.to_string(),
        };
        TemplateError {
            template: error.template_name.clone().unwrap_or_else(|| name.to_owned()),
            line: error.line_no,
            column: error.column_no,
            message,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_escaped_in_bodies_and_stay_on_one_line_in_lines() {
        let mut registries = Registries::default();
        registries.add_body("b", "b.md", "Dear {{name}},").expect("sound");
        registries.add_line("l", "l", "For {{name}}").expect("sound");
        let context = json!({"name": "*A*\n# B"});
        assert_eq!(registries.body("b", &context), Ok("Dear \\*A\\* \\# B,".to_owned()));
        assert_eq!(registries.line("l", &context), Ok("For *A* # B".to_owned()));
    }

    #[test]
    fn syntax_errors_have_a_place_and_missing_values_a_name() {
        let mut registries = Registries::default();
        let error = registries.add_body("b", "b.md", "one\n{{#if x}}two").expect_err("not closed");
        assert_eq!((error.template.as_str(), error.line.is_some()), ("b.md", true));
        registries.add_body("m", "m.md", "one\n {{nobody}}").expect("sound");
        let error = registries.body("m", &json!({})).expect_err("missing");
        assert_eq!(error.to_string(), "m:2:2: unknown variable `nobody`");
    }
}
