//! The sandbox's journal: one JSON object per line, appended and handed to the operating system before the effect it
//! records is answered. It survives the death of the process, which is what the tests kill; it is not forced to the
//! disk, because a power cut also ends the test.
//!
//! It never holds a number, only its SHA-256 and its last four digits. Several sandboxes may append to one file: each
//! line is one write, and lines of other channels are skipped when reading.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::domain::Fault;
use crate::files::append_private;

/// How much of the end of a journal is read at start: enough for every fax that is kept.
pub(super) const READ_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// The longest line that is read; ours stay under 600 bytes.
const LINE_BYTES_MAX: usize = 16 * 1024;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// The line took responsibility.
    Accepted,
    /// Pages were printed at the recipient; at most one such line for a fax.
    Printed,
    /// The call ended without all pages confirmed.
    Failed,
    /// Withdrawn before the call ended.
    Cancelled,
    /// The document was deleted on request.
    Purged,
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Always `fax` here.
    pub channel: String,
    /// What happened.
    pub event: Happened,
    /// The line's id for the fax.
    pub id: String,
    /// The sender's reference, as it was given.
    pub reference: String,
    /// SHA-256 of the E.164 number, lower-case hex.
    pub to_hash: String,
    /// Last four digits of the number.
    pub to_tail: String,
    /// Pages of the document.
    pub pages: u32,
    /// Pages confirmed so far.
    pub pages_confirmed: u32,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

/// An open journal, or none.
#[derive(Debug)]
pub(super) struct Journal(Option<File>);

impl Journal {
    /// Opens the journal, creating it if absent, and reads its content.
    pub(super) fn open(path: Option<&Path>) -> io::Result<(Self, Vec<Entry>)> {
        let Some(path) = path else {
            return Ok((Self(None), Vec::new()));
        };
        let mut file = append_private(path)?;
        let text = read_end(&mut file)?;
        if !text.is_empty() && !text.ends_with(b"\n") {
            file.write_all(b"\n")?;
        }
        let lines = text.split(|byte| *byte == b'\n').filter(|line| line.len() <= LINE_BYTES_MAX);
        let lines = lines.filter_map(|line| serde_json::from_slice::<Entry>(line).ok());
        let lines = lines.filter(|line| line.channel == "fax").collect();
        Ok((Self(Some(file)), lines))
    }

    /// Appends one line in one write.
    pub(super) fn append(&mut self, line: &Entry) -> io::Result<()> {
        let Some(file) = &mut self.0 else {
            return Ok(());
        };
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        file.write_all(&text)?;
        file.flush()
    }
}

/// The end of the file from the first whole line within the limit. A torn line at the very end, left by a killed
/// process, is read too and fails to parse.
fn read_end(file: &mut File) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    let from = length.saturating_sub(READ_BYTES_MAX);
    file.seek(SeekFrom::Start(from))?;
    let mut text = Vec::new();
    file.take(READ_BYTES_MAX).read_to_end(&mut text)?;
    if from > 0 {
        let first = text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| at + 1);
        text.drain(..first);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;

    fn line(id: &str, event: Happened) -> Entry {
        Entry {
            channel: "fax".into(),
            event,
            id: id.into(),
            reference: "r".into(),
            to_hash: "00".into(),
            to_tail: "0142".into(),
            pages: 2,
            pages_confirmed: 0,
            fault: None,
            at_ms: 1,
        }
    }

    #[test]
    fn a_line_torn_by_a_kill_and_lines_of_others_are_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.jsonl");
        let (mut journal, before) = Journal::open(Some(&path)).expect("opens");
        assert!(before.is_empty());
        journal.append(&line("a", Happened::Accepted)).expect("writes");
        let mut file = OpenOptions::new().append(true).open(&path).expect("opens");
        file.write_all(b"{\"channel\":\"email\",\"event\":\"accepted\"}\n{\"channel\":\"fax\",\"ev").expect("writes");

        let (mut journal, before) = Journal::open(Some(&path)).expect("opens");
        assert_eq!(before, [line("a", Happened::Accepted)]);
        journal.append(&line("a", Happened::Printed)).expect("writes");
        let (_, before) = Journal::open(Some(&path)).expect("opens");
        assert_eq!(before, [line("a", Happened::Accepted), line("a", Happened::Printed)]);
    }

    #[test]
    fn only_the_end_of_a_very_long_journal_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.jsonl");
        let one = serde_json::to_string(&line("a", Happened::Accepted)).expect("serialises");
        let count = usize::try_from(READ_BYTES_MAX).expect("fits") / one.len() + 1_000;
        std::fs::write(&path, format!("{one}\n").repeat(count)).expect("writes");
        let (_, before) = Journal::open(Some(&path)).expect("opens");
        assert!(before.len() < count && before.len() > count - 45_000 && !before.is_empty(), "{}", before.len());
    }
}
