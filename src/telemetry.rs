//! Logs and metrics: log lines on standard error, and numbers for `/metrics`. Neither ever contains an address, a name
//! or a word of a letter.

use std::io::IsTerminal;

use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Filter, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::config::LogFormat;

/// The environment variable that overrides the configured level.
pub const LEVEL_VARIABLE: &str = "TOUCHLINE_LOG";

/// Upper bounds of the histograms in seconds: from an immediate answer to a relay that takes its ten minutes.
const SECONDS_BUCKETS: [f64; 11] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0, 600.0];

/// What the lines of our own crates begin with: only these may say more than `info`.
const OURS: &str = "touchline";

/// Starts logging to standard error, at `level` (a level or directives such as `info,touchline::queue=debug`) unless
/// `TOUCHLINE_LOG` says otherwise. Whatever either says, libraries log nothing below `info`: at `debug` and `trace` they
/// print what they are given, such as the arguments of a template's helpers. Does nothing if logging has already started.
///
/// # Errors
/// The level cannot be understood; the error names its source.
pub fn install_logging(format: LogFormat, level: &str) -> anyhow::Result<()> {
    let overriding = std::env::var(LEVEL_VARIABLE).ok().filter(|level| !level.trim().is_empty());
    let origin = if overriding.is_some() { LEVEL_VARIABLE } else { "log.level" };
    let filter = EnvFilter::try_new(overriding.as_deref().unwrap_or(level))
        .with_context(|| format!("{origin} cannot be understood: write error, warn, info, debug or trace"))?;
    // https://no-color.org
    let is_colored = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let colours = is_colored && std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer().with_ansi(colours).with_writer(Stderr);
    let begun = match format {
        LogFormat::Text => Registry::default().with(lines.with_filter(harmless(filter))).try_init(),
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).with_current_span(false);
            Registry::default().with(lines.with_filter(harmless(filter))).try_init()
        }
    };
    // A second start in one process, as in a test, keeps the first.
    drop(begun);
    Ok(())
}

/// The filter of everything that is logged: what was asked for, without the details that libraries print.
pub fn harmless(asked: EnvFilter) -> impl Filter<Registry> + Send + Sync + 'static {
    asked.and(filter_fn(may_be_logged))
}

/// Whether a line holds nothing but what we, or a library at `info` and above, chose to say.
fn may_be_logged(line: &Metadata<'_>) -> bool {
    *line.level() <= Level::INFO || line.target() == OURS || line.target().starts_with("touchline::")
}

/// Starts recording metrics, and returns the handle that shows them. Its holder must call `run_upkeep` periodically, or
/// histograms grow.
///
/// # Errors
/// Metrics are already being recorded.
pub fn install_metrics() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS_BUCKETS)
        .and_then(PrometheusBuilder::install_recorder)
        .context("the metrics cannot be set up")
}

/// Standard error, looked up for every line, so that a closed one costs lines and not the program.
struct Stderr;

impl<'a> MakeWriter<'a> for Stderr {
    type Writer = std::io::Stderr;

    fn make_writer(&'a self) -> Self::Writer {
        std::io::stderr()
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_log::LogTracer;
    use tracing_log::log::{self, Log, Record};

    use super::*;

    /// What a library would say about a patient.
    const WORDS: &str = "born 1979-04-12";

    /// Keeps the lines.
    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Paper {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("nobody panicked").extend_from_slice(octets);
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The lines written while something speaks, at that level or with those directives.
    fn said(asked: &str, speak: impl FnOnce()) -> String {
        said_through(harmless(EnvFilter::try_new(asked).expect("a level")), speak)
    }

    fn said_through(filter: impl Filter<Registry> + Send + Sync + 'static, speak: impl FnOnce()) -> String {
        let kept = Paper::default();
        let paper = kept.clone();
        let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || paper.clone());
        tracing::subscriber::with_default(Registry::default().with(lines.with_filter(filter)), speak);
        let octets = kept.0.lock().expect("nobody panicked").clone();
        String::from_utf8(octets).expect("text")
    }

    /// A library that speaks by the `log` crate, as Handlebars does.
    fn record(level: log::Level) {
        let words = format_args!("{WORDS}");
        let record = Record::builder().args(words).level(level).target("handlebars::render").build();
        LogTracer::new().log(&record);
    }

    #[test]
    fn without_the_filter_they_would_be_heard() {
        let asked = EnvFilter::try_new("trace").expect("a level");
        assert!(said_through(asked, || record(log::Level::Debug)).contains(WORDS));
    }

    #[test]
    fn libraries_say_nothing_below_info_whatever_is_asked_for() {
        let of_one = ["handlebars=trace", "handlebars::render=trace,trace", "info,touchline_typeset=trace"];
        for asked in ["trace", "debug"].into_iter().chain(of_one) {
            let said = said(asked, || {
                record(log::Level::Debug);
                record(log::Level::Trace);
                tracing::debug!(target: "handlebars::render", "{WORDS}");
                tracing::trace!(target: "touchline_typeset", "{WORDS}");
                tracing::trace!(target: "touchlinemost::render", "{WORDS}");
                let span = tracing::debug_span!(target: "hyper::proto", "request", words = WORDS);
                span.in_scope(|| tracing::info!(target: "touchline::web", "answered"));
            });
            assert!(said.contains("answered") || asked.starts_with("handlebars="), "{asked}: {said}");
            assert!(!said.contains(WORDS), "{asked}: {said}");
        }
    }

    #[test]
    fn our_own_details_and_what_libraries_report_come_through() {
        let said = said("trace", || {
            tracing::trace!("our own");
            tracing::debug!(target: "touchline", "of the program");
            record(log::Level::Warn);
        });
        assert!(said.contains("our own") && said.contains("of the program") && said.contains(WORDS), "{said}");
        let said = self::said("info,touchline::queue=debug", || {
            tracing::debug!(target: "touchline::queue", "asked for");
            tracing::debug!(target: "touchline::web", "not asked for");
        });
        assert!(said.contains("asked for") && !said.contains("not asked for"), "{said}");
    }
}
