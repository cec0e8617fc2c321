//! Mailboxes to which returns come: what can be done when one cannot be read.

use super::numbers::count;
use crate::domain::Remedy;

/// What a person can do about a mailbox that cannot be read, in one or two sentences.
#[must_use]
pub fn advice(remedy: Option<Remedy>, name: &str) -> String {
    let advice = match remedy {
        Some(Remedy::SignIn) => "Run `touchline mail login NAME` and sign in to the mailbox.",
        Some(Remedy::CheckPassword) => {
            "Check username and password of [mailboxes.NAME], then restart. Microsoft 365 and Google take no password: set oauth \
             there, restart, and run `touchline mail login NAME`."
        }
        Some(Remedy::MailboxAccess) => {
            "The sign-in works, and the mailbox does not let it in. Check that username is the mailbox itself, and that it may be \
             read by IMAP or POP. Microsoft 365: admin.microsoft.com, Users, Active users, the mailbox, Mail, Manage email apps; for \
             an app registration also New-ServicePrincipal with the object id of the enterprise application, and \
             Add-MailboxPermission FullAccess. Google: allow the scope https://mail.google.com/."
        }
        Some(Remedy::AppRegistration) => {
            "Correct the app registration or its values in [mailboxes.NAME] (tenant, client_id, client_secret or service_account), \
             then restart. `touchline mailbox check NAME` tries it."
        }
        Some(Remedy::OtherLogin) => {
            "The server offers no login that Touchline can use: check host, port and tls of [mailboxes.NAME], or set oauth there. \
             `touchline mailbox check NAME` tries it."
        }
        Some(Remedy::UseEncryption) => {
            "Check host, port and tls of [mailboxes.NAME]: 993 (IMAP) and 995 (POP3) go with tls = \"implicit\", 143 and 110 with \
             tls = \"required\". `touchline mailbox check NAME` tries it."
        }
        Some(Remedy::ReadReply) => {
            "Check folders and move_to of [mailboxes.NAME]: `touchline mailbox check NAME` says which folder is missing."
        }
        _ => {
            "It is tried again by itself. If it persists, check host, port and tls of [mailboxes.NAME], and whether the server is \
             up: `touchline mailbox check NAME` tries it."
        }
    };
    advice.replace("NAME", name)
}

/// That mails of a mailbox could not be read, and what to do.
#[must_use]
pub fn stepped_over(mails: i64, name: &str) -> String {
    let mails = count(mails, "mail", "mails");
    format!(
        "{mails} in the mailbox {name} could not be read and would be missed: `touchline mailbox list --json` says which. Look for \
         returns among them with a mail program, then run `touchline mailbox looked-at {name}`."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_advice_names_the_mailbox_and_none_speaks_of_resuming() {
        for remedy in Remedy::ALL.iter().copied().map(Some).chain([None]) {
            let said = advice(remedy, "returns");
            assert!(said.ends_with('.') && !said.contains("NAME") && !said.contains("resume"), "{said}");
        }
        let said = stepped_over(2, "returns");
        assert!(said.starts_with("2 mails in the mailbox returns") && said.ends_with("looked-at returns`."), "{said}");
    }
}
