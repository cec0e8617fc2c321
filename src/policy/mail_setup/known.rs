//! Relays and mailbox services that are known by name: what their customers' SPF records must include, and whose domains
//! nobody else can send for.

/// A relay, by the end of its host name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relay {
    /// Its host name, or the end of it that begins with a dot.
    host: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// Domains of which the SPF record includes one; the first is what its manual says to include.
    pub includes: &'static [&'static str],
    /// Whether it puts a return path of its own in the place of ours, so that ours is not what receivers check.
    pub own_return_path: bool,
}

/// Each by its own manual: the page on SPF or domain authentication.
const RELAYS: &[Relay] = &[
    relay("smtp.office365.com", "Microsoft 365", &["spf.protection.outlook.com"], false),
    relay(".mail.protection.outlook.com", "Microsoft 365", &["spf.protection.outlook.com"], false),
    relay("smtp.gmail.com", "Google", &["_spf.google.com"], false),
    relay("smtp-relay.gmail.com", "Google Workspace", &["_spf.google.com"], false),
    relay(".amazonaws.com", "Amazon SES", &["amazonses.com"], true),
    relay("smtp.sendgrid.net", "SendGrid", &["sendgrid.net"], true),
    relay(".mailgun.org", "Mailgun", &["mailgun.org"], true),
    relay("smtp.postmarkapp.com", "Postmark", &["spf.mtasv.net"], true),
    relay("smtp.resend.com", "Resend", &["amazonses.com"], true),
    relay("smtp-relay.brevo.com", "Brevo", &["spf.brevo.com", "spf.sendinblue.com"], true),
    relay(".zoho.com", "Zoho", &["zohomail.com", "zoho.com"], false),
    relay("smtp.fastmail.com", "Fastmail", &["spf.messagingengine.com"], false),
    relay(".secureserver.net", "GoDaddy", &["secureserver.net"], false),
];

const fn relay(
    host: &'static str,
    name: &'static str,
    includes: &'static [&'static str],
    own_return_path: bool,
) -> Relay {
    Relay { host, name, includes, own_return_path }
}

/// The relay of that host name, if it is known.
#[must_use]
pub fn relay_of(host: &str) -> Option<&'static Relay> {
    let host = host.to_ascii_lowercase();
    RELAYS.iter().find(|relay| host == relay.host || (relay.host.starts_with('.') && host.ends_with(relay.host)))
}

/// Domains of mailbox services, and the ends of the host names of their own relays. Who signs for one of these is the
/// service alone.
const FREE_MAIL: &[(&[&str], &[&str])] = &[
    (&["gmail.com", "googlemail.com"], &["gmail.com"]),
    (&["outlook.com", "hotmail.com", "live.com", "msn.com"], &["office365.com", "outlook.com"]),
    (&["yahoo.com", "ymail.com", "rocketmail.com", "aol.com", "verizon.net"], &["yahoo.com", "aol.com"]),
    (&["att.net", "sbcglobal.net", "bellsouth.net"], &["att.net", "yahoo.com"]),
    (&["icloud.com", "me.com", "mac.com"], &["mail.me.com"]),
    (&["proton.me", "protonmail.com", "pm.me"], &["protonmail.ch", "proton.me"]),
    (&["gmx.com", "gmx.net", "gmx.de", "mail.com"], &["gmx.com", "gmx.net", "mail.com"]),
    (&["comcast.net"], &["comcast.net"]),
    (&["cox.net"], &["cox.net"]),
    (&["charter.net", "spectrum.net"], &["charter.net", "spectrum.net"]),
    (&["earthlink.net"], &["earthlink.net"]),
    (&["zohomail.com"], &["zoho.com"]),
    (&["fastmail.com"], &["fastmail.com"]),
    (&["yandex.com"], &["yandex.com"]),
];

/// The ends of the host names of the service's own relays, if the domain belongs to a mailbox service.
#[must_use]
pub fn free_mail(domain: &str) -> Option<&'static [&'static str]> {
    let domain = domain.to_ascii_lowercase();
    FREE_MAIL.iter().find(|(domains, _)| domains.contains(&domain.as_str())).map(|(_, hosts)| *hosts)
}

/// Whether a host is one of these, or below one.
#[must_use]
pub fn is_of(host: &str, ends: &[&str]) -> bool {
    let host = host.to_ascii_lowercase();
    ends.iter().any(|end| host.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_is_known_by_its_own_name_only() {
        for (host, name) in [
            ("SMTP.office365.com", Some("Microsoft 365")),
            ("clinic-example.mail.protection.outlook.com", Some("Microsoft 365")),
            ("email-smtp.us-east-1.amazonaws.com", Some("Amazon SES")),
            ("smtp.eu.mailgun.org", Some("Mailgun")),
            ("smtp.gmail.com.evil.example", None),
            ("notsmtp.gmail.com", None),
            ("mail.clinic.example", None),
        ] {
            assert_eq!(relay_of(host).map(|relay| relay.name), name, "{host}");
        }
    }

    #[test]
    fn only_the_service_itself_sends_for_its_domains() {
        let gmail = free_mail("GMail.com").expect("a mailbox service");
        assert!(is_of("smtp.gmail.com", gmail) && !is_of("smtp.sendgrid.net", gmail) && !is_of("xgmail.com", gmail));
        assert!(free_mail("clinic.example").is_none());
    }
}
