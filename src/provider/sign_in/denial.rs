//! Why a service issued no token, in words, and who can do something about it. What is done follows from the words of
//! RFC 6749 §5.2, RFC 8628 §3.5 and OpenID Connect Core §3.1.2.6 alone; Microsoft's numbers change, and only explain.

use super::Grant;
use crate::domain::fault::{About, Failure, Fault};
use crate::domain::remedy::Remedy;
use crate::http::oauth::exchange::Denied;

/// Words that a person answers by signing in again.
const SIGN_IN: &[&str] = &[
    "invalid_grant",
    "interaction_required",
    "login_required",
    "consent_required",
    "account_selection_required",
    "access_denied",
    "authorization_declined",
    "expired_token",
    "bad_verification_code",
];
/// Words for trouble that passes.
const PASSES: &[&str] = &["temporarily_unavailable", "server_error", "slow_down", "authorization_pending"];

/// The failure of an account whose token request was refused or not answered.
pub(super) fn failure(grant: Grant, denied: Denied) -> Failure {
    let Denied { failure, word, number } = denied;
    let Some(word) = word else { return without_word(failure) };
    // A 429 or 5xx passes, whatever word comes with it.
    let passes = matches!(failure.fault, Fault::RateLimited | Fault::ProviderError);
    if passes || PASSES.contains(&word.as_str()) {
        let failure = Failure { fault: Fault::ProviderError, ..failure };
        return failure.about(About::Path).remedy(Remedy::WaitForRelay).text("the sign-in service is in trouble");
    }
    let by_signing_in = grant == Grant::Person && SIGN_IN.contains(&word.as_str());
    let remedy = if by_signing_in { Remedy::SignIn } else { Remedy::AppRegistration };
    let words = number.and_then(words_of_number).unwrap_or_else(|| words_of(grant, &word));
    let code = number.map_or_else(|| word.clone(), |number| format!("{word} AADSTS{number}"));
    let failure = Failure::new(Fault::AccountError).about(About::Account).remedy(remedy).text(words);
    // Set as it is: cleaned, a number of seven digits would pass for a telephone number.
    Failure { raw_code: Some(code), ..failure }
}

/// No answer, or none by the RFC: a redirect or a 401 is about the settings, the rest passes.
fn without_word(failure: Failure) -> Failure {
    if failure.fault == Fault::AccountError {
        let words = "the sign-in service refused without saying why";
        return failure.about(About::Account).remedy(Remedy::AppRegistration).text(words);
    }
    let why = failure.raw_text.clone().unwrap_or_default();
    let failure = failure.about(About::Path).remedy(Remedy::WaitForRelay);
    failure.text(format!("the sign-in service gave no token: {why}").trim_end_matches([':', ' ']))
}

fn words_of(grant: Grant, word: &str) -> &'static str {
    match (word, grant) {
        ("invalid_grant", Grant::ServiceAccount) => {
            "the service account may not act for this mailbox, the mailbox does not exist, or this machine's clock is wrong"
        }
        ("invalid_grant", _) => "the sign-in has ended or was revoked",
        ("interaction_required" | "login_required" | "account_selection_required", _) => {
            "the service wants the person to sign in again"
        }
        ("consent_required", _) => "the app has not been given consent",
        ("access_denied" | "authorization_declined", _) => "the sign-in was refused",
        ("expired_token" | "bad_verification_code", _) => "nobody signed in in time",
        ("invalid_client", _) => "the client id or the client secret is wrong, or the secret has expired",
        ("unauthorized_client", Grant::ServiceAccount) => {
            "domain-wide delegation does not allow the service account this scope"
        }
        ("unauthorized_client", _) => "the app registration does not allow this way of signing in",
        ("invalid_scope", _) => "the app registration does not have the scope that mail needs",
        ("admin_policy_enforced" | "org_internal", _) => "an administrator of the organization does not allow the app",
        ("deleted_client", _) => "the app registration was deleted",
        _ => "the sign-in service refused",
    }
}

/// Microsoft: Entra authentication and authorization error codes.
const fn words_of_number(number: u32) -> Option<&'static str> {
    Some(match number {
        50034 => "there is no such user in the organization",
        50053 => "the user is locked after too many tries",
        50055 => "the user's password has expired",
        50057 => "the user is disabled",
        50076 | 50078 | 50079 => "a second factor is wanted",
        50105 => "the user is not assigned to the app",
        50173 => "the password was changed or the sign-in was revoked",
        50194 => "the app belongs to one organization: tenant must be that organization",
        53000..=53004 => "a conditional access policy of the organization blocks the sign-in",
        65001 => "nobody has consented to the app's permissions",
        70008 | 700_082 => "the sign-in was not used for too long and has ended",
        70043 => "a conditional access policy ended the sign-in after some time",
        70011 => "the scope is not one that the app may ask for",
        90002 | 900_023 => "there is no organization of that tenant",
        700_016 => "there is no app of that client id in the organization",
        7_000_112 => "the app is disabled",
        7_000_215 => "the client secret is wrong: it is the value of the secret, not its id",
        7_000_218 => "the app does not allow public client flows",
        7_000_222 => "the client secret has expired",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(grant: Grant, word: &str, number: Option<u32>) -> Failure {
        let failure = Failure::new(Fault::AccountError).code("400").text(word);
        super::failure(grant, Denied { failure, word: Some(word.to_owned()), number })
    }

    #[test]
    fn a_person_is_asked_to_sign_in_only_where_that_helps() {
        for word in SIGN_IN {
            assert_eq!(told(Grant::Person, word, None).remedy, Some(Remedy::SignIn), "{word}");
            for grant in [Grant::Application, Grant::ServiceAccount] {
                assert_eq!(told(grant, word, None).remedy, Some(Remedy::AppRegistration), "{word}");
            }
        }
        for word in ["invalid_client", "unauthorized_client", "invalid_scope", "deleted_client", "never_heard_of"] {
            let failure = told(Grant::Person, word, None);
            assert_eq!((failure.fault, failure.about), (Fault::AccountError, Some(About::Account)), "{word}");
            assert_eq!(failure.remedy, Some(Remedy::AppRegistration), "{word}");
        }
    }

    #[test]
    fn trouble_of_the_service_is_about_the_path_and_pauses_nobody() {
        for word in PASSES {
            let failure = told(Grant::Person, word, None);
            assert_eq!((failure.fault, failure.about), (Fault::ProviderError, Some(About::Path)), "{word}");
        }
        for fault in [Fault::RateLimited, Fault::ProviderError] {
            let busy = Denied {
                failure: Failure::new(fault).retry_after(Some(7)),
                word: Some("too_many_requests".to_owned()),
                number: None,
            };
            let told = failure(Grant::Application, busy);
            assert_eq!((told.fault, told.retry_after_seconds), (Fault::ProviderError, Some(7)));
        }
        let silent = Denied::without_word(Failure::new(Fault::ProviderError).text("no answer in time"));
        let failure = failure(Grant::Person, silent);
        assert_eq!(failure.about, Some(About::Path));
        assert_eq!(failure.raw_text.as_deref(), Some("the sign-in service gave no token: no answer in time"));
    }

    #[test]
    fn a_number_explains_and_decides_nothing() {
        let failure = told(Grant::Person, "invalid_grant", Some(700_082));
        assert_eq!(failure.raw_text.as_deref(), Some("the sign-in was not used for too long and has ended"));
        assert_eq!(failure.raw_code.as_deref(), Some("invalid_grant AADSTS700082"));
        assert_eq!(failure.remedy, told(Grant::Person, "invalid_grant", None).remedy);
        let unknown = told(Grant::Application, "invalid_client", Some(7_999_999));
        assert_eq!(unknown.raw_code.as_deref(), Some("invalid_client AADSTS7999999"));
        assert!(unknown.raw_text.is_some_and(|words| words.contains("client secret")));
    }
}
