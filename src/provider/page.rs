//! The providers' page of the documentation, written from the registry, so that it cannot say what is not so.

use std::fmt::Write as _;

use super::{REGISTRY, Spec, WebhookAuthenticity};

/// `docs/providers.md`, whole. A test holds the file against it.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(
        "# Providers\n\nWritten from the registry by `touchline provider list --markdown`; do not edit by hand.\n\n\
         | kind | carries | after a lost answer | state can be asked | cancel | purge | callbacks | pages at most |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |\n",
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
    let can = &spec.capabilities;
    let pages = can.pages_max.map_or_else(|| "—".to_owned(), |pages| pages.to_string());
    // Writing to a string cannot fail.
    let _ = writeln!(
        page,
        "| `{}` | {} | {} | {} | {} | {} | {} | {pages} |",
        spec.kind,
        spec.channel,
        can.reconciliation.as_str(),
        yes(can.status),
        yes(can.cancel),
        yes(can.purge),
        authenticity(can.webhook),
    );
}

fn section(page: &mut String, spec: &Spec) {
    let _ = write!(page, "\n## {} (`kind = \"{}\"`)\n\n", spec.title, spec.kind);
    page.push_str("| setting | needed | what it is |\n| --- | --- | --- |\n");
    for setting in spec.settings {
        let needed = match (setting.required, setting.secret) {
            (true, true) => "yes, secret",
            (true, false) => "yes",
            (false, true) => "secret",
            (false, false) => "",
        };
        let _ = writeln!(page, "| `{}` | {needed} | {} |", setting.key, setting.about.replace('|', "\\|"));
    }
    if !spec.sources.is_empty() {
        page.push_str("\nSources:\n\n");
        for source in spec.sources {
            let _ = writeln!(page, "- {source}");
        }
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
