//! What a test needs from the machine beyond Rust. Tests that lack something are skipped with a message; with
//! `TOUCHLINE_TEST_REQUIRE=all` an absence is a failure.

use std::path::PathBuf;

/// The first of these programs found on the PATH or in the usual places of Debian's packages.
pub fn program(names: &[&str]) -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    folders.extend(["/usr/sbin", "/usr/bin", "/usr/local/bin"].map(PathBuf::from));
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
}

/// Says that a test was skipped for want of `what`; fails instead where everything is required.
pub fn skip(what: &str) {
    assert!(std::env::var("TOUCHLINE_TEST_REQUIRE").as_deref() != Ok("all"), "required here, but missing: {what}");
    eprintln!("SKIPPED: {what} is not on this machine");
}

/// A file of the providers' published contract material, beside the checkout or where `TOUCHLINE_CONTRACTS` points.
pub fn contract(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TOUCHLINE_CONTRACTS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/contracts"), PathBuf::from);
    Some(root.join(path)).filter(|file| file.exists())
}
