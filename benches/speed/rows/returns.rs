//! Mails that came back, read by one thread: the labeled samples of the tests, over and over.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, ensure};

use touchline::feedback::returns::{self, Kind};

use crate::support::arguments::{Engine, Run};
use crate::support::report::Figure;

const A_SECOND_MIN: f64 = 1_000.0;
/// Where they are, with their license.
const SAMPLES: &str = "tests/it/fixtures/bounces/eml";

/// Measures the row. No database takes part, so that it is measured beside the first only.
pub async fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    if run.engine != Engine::Sqlite {
        return Ok(Vec::new());
    }
    let (run, samples, rounds) = (*run, samples()?, run.size(500, 1));
    let figure = tokio::task::spawn_blocking(move || read_all(&run, &samples, rounds)).await??;
    Ok(vec![figure])
}

fn samples() -> anyhow::Result<Vec<Vec<u8>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(SAMPLES);
    let files = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    files.map(|file| Ok(std::fs::read(file?.path())?)).collect()
}

fn read_all(run: &Run, samples: &[Vec<u8>], rounds: u64) -> anyhow::Result<Figure> {
    let octets: usize = samples.iter().map(Vec::len).sum();
    let started = Instant::now();
    let mut returned = 0_u64;
    for _ in 0..rounds {
        returned += samples.iter().map(|mail| u64::from(returns::read(mail).kind != Kind::None)).sum::<u64>();
    }
    let seconds = started.elapsed().as_secs_f64();
    let read = rounds * u64::try_from(samples.len())?;
    ensure!(returned > read / 2, "{returned} of {read} samples were read as returns");
    let a_second = read as f64 / seconds;
    let kb = octets as f64 / samples.len() as f64 / 1e3;
    let figure = Figure::new("returns", run, format!("{read} returns read by one thread"), "at least 1,000 a second");
    Ok(figure
        .came_to(run, format!("{a_second:.0} a second, {kb:.1} kB each"), a_second >= A_SECOND_MIN)
        .explained(
            "none; no database takes part.",
            "the octets of a mail in memory until it is known who bounced and why.",
            "the mailbox it came from, and what follows from it.",
        )
        .value("a_second", a_second))
}
