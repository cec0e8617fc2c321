//! Bearer tokens: one is kept for the calls that follow, and discarded when it is refused.

use serde::Deserialize;
use touchline::domain::attempt::ProviderReference;
use touchline::domain::{Channel, Fault, Outcome};
use touchline::provider::find_spec;

use super::fixture::Exchange;
use super::replay::Replay;
use super::{build, sample, subject};

#[derive(Deserialize)]
struct Script {
    exchange: Vec<Exchange>,
}

fn token(word: &str) -> String {
    format!(
        "[[exchange]]\nmethod = \"POST\"\npath = \"/restapi/oauth/token\"\n[exchange.answer]\nstatus = 200\n\
         body = '{{\"access_token\":\"{word}\",\"expires_in\":3600}}'\n"
    )
}

fn question(token: &str, status: u16) -> String {
    format!(
        "[[exchange]]\nmethod = \"GET\"\npath = \"/restapi/v1.0/account/~/extension/~/message-store/17\"\n\
         headers = {{ authorization = \"Bearer {token}\" }}\n[exchange.answer]\nstatus = {status}\n\
         body = '{{\"id\":17,\"messageStatus\":\"Queued\"}}'\n"
    )
}

#[tokio::test]
async fn a_token_serves_until_it_is_not_taken_and_then_another_is_fetched() {
    let script =
        [token("first"), question("first", 200), question("first", 401), token("second"), question("second", 200)];
    let script: Script = toml::from_str(&script.concat()).expect("it is a script");
    let server = Replay::start(&script.exchange).await;
    let spec = find_spec("ringcentral").expect("it is in the registry");
    let provider = build(&subject::built_in(spec), server.port, None).expect("its account");
    let reference = ProviderReference::new("17").expect("it can be one");

    assert!(provider.status(&reference).await.is_ok());
    let refused = provider.status(&reference).await.expect_err("the token is not taken any more");
    assert_eq!(refused.fault, Fault::ProviderError, "nothing is wrong with the account");
    assert!(provider.status(&reference).await.is_ok());
    assert_eq!(server.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn a_letter_with_a_token_that_ended_was_not_sent_and_one_that_never_served_is_the_accounts_fault() {
    let send = |token: &str| question(token, 401).replace("GET", "POST").replace("message-store/17", "fax");
    let script = [token("first"), question("first", 200), send("first"), token("second"), send("second")];
    let script: Script = toml::from_str(&script.concat()).expect("it is a script");
    let server = Replay::start(&script.exchange).await;
    let spec = find_spec("ringcentral").expect("it is in the registry");
    let provider = build(&subject::built_in(spec), server.port, None).expect("its account");

    assert!(provider.status(&ProviderReference::new("17").expect("it can be one")).await.is_ok());
    let letter = sample::envelope(Channel::Fax);
    let ended = provider.submit(&letter).await;
    assert!(matches!(&ended, Outcome::NotSent(failure) if failure.fault == Fault::ProviderError), "{ended:?}");
    let refused = provider.submit(&letter).await;
    assert!(matches!(&refused, Outcome::Refused(failure) if failure.fault == Fault::AccountError), "{refused:?}");
    assert_eq!(server.complaints(), Vec::<String>::new());
}
