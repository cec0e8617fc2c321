//! `touchline mail status`: how each account signs in, who did, until when the token at hand is valid, and the last refusal.

use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::app::Gateway;
use crate::cli::console::{Console, plain, table};
use crate::cli::exit::CliError;
use crate::domain::Timestamp;
use crate::provider::sign_in::{Grant, SignIn};
use crate::store::records::mail_tokens::MailToken;
use crate::wording;

/// An account that signs in, and what is on record of it.
struct Standing<'a> {
    sign_in: &'a SignIn,
    known: Option<&'a MailToken>,
    now: Timestamp,
}

/// Shows them all.
///
/// # Errors
/// Configuration or database cannot be used.
pub(super) async fn run(console: &Console) -> Result<(), CliError> {
    let gateway = console.gateway_to_read().await?;
    let known = gateway.mail_tokens.all().await?;
    let standings = standings(&gateway, &known, gateway.clock.now());
    let objects: Vec<Value> = standings.iter().map(Standing::object).collect();
    console.answer(&json!({ "accounts": objects }), || {
        if standings.is_empty() {
            return "No account signs in by OAuth. `touchline provider list --markdown` says what it takes.".to_owned();
        }
        let zone = gateway.config.practice.time_zone;
        let rows = standings.iter().map(|standing| standing.row(zone));
        table(&["account", "by", "state", "signed in as", "since", "token until", "last refusal"], rows)
    })
}

fn standings<'a>(gateway: &'a Gateway, known: &'a [MailToken], now: Timestamp) -> Vec<Standing<'a>> {
    let signs_in = gateway.all_sign_ins();
    let of = |sign_in: &SignIn| known.iter().find(|one| one.account == sign_in.account());
    signs_in.map(|sign_in| Standing { sign_in, known: of(sign_in), now }).collect()
}

impl Standing<'_> {
    fn known<T>(&self, field: impl Fn(&MailToken) -> Option<T>) -> Option<T> {
        self.known.and_then(field)
    }

    /// The end of the token at hand, if it has not come.
    fn valid_until(&self) -> Option<Timestamp> {
        self.known(|known| known.access_until_ms).filter(|until| *until > self.now)
    }

    /// In a word for programs, which stays the same.
    fn state(&self) -> &'static str {
        let is_refused = self.known(|known| {
            let refused = known.refused_ms?;
            Some(known.issued_ms.is_none_or(|issued| refused > issued))
        });
        let is_for_others = self.known.is_some_and(|known| known.made_for != self.sign_in.made_for());
        let has_sign_in = self.known(|known| known.refresh_sealed.as_ref().map(|_| ())).is_some() && !is_for_others;
        match self.sign_in.grant() {
            _ if is_refused == Some(true) => "refused",
            Grant::Person if has_sign_in => "signed_in",
            Grant::Person => "sign_in_needed",
            _ => "ready",
        }
    }

    fn object(&self) -> Value {
        json!({
            "account": self.sign_in.account(),
            "mailbox": self.sign_in.mailbox(),
            "authority": self.sign_in.authority().title(),
            "grant": self.sign_in.grant(),
            "state": self.state(),
            "signed_in_as": self.known(|known| known.signed_in_as.clone()),
            "signed_in_by": self.known(|known| known.signed_in_by.clone()),
            "signed_in_at": self.known(|known| known.signed_in_ms),
            "renewed_at": self.known(|known| known.issued_ms),
            "valid_until": self.valid_until(),
            "last_refusal": self.known(|known| known.refused_ms).map(|at| json!({
                "at": at,
                "words": self.known(|known| known.refusal.clone()),
                "remedy": self.known(|known| known.refusal_remedy),
            })),
        })
    }

    fn row(&self, zone: Tz) -> Vec<String> {
        let at = |moment: Option<Timestamp>| moment.map_or_else(|| "—".to_owned(), |moment| moment.in_zone(zone));
        let refusal = self.known(|known| {
            let words = known.refusal.clone().unwrap_or_default();
            let advice = known.refusal_remedy.map(|way_out| wording::refusals::remedy_for(way_out, &known.account));
            Some(format!("{}: {words}. {}", known.refused_ms?.in_zone(zone), advice.unwrap_or_default()))
        });
        let who = self.known(|known| known.signed_in_as.clone());
        vec![
            self.sign_in.account().to_owned(),
            format!("{}, {}", self.sign_in.authority().title(), self.sign_in.grant().said()),
            match self.state() {
                "sign_in_needed" => format!("run touchline mail login {}", self.sign_in.account()),
                state => state.replace('_', " "),
            },
            who.map_or_else(|| "—".to_owned(), |who| plain(&who)),
            at(self.known(|known| known.signed_in_ms)),
            at(self.valid_until()),
            refusal.unwrap_or_else(|| "—".to_owned()),
        ]
    }
}
