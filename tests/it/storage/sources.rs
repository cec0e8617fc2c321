//! Reads the SQL out of the store's own source files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The SQL of one source file.
pub struct Source {
    pub path: PathBuf,
    pub text: String,
    /// `const NAME: &str = "…";` by name.
    pub constants: BTreeMap<String, String>,
    /// Texts of `format!("{COLUMNS} …")` as they stand.
    pub formats: Vec<String>,
}

/// Every file of the store.
pub fn store_sources() -> Vec<Source> {
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut paths: Vec<PathBuf> = ["engine", "records", "views"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(store.join(folder)).expect("the folder").flatten())
        .map(|file| file.path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a source file");
            Source { constants: constants(&text), formats: formats(&text), path, text }
        })
        .collect()
}

fn constants(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = text;
    while let Some(start) = rest.find("const ") {
        rest = &rest[start + 6..];
        let Some((name, after)) = rest.split_once(": &str =") else { continue };
        if name.chars().all(|c| c.is_ascii_uppercase() || c == '_') {
            found.insert(name.to_owned(), literal(after.trim_start()));
        }
    }
    found
}

fn formats(text: &str) -> Vec<String> {
    text.match_indices("\"{COLUMNS}").map(|(start, _)| literal(&text[start..])).collect()
}

/// The string literal that the text begins with.
fn literal(text: &str) -> String {
    let body = text.strip_prefix('"').expect("a string literal");
    let end = body.find('"').expect("its end");
    body[..end].to_owned()
}
