//! What each value must satisfy beyond its type: ranges and formats.

use secrecy::{ExposeSecret, SecretString};

use super::problem::Problems;
use super::{LogConfig, RetentionConfig, ReturnsConfig, Sending, ServerConfig};

/// Ranges of `[sending]`.
pub(super) fn sending(problems: &mut Problems, sending: &Sending) {
    let mut within = |key: &str, value: u64, low: u64, high: u64| {
        if !(low..=high).contains(&value) {
            problems.add(format!("sending.{key}"), format!("write a number from {low} to {high}"));
        }
    };
    within("slots", sending.slots as u64, 1, 1_024);
    within("lease_seconds", sending.lease_seconds, 5, 3_600);
    within("poll_ms", sending.poll_ms, 10, 60_000);
    within("retry_scale_percent", u64::from(sending.retry_scale_percent), 1, 1_000);
    within("retry_wait_max_seconds", sending.retry_wait_max_seconds, 1, 86_400);
    within("give_up_hours", sending.give_up_hours, 1, 720);
    within("email_presume_delivered_minutes", sending.email_presume_delivered_minutes, 1, 43_200);
    if let Some(seconds) = sending.email_presume_delivered_seconds {
        within("email_presume_delivered_seconds", seconds, 1, 2_592_000);
    }
    within("status_poll_seconds", sending.status_poll_seconds, 1, 3_600);
    within("doubt_settle_seconds", sending.doubt_settle_seconds, 0, 3_600);
    within("touch_goal", u64::from(sending.touch_goal), 1, 100);
    within("undo_one_seconds", sending.undo_one_seconds, 0, 86_400);
    within("undo_list_seconds", sending.undo_list_seconds, 0, 86_400);
    within("queue_depth_max", sending.queue_depth_max, 1, 10_000_000);
}

/// Ranges of `[server]`.
pub(super) fn server(problems: &mut Problems, server: &ServerConfig) {
    let mut within = |key: &str, value: u64, low: u64, high: u64| {
        if !(low..=high).contains(&value) {
            problems.add(format!("server.{key}"), format!("write a number from {low} to {high}"));
        }
    };
    within("connections_max", server.connections_max as u64, 16, 65_536);
    within("connections_per_peer_max", server.connections_per_peer_max as u64, 4, 65_536);
    within("head_seconds", server.head_seconds, 1, 300);
    within("body_seconds", server.body_seconds, 1, 600);
    within("large_bodies_mib", server.large_bodies_mib as u64, 32, 4_096);
    within("session_idle_minutes", server.session_idle_minutes, 5, 720);
}

/// Ranges of `[returns]`.
pub(super) fn returns(problems: &mut Problems, returns: &ReturnsConfig) {
    let percents = [
        ("pause_bounce_percent", returns.pause_bounce_percent),
        ("pause_complaint_percent", returns.pause_complaint_percent),
    ];
    for (key, percent) in percents {
        if !(0.0..=100.0).contains(&percent) {
            problems.add(format!("returns.{key}"), "write a percentage from 0 to 100");
        }
    }
    let counts = [
        ("pause_bounces_min", returns.pause_bounces_min),
        ("pause_after", returns.pause_after),
        ("pause_complaints_min", returns.pause_complaints_min),
    ];
    for (key, count) in counts {
        if !(1..=10_000).contains(&count) {
            problems.add(format!("returns.{key}"), "write a number from 1 to 10000");
        }
    }
}

/// Ranges of `[retention]`.
pub(super) fn retention(problems: &mut Problems, retention: &RetentionConfig) {
    if !(1..=3_650).contains(&retention.callback_days) {
        problems.add("retention.callback_days", "write a number from 1 to 3650");
    }
    if !(1..=3_650).contains(&retention.reply_days) {
        problems.add("retention.reply_days", "write a number from 1 to 3650");
    }
}

/// The level or directives of `[log]`.
pub(super) fn log(problems: &mut Problems, log: &LogConfig) {
    if log.level.len() > 1_000 || tracing_subscriber::EnvFilter::try_new(&log.level).is_err() {
        problems
            .add("log.level", "write error, warn, info, debug or trace, or directives such as info,touchline=debug");
    }
}

/// The scheme of the database's address.
pub(super) fn store_url(problems: &mut Problems, url: &SecretString) {
    let url = url.expose_secret();
    let named = ["sqlite:", "postgres://", "postgresql://"]
        .iter()
        .any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.trim_matches('/').is_empty()));
    if !named {
        problems.add("store.url", "write sqlite:PATH, postgres://USER:PASSWORD@HOST/DATABASE, or { env = \"NAME\" }");
    }
}
