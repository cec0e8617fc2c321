//! A list of many referrers imported from a CSV file, and the same list again.

use std::fmt::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::support::arguments::Run;
use crate::support::crowd::{self, Crowd};
use crate::support::daemon::memory_of;
use crate::support::database::Database;
use crate::support::house::{House, Setup};
use crate::support::report::Figure;

const MAX_SECONDS: f64 = 10.0;
/// How often the program's memory is looked at.
const LOOK: Duration = Duration::from_millis(20);
const MB: f64 = 1e6;

/// Measures the row.
pub async fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    let rows: u64 = run.size(100_000, 200);
    let Some(database) = Database::fresh(run.engine).await? else { return Ok(Vec::new()) };
    let house = House::new(&database, &Setup::default())?;
    let folder = tempfile::tempdir()?;
    let list = folder.path().join("list.csv");
    std::fs::write(&list, sheet(rows))?;

    let first = import(&house, &list).await?;
    let mut desk = database.desk().await?;
    let known = desk.number("SELECT COUNT(*) FROM referrer").await?;
    ensure!(known == i64::try_from(rows)?, "{known} of {rows} referrers are known");
    desk.settle().await?;
    let again = import(&house, &list).await?;
    drop(desk);
    database.remove().await;
    let size_mb = std::fs::metadata(&list)?.len() as f64 / MB;
    Ok(vec![told(run, rows, size_mb, "new", &first), told(run, rows, size_mb, "known, the same list again", &again)])
}

/// As a spreadsheet has it: eight people share an office with its fax line and its front desk.
fn sheet(rows: u64) -> String {
    let mut text = "First Name,Last Name,Credentials,Practice,Street,City,State,ZIP,Phone,Fax,Email\n".to_owned();
    let crowd = Crowd::with_mailboxes(rows);
    for number in 0..rows {
        let (office, mailbox) = (number / 8, crowd::mailbox(&crowd, number));
        let (area, line) = (212 + office / 10_000, office % 10_000);
        let _ = writeln!(
            text,
            "Ana,Number{number},MD,Office {office},{office} Lake Street,Evanston,IL,60201,847-555-{line:04},\
             {area}-556-{line:04},{mailbox}",
        );
    }
    text
}

struct Seen {
    seconds: f64,
    peak_mb: f64,
}

async fn import(house: &House, list: &Path) -> anyhow::Result<Seen> {
    let list = list.to_str().context("a path in UTF-8")?;
    let mut command = house.command(&["--json", "referrers", "import", list, "--as=bench"]);
    let started = Instant::now();
    let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let pid = process.id().context("a process id")?;
    let mut peak = 0;
    let ended = loop {
        if let Ok(ended) = tokio::time::timeout(LOOK, process.wait()).await {
            break ended?;
        }
        peak = memory_of(pid).map_or(peak, |memory| memory.peak.max(peak));
    };
    ensure!(ended.success(), "the import ended with {ended}");
    Ok(Seen { seconds: started.elapsed().as_secs_f64(), peak_mb: peak as f64 / MB })
}

fn told(run: &Run, rows: u64, size_mb: f64, what: &str, seen: &Seen) -> Figure {
    Figure::new("import", run, format!("import of {rows} rows, {what}"), "under 10 s, memory bounded")
        .came_to(
            run,
            format!("{:.1} s; most memory {:.0} MB for a list of {size_mb:.0} MB", seen.seconds, seen.peak_mb),
            seen.seconds < MAX_SECONDS,
        )
        .explained(
            "as it comes; eight people share an office, its fax line and its telephone; once.",
            "`touchline referrers import` from its start to its end: reading, matching with who is known, one durable \
             transaction, the report.",
            "a list with problems in it.",
        )
        .value("seconds", seen.seconds)
        .value("peak_mb", seen.peak_mb)
}
