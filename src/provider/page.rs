//! The providers' page of the documentation, generated from the registry, so that it cannot contradict the code.

use std::fmt::Write as _;

use super::fax::declared;
use super::mail;
use super::{REGISTRY, Spec, WebhookAuthenticity};

/// The whole of `docs/providers.md`. A test compares the file with it.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(
        "# Providers\n\nWritten from the registry by `touchline provider list --markdown`; do not edit by hand.\n\n\
         | kind | carries | after a lost answer | state can be asked | cancel | purge | callbacks | pages at most | a minute |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for spec in REGISTRY {
        row(&mut page, spec);
    }
    for spec in REGISTRY {
        section(&mut page, spec);
    }
    page
}

fn row(page: &mut String, spec: &Spec) {
    // Writing to a string cannot fail, here and below.
    if spec.kind == declared::SPEC.kind {
        let _ = writeln!(page, "| `{}` | {} | as its description says | | | | | | |", spec.kind, spec.channel);
        return;
    }
    let can = &spec.capabilities;
    let callbacks = if spec.kind == mail::SPEC.kind { "as `events` says" } else { authenticity(can.webhook) };
    let number = |most: Option<u32>| most.map_or_else(|| "—".to_owned(), |most| most.to_string());
    let (pages, rate) = (number(can.pages_max), number(can.submits_per_minute));
    let _ = writeln!(
        page,
        "| `{}` | {} | {} | {} | {} | {} | {} | {pages} | {rate} |",
        spec.kind,
        spec.channel,
        can.reconciliation.as_str(),
        yes(can.status),
        yes(can.cancel),
        yes(can.purge),
        callbacks,
    );
}

fn section(page: &mut String, spec: &Spec) {
    let _ = write!(page, "\n## {} (`kind = \"{}\"`)\n\n", spec.title, spec.kind);
    page.push_str("| setting | needed | what it is |\n| --- | --- | --- |\n");
    for setting in spec.settings {
        let needed = match (setting.required, setting.secret, setting.unless) {
            (true, true, _) => "yes, secret",
            (true, false, Some(other)) => &format!("yes, unless `{other}` is given"),
            (true, false, None) => "yes",
            (false, true, _) => "secret",
            (false, false, _) => "",
        };
        let _ = writeln!(page, "| `{}` | {needed} | {} |", setting.key, setting.about.replace('|', "\\|"));
    }
    list(page, "Before it works", spec.setup, "1. ");
    list(page, "Not supported or not verified", spec.gaps, "- ");
    list(page, "Sources", spec.sources, "- ");
}

fn list(page: &mut String, title: &str, items: &[&str], mark: &str) {
    if items.is_empty() {
        return;
    }
    let _ = write!(page, "\n{title}:\n\n");
    for item in items {
        let _ = writeln!(page, "{mark}{item}");
    }
}

const fn yes(can: bool) -> &'static str {
    if can { "yes" } else { "no" }
}

const fn authenticity(webhook: WebhookAuthenticity) -> &'static str {
    match webhook {
        WebhookAuthenticity::SignedWithTime => "signed, with time",
        WebhookAuthenticity::Signed => "signed",
        WebhookAuthenticity::SharedSecret => "shared secret",
        WebhookAuthenticity::SecretPath => "secret address, then asked",
        WebhookAuthenticity::NoWebhook => "none",
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_says_what_the_registry_says() {
        let written = include_str!("../../docs/providers.md");
        assert!(
            written == super::markdown(),
            "docs/providers.md is out of date: touchline provider list --markdown > docs/providers.md"
        );
    }
}
