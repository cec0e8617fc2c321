//! Bearer tokens: one is kept for the calls that follow, and given up when it is not taken.

use serde::Deserialize;
use touchline::domain::Fault;
use touchline::domain::attempt::ProviderReference;
use touchline::provider::find_spec;

use super::build;
use super::fixture::Exchange;
use super::replay::Replay;
use super::subject;

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
    assert_eq!(refused.fault, Fault::AccountError);
    assert!(provider.status(&reference).await.is_ok());
    assert_eq!(server.complaints(), Vec::<String>::new());
}
