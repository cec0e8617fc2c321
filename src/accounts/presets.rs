//! The documented limits of the usual office relays, by name or by host. They fill what an account's section leaves out.

use crate::accounts::quota::Quota;

/// The limits of one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// Its name in the configuration.
    pub name: &'static str,
    /// Hosts that are this service.
    hosts: &'static [&'static str],
    /// The value of `oauth` that brings this host, where none is given.
    oauth: Option<&'static str>,
    /// Connections at once.
    pub concurrency: Option<usize>,
    /// Hand-overs a minute.
    pub rate_per_minute: Option<u32>,
    /// Hand-overs within an hour and a day.
    pub quota: Quota,
    /// Where the figures come from.
    pub source: &'static str,
}

const fn a_day(most: u32) -> Quota {
    Quota { per_hour: None, per_day: Some(most) }
}

/// Every preset. Of a service whose quota differs from customer to customer, only what every customer has stands here.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "microsoft365",
        hosts: &["smtp.office365.com"],
        oauth: Some("microsoft"),
        concurrency: Some(3),
        rate_per_minute: Some(30),
        quota: a_day(10_000),
        source: "learn.microsoft.com: SMTP submission improvements (3 connections, 30 messages a minute, 10,000 recipients a day)",
    },
    Preset {
        name: "google",
        hosts: &["smtp.gmail.com"],
        oauth: Some("google"),
        concurrency: None,
        rate_per_minute: None,
        quota: a_day(2_000),
        source: "support.google.com: Gmail sending limits in Google Workspace (2,000 messages a day; a free account has 500)",
    },
    Preset {
        name: "google_relay",
        hosts: &["smtp-relay.gmail.com"],
        oauth: None,
        concurrency: None,
        rate_per_minute: None,
        quota: a_day(10_000),
        source: "support.google.com: SMTP relay service (10,000 recipients a day for each user)",
    },
    Preset {
        name: "ses_sandbox",
        hosts: &[],
        oauth: None,
        concurrency: None,
        rate_per_minute: Some(60),
        quota: a_day(200),
        source: "docs.aws.amazon.com: Amazon SES quotas (the sandbox: 200 in 24 hours, one a second; later as the account says)",
    },
];

/// The preset of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// The preset of a relay: by its host, or by the service that is signed in to where no host is given.
#[must_use]
pub fn of_relay(host: Option<&str>, oauth: Option<&str>) -> Option<&'static Preset> {
    let host = host.map(|host| host.trim_end_matches('.').to_ascii_lowercase());
    PRESETS.iter().find(|preset| match &host {
        Some(host) => preset.hosts.contains(&host.as_str()),
        None => oauth.is_some() && preset.oauth == oauth,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_is_known_by_its_host_or_by_the_service_that_is_signed_in_to() {
        let name = |host, oauth| of_relay(host, oauth).map(|preset| preset.name);
        assert_eq!(name(Some("SMTP.office365.com."), None), Some("microsoft365"));
        assert_eq!(name(None, Some("microsoft")), Some("microsoft365"));
        assert_eq!(name(Some("smtp-relay.gmail.com"), Some("google")), Some("google_relay"));
        assert_eq!(name(None, Some("other")), None);
        assert_eq!(name(None, None), None);
        assert_eq!(name(Some("smtp.office365.com.evil.example"), None), None);
        for preset in PRESETS {
            assert_eq!(named(preset.name), Some(preset));
            assert!(!preset.quota.is_none() && preset.source.contains(": "), "{}", preset.name);
        }
    }
}
