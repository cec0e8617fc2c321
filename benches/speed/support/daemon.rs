//! The daemon as a child process, and what the kernel knows of it. It is killed when it goes out of scope, and when the
//! bench itself is killed.

use std::fs::{File, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::client::{Answer, Client, request};
use super::within;

/// Waits until our end of its standard input closes, then ends the daemon, which would otherwise outlive a killed bench.
const WATCHDOG: &str = "cat > /dev/null; kill -KILL \"$1\"";
/// How long it may take to start on a busy machine with a full database.
const START_MAX: Duration = Duration::from_secs(120);
/// How long it may take to stop.
const STOP_MAX: Duration = Duration::from_secs(60);
/// Of the kernel's accounts, on every Linux that we know (`getconf CLK_TCK`).
const TICKS_PER_SECOND: f64 = 100.0;
/// Signs of its log shown when it did not start.
const LOG_SHOWN: usize = 1000;

/// A running daemon.
pub struct Daemon {
    /// Where it listens.
    pub address: SocketAddr,
    /// Goes out of scope, and so ends, before the daemon does, and never sees its process id in other hands.
    _watchdog: Child,
    process: Child,
    pid: u32,
    _said: Lines<BufReader<ChildStdout>>,
}

/// Its memory, in octets.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Resident now.
    pub resident: u64,
    /// The most that was ever resident.
    pub peak: u64,
}

/// What it has done so far.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Ticks of the processor, in user and system mode.
    pub ticks: u64,
    /// Time on a processor, by the scheduler's finer clock, of the threads that live.
    pub on_cpu: Duration,
    /// Voluntary and other context switches of the threads that live.
    pub switches: u64,
}

impl Daemon {
    /// Starts it and waits until it says where it listens.
    pub async fn start(mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let errors: File = OpenOptions::new().create(true).append(true).open(log)?;
        let mut process = command.stdout(Stdio::piped()).stderr(errors).spawn().context("the daemon starts")?;
        let pid = process.id().context("a process id")?;
        let watchdog = watch(pid)?;
        let mut said = BufReader::new(process.stdout.take().context("a pipe")?).lines();
        let line = within(START_MAX, "the daemon says where it listens", async { Ok(said.next_line().await?) }).await?;
        let line = line.with_context(|| format!("the daemon ended at once: {}", end_of(log)))?;
        let address = address_in(&line).with_context(|| format!("an address in `{line}`"))?;
        Ok(Self { address, _watchdog: watchdog, process, pid, _said: said })
    }

    /// Asks for a path over a connection of its own.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        Client::connect(self.address).await?.send(&request("GET", path, &[], b"")).await
    }

    /// Lets it end in order.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        Command::new("kill").args(["-TERM", &self.pid.to_string()]).status().await?;
        within(STOP_MAX, "the daemon stops", async { Ok(self.process.wait().await?) }).await?;
        Ok(())
    }

    /// SIGKILL.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.process.kill().await?)
    }

    /// Time on a processor so far, threads that have ended included, in seconds.
    pub fn cpu_seconds(&self) -> anyhow::Result<f64> {
        Ok(self.effort()?.ticks as f64 / TICKS_PER_SECOND)
    }

    /// Its memory now.
    pub fn memory(&self) -> anyhow::Result<Memory> {
        memory_of(self.pid)
    }

    /// Its effort so far.
    pub fn effort(&self) -> anyhow::Result<Effort> {
        let ticks = ticks_of(&self.proc())?;
        let (mut on_cpu, mut switches) = (0, 0);
        for thread in std::fs::read_dir(self.proc().join("task"))?.flatten() {
            let read = |name: &str| std::fs::read_to_string(thread.path().join(name)).unwrap_or_default();
            on_cpu += read("schedstat").split(' ').next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or(0);
            let of_thread = |line: &str| line.split_once("ctxt_switches:")?.1.trim().parse::<u64>().ok();
            switches += read("status").lines().filter_map(of_thread).sum::<u64>();
        }
        Ok(Effort { ticks, on_cpu: Duration::from_nanos(on_cpu), switches })
    }

    fn proc(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}", self.pid))
    }
}

/// The memory of a process now.
pub fn memory_of(pid: u32) -> anyhow::Result<Memory> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).context("the program runs")?;
    let octets = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':').trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
    };
    Ok(Memory { resident: octets("VmRSS").context("VmRSS")?, peak: octets("VmHWM").context("VmHWM")? })
}

/// Time on a processor of the bench's own process so far, in seconds.
pub fn own_cpu_seconds() -> anyhow::Result<f64> {
    Ok(ticks_of(Path::new("/proc/self"))? as f64 / TICKS_PER_SECOND)
}

fn ticks_of(proc: &Path) -> anyhow::Result<u64> {
    let stat = std::fs::read_to_string(proc.join("stat"))?;
    // After the name in brackets, which may hold anything: state is field 3, utime 14, stime 15 (proc(5)).
    let fields: Vec<&str> = stat.rsplit_once(')').context("a name")?.1.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3).and_then(|text| text.parse::<u64>().ok());
    Ok(field(14).context("utime")? + field(15).context("stime")?)
}

fn watch(pid: u32) -> anyhow::Result<Child> {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", WATCHDOG, "watchdog", &pid.to_string()]).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().context("the watchdog starts")
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let rest = line.split_once("http://")?.1;
    rest.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':')).next()?.parse().ok()
}

fn end_of(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.chars().skip(text.chars().count().saturating_sub(LOG_SHOWN)).collect()
}
