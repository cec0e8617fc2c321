//! The catcher's journal: what reached a recipient, one JSON line each, in a file that outlives the process. Addresses
//! are stored as hashes only.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use ring::digest::{SHA256, digest};

use crate::domain::Timestamp;
use crate::files::append_private;

/// An open journal.
#[derive(Debug)]
pub(super) struct Journal(Mutex<File>);

impl Journal {
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(Mutex::new(append_private(path)?)))
    }

    /// Writes one line for each recipient. When it returns, the lines are with the operating system, which keeps them
    /// even if this process is killed.
    pub fn write(&self, to: &[String], message_id: Option<&str>, at: Timestamp) -> io::Result<()> {
        let mut lines = String::new();
        for address in to {
            let line = serde_json::json!({
                "channel": "email",
                "to_hash": hex::encode(digest(&SHA256, address.to_lowercase().as_bytes())),
                "message_id": message_id,
                "at_ms": at.0,
            });
            lines.push_str(&format!("{line}\n"));
        }
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(lines.as_bytes())?;
        file.flush()
    }
}
