//! How fast, how big, how steady: each row of the speed promises, measured on the real program over the real databases.
//!
//! `cargo bench --bench speed` measures all rows at full size; `-- email fax --database sqlite` chooses. Without
//! cargo's `--bench`, that is under `cargo test --bench speed`, every row runs once in miniature and shows only that it
//! does its work. What each row measures, and what it does not, is printed with its figure; `docs/performance.md`
//! keeps them.

mod rows;
mod support;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use rows::Row;
use support::arguments::{Arguments, Run};
use support::report::Report;

/// The program's own, so that what is done in this process as a reference is done with the same means.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    match runtime.block_on(act(&arguments)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("speed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Does what was asked for. False: some row could not be measured.
async fn act(arguments: &Arguments) -> anyhow::Result<bool> {
    if let Some(kind) = arguments.far_side {
        support::far_side::serve(kind, arguments).await?;
        return Ok(true);
    }
    if let Some(results) = &arguments.markdown {
        support::markdown::write(results, arguments.into.as_deref())?;
        return Ok(true);
    }
    measure_all(arguments).await
}

async fn measure_all(arguments: &Arguments) -> anyhow::Result<bool> {
    let mut report = Report::new(arguments.is_miniature(), arguments.program.as_deref())?;
    if let Some(program) = &arguments.program {
        support::house::measure_instead(program.canonicalize().context("the program to be measured")?);
    }
    println!("{}", report.machine);
    let mut all_measured = true;
    for (row, run) in arguments.chosen() {
        println!("\n== {} on {}", row.name(), run.engine);
        match measure(row, &run).await {
            Ok(figures) => {
                figures.iter().for_each(|figure| println!("{figure}"));
                report.add(figures);
                if let Some(path) = &arguments.json {
                    report.save(path).context("the results cannot be kept")?;
                }
            }
            Err(error) => {
                all_measured = false;
                println!("NOT MEASURED: {error:#}");
            }
        }
    }
    println!("\n{}", report.table());
    Ok(all_measured)
}

async fn measure(row: Row, run: &Run) -> anyhow::Result<Vec<support::report::Figure>> {
    tokio::time::timeout(row.time_max(), row.measure(run))
        .await
        .unwrap_or_else(|_| Err(anyhow::anyhow!("it was not done in {:?}", row.time_max())))
}
