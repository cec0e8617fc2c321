//! Descriptions lie in the folder `providers` beside the configuration. A name leads to a file in it and nowhere else.

use std::path::{Path, PathBuf};

use super::problem::DescriptionError;
use crate::files::{ReadError, read_regular};

/// The folder, beside the configuration file.
pub const FOLDER: &str = "providers";
/// Largest description, in bytes.
pub const BYTES_MAX: u64 = 256 * 1024;
/// Longest name of a file.
const NAME_CHARS_MAX: usize = 64;

/// The file of that name in the folder.
///
/// # Errors
/// The name could lead elsewhere, or a link of that name does.
pub fn locate(folder: &Path, name: &str) -> Result<PathBuf, DescriptionError> {
    let refused = |why: &str| DescriptionError::whole(&shown(name), why);
    if !is_plain_name(name) {
        return Err(refused("name a file of the folder `providers`: a-z, 0-9, hyphen, underscore, then .toml"));
    }
    let path = folder.join(name);
    let missing = || refused(&format!("there is no such file in {}", folder.display()));
    let real = path.canonicalize().map_err(|_| missing())?;
    let inside = folder.canonicalize().map_err(|_| missing())?;
    if real.starts_with(&inside) { Ok(path) } else { Err(refused("it leads out of the folder")) }
}

/// Whether a name is one plain file name with our ending.
#[must_use]
pub fn is_plain_name(name: &str) -> bool {
    let stem = name.strip_suffix(".toml").unwrap_or_default();
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    !stem.is_empty() && name.len() <= NAME_CHARS_MAX && stem.bytes().all(plain)
}

/// The text of a description.
///
/// # Errors
/// It cannot be read, is too large, or is not UTF-8.
pub fn read(path: &Path) -> Result<String, DescriptionError> {
    let name = path.display().to_string();
    let bytes = read_regular(path, BYTES_MAX).map_err(|error| match error {
        ReadError::TooLarge(_) => DescriptionError::whole(&name, "it is larger than 256 kB: this is no description"),
        other => DescriptionError::whole(&name, format!("it {other}")),
    })?;
    String::from_utf8(bytes).map_err(|_| DescriptionError::whole(&name, "it is not UTF-8 text"))
}

/// A name that is no name, as far as it can be shown.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_to_a_file_of_the_folder_and_nowhere_else() {
        let house = tempfile::tempdir().expect("a folder");
        let folder = house.path().join(FOLDER);
        std::fs::create_dir(&folder).expect("made");
        std::fs::write(folder.join("acme.toml"), "").expect("written");
        std::fs::write(house.path().join("secret.toml"), "").expect("written");
        assert!(locate(&folder, "acme.toml").is_ok());
        for bad in [
            "../secret.toml",
            "..",
            "",
            ".toml",
            "a/b.toml",
            "a\\b.toml",
            "/etc/passwd",
            "acme",
            "Acme.toml",
            "a\0.toml",
            "..toml",
            "secret.toml",
        ] {
            assert!(locate(&folder, bad).is_err(), "{bad}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_folder_is_not_followed() {
        let house = tempfile::tempdir().expect("a folder");
        let folder = house.path().join(FOLDER);
        std::fs::create_dir(&folder).expect("made");
        std::fs::write(house.path().join("outside.toml"), "").expect("written");
        std::os::unix::fs::symlink("../outside.toml", folder.join("link.toml")).expect("linked");
        let refused = locate(&folder, "link.toml").expect_err("it leads out");
        assert!(refused.to_string().contains("leads out of the folder"), "{refused}");
    }
}
