//! Where the PostgreSQL server of a measurement lies: on a disk, as in production.

use tempfile::TempDir;

/// A new folder of that kind, which goes with its last user.
pub fn folder(kind: &str) -> TempDir {
    tempfile::Builder::new().prefix(kind).tempdir().expect("a folder")
}
