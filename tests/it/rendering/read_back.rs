//! Offices file faxes by machine reading: what tesseract reads on the dots of a page are the numbers that were printed.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Map;
use touchline::domain::address::FaxNumber;
use touchline::render::Renderer;
use touchline::render::bitmap::{Bitmap, Resolution};

use super::{job, practice, referrer, text_of};
use crate::support::require;

/// Letters for each resolution, each with eight numbers or more. The long form reads more.
const LETTERS: u32 = 6;

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

#[test]
fn the_numbers_on_a_fax_are_read_exactly_at_both_resolutions() {
    let letters = std::env::var("TOUCHLINE_TEST_READINGS").ok().and_then(|text| text.parse().ok()).unwrap_or(LETTERS);
    let Some(tesseract) = require::program(&["tesseract"]) else { return require::skip("tesseract") };
    let folder = tempfile::tempdir().expect("a folder");
    let (referrer, nothing) = (referrer(), Map::new());
    for resolution in [Resolution::Fine, Resolution::Standard] {
        let (mut printed, mut missed) = (0, Vec::new());
        for seed in 0..letters {
            let renderer = numbered(seed);
            let fax = renderer.fax(&job("introduction", &referrer, &nothing)).expect("a fax");
            let page = folder.path().join("page.pbm");
            let mut said = String::new();
            for bitmap in fax.bitmaps(resolution).expect("pages render") {
                write(&bitmap, &page);
                said.push_str(&read(&tesseract, &page));
            }
            let (wanted, mut found) = (numbers(&text_of(&fax)), numbers(&said));
            printed += wanted.len();
            for number in wanted {
                match found.iter().position(|one| *one == number) {
                    Some(place) => drop(found.swap_remove(place)),
                    None => missed.push(format!("{number} in {found:?}")),
                }
            }
        }
        assert!(printed >= 8 * letters as usize, "{printed} numbers were printed");
        assert!(
            missed.len() * 100 <= printed,
            "{resolution:?}: {} of {printed} were misread: {missed:#?}",
            missed.len()
        );
    }
}
