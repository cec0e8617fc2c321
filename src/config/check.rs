//! What each value must satisfy beyond its type: ranges, and names that must fit together.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::problem::Problems;
use super::{LogConfig, ProviderConfig, Routes, Sending};
use crate::domain::Channel;
use crate::provider::Spec;

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
    within("queue_depth_max", sending.queue_depth_max, 1, 10_000_000);
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

/// The routes as written, or, for a channel that is not mentioned, its only account. Names must exist, carry the
/// channel, and stand once. `configured` tells a name that is missing from one whose account was refused already.
pub(super) fn routes(
    problems: &mut Problems,
    written: BTreeMap<Channel, Option<Vec<String>>>,
    accounts: &BTreeMap<String, ProviderConfig>,
    configured: &[String],
    specs: &[&'static Spec],
) -> Routes {
    let channel_of =
        |account: &ProviderConfig| specs.iter().find(|spec| spec.kind == account.kind).map(|spec| spec.channel);
    let mut routes = Routes::default();
    for (channel, names) in written {
        let key = format!("routes.{channel}");
        let carrying: Vec<String> = accounts
            .iter()
            .filter(|(_, account)| channel_of(account) == Some(channel))
            .map(|(name, _)| name.clone())
            .collect();
        let list = names.unwrap_or_else(|| {
            if carrying.len() > 1 {
                problems.add(&key, format!("say in which order to use: {}", carrying.join(", ")));
            }
            carrying.clone()
        });
        for (place, name) in list.iter().enumerate() {
            if list[..place].contains(name) {
                problems.add(&key, format!("{name} stands twice: keep one"));
            } else if !configured.contains(name) {
                problems.add(&key, format!("there is no [providers.{name}]: add it or correct the name"));
            } else if accounts.contains_key(name) && !carrying.contains(name) {
                problems.add(&key, format!("{name} does not carry {channel}: remove it here"));
            }
        }
        match channel {
            Channel::Fax => routes.fax = list,
            Channel::Email => routes.email = list,
        }
    }
    routes
}
