//! The machine that the figures were measured on.

use std::fmt;
use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::require;

/// How long the disk is tried.
const DISK_TRIED: Duration = Duration::from_secs(1);

/// The machine, as far as the figures depend on it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub cpu: String,
    /// Its cores.
    pub cores: usize,
    /// Memory in GiB.
    pub memory_gib: f64,
    /// The kernel.
    pub kernel: String,
    /// What holds the databases.
    pub file_system: String,
    /// Small appends brought to the disk one by one, in a second.
    pub fdatasync_per_second: f64,
    /// PostgreSQL.
    pub postgres: String,
    /// Postfix.
    pub postfix: String,
    /// How Touchline was built.
    pub build: String,
}

impl Machine {
    /// Looks around; takes a second for the disk.
    pub fn look(program: Option<&Path>) -> anyhow::Result<Self> {
        let own = if cfg!(debug_assertions) { "development (its figures mean nothing)" } else { "release" };
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let after = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            line.split_once(':').map_or("", |(_, value)| value).trim().to_owned()
        };
        let kib: f64 = after(&read("/proc/meminfo"), "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0.0);
        Ok(Self {
            cpu: after(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_gib: (kib / 1024.0 / 1024.0 * 10.0).round() / 10.0,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            file_system: said_by("stat", &["-f", "-c", "%T", &std::env::temp_dir().display().to_string()]),
            fdatasync_per_second: try_disk()?,
            postgres: said_by("postgres", &["--version"]),
            postfix: said_by("postconf", &["-d", "-h", "mail_version"]),
            build: program
                .map_or_else(|| own.to_owned(), |program| format!("{}, load from a {own}", program.display())),
        })
    }
}

/// The first line of what a program says; "none" where there is no such program.
fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = require::program(&[program]).and_then(|path| Command::new(path).args(arguments).output().ok());
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or("").to_owned());
    said.filter(|line| !line.is_empty()).unwrap_or_else(|| "none".to_owned())
}

/// How often in a second 4 KiB can be brought to the disk where the databases will be.
fn try_disk() -> anyhow::Result<f64> {
    let mut file: File = tempfile::tempfile()?;
    let (page, started, mut count) = ([0_u8; 4096], Instant::now(), 0_u32);
    while started.elapsed() < DISK_TRIED {
        if count.is_multiple_of(256) {
            file.rewind()?;
        }
        file.write_all(&page)?;
        file.sync_data()?;
        count += 1;
    }
    Ok((f64::from(count) / started.elapsed().as_secs_f64()).round())
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}, {} cores, {} GiB, Linux {}, {} with {:.0} fdatasync/s,",
            self.cpu, self.cores, self.memory_gib, self.kernel, self.file_system, self.fdatasync_per_second
        )?;
        write!(f, "{}, Postfix {}, {} build", self.postgres, self.postfix, self.build)
    }
}
