//! Checks every name a template uses before it is ever rendered. Handlebars itself, even when strict, silently
//! treats a misspelled name in `{{#if …}}` as false; here it is an error with file, line and name.

use std::collections::{BTreeMap, BTreeSet};

use handlebars::Path;
use handlebars::template::{DecoratorTemplate, HelperTemplate, Parameter, Template, TemplateElement};

use super::context::Shape;
use super::error::{TemplateError, did_you_mean};
use super::functions;

/// How deeply partials may include partials.
const INCLUDE_DEPTH_MAX: usize = 5;

/// Line and column, from 1.
type Place = (usize, usize);

/// A partial: its compiled text, and whether it is tagged promotional.
#[derive(Debug)]
pub struct Partial {
    /// The compiled text.
    pub template: Template,
    /// The file it came from.
    pub file: String,
    /// Whether its first line says `promotional`.
    pub promotional: bool,
}

/// One walk over a template and the partials it includes.
pub struct Walk<'a> {
    /// Every partial by name.
    pub partials: &'a BTreeMap<String, Partial>,
    /// Whether promotional partials may be included.
    pub promotional_allowed: bool,
    /// Whether a partial of that name exists and does not compile: then its own mistake is reported, not an unknown name.
    pub is_broken: &'a dyn Fn(&str) -> bool,
    /// The names that may be written with three braces: finished HTML in the mail frame.
    pub raw_allowed: &'static [&'static str],
    /// The mistakes found.
    pub errors: Vec<TemplateError>,
    /// Every partial that is included, known or not.
    pub included: BTreeSet<String>,
    /// The file being walked; partials change it.
    file: String,
    /// What `this` is, from the root inward.
    scopes: Vec<&'a Shape>,
    root: &'a Shape,
    depth: usize,
}

impl<'a> Walk<'a> {
    /// A walk over a template with `root` and `partials`.
    #[must_use]
    pub fn new(root: &'a Shape, partials: &'a BTreeMap<String, Partial>, promotional_allowed: bool) -> Self {
        Self {
            partials,
            promotional_allowed,
            is_broken: &|_| false,
            raw_allowed: &[],
            errors: Vec::new(),
            included: BTreeSet::new(),
            file: String::new(),
            scopes: vec![root],
            root,
            depth: 0,
        }
    }

    /// Checks one file's template, adding to [`Walk::errors`].
    pub fn file(&mut self, file: &str, template: &Template) {
        file.clone_into(&mut self.file);
        self.template(template, (1, 1));
    }

    /// `outer` is the place of the enclosing tag: the links of an `else if` chain have none.
    fn template(&mut self, template: &Template, outer: Place) {
        for (index, element) in template.elements.iter().enumerate() {
            let at = template.mapping.get(index).map_or(outer, |mapping| (mapping.0, mapping.1));
            match element {
                TemplateElement::RawString(_) | TemplateElement::Comment(_) => {}
                TemplateElement::Expression(expression) => self.expression(expression, at),
                TemplateElement::HelperBlock(block) => self.block(block, at),
                TemplateElement::PartialExpression(partial) => self.partial(partial, at),
                TemplateElement::HtmlExpression(raw) if self.raw_allowed.contains(&written(&raw.name).as_str()) => {}
                TemplateElement::HtmlExpression(_) => {
                    self.say(at, "values are always escaped: write {{…}}, not {{{…}}} or {{&…}}")
                }
                TemplateElement::DecoratorExpression(_)
                | TemplateElement::DecoratorBlock(_)
                | TemplateElement::PartialBlock(_) => {
                    self.say(at, "inline partials, partial blocks and decorators are not used in letters");
                }
                _ => self.say(at, "this kind of placeholder is not used in letters"),
            }
        }
    }

    fn say(&mut self, at: Place, message: impl Into<String>) {
        self.errors.push(TemplateError::at(self.file.clone(), at, message));
    }

    /// `{{name}}` or `{{function …}}`.
    fn expression(&mut self, expression: &HelperTemplate, at: Place) {
        let bare = expression.params.is_empty() && expression.hash.is_empty();
        let name = written(&expression.name);
        if bare && !functions::is_known(&name) {
            if let Some(shape) = self.resolve(&name, at) {
                self.must_print(&name, shape, at);
            }
            return;
        }
        self.call(expression, at);
    }

    /// A function with its arguments; also as a subexpression.
    fn call(&mut self, expression: &HelperTemplate, at: Place) {
        let name = written(&expression.name);
        let Some(signature) = functions::signature(&name) else {
            let hint =
                did_you_mean(&name, functions::names()).map_or_else(String::new, |m| format!(" — did you mean `{m}`?"));
            return self.say(at, format!("unknown function `{name}`{hint}"));
        };
        if !signature.accepts(expression.params.len()) || !expression.hash.is_empty() {
            self.say(at, format!("`{name}` is written {}", signature.usage));
        }
        for (index, parameter) in expression.params.iter().enumerate() {
            let shape = self.parameter(parameter, at);
            let wants_list = signature.takes_list && index == 0;
            match shape {
                Some(Shape::List(_)) if !wants_list => {
                    self.say(at, format!("`{}` is a list; `{name}` takes a single value", written(parameter)));
                }
                Some(Shape::Scalar) if wants_list && matches!(parameter, Parameter::Path(_)) => {
                    self.say(at, format!("`{}` is not a list", written(parameter)));
                }
                _ => {}
            }
        }
    }

    /// The shape of an argument; `None` where a mistake was already reported.
    fn parameter(&mut self, parameter: &Parameter, at: Place) -> Option<&'a Shape> {
        match parameter {
            Parameter::Path(_) | Parameter::Name(_) => self.resolve(&written(parameter), at),
            Parameter::Subexpression(inner) => {
                if let TemplateElement::Expression(expression) = inner.as_element() {
                    self.call(expression, at);
                }
                Some(&Shape::Scalar)
            }
            _ => Some(&Shape::Scalar),
        }
    }

    fn block(&mut self, block: &'_ HelperTemplate, at: Place) {
        let name = written(&block.name);
        let ([subject], true, None) = (&block.params[..], block.hash.is_empty(), &block.block_param) else {
            return self.say(at, format!("write {{{{#{name} something}}}} with one value and nothing else"));
        };
        let shape = match (name.as_str(), subject) {
            ("if" | "unless", _) => {
                // A condition may be any value: an empty list is false.
                self.parameter(subject, at);
                None
            }
            ("each" | "with", Parameter::Path(_)) => {
                let Some(shape) = self.parameter(subject, at) else { return };
                match (name.as_str(), shape) {
                    ("each", Shape::List(entry)) => Some(&**entry),
                    ("with", record @ Shape::Record(_)) => Some(record),
                    _ => return self.say(at, format!("`{}` cannot be used with #{name}", written(subject))),
                }
            }
            _ => return self.say(at, format!("unknown block `#{name}`; there are #if, #unless, #each and #with")),
        };
        self.scopes.extend(shape);
        if let Some(inner) = &block.template {
            self.template(inner, at);
        }
        if shape.is_some() {
            self.scopes.pop();
        }
        if let Some(otherwise) = &block.inverse {
            self.template(otherwise, at);
        }
    }

    fn partial(&mut self, include: &DecoratorTemplate, at: Place) {
        let name = written(&include.name);
        self.included.insert(name.clone());
        let partials = self.partials;
        let Some(partial) = partials.get(&name) else {
            if (self.is_broken)(&name) {
                return;
            }
            let hint = did_you_mean(&name, partials.keys().map(String::as_str))
                .map_or_else(String::new, |m| format!(" — did you mean `{m}`?"));
            return self.say(at, format!("unknown partial `{name}`{hint}"));
        };
        if !include.params.is_empty() || !include.hash.is_empty() {
            self.say(at, "a partial takes no arguments");
        }
        if partial.promotional && !self.promotional_allowed {
            self.say(
                at,
                format!("mixed purpose: the partial `{name}` is promotional, and only an advertisement may include it"),
            );
        }
        if self.depth == INCLUDE_DEPTH_MAX {
            return self.say(at, "partials include each other too deeply or in a cycle");
        }
        let includer = std::mem::replace(&mut self.file, partial.file.clone());
        let here = self.scopes.last().copied().into_iter().collect();
        let scopes = std::mem::replace(&mut self.scopes, here);
        self.depth += 1;
        self.template(&partial.template, (1, 1));
        self.depth -= 1;
        self.scopes = scopes;
        self.file = includer;
    }

    fn must_print(&mut self, name: &str, shape: &Shape, at: Place) {
        match shape {
            Shape::Scalar => {}
            Shape::List(_) => {
                self.say(at, format!("`{name}` is a list: write {{{{list {name}}}}} or {{{{#each {name}}}}}"))
            }
            Shape::Record(_) => self.say(at, format!("`{name}` is not a text; it has: {}", shape.names().join(", "))),
        }
    }

    /// What a path as written refers to; reports it if that is nothing.
    fn resolve(&mut self, path: &str, at: Place) -> Option<&'a Shape> {
        if matches!(path, "@index" | "@first" | "@last") && self.scopes.len() > 1 {
            return Some(&Shape::Scalar);
        }
        let (mut shape, rest) = match self.start(path) {
            Some(found) => found,
            None => {
                self.say(at, format!("the path `{path}` cannot be used here"));
                return None;
            }
        };
        for name in rest.split(['.', '/']).filter(|name| !name.is_empty()) {
            match shape {
                Shape::Record(fields) if fields.contains_key(name) => shape = &fields[name],
                _ => {
                    let message = self.unknown(path, name, shape);
                    self.say(at, message);
                    return None;
                }
            }
        }
        Some(shape)
    }

    /// Where a path starts, and the names that follow.
    fn start<'p>(&self, path: &'p str) -> Option<(&'a Shape, &'p str)> {
        if path.contains(['[', ']', '"', '\'']) {
            return None;
        }
        if let Some(rest) = path.strip_prefix("@root") {
            return Some((self.root, rest));
        }
        let (mut rest, mut up) = (path, 0);
        while let Some(outer) = rest.strip_prefix("..") {
            rest = outer.trim_start_matches('/');
            up += 1;
        }
        let scope = self.scopes.len().checked_sub(up + 1)?;
        let rest = rest.strip_prefix("this").filter(|r| r.is_empty() || r.starts_with(['.', '/'])).unwrap_or(rest);
        if rest.starts_with('@') { None } else { Some((self.scopes[scope], rest.trim_start_matches("./"))) }
    }

    fn unknown(&self, path: &str, name: &str, inside: &Shape) -> String {
        let mut message = format!("unknown variable `{path}`");
        if let Some(meant) = did_you_mean(name, inside.names()) {
            message += &format!(" — did you mean `{}`?", path.replacen(name, meant, 1));
        } else if self.scopes.len() > 1 && self.root.names().contains(&name) {
            message += &format!(" — inside this block write `@root.{path}`");
        } else if !inside.names().is_empty() {
            message += &format!("; known here: {}", inside.names().join(", "));
        }
        message
    }
}

/// A name or path as written in the template; other parameters have none.
fn written(parameter: &Parameter) -> String {
    match parameter {
        Parameter::Name(name) => name.clone(),
        Parameter::Path(Path::Relative((_, raw)) | Path::Local((_, _, raw))) => raw.clone(),
        _ => String::new(),
    }
}
