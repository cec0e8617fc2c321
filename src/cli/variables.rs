//! A letter's variables, as commands are given them: on the command line, in files, or on standard input. What is about a
//! patient is never taken from the command line, which other users of the machine can see and shells keep.

use std::io::Read;
use std::path::Path;

use serde_json::{Map, Value};

use super::exit::CliError;
use crate::domain::PhiClass;
use crate::render::Letter;

/// Largest file with one variable, or with all of them, in bytes: what a submission may hold, and room to indent JSON.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// What stands for standard input.
const STANDARD_INPUT: &str = "-";

/// The letter's variables.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct VariableArgs {
    /// Fill in one of the letter's variables: NAME=TEXT. Not for letters about a patient
    #[arg(long = "set", value_name = "NAME=TEXT")]
    texts: Vec<String>,
    /// Fill in a variable with a JSON value, such as a list: NAME=JSON. Not for letters about a patient
    #[arg(long = "set-json", value_name = "NAME=JSON")]
    values: Vec<String>,
    /// Fill in a variable with the text in a file: NAME=PATH; - reads standard input
    #[arg(long = "set-file", value_name = "NAME=PATH")]
    files: Vec<String>,
    /// Fill in variables from a file with a JSON object; - reads standard input
    #[arg(long = "variables", value_name = "PATH")]
    object: Option<String>,
}

impl VariableArgs {
    /// The variables by name.
    ///
    /// # Errors
    /// One is malformed or given twice; a file cannot be read. No value is repeated.
    pub fn read(&self) -> Result<Map<String, Value>, CliError> {
        let mut variables = Map::new();
        for text in &self.texts {
            let (name, value) = split(text, "--set")?;
            add(&mut variables, name, Value::String(value.to_owned()))?;
        }
        for text in &self.values {
            let (name, value) = split(text, "--set-json")?;
            let value = serde_json::from_str(value).map_err(|error| {
                CliError::usage(format!("--set-json {name}: not valid JSON (column {})", error.column()))
            })?;
            add(&mut variables, name, value)?;
        }
        self.read_standard_input_once()?;
        for text in &self.files {
            let (name, path) = split(text, "--set-file")?;
            let content = content(path)?;
            let line =
                content.strip_suffix('\n').map_or(content.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
            add(&mut variables, name, Value::String(line.to_owned()))?;
        }
        if let Some(path) = &self.object {
            for (name, value) in object(path)? {
                add(&mut variables, &name, value)?;
            }
        }
        Ok(variables)
    }

    /// Refuses what the command line says of a patient.
    ///
    /// # Errors
    /// The letter is about a patient, and some of its variables stand on the command line. Only their names are repeated.
    pub fn refuse_patients(&self, letter: &Letter) -> Result<(), CliError> {
        let given = self.texts.iter().chain(&self.values).filter_map(|text| text.split_once('='));
        let names: Vec<&str> = given.map(|(name, _)| name.trim()).collect();
        if names.is_empty() || letter.phi != PhiClass::Identified {
            return Ok(());
        }
        Err(CliError::usage(format!(
            "`{}` is about a patient: its variables ({}) do not belong on a command line, which other users of this machine \
             can see and shells keep. Put each into a file (--set-file NAME=PATH) or all into one with a JSON object \
             (--variables PATH); - reads standard input",
            letter.name,
            names.join(", ")
        )))
    }

    fn read_standard_input_once(&self) -> Result<(), CliError> {
        let files = self.files.iter().filter_map(|text| text.split_once('=')).map(|(_, path)| path);
        let times = files.chain(self.object.as_deref()).filter(|path| *path == STANDARD_INPUT).count();
        if times > 1 {
            return Err(CliError::usage(
                "standard input can be read only once: put all into one JSON object (--variables -)",
            ));
        }
        Ok(())
    }
}

fn split<'a>(text: &'a str, option: &str) -> Result<(&'a str, &'a str), CliError> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim(), value)),
        _ => Err(CliError::usage(format!("{option} takes NAME=VALUE"))),
    }
}

fn add(variables: &mut Map<String, Value>, name: &str, value: Value) -> Result<(), CliError> {
    match variables.insert(name.to_owned(), value) {
        None => Ok(()),
        Some(_) => Err(CliError::usage(format!("the variable {name} is given twice"))),
    }
}

fn object(path: &str) -> Result<Map<String, Value>, CliError> {
    match serde_json::from_str(&content(path)?) {
        Ok(Value::Object(variables)) => Ok(variables),
        Ok(_) => Err(CliError::usage("--variables takes a JSON object, such as {\"treatment\": \"TMS\"}")),
        Err(error) => Err(CliError::usage(format!(
            "--variables: not valid JSON (line {}, column {})",
            error.line(),
            error.column()
        ))),
    }
}

/// The text of a file or of standard input.
fn content(path: &str) -> Result<String, CliError> {
    let shown = if path == STANDARD_INPUT { "standard input" } else { path };
    let unreadable = |error: std::io::Error| CliError::not_found(format!("{shown} cannot be read ({})", error.kind()));
    let source: Box<dyn Read> = if path == STANDARD_INPUT {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(Path::new(path)).map_err(unreadable)?)
    };
    let mut bytes = Vec::new();
    source.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > FILE_BYTES_MAX) {
        return Err(CliError::refused(format!("{shown} is larger than 256 KiB")));
    }
    let text = String::from_utf8(bytes).map_err(|_| CliError::refused(format!("{shown} is not UTF-8 text")))?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(list: &[&str]) -> Vec<String> {
        list.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn variables_are_texts_or_json_and_given_once() {
        let read = |texts: &[&str], values: &[&str]| {
            let arguments = VariableArgs { texts: own(texts), values: own(values), ..VariableArgs::default() };
            arguments.read().map_err(|error| error.words)
        };
        let variables = read(&["a=1=2"], &["b=[1,2]"]).expect("well written");
        assert_eq!((&variables["a"], &variables["b"]), (&Value::from("1=2"), &serde_json::json!([1, 2])));
        assert!(read(&["a"], &[]).is_err());
        assert!(read(&["a=1"], &["a=2"]).expect_err("twice").contains("twice"));
        let error = read(&[], &["a=secret"]).expect_err("no JSON");
        assert!(error.contains("not valid JSON") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn variables_come_from_files_and_no_error_repeats_what_is_in_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("written");
            path.display().to_string()
        };
        let read = |files: &[String], object: Option<&str>| {
            let files = files.iter().map(|path| format!("a={path}")).collect();
            let arguments = VariableArgs { files, object: object.map(str::to_owned), ..VariableArgs::default() };
            arguments.read().map_err(|error| error.words)
        };
        let line = file("line", b"\xef\xbb\xbfone\r\ntwo\r\n");
        let object = file("object", br#"{"b": [1], "c": "x"}"#);
        let variables = read(std::slice::from_ref(&line), Some(object.as_str())).expect("well written");
        assert_eq!(Value::Object(variables), serde_json::json!({ "a": "one\r\ntwo", "b": [1], "c": "x" }));
        let twice = file("twice", br#"{"a": "secret"}"#);
        for (files, object, says) in [
            (vec![line.clone()], Some(twice.as_str()), "twice"),
            (vec![], Some(&*file("list", br#"["secret"]"#)), "a JSON object"),
            (vec![], Some(&*file("broken", br#"{"a": secret}"#)), "line 1"),
            (vec![file("binary", b"secret\xff")], None, "not UTF-8"),
            (vec![file("large", &[b'x'; 300_000])], None, "256 KiB"),
            (vec!["/nowhere/at/all".to_owned()], None, "cannot be read"),
            (vec!["-".to_owned()], Some("-"), "only once"),
        ] {
            let error = read(&files, object).expect_err(says);
            assert!(error.contains(says) && !error.contains("secret"), "{says}: {error}");
        }
    }
}
