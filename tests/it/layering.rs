//! The module map, checked against the source: arrows point down only, files stay small, nothing is left undone.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The longest a source file may be, tests included.
const LINES_MAX: usize = 500;
/// Names that say nothing about what is in a file.
const NAMES_REFUSED: [&str; 6] = ["utils", "util", "helpers", "helper", "common", "manager"];
/// What must not be left in the code that ships.
const REFUSED: [(&str, &str); 4] = [
    (".unwrap()", "say why it cannot fail with expect(\"…\"), or handle it"),
    ("todo!(", "nothing is left undone"),
    ("unimplemented!(", "nothing is left undone"),
    ("dbg!(", "nothing of a search for a mistake stays"),
];

/// Which other modules each module may name.
fn arrows() -> BTreeMap<&'static str, Vec<&'static str>> {
    let faces = [
        "access",
        "accounts",
        "app",
        "campaign",
        "config",
        "consent",
        "domain",
        "feedback",
        "http",
        "intake",
        "mail_check",
        "operator",
        "policy",
        "provider",
        "public",
        "referrers",
        "render",
        "settle",
        "store",
        "telemetry",
        "upkeep",
        "wording",
    ];
    BTreeMap::from([
        // what it is
        ("domain", vec![]),
        // what it is done with
        ("policy", vec!["domain"]),
        ("wording", vec!["policy", "domain"]),
        ("http", vec!["domain"]),
        ("files", vec![]),
        // `files`: the key lies beside the database
        ("sealing", vec!["files"]),
        ("render", vec!["files", "domain"]),
        ("provider", vec!["http", "files", "domain"]),
        ("store", vec!["files", "domain"]),
        ("queue", vec!["store", "domain"]),
        ("accounts", vec!["provider", "store", "http", "sealing", "domain"]),
        // what domains publish for their mail, held against the rules
        ("mail_check", vec!["http", "policy", "domain"]),
        // the rule books
        ("settle", vec!["queue", "store", "provider", "policy", "domain"]),
        ("consent", vec!["settle", "store", "policy", "domain"]),
        ("referrers", vec!["consent", "store", "domain"]),
        ("access", vec!["store", "domain"]),
        // what happens
        ("intake", vec!["settle", "consent", "referrers", "queue", "accounts", "store", "render", "policy", "domain"]),
        ("campaign", vec!["intake", "referrers", "store", "policy", "domain"]),
        ("operator", vec!["settle", "queue", "accounts", "store", "wording", "domain"]),
        ("dispatch", vec!["settle", "consent", "queue", "accounts", "store", "provider", "render", "policy", "domain"]),
        (
            "feedback",
            vec!["settle", "consent", "referrers", "queue", "accounts", "store", "provider", "sealing", "domain"],
        ),
        // what requests note in memory (the use of tokens and sessions, refused log-ins) is written down by upkeep, and the
        // sign-ins of accounts are kept alive
        ("upkeep", vec!["settle", "consent", "access", "accounts", "store", "domain"]),
        // what is shown: the public JSON, read by every face
        ("public", vec!["intake", "referrers", "accounts", "store", "policy", "wording", "domain"]),
        // how it is put together
        ("config", vec!["accounts", "provider", "settle", "sealing", "files", "domain"]),
        ("telemetry", vec!["config", "domain"]),
        (
            "app",
            faces
                .iter()
                .copied()
                .filter(|module| !["app", "public", "telemetry"].contains(module))
                .chain(["dispatch", "queue", "sealing"])
                .collect(),
        ),
        // who asks
        ("sandbox", vec!["wording", "files", "domain"]),
        ("web", faces.to_vec()),
        ("cli", faces.iter().copied().chain(["web", "sandbox", "files"]).collect()),
    ])
}

/// One source file with what does not ship (comments, tests) blanked out, line by line.
struct Source {
    path: PathBuf,
    lines: Vec<String>,
}

impl Source {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("a source file");
        Self { path: path.to_owned(), lines: without_tests(without_comments(&text)) }
    }

    /// The module of the house that the file belongs to: the first part of its path below `src`.
    fn module(&self) -> String {
        let below = self.path.strip_prefix(root().join("src")).expect("a file of src");
        let first = below.components().next().expect("a part").as_os_str().to_string_lossy();
        first.trim_end_matches(".rs").to_owned()
    }

    fn at(&self, line: usize) -> String {
        format!("{}:{}", self.path.strip_prefix(root()).unwrap_or(&self.path).display(), line + 1)
    }

    /// The modules named by `crate::…` paths and groups, with the line.
    fn named(&self) -> Vec<(usize, String)> {
        let mut named = Vec::new();
        for (number, line) in self.lines.iter().enumerate() {
            for (start, _) in line.match_indices("crate::") {
                if line[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                    continue;
                }
                let rest = [&line[start + 7..], &self.lines[number + 1..].join("\n")].join("\n");
                named.extend(first_names(&rest).into_iter().map(|name| (number, name)));
            }
        }
        named
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The name that a path begins with, or each of a group's.
fn first_names(rest: &str) -> Vec<String> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let Some(group) = rest.strip_prefix('{') else {
        return vec![rest.chars().take_while(|c| is_name(*c)).collect()];
    };
    let (mut names, mut depth, mut name) = (Vec::new(), 0, String::new());
    let mut is_first = true;
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => is_first = true,
            _ => {}
        }
        if is_first && is_name(c) {
            name.push(c);
        } else if !name.is_empty() {
            names.push(std::mem::take(&mut name));
            is_first = c == ',' && depth == 0;
        }
    }
    names.extend((!name.is_empty()).then_some(name));
    names
}

fn without_comments(text: &str) -> Vec<String> {
    let strip = |line: &str| {
        line.find("//").map_or_else(
            || line.to_owned(),
            |start| {
                // An address inside a text is no comment.
                if line[..start].ends_with(':') { line.to_owned() } else { line[..start].to_owned() }
            },
        )
    };
    text.lines().map(strip).collect()
}

/// Blanks the item that follows each `#[cfg(test)]`.
fn without_tests(mut lines: Vec<String>) -> Vec<String> {
    let mut number = 0;
    while number < lines.len() {
        if lines[number].trim() != "#[cfg(test)]" {
            number += 1;
            continue;
        }
        let mut depth = 0;
        loop {
            let line = std::mem::take(&mut lines[number]);
            depth += line.matches('{').count();
            depth -= line.matches('}').count();
            number += 1;
            let is_attribute = line.trim_start().starts_with("#[");
            if number >= lines.len() || (depth == 0 && !is_attribute && !line.trim().is_empty()) {
                break;
            }
        }
    }
    lines
}

/// Every Rust file below a folder of the repository.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The code that ships: everything below `src` but files of tests.
fn shipped() -> Vec<Source> {
    let is_test = |path: &PathBuf| path.file_stem().is_some_and(|stem| stem == "tests");
    files("src").iter().filter(|path| !is_test(path)).map(|path| Source::read(path)).collect()
}

fn upward(source: &Source, arrows: &BTreeMap<&str, Vec<&str>>) -> String {
    let module = source.module();
    let mut broken = String::new();
    if ["lib", "main"].contains(&module.as_str()) {
        return broken;
    }
    let Some(allowed) = arrows.get(module.as_str()) else {
        return format!("{}: the module `{module}` is not on the map: give it its place\n", source.at(0));
    };
    for (line, name) in source.named() {
        if name != module && arrows.contains_key(name.as_str()) && !allowed.contains(&name.as_str()) {
            let _ = writeln!(broken, "{}: `{module}` may not name `{name}`, only {allowed:?}", source.at(line));
        }
        let whole = &source.lines[line];
        if module == "config" && name == "settle" && !whole.contains("settle::SmtpDoubt") {
            let _ = writeln!(broken, "{}: of `settle`, `config` may name SmtpDoubt alone", source.at(line));
        }
    }
    broken
}

#[test]
fn arrows_point_down_only() {
    let arrows = arrows();
    let sources = shipped();
    assert!(sources.len() > 80, "only {} files were read", sources.len());
    let broken: String = sources.iter().map(|source| upward(source, &arrows)).collect();
    assert!(broken.is_empty(), "arrows that point up:\n{broken}");
}

#[test]
fn an_upward_arrow_would_be_seen_in_every_form() {
    let arrows = arrows();
    for (text, is_broken) in [
        ("use crate::store::Tx;", true),
        ("use crate::{\n    domain::{Address, Channel},\n    store,\n};", true),
        ("fn f() { crate::queue::put() }", true),
        ("use crate::domain::{store};", false),
        ("//! as [`crate::store`] says", false),
        ("#[cfg(test)]\nmod tests {\n    use crate::store::Tx;\n}", false),
        ("#[cfg(test)]\nmod tests;\nuse crate::store::Tx;", true),
        ("use crate::policy::Reason;", false),
    ] {
        let lines = without_tests(without_comments(text));
        let source = Source { path: root().join("src/policy/mod.rs"), lines };
        assert_eq!(!upward(&source, &arrows).is_empty(), is_broken, "{text}");
    }
}

#[test]
fn faces_never_write_to_the_store() {
    let mut found = String::new();
    for source in shipped().iter().filter(|source| ["web", "cli"].contains(&source.module().as_str())) {
        for (number, line) in source.lines.iter().enumerate().filter(|(_, line)| line.contains(".write().await")) {
            let _ = writeln!(found, "{}: {}", source.at(number), line.trim());
        }
    }
    assert!(found.is_empty(), "acts belong into the modules below:\n{found}");
}

/// Statements that change a message, its touch, or its next step on the queue: `settle` alone decides what follows.
const CHANGES_A_MESSAGE: [&str; 7] = [
    ".message_update(",
    ".messages_update(",
    ".touches_project(",
    ".queue_remove(",
    ".queue_remove_all(",
    ".queue_next_steps(",
    ".broadcast_reopen(",
];

fn changes_of_messages<'s>(sources: impl Iterator<Item = &'s Source>) -> String {
    let mut found = String::new();
    for source in sources.filter(|source| !["settle", "store"].contains(&source.module().as_str())) {
        for (number, line) in source.lines.iter().enumerate() {
            if CHANGES_A_MESSAGE.iter().any(|name| line.contains(name)) {
                let _ = writeln!(found, "{}: {}", source.at(number), line.trim());
            }
        }
    }
    found
}

#[test]
fn settle_alone_changes_a_message() {
    let found = changes_of_messages(shipped().iter());
    assert!(found.is_empty(), "these belong into `settle`:\n{found}");
}

#[test]
fn a_change_of_a_message_elsewhere_would_be_seen() {
    let lines = vec!["    tx.messages_update(&messages).await?;".to_owned()];
    let elsewhere = Source { path: root().join("src/operator/mod.rs"), lines: lines.clone() };
    let settle = Source { path: root().join("src/settle/acts.rs"), lines };
    assert!(!changes_of_messages([&elsewhere].into_iter()).is_empty());
    assert!(changes_of_messages([&settle].into_iter()).is_empty());
}

#[test]
fn no_module_reaches_itself_by_the_arrows_of_others() {
    let arrows = arrows();
    for module in arrows.keys() {
        let (mut seen, mut next) = (Vec::new(), arrows[module].clone());
        while let Some(name) = next.pop() {
            assert_ne!(name, *module, "`{module}` can be reached from what it stands on");
            if !seen.contains(&name) {
                seen.push(name);
                next.extend(arrows.get(name).into_iter().flatten());
            }
        }
    }
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let long: Vec<String> = ["src", "tests", "benches", "crates"]
        .iter()
        .flat_map(|folder| files(folder))
        .filter_map(|path| {
            let lines = std::fs::read_to_string(&path).expect("a source file").lines().count();
            let name = path.strip_prefix(root()).unwrap_or(&path).display();
            (lines > LINES_MAX).then(|| format!("{name}: {lines} lines, split it below {LINES_MAX}"))
        })
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn no_file_has_a_name_that_says_nothing() {
    let vague: Vec<PathBuf> = ["src", "tests", "benches", "crates"]
        .iter()
        .flat_map(|folder| files(folder))
        .filter(|path| path.file_stem().is_some_and(|stem| NAMES_REFUSED.iter().any(|name| stem == *name)))
        .collect();
    assert!(vague.is_empty(), "name these after what they hold: {vague:?}");
}

#[test]
fn nothing_that_ships_gives_up_without_a_reason_or_is_left_undone() {
    let mut found = String::new();
    for source in shipped() {
        for (number, line) in source.lines.iter().enumerate() {
            for (text, why) in REFUSED.iter().filter(|(text, _)| line.contains(text)) {
                let _ = writeln!(found, "{}: {text}: {why}", source.at(number));
            }
            if line.contains(".expect(") && !line.contains(".expect(\"") && !line.trim_end().ends_with(".expect(") {
                let _ = writeln!(found, "{}: expect needs its reason as a text", source.at(number));
            }
        }
    }
    assert!(found.is_empty(), "{found}");
}
