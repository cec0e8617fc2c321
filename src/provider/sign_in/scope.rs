//! What was granted, compared with what was asked for (RFC 6749 §5.1): a person may allow who they are and not the mail.

/// Scopes of OpenID Connect Core §5.4 and §11, which say who somebody is and let nobody send.
const OF_IDENTITY: &[&str] = &["openid", "profile", "email", "address", "phone", "offline_access"];
/// Microsoft's word for whatever the registration allows, which is never granted by that name.
const WHATEVER_IS_ALLOWED: &str = ".default";

/// Whether at least one of the scopes of mail among `asked` is among `granted`; true where none of them can be found there by
/// its name. Only the last part of a scope counts: services leave out or change the address before it.
pub(super) fn grants_mail(asked: &str, granted: &str) -> bool {
    let granted: Vec<String> = granted.split_whitespace().map(last_part).collect();
    let asked = asked.split_whitespace().map(last_part);
    let of_mail: Vec<String> = asked.filter(|scope| !OF_IDENTITY.contains(&scope.as_str())).collect();
    of_mail.is_empty() || of_mail.iter().any(|scope| scope == WHATEVER_IS_ALLOWED || granted.contains(scope))
}

fn last_part(scope: &str) -> String {
    let scope = scope.trim_end_matches('/');
    scope.rsplit('/').next().unwrap_or(scope).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_must_be_among_what_was_granted_however_the_service_writes_it() {
        let microsoft = "https://outlook.office.com/SMTP.Send offline_access openid profile";
        let google = "https://mail.google.com/ openid email";
        for (asked, granted, is_granted) in [
            (microsoft, "https://outlook.office.com/SMTP.Send openid profile", true),
            (microsoft, "SMTP.Send", true),
            (microsoft, "https://outlook.office365.com/smtp.send", true),
            (microsoft, "openid profile offline_access", false),
            (microsoft, "https://outlook.office.com/IMAP.AccessAsUser.All", false),
            (google, "openid https://mail.google.com/ https://www.googleapis.com/auth/userinfo.email", true),
            (google, "https://www.googleapis.com/auth/userinfo.email openid", false),
            ("mail offline_access", "mail", true),
            ("mail offline_access", "offline_access", false),
            ("https://outlook.office365.com/.default", "SMTP.SendAsApp", true),
            ("openid", "profile", true),
        ] {
            assert_eq!(grants_mail(asked, granted), is_granted, "{asked}: {granted}");
        }
    }
}
