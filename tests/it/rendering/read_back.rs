//! Offices file faxes by machine reading: what tesseract reads on the dots of a page, also after a call that
//! damaged some of its lines, are the numbers and addresses that were printed.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Map;
use touchline::domain::address::FaxNumber;
use touchline::render::Renderer;
use touchline::render::bitmap::{Bitmap, Resolution};

use super::{job, practice, referrer, squeezed, text_of};
use crate::support::require;

/// Letters for each resolution, each with ten numbers and addresses or more. The long form reads more.
const LETTERS: u32 = 3;

/// A number of the range kept for fiction whose digits are those that are easily confused.
fn digits(seed: u32) -> String {
    let area = [801, 860, 608, 305, 503, 831, 717, 419][seed as usize % 8];
    format!("+1{area}5550{:03}", 100 + (seed * 37 + 8) % 100)
}

/// A practice with numbers of its own.
fn numbered(seed: u32) -> Renderer {
    let mut practice = practice();
    let number = |n: u32| FaxNumber::parse(&digits(seed * 5 + n)).expect("a number");
    (practice.phone, practice.fax) = (number(0), number(1));
    practice.referral_line = Some(number(2));
    (practice.opt_out.phone, practice.opt_out.fax) = (number(3), number(4));
    Renderer::load(practice, None).expect("the built-in letters")
}

/// The telephone numbers of a page, without what stands between their digits.
fn numbers(text: &str) -> Vec<String> {
    let text: Vec<char> = text.chars().collect();
    let starts = (0..text.len()).filter(|at| text[*at] == '(' || text[*at] == '+');
    starts.filter_map(|at| number_at(&text[at..])).collect()
}

/// Ten digits in the shape of a number, or eleven after a plus sign.
fn number_at(text: &[char]) -> Option<String> {
    let wanted = if text.first() == Some(&'+') { 11 } else { 10 };
    let mut found = String::new();
    for c in text.iter().take(20) {
        match c {
            '0'..='9' => found.push(*c),
            '(' | ')' | '+' | '-' | ' ' | '\u{a0}' | '\u{2011}' | '\n' => {}
            _ => break,
        }
        if found.len() == wanted {
            return Some(found);
        }
    }
    None
}

/// Mailboxes and web addresses of a text: what people would type.
fn addresses(text: &str) -> Vec<String> {
    let word = |word: &str| word.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned();
    let is_address = |word: &String| word.contains('@') || word.contains("://") || word.ends_with(".example");
    text.split(|c: char| c.is_whitespace() || "()<>,;·|".contains(c)).map(word).filter(is_address).collect()
}

/// The page as a machine without error correction receives it (ITU-T T.30 without annex A): lines that arrive damaged are
/// filled with the line before. Four times on a page, one to three lines at fine resolution, or one or two at standard, are.
fn received(page: &Bitmap, seed: u32) -> Bitmap {
    let mut random = fastrand::Rng::with_seed(u64::from(seed));
    let mut received = page.clone();
    let (width, longest) = (page.row_bytes(), if page.resolution == Resolution::Fine { 3 } else { 2 });
    let lines = page.rows.len() / width;
    for _ in 0..4 {
        let first = random.usize(1..lines);
        for damaged in first..(first + random.usize(1..=longest)).min(lines) {
            received.rows.copy_within((damaged - 1) * width..damaged * width, damaged * width);
        }
    }
    received
}

/// Writes a page with square dots, as machines that file faxes see it (PBM, which has 1 for black as our rows do).
fn write(page: &Bitmap, path: &Path) {
    let (across, down) = page.resolution.dots_per_inch();
    let times = (f64::from(across) / f64::from(down)).round() as u32;
    let mut pbm = format!("P4\n{} {}\n", page.width, page.height * times).into_bytes();
    for row in page.rows.chunks(page.row_bytes()) {
        (0..times).for_each(|_| pbm.extend_from_slice(row));
    }
    std::fs::write(path, pbm).expect("the page is written");
}

fn read(tesseract: &PathBuf, page: &Path) -> String {
    let mut command = Command::new(tesseract);
    command.arg(page).args(["stdout", "--psm", "4", "--dpi", "204", "-l", "eng"]).env("OMP_THREAD_LIMIT", "1");
    let read = command.output().expect("tesseract runs");
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    String::from_utf8_lossy(&read.stdout).into_owned()
}

/// How many numbers and addresses were printed, and which were misread.
fn misread(
    tesseract: &PathBuf,
    letters: u32,
    resolution: Resolution,
    line: fn(&Bitmap, u32) -> Bitmap,
) -> (usize, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let (referrer, nothing) = (referrer(), Map::new());
    let (mut printed, mut missed) = (0, Vec::new());
    for seed in 0..letters {
        let fax = numbered(seed).fax(&job("introduction", &referrer, &nothing)).expect("a fax");
        let page = folder.path().join("page.pbm");
        let mut said = String::new();
        for bitmap in fax.bitmaps(resolution).expect("pages render") {
            write(&line(&bitmap, seed), &page);
            said.push_str(&read(tesseract, &page));
        }
        let text = text_of(&fax);
        let (wanted, mut found) = (numbers(&text), numbers(&said));
        printed += wanted.len();
        for number in wanted {
            match found.iter().position(|read| *read == number) {
                Some(place) => drop(found.swap_remove(place)),
                None => missed.push(format!("{number} in {found:?}")),
            }
        }
        // An address may be read with a blank in it, or stand on two lines.
        let mut rest = squeezed(&said);
        for address in addresses(&text) {
            printed += 1;
            match rest.find(&address) {
                Some(place) => rest.replace_range(place..place + address.len(), "\n"),
                None => missed.push(format!("{address} in {rest}")),
            }
        }
    }
    assert!(printed >= 10 * letters as usize, "{printed} numbers and addresses were printed");
    (printed, missed)
}

#[test]
fn numbers_and_addresses_on_a_fax_are_read_exactly_at_both_resolutions() {
    let letters = std::env::var("TOUCHLINE_TEST_READINGS").ok().and_then(|text| text.parse().ok()).unwrap_or(LETTERS);
    let Some(tesseract) = require::program(&["tesseract"]) else { return require::skip("tesseract") };
    for resolution in [Resolution::Fine, Resolution::Standard] {
        let (printed, missed) = misread(&tesseract, letters, resolution, |page, _| page.clone());
        assert!(missed.len() * 100 <= printed, "{resolution:?}: {} of {printed}: {missed:#?}", missed.len());
        let (printed, missed) = misread(&tesseract, letters, resolution, received);
        assert!(missed.len() * 20 <= printed, "{resolution:?}, damaged: {} of {printed}: {missed:#?}", missed.len());
    }
}
