//! `touchline mail status`: how each account signs in, who did, until when the current token is valid, and the last refusal.

use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::accounts::mail_tokens::login::Login;
use crate::app::Gateway;
use crate::cli::console::{Console, plain, table};
use crate::cli::exit::CliError;
use crate::domain::{Remedy, Timestamp};
use crate::provider::sign_in::SignIn;
use crate::store::records::mail_tokens::MailToken;
use crate::wording;

/// An account that signs in, and what is on record of it.
struct Standing<'a> {
    sign_in: &'a SignIn,
    /// Whether it is a mailbox that is read, which nothing pauses.
    is_mailbox: bool,
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
    let is_mailbox = |sign_in: &SignIn| gateway.mailboxes.contains_key(sign_in.account());
    signs_in.map(|sign_in| Standing { sign_in, is_mailbox: is_mailbox(sign_in), known: of(sign_in), now }).collect()
}

impl Standing<'_> {
    fn known<T>(&self, field: impl Fn(&MailToken) -> Option<T>) -> Option<T> {
        self.known.and_then(field)
    }

    fn login(&self) -> Login {
        Login::of(self.sign_in, self.known, self.now)
    }

    /// The end of the current token, if it has not come.
    fn valid_until(&self) -> Option<Timestamp> {
        self.login().valid_until_ms
    }

    /// In a word for programs, which stays the same.
    fn state(&self) -> &'static str {
        self.login().state.as_str()
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
                "since": at,
                "at": self.known(|known| known.refused_last_ms).unwrap_or(at),
                "words": self.known(|known| known.refusal.clone()),
                "remedy": self.known(|known| known.refusal_remedy),
            })),
        })
    }

    /// What can be done about a refusal: a mailbox is read again by itself, an account is resumed.
    fn advice(&self, way_out: Remedy) -> String {
        if self.is_mailbox {
            wording::mailboxes::advice(Some(way_out), self.sign_in.account())
        } else {
            wording::refusals::remedy_for(way_out, self.sign_in.account())
        }
    }

    fn row(&self, zone: Tz) -> Vec<String> {
        let at = |moment: Option<Timestamp>| moment.map_or_else(|| "—".to_owned(), |moment| moment.in_zone(zone));
        let refusal = self.known(|known| {
            let words = known.refusal.clone().unwrap_or_default();
            let advice = known.refusal_remedy.map(|way_out| self.advice(way_out));
            Some(format!("{}: {words}. {}", since(known, zone)?, advice.unwrap_or_default()))
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

/// When the service refused: the first time and, where it was asked again, the last.
fn since(known: &MailToken, zone: Tz) -> Option<String> {
    let first = known.refused_ms?;
    let last = known.refused_last_ms.filter(|last| *last != first);
    let last = last.map(|last| format!(", last {}", last.in_zone(zone)));
    Some(format!("{}{}", first.in_zone(zone), last.unwrap_or_default()))
}
