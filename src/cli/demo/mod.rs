//! `touchline demo`: the main job from end to end on embedded defaults. A sandbox fax line and a mail catcher stand in
//! for the outside world, over real HTTP and real SMTP on loopback; nothing leaves this machine.

mod report;
mod stage;
mod table;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};

use crate::domain::Actor;
use crate::intake;
use crate::intake::answer::Accepted;
use crate::intake::request::Request;
use crate::referrers::audience::Audience;
use crate::referrers::{import, sheet};
use crate::store::views::ledger::{Ledger, LedgerOf};
use stage::Stage;

/// The sample referrers, embedded.
const REFERRERS: &[u8] = include_bytes!("../../../config/sample-referrers.csv");
/// The letter that the demo sends.
const LETTER: &str = "introduction";
/// How long the demo waits before it gives up.
const SETTLE_MAX: Duration = Duration::from_secs(180);
/// How often the ledger is read.
const LOOK: Duration = Duration::from_millis(100);

/// Shows the main job on this machine, with nothing real: nothing is faxed or mailed to anyone.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Exit when every message has settled, instead of serving until Ctrl-C.
    #[arg(long)]
    pub once: bool,
    /// Where to keep the demo's files (default: a new temporary folder).
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Runs the demo: set up, import, send, wait, report; with `json` only the ledger, as one object.
///
/// # Errors
/// A part cannot be started, or not everything settles within three minutes.
pub async fn run(args: Args, json: bool) -> anyhow::Result<()> {
    let say = |text: &str| {
        if !json {
            println!("{text}");
        }
    };
    say("Touchline demo. Everything stays on this machine: a sandbox answers the faxes and catches the mail.\n");
    let stage = Stage::set(args.dir.clone()).await?;
    let referrers = import_referrers(&stage).await?;
    say(&format!("1. Imported {referrers} sample referrers."));
    let accepted = send(&stage).await?;
    say(&format!(
        "2. Sending the {LETTER} letter to each by fax and email: {} messages. The far end misbehaves on purpose.\n",
        accepted.counts.messages()
    ));
    let ledger = settle(&stage, json).await?;
    if json {
        println!("{}", serde_json::to_string_pretty(&report::ledger(&stage, ledger).await?)?);
    } else {
        println!("{}\n", table::story(&stage, &accepted, ledger).await?);
        println!("{}", table::where_to_look(&stage, &accepted, args.once).await?);
    }
    if args.once {
        stage.strike().await;
        return Ok(());
    }
    say("\nServing until Ctrl-C.");
    tokio::signal::ctrl_c().await.context("Ctrl-C cannot be listened for on this machine")?;
    stage.strike().await;
    Ok(())
}

async fn import_referrers(stage: &Stage) -> anyhow::Result<usize> {
    let sheet = sheet::read(REFERRERS, &[]).context("the sample referrers cannot be read")?;
    let report = import::import(&stage.gateway.referrers(), &sheet, &Actor::operator("demo"), false, false).await?;
    Ok(report.added + report.updated + report.unchanged)
}

async fn send(stage: &Stage) -> anyhow::Result<Accepted> {
    let request = Request {
        letter: LETTER.to_owned(),
        to: Audience::All,
        via: crate::domain::Channel::ALL.to_vec(),
        variables: serde_json::Map::new(),
        at: None,
        now: false,
        who: Actor::operator("demo"),
        idempotency_key: None,
        individually: std::collections::BTreeMap::new(),
        run: None,
    };
    Ok(intake::submit(&stage.gateway.intake(), &request).await?)
}

/// Waits until every message is terminal, held, or in doubt.
async fn settle(stage: &Stage, quiet: bool) -> anyhow::Result<Ledger> {
    let started = std::time::Instant::now();
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
    if let Ok(style) = ProgressStyle::with_template("   {bar:36} {pos}/{len} settled  {msg}") {
        bar.set_style(style);
    }
    loop {
        let ledger = stage.gateway.store.read().await?.ledger(LedgerOf::Everything).await?;
        bar.set_length(u64::try_from(ledger.total).unwrap_or(0));
        bar.set_position(u64::try_from(ledger.total - ledger.queued).unwrap_or(0));
        bar.set_message(format!("{} delivered, {} failed", ledger.delivered, ledger.failed));
        if ledger.is_settled() {
            bar.finish();
            return Ok(ledger);
        }
        if started.elapsed() > SETTLE_MAX {
            bail!("{} messages have not settled within {} s", ledger.queued, SETTLE_MAX.as_secs());
        }
        tokio::time::sleep(LOOK).await;
    }
}
