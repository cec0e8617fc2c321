//! What a mail server's refusal is about, what is done about it without asking, and what a person can do.

use crate::domain::mail_reply::Verdict;
use crate::domain::{About, Fault, Remedy};

/// Whom or what a refusal is about, as a sentence.
#[must_use]
pub const fn about(about: About) -> &'static str {
    match about {
        About::Recipient => "It is about this recipient.",
        About::Letter => "It is about this letter.",
        About::Account => "It is about our account or our sending domain, not about the recipient.",
        About::Speed => "It is about how much or how fast we send, not about the recipient.",
        About::Path => "It is about the delivery path, not the recipient.",
    }
}

/// What Touchline does about a refusal of mail, as a sentence.
#[must_use]
pub const fn consequence(verdict: &Verdict) -> &'static str {
    match (verdict.about, verdict.fault) {
        (_, Fault::AccountError) => {
            "The account is paused until someone resumes it, and its letters wait. No address is marked, and no try is used up."
        }
        (_, Fault::QuotaReached) => {
            "The account is paused until the quota returns, and its letters wait. No address is marked, and no try is used up."
        }
        (About::Speed, _) => "The letter is sent again in a minute. No address is marked, and no try is used up.",
        (About::Path, Fault::Expired) => "The letter failed. The address is not marked.",
        (About::Path, _) => "The letter is sent again later. No address is marked, and no try is used up.",
        (_, Fault::MailboxDisabled) => {
            "The letter fails. The address becomes doubtful if this happens again, and then counts as not working."
        }
        (_, _) if verdict.proves_mailbox => {
            "The letter fails, and nothing more is sent to the address until it is corrected or tried again by a person."
        }
        (_, Fault::Deferred | Fault::MailboxFull) => {
            "The letter is sent again up to 12 times. The address is not marked."
        }
        (_, Fault::Unknown | Fault::ProtocolError) => {
            "The letter is sent once more and then fails. The address is not marked."
        }
        (About::Recipient | About::Letter | About::Account, _) => "The letter fails. The address is not marked.",
    }
}

/// What a person can do, in one or two sentences.
#[must_use]
pub const fn remedy(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::CheckPassword => {
            "Check the account's username and password in the configuration, restart, then resume the account."
        }
        Remedy::AppPassword => {
            "Google accepts no ordinary password here: create an app password for the mailbox (it needs 2-step verification), then \
             resume the account; or use OAuth (oauth = \"google\", then `touchline mail login NAME`, which also resumes the account)."
        }
        Remedy::OauthMicrosoft => {
            "Microsoft 365 takes no password for this mailbox (from the end of December 2026 on for none, unless an administrator \
             switches it on). Set oauth = \"microsoft\" with tenant and client_id for the account, restart, and run \
             `touchline mail login NAME`, which also resumes the account. Or the administrator opens admin.microsoft.com, Users, \
             Active users, the mailbox, Mail, Manage email apps, and switches Authenticated SMTP on; then resume the account."
        }
        Remedy::OauthGoogle => {
            "Google accepts no password login for this mailbox: set oauth = \"google\" with client_id and client_secret for the \
             account, restart, and run `touchline mail login NAME`, which also resumes the account; or log in once in a browser, \
             create an app password, and then resume the account."
        }
        Remedy::SignIn => "Run `touchline mail login NAME` and sign in to the mailbox; that also resumes the account.",
        Remedy::AppRegistration => {
            "Correct the app registration or its values in the configuration (tenant, client_id, client_secret or \
             service_account); `touchline provider list --markdown` has the steps. Restart, run `touchline provider check NAME`, then \
             resume the account."
        }
        Remedy::MailboxAccess => {
            "The sign-in works, and the mailbox does not let it send. Check that username is the mailbox itself. Microsoft 365: \
             admin.microsoft.com, Users, Active users, the mailbox, Mail, Manage email apps: Authenticated SMTP on; for an app \
             registration also New-ServicePrincipal with the object id of the enterprise application, and Add-MailboxPermission \
             FullAccess. Google: allow the scope https://mail.google.com/. Then resume the account."
        }
        Remedy::OtherLogin => {
            "The relay offers no login that Touchline can use. Check host, port and tls in the configuration, or ask the \
             relay's support for a host with password login. Then resume the account."
        }
        Remedy::LogIn => "The relay wants a login: set username and password for the account, restart, then resume it.",
        Remedy::AllowSendAs => {
            "Let the account's user send as the practice's address (\"Send As\"), or set practice.email to that user's own \
             address. Then resume the account."
        }
        Remedy::VerifyIdentity => {
            "Verify the practice's address or domain as a sender at the relay, then resume the account."
        }
        Remedy::AllowRelay => {
            "The relay does not send for us: log in (username and password), or have this machine's address allowed there. \
             Then resume the account."
        }
        Remedy::FixDomainRecords => {
            "Publish SPF, DKIM and DMARC for the practice's domain (`touchline provider check` shows the DKIM record), then \
             resume the account."
        }
        Remedy::SetHelloName => {
            "Set hello_name of the account to this machine's full host name, restart, then resume the account."
        }
        Remedy::AskDelisting => {
            "The address of the sending machine is on a block list or has no proper name in DNS. Send through a relay that \
             you log in to, or have the address removed from the list. Then resume the account."
        }
        Remedy::AskRelay => {
            "Log in to the relay's console or ask its support what is wrong with the account, then resume it."
        }
        Remedy::SameForAll => {
            "Read the relay's words. If they are about our account, fix that and resume it. If those recipients really cannot \
             be reached, resume it with --refusals-stand."
        }
        Remedy::PayRelay => "Pay the relay or choose a larger plan, then resume the account.",
        Remedy::UseEncryption => {
            "Check host, port and tls of the account: 587 goes with tls = \"required\", 465 with tls = \"implicit\". If they \
             are right, ask the relay's support."
        }
        Remedy::WaitForQuota => {
            "Nothing to do: the account resumes on its own when the quota resets. To stay below it, set daily_budget \
             or rate_per_minute for the account, or ask the relay for a larger quota."
        }
        Remedy::SlowDown => "Nothing to do at first. If it persists, set a lower rate_per_minute for the account.",
        Remedy::WaitForRelay => "Nothing to do at first: it is tried again. If it persists, check the relay.",
        Remedy::WaitForRetry => "Nothing to do: it is tried again automatically.",
        Remedy::CorrectAddress => "Ask for the current email address, correct it, then retry.",
        Remedy::ProviderList => {
            "The mail provider has the address on its own list of those that it sends nothing to, and did not try. Look there why. \
             If the address is good, remove it from that list and retry; if not, correct the address."
        }
        Remedy::AskRecipient => "Ask the office how to reach them by email, or send it by fax.",
        Remedy::ShortenLetter => "Shorten the letter or leave out its enclosures, or send it by fax.",
        Remedy::ChangeContent => "Change what the letter says or links to, then retry.",
        Remedy::ReadReply => "Read the server's words; check the sending domain's SPF, DKIM and DMARC.",
    }
}

/// The same for an account whose name is known, so that a command in it can be run as it stands.
#[must_use]
pub fn remedy_for(way_out: Remedy, account: &str) -> String {
    remedy(way_out).replace("NAME", account)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mail_reply::table;

    #[test]
    fn a_remedy_names_the_account_and_every_one_that_needs_a_sign_in_says_how() {
        for way_out in Remedy::ALL {
            let said = remedy_for(*way_out, "mail-office");
            assert!(!said.contains("NAME") && said.ends_with('.'), "{said}");
        }
        for way_out in [Remedy::SignIn, Remedy::OauthMicrosoft, Remedy::OauthGoogle, Remedy::AppPassword] {
            assert!(remedy_for(way_out, "mail-office").contains("`touchline mail login mail-office`"), "{way_out}");
        }
    }

    #[test]
    fn every_row_of_the_table_says_what_is_done_and_what_can_be_done() {
        for row in table() {
            let said = [about(row.verdict.about), consequence(&row.verdict), remedy(row.verdict.remedy)];
            assert!(said.iter().all(|sentence| sentence.ends_with('.')), "{said:?}");
            let marks = row.verdict.proves_mailbox;
            assert_eq!(said[1].contains("not marked") || said[1].contains("No address"), !marks, "{}", row.sample);
        }
    }

    #[test]
    fn what_stops_an_account_names_the_way_to_go_on() {
        for row in table().filter(|row| row.verdict.fault == Fault::AccountError) {
            assert!(remedy(row.verdict.remedy).contains("resume"), "{}", row.sample);
        }
    }
}
