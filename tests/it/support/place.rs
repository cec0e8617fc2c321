//! Where what the tests write lies: in memory where the machine has room, else where temporary files lie. What a test shows of
//! durability it shows by ending a program, never by cutting the power, and what a program has written outlives it in either
//! place. In memory the suite takes half as long.

use std::path::PathBuf;
use std::sync::OnceLock;

use tempfile::TempDir;

const MEMORY: &str = "/dev/shm";
/// The least that must be free there: all databases of a run at once take less than half.
const FREE_MIN: u64 = 6 << 30;

static PLACE: OnceLock<PathBuf> = OnceLock::new();

/// A new folder of that kind, which goes with its last user.
pub fn folder(kind: &str) -> TempDir {
    let place = PLACE.get_or_init(|| {
        let memory = PathBuf::from(MEMORY);
        let free = rustix::fs::statvfs(&memory).map_or(0, |system| system.f_bavail.saturating_mul(system.f_frsize));
        if free >= FREE_MIN { memory } else { std::env::temp_dir() }
    });
    tempfile::Builder::new().prefix(kind).tempdir_in(place).expect("a folder")
}
