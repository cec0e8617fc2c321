//! What the described built-ins do not use: other ways to authenticate a call, other bodies, other signatures; and what
//! no description can do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ring::hmac;
use touchline::domain::attempt::ProviderReference;
use touchline::domain::event::Fact;
use touchline::domain::{Channel, Clock, Fault, Outcome};
use touchline::provider::fax::declared;
use touchline::provider::{Provider, Rejection, SettingsError, WebhookParts};

use super::fixture::{Answer, Exchange};
use super::replay::Replay;
use super::sample;
use crate::support::PATIENCE;
use crate::support::clock::FakeClock;

const KEY: &str = "KEY-canary-9a";

/// What every description here begins with.
fn head(server: &str) -> String {
    format!("title = 'Acme'\nsources = ['ours']\nprivate_hosts = ['127.0.0.1']\nbase_url = '{server}/v1'\n")
}

const REST: &str = "[status]\nrequest = { method = 'GET', path = 'faxes/{{reference}}' }\n\
                    [check]\nrequest = { method = 'GET', path = 'account' }\n\
                    [secrets.key]\nabout = 'The key.'\n[settings.site]\nabout = 'The site.'\nrequired = false\n";

const FAX: &str = "[fax]\nreference = '/id'\nstate = '/status'\nstates = { sent = 'delivered', failed = 'failed' }\n\
                   text = '/error'\n[[fax.faults]]\nat = '/error'\nhas = { 'busy' = 'busy', 'no remote fax' = 'not_a_fax' }\n";

fn open(text: &str, site: Option<&str>, watch: Option<declared::Watch>) -> Result<Arc<dyn Provider>, SettingsError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("acme.toml");
    std::fs::write(&path, text).expect("written");
    let mut settings = toml::Table::new();
    settings.insert("description".to_owned(), path.display().to_string().into());
    settings.extend(site.map(|site| ("site".to_owned(), site.into())));
    let secrets = BTreeMap::from([("key".to_owned(), KEY.to_owned())]);
    declared::open(&path, sample::account(settings, &secrets, PATIENCE, FakeClock::at(sample::NOW)), watch)
}

fn exchange(method: &str, path: &str, status: u16, body: &str) -> Exchange {
    Exchange {
        method: method.to_owned(),
        path: path.to_owned(),
        answer: Answer { status, body: body.to_owned(), ..Answer::default() },
        ..Exchange::default()
    }
}

fn with_header(mut exchange: Exchange, name: &str, value: &str) -> Exchange {
    exchange.headers.insert(name.to_owned(), value.to_owned());
    exchange
}

fn holding(mut exchange: Exchange, texts: &[&str]) -> Exchange {
    exchange.body_has = texts.iter().map(|text| (*text).to_owned()).collect();
    exchange
}

fn address(server: &Replay) -> String {
    format!("http://127.0.0.1:{}", server.port)
}

fn status_of(reference: &str) -> ProviderReference {
    ProviderReference::new(reference).expect("a reference")
}

#[tokio::test]
async fn a_token_is_fetched_once_and_the_document_itself_can_be_the_body() {
    let mut made = exchange("POST", "/v1/faxes", 201, "");
    made.answer.headers.insert("location".to_owned(), "https://elsewhere.example/v1/faxes/854759652".to_owned());
    let server = Replay::start(&[
        holding(
            with_header(
                exchange("POST", "/token", 200, r#"{"access_token":"T1","expires_in":3600}"#),
                "authorization",
                "Basic YTpLRVktY2FuYXJ5LTlh",
            ),
            &["grant_type=client_credentials", "scope=fax"],
        ),
        holding(with_header(made, "authorization", "Bearer T1"), &["%PDF-1.7", sample::DOCUMENT_WORD]),
        with_header(
            exchange("GET", "/v1/faxes/854759652", 200, r#"{"id":"854759652","status":"sent"}"#),
            "authorization",
            "Bearer T1",
        ),
        // The token has ended before its time: nothing was sent, and the account is not to blame.
        exchange("POST", "/v1/faxes", 401, ""),
    ])
    .await;
    let text = format!(
        "{}[auth]\nkind = 'oauth2'\ntoken_url = '{}/token'\nclient_id = 'a'\nclient_secret = '{{{{secrets.key}}}}'\nscope = 'fax'\n\
         [send]\nreference = 'location'\nrequest = {{ method = 'POST', path = 'faxes', document_body = true, headers = {{ x-to = '{{{{to}}}}' }} }}\n{FAX}{REST}",
        head(&address(&server)),
        address(&server),
    );
    let provider = open(&text, None, None).expect("sound");
    let outcome = provider.submit(&sample::envelope(Channel::Fax)).await;
    assert_eq!(outcome, Outcome::Accepted { reference: status_of("854759652") });
    let report = provider.status(&status_of("854759652")).await.expect("answered");
    assert_eq!(report.fact, Fact::Delivered { pages: None });
    let ended = provider.submit(&sample::envelope(Channel::Fax)).await;
    assert!(matches!(&ended, Outcome::NotSent(failure) if failure.fault != Fault::AccountError), "{ended:?}");
    assert_eq!(server.complaints(), Vec::<String>::new());
}

/// Some answer 200 to everything and say in a word of their own list what became of it, a list for each call.
#[tokio::test]
async fn the_words_of_a_call_within_an_ok_decide_whether_it_was_refused_and_why() {
    let server = Replay::start(&[
        exchange("POST", "/v1/faxes", 200, r#"{"result":"NO_FUNDS","id":7}"#),
        exchange("POST", "/v1/faxes", 200, r#"{"result":"bad_number"}"#),
        exchange("POST", "/v1/faxes", 200, r#"{"result":"queued","id":"f1"}"#),
        exchange("POST", "/v1/faxes", 200, r#"{"result":"pondering"}"#),
        exchange("GET", "/v1/faxes/f1", 200, r#"{"ok":"no","error":"gone"}"#),
        exchange("GET", "/v1/faxes/f1", 200, r#"{"ok":"yes","status":"sent"}"#),
    ])
    .await;
    let text = format!(
        "{}[send]\nreference = '/id'\n\
         refused = {{ at = '/result', is = {{ no_funds = 'account_error', BAD_NUMBER = 'unknown' }} }}\n\
         request = {{ method = 'POST', path = 'faxes', json = '{{\"to\":\"{{{{to}}}}\",\"doc\":\"{{{{document_base64}}}}\"}}' }}\n\
         [[answer.faults]]\nat = '/result'\nis = {{ bad_number = 'invalid_number' }}\n{FAX}{}",
        head(&address(&server)),
        REST.replace("[status]\n", "[status]\nsuccess = { at = '/ok', is = ['yes'] }\n"),
    );
    let provider = open(&text, None, None).expect("sound");
    let envelope = sample::envelope(Channel::Fax);
    for fault in [Fault::AccountError, Fault::InvalidNumber] {
        let refused = provider.submit(&envelope).await;
        assert!(matches!(&refused, Outcome::Refused(failure) if failure.fault == fault), "{fault}: {refused:?}");
    }
    assert_eq!(provider.submit(&envelope).await, Outcome::Accepted { reference: status_of("f1") });
    assert!(matches!(provider.submit(&envelope).await, Outcome::Unknown(_)), "a word nobody listed proves nothing");
    assert!(provider.status(&status_of("f1")).await.is_err(), "that call has a sign of its own");
    let report = provider.status(&status_of("f1")).await.expect("answered");
    assert_eq!(report.fact, Fact::Delivered { pages: None });
    assert_eq!(server.complaints(), Vec::<String>::new());
}

/// As SRFax does it: credentials in a form, base64, and a failure inside a 200.
fn form_description(server: &str) -> String {
    format!(
        "{}[send]\nreference = '/Result'\n[send.request]\nmethod = 'POST'\npath = ''\n\
         form = {{ action = 'Queue_Fax', access_pwd = '{{{{secrets.key}}}}', sToFaxNumber = '{{{{digits to}}}}', \
         sAccountCode = '{{{{first attempt_hex 20}}}}', sFileContent_1 = '{{{{document_base64}}}}', sNotifyURL = '{{{{callback}}}}' }}\n\
         [answer]\nsuccess = {{ at = '/Status', is = ['Success'] }}\ntext = '/Result'\n\
         [[answer.faults]]\nat = '/Result'\nhas = {{ 'invalid number' = 'invalid_number' }}\n{FAX}{REST}",
        head(server)
    )
}

#[tokio::test]
async fn a_failure_inside_an_ok_is_a_refusal_and_a_success_that_does_not_say_so_is_unknown() {
    let server = Replay::start(&[
        holding(
            exchange("POST", "/v1", 200, r#"{"Status":"Success","Result":31542}"#),
            &[
                "action=Queue_Fax",
                "sToFaxNumber=13125550142",
                "sAccountCode=0199c0de7a1170008000&",
                "sFileContent_1=JVBERi0x",
                "access_pwd=KEY-canary-9a",
            ],
        ),
        exchange("POST", "/v1", 200, r#"{"Status":"Failed","Result":"Invalid Number +13125550142 for KEY-canary-9a"}"#),
        exchange("POST", "/v1", 200, r#"{"Result":"31543"}"#),
        exchange("POST", "/v1", 500, ""),
    ])
    .await;
    let provider = open(&form_description(&address(&server)), None, None).expect("sound");
    let envelope = sample::envelope(Channel::Fax);
    assert_eq!(provider.submit(&envelope).await, Outcome::Accepted { reference: status_of("31542") });
    let refused = provider.submit(&envelope).await;
    let secrets = BTreeMap::from([("key".to_owned(), KEY.to_owned())]);
    assert_eq!(sample::leak(&format!("{refused:?}"), &secrets), None, "{refused:?}");
    assert!(matches!(&refused, Outcome::Refused(failure) if failure.fault == Fault::InvalidNumber), "{refused:?}");
    assert!(matches!(provider.submit(&envelope).await, Outcome::Unknown(_)));
    assert!(matches!(provider.submit(&envelope).await, Outcome::Unknown(_)));
    assert_eq!(server.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn whatever_goes_wrong_before_the_call_that_dials_nothing_was_sent() {
    let server = Replay::start(&[
        exchange("POST", "/v1/files", 200, "{}"),
        exchange("POST", "/v1/files", 200, "<html>"),
        exchange("POST", "/v1/files", 503, ""),
        exchange("POST", "/v1/files", 401, ""),
        exchange("POST", "/v1/files", 200, r#"{"id":"../faxes"}"#),
    ])
    .await;
    let text = format!(
        "{}[[prepare]]\nname = 'file'\ntake = {{ id = '/id' }}\n\
         request = {{ method = 'POST', path = 'files', document_body = true }}\n\
         [send]\nreference = '/id'\nrequest = {{ method = 'POST', path = 'files/{{{{file.id}}}}', form = {{ to = '{{{{to}}}}' }} }}\n{FAX}{REST}",
        head(&address(&server))
    );
    let provider = open(&text, None, None).expect("sound");
    for expected in ["not_sent", "not_sent", "not_sent", "refused", "refused"] {
        let outcome = provider.submit(&sample::envelope(Channel::Fax)).await;
        assert_eq!(outcome.as_str(), expected, "{outcome:?}");
    }
    assert_eq!(server.complaints(), Vec::<String>::new(), "the call that dials was never made");
}

#[tokio::test]
async fn what_is_told_of_a_try_holds_no_value() {
    let server = Replay::start(&[exchange("POST", "/v1", 200, r#"{"Status":"Success","Result":31542}"#)]).await;
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let watch: declared::Watch = {
        let told = told.clone();
        Arc::new(move |words: &str| told.lock().expect("no test panicked here").push(words.to_owned()))
    };
    let provider = open(&form_description(&address(&server)), None, Some(watch)).expect("sound");
    provider.submit(&sample::envelope(Channel::Fax)).await;
    let told = told.lock().expect("no test panicked here").join("\n");
    for word in ["POST", "127.0.0.1", "/v1", "access_pwd", "sToFaxNumber", "status 200", "found (31542)"] {
        assert!(told.contains(word), "{word} is missing: {told}");
    }
    let secrets = BTreeMap::from([("key".to_owned(), KEY.to_owned())]);
    assert_eq!(sample::leak(&told, &secrets), None, "{told}");
    assert!(!told.contains("JVBERi0x"), "{told}");
}

#[tokio::test]
async fn a_value_cannot_lead_to_another_path() {
    let server = Replay::start(&[]).await;
    let text = format!(
        "{}[send]\nreference = '/id'\nrequest = {{ method = 'POST', path = 'sites/{{{{settings.site}}}}/faxes', multipart = {{ to = '{{{{to}}}}' }}, document_field = 'f' }}\n{FAX}{REST}",
        head(&address(&server))
    );
    for site in ["..", "a/b", "%2e%2e", "", "a b", "a?x=1#"] {
        let provider = open(&text, Some(site), None).expect("sound");
        let outcome = provider.submit(&sample::envelope(Channel::Fax)).await;
        assert!(matches!(&outcome, Outcome::NotSent(_) | Outcome::Refused(_)), "{site}: {outcome:?}");
    }
    let stranger = open(&text, Some("main"), None).expect("sound").status(&status_of("../account")).await;
    assert!(stranger.is_err_and(|failure| failure.fault == Fault::ProtocolError));
    assert_eq!(server.complaints(), Vec::<String>::new(), "nothing was called");
}

/// The name is public as far as the description says, and leads to this machine: as after a change in the DNS.
#[tokio::test]
async fn a_host_that_turns_out_to_be_inside_is_not_connected_to() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let text = format!(
        "title = 'Acme'\nsources = ['ours']\nhosts = ['localhost']\nbase_url = 'https://localhost:{port}/v1'\n\
         [send]\nreference = '/id'\nrequest = {{ method = 'POST', path = 'faxes', multipart = {{ to = '{{{{to}}}}' }}, document_field = 'f' }}\n{FAX}{REST}"
    );
    let provider = open(&text, None, None).expect("sound");
    let outcome = provider.submit(&sample::envelope(Channel::Fax)).await;
    assert!(matches!(&outcome, Outcome::NotSent(_)), "{outcome:?}");
    let connected = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
    assert!(connected.is_err(), "something connected");
}

fn calling(webhook: &str) -> Arc<dyn Provider> {
    let text = format!(
        "{}[send]\nreference = '/id'\nrequest = {{ method = 'POST', path = 'faxes', multipart = {{ to = '{{{{to}}}}' }}, document_field = 'f' }}\n{FAX}{REST}[webhook]\n{webhook}",
        head("http://127.0.0.1:9")
    );
    open(&text, None, None).expect("sound")
}

fn parts(headers: &[(&str, String)], body: &str) -> WebhookParts {
    WebhookParts {
        url: "https://touchline.example/hooks/office".to_owned(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        body: body.as_bytes().to_vec(),
        secret: None,
    }
}

#[test]
fn a_signature_in_a_list_with_its_time_is_read_and_an_old_one_is_stale() {
    let provider = calling(
        "proof = 'hmac_sha256'\nheader = 'Acme-Signature'\npart = 'v'\ntimestamp_part = 't'\nsigned = '{timestamp}.{body}'\nkey = 'secrets.key'\nat = '/Payload'\n",
    );
    let clock = FakeClock::at(sample::NOW);
    let body = r#"{"Payload":{"id":"F1","status":"failed","error":"Line busy"}}"#;
    let seconds = clock.now().0 / 1000;
    let signature = |seconds: i64, body: &str| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes());
        let signed = hmac::sign(&key, format!("{seconds}.{body}").as_bytes());
        format!("t={seconds},v={}", hex::encode(signed.as_ref()))
    };
    let call = |header: String, body: &str| provider.receive(&parts(&[("acme-signature", header)], body), clock.now());
    let events = call(signature(seconds, body), body).expect("authentic");
    assert!(matches!(&events[0].fact, Fact::Failed(failure) if failure.fault == Fault::Busy));
    assert_eq!(events[0].dedupe, "F1:failed");
    assert_eq!(call(signature(seconds - 301, body), body), Err(Rejection::Stale));
    assert_eq!(call(signature(seconds, body), "{}"), Err(Rejection::Forged));
    assert_eq!(call(format!("t={seconds},v=zz"), body), Err(Rejection::Forged));
    assert_eq!(call(format!("t={seconds}"), body), Err(Rejection::Forged));
    let later = signature(seconds, body).replace(&seconds.to_string(), &(seconds + 1).to_string());
    assert_eq!(call(later, body), Err(Rejection::Forged), "the time is signed");
}

#[test]
fn a_shared_secret_is_compared_whole() {
    let provider = calling("proof = 'shared_secret'\nheader = 'x-token'\nkey = 'secrets.key'\nbody = 'form'\n");
    let now = FakeClock::at(sample::NOW).now();
    let body = "id=F1&status=sent";
    let call = |value: &str| provider.receive(&parts(&[("x-token", value.to_owned())], body), now);
    assert_eq!(call(KEY).expect("authentic")[0].fact, Fact::Delivered { pages: None });
    for wrong in ["", "KEY-canary-9", "KEY-canary-9aa", "key-canary-9a"] {
        assert_eq!(call(wrong), Err(Rejection::Forged), "{wrong}");
    }
    assert_eq!(provider.receive(&parts(&[], body), now), Err(Rejection::Forged));
}

#[test]
fn a_callback_that_proves_nothing_needs_our_secret_in_its_address() {
    let provider = calling("proof = 'secret_path'\n");
    let now = FakeClock::at(sample::NOW).now();
    let given = WebhookParts {
        secret: Some("another-word-of-16-letters".to_owned()),
        ..parts(&[], r#"{"id":"F1","status":"sent"}"#)
    };
    assert_eq!(provider.receive(&given, now), Err(Rejection::Unsupported), "the account has no callback_secret");
    let declared = provider.spec().settings.iter().any(|setting| setting.key == "callback_secret");
    assert!(declared, "an account can have one");
}
