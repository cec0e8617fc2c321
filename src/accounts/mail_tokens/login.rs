//! How an account's sign-in by OAuth stands, by what is on record of it: for screens, commands and programs alike.

use crate::domain::provider_state::LoginState;
use crate::domain::{Actor, Remedy, Timestamp};
use crate::provider::sign_in::{Grant, SignIn};
use crate::store::records::mail_tokens::MailToken;

/// The sign-in of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// How it stands.
    pub state: LoginState,
    /// Who signs in.
    pub grant: Grant,
    /// The service, as people call it.
    pub authority: &'static str,
    /// Who signed in, as the service says.
    pub signed_in_as: Option<String>,
    /// Who ran the command.
    pub signed_in_by: Option<Actor>,
    /// When.
    pub signed_in_ms: Option<Timestamp>,
    /// When the current token was issued.
    pub renewed_ms: Option<Timestamp>,
    /// When the current token ends, if it has not; before, it is renewed without a person.
    pub valid_until_ms: Option<Timestamp>,
    /// When the service refused first since it last issued a token; before `renewed_ms` where it has issued one since.
    pub refused_ms: Option<Timestamp>,
    /// The service's words about it, cleaned.
    pub refusal: Option<String>,
    /// What can be done about it.
    pub remedy: Option<Remedy>,
}

impl Login {
    /// How a sign-in stands at that moment. `known`: what is on record of its account, if anything.
    #[must_use]
    pub fn of(sign_in: &SignIn, known: Option<&MailToken>, now: Timestamp) -> Self {
        Self {
            state: state(sign_in, known),
            grant: sign_in.grant(),
            authority: sign_in.authority().title(),
            signed_in_as: known.and_then(|known| known.signed_in_as.clone()),
            signed_in_by: known.and_then(|known| known.signed_in_by.clone()),
            signed_in_ms: known.and_then(|known| known.signed_in_ms),
            renewed_ms: known.and_then(|known| known.issued_ms),
            valid_until_ms: known.and_then(|known| known.access_until_ms).filter(|until| *until > now),
            refused_ms: known.and_then(|known| known.refused_ms),
            refusal: known.and_then(|known| known.refusal.clone()),
            remedy: known.and_then(|known| known.refusal_remedy),
        }
    }

    /// Whether nothing is sent until a person does something about it.
    #[must_use]
    pub const fn needs_person(&self) -> bool {
        matches!(self.state, LoginState::SignInNeeded | LoginState::Refused)
    }
}

fn state(sign_in: &SignIn, known: Option<&MailToken>) -> LoginState {
    let is_refused = |known: &MailToken| {
        known.refused_ms.is_some_and(|refused| known.issued_ms.is_none_or(|issued| refused > issued))
    };
    let is_signed_in = |known: &MailToken| known.refresh_sealed.is_some() && known.made_for == sign_in.made_for();
    match sign_in.grant() {
        _ if known.is_some_and(is_refused) => LoginState::Refused,
        Grant::Person if known.is_some_and(is_signed_in) => LoginState::SignedIn,
        Grant::Person => LoginState::SignInNeeded,
        _ => LoginState::Ready,
    }
}
