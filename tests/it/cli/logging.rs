//! The log at its most talkative: whatever the program does, neither standard error nor the metrics hold a name, a date of
//! birth, a medicine, a number, a mailbox or a secret.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{Method, Uri};
use reqwest::{RequestBuilder, Response};
use ring::hmac;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use touchline::domain::{Clock, SystemClock};
use touchline::web::session::SESSION_COOKIE;

use super::house::{CANARY, House};
use super::served::{Served, WEBHOOK_SECRET};

const DESCRIPTION: &str = include_str!("../../../config/providers/phaxio.toml");
const SAMPLE: &str = include_str!("../../../templates/end-of-treatment-report/sample.json");
const LIST: &str = "first_name,last_name,organization,type,email,fax,basis,basis_source,basis_date,basis_note\n\
    Canarella,Quillfeather,Ridgeline Canary Clinic,therapist,quill@canary-clinic.example,(312) 555-0187,permission,\
    given_by_recipient,2026-10-06,asked\n";
const PASSWORD: &str = "canary horse battery";
const ACME_KEY: &str = "acme-canary-key-31";
/// Who and what letters are about, and where they go, in every form in which it is written.
const PRIVATE: &[&str] = &[
    "Canarella",
    "Quillfeather",
    "Canary Clinic",
    "canary-clinic",
    "5550187",
    "555-0187",
    "Vandersloot",
    "1979-04-12",
    "April 12, 1979",
    "04/12/1979",
    "venlafaxine",
    "trazodone",
];
/// What opens something, or would if it were right.
const SECRET: &[&str] =
    &[CANARY, WEBHOOK_SECRET, PASSWORD, "a wrong canary password", ACME_KEY, "tl_canary-of-a-stranger"];

/// Another fax provider, which takes everything and has always delivered it.
async fn acme() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let handed_over = Arc::new(AtomicU64::new(0));
    // It reads what it is sent to the end: a server that answers before may cut the connection under the rest.
    let answer = async move |method: Method, uri: Uri, _: Bytes| {
        let fax = json!({ "id": 323_034_813, "status": "success", "num_pages": 1 });
        let data = match (method, uri.path()) {
            (Method::POST, "/faxes") => json!({ "id": 323_034_813 + handed_over.fetch_add(1, Ordering::Relaxed) }),
            (Method::GET, "/faxes") => json!([]),
            (_, "/account/status") => json!({ "balance": 5050 }),
            _ => fax,
        };
        json!({ "success": true, "data": data }).to_string()
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    url
}

/// The demo, with advertisements faxed by the described provider, and letters about patients by the sandbox.
async fn served() -> Served {
    let mut house = House::empty();
    let description = DESCRIPTION
        .replace("https://api.phaxio.com/v2.1", &acme().await)
        .replace("hosts    = [\"api.phaxio.com\"]", "private_hosts = [\"127.0.0.1\"]");
    house.write("providers/acme.toml", &description);
    house.write("list.csv", LIST);
    house.write("password", PASSWORD);
    house.write("report.json", &Value::Object(report()).to_string());
    house.set("ACME_API_KEY", ACME_KEY);
    house.set("ACME_API_SECRET", ACME_KEY);
    Served::start(house, "trace", |config| {
        let baa = "baa = { signed = true, date = \"2026-01-02\", reference = \"a test\" }";
        let acme = "[providers.fax-acme]\nkind = \"http\"\ndescription = \"acme.toml\"\n\
            api_key = { env = \"ACME_API_KEY\" }\napi_secret = { env = \"ACME_API_SECRET\" }\n";
        config
            .replace("kind = \"smtp\"", &format!("kind = \"smtp\"\n{baa}"))
            .replace("[routes]", &format!("{acme}\n[routes]"))
            .replace(
                "fax   = [\"fax-sandbox\"]",
                "fax = [{ account = \"fax-acme\", phi = false }, { account = \"fax-sandbox\", phi = true }]",
            )
    })
    .await
}

/// The report's values, about a patient of our own.
fn report() -> Map<String, Value> {
    let mut values: Map<String, Value> = serde_json::from_str(SAMPLE).expect("a sample");
    values.insert("patient_name".to_owned(), "Jorrit Vandersloot".into());
    values
}

/// A person with a browser, a program, a provider and a stranger, each at their own face.
struct Faces<'a> {
    served: &'a Served,
    http: reqwest::Client,
    /// What was handed out meanwhile, and opens something.
    handed_out: Mutex<Vec<String>>,
}

impl Faces<'_> {
    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.served.address))
    }

    fn handed_out(&self, secret: &str) {
        assert!(secret.len() >= 16, "nothing that could be met by chance");
        self.handed_out.lock().expect("nobody panicked").push(secret.to_owned());
    }

    /// On the command line: a list, both kinds of letter, a preview, a campaign.
    async fn command_line(&self) {
        let served = self.served;
        served.run(&["referrers", "import", "list.csv"]).await.good();
        served.run(&["operator", "add", "dana", "--password-file", "password"]).await.good();
        let waiting = ["--wait", "--timeout=300"];
        let introduction = ["send", "introduction", "--to=Quillfeather", "--via=fax,email"];
        served.run(&[&introduction[..], &waiting].concat()).await.good();
        let values = ["--variables=report.json"];
        // The relay here has no TLS, without which no letter about a patient is mailed.
        let letter = ["send", "end-of-treatment-report", "--to=Quillfeather", "--via=fax"];
        served.run(&[&letter[..], &waiting, &values].concat()).await.good();
        let preview = ["preview", "end-of-treatment-report", "--for=Quillfeather"];
        served.run(&[&preview[..], &values].concat()).await.good();
        let campaign = ["campaign", "add", "monthly", "--letter=direct-ask", "--to=all"];
        served.run(&[&campaign[..], &["--every=every month on the 1st at 9 am"]].concat()).await.good();
        served.run(&["campaign", "run", "monthly", "--yes", "--now"]).await.good();
        served.run(&["referrers", "show", "Quillfeather"]).await.good();
        served.run(&["doctor"]).await;
    }

    /// A program with a token, and one whose token nobody knows.
    async fn api(&self) {
        let token = self.served.token("send,read,operate").await;
        self.handed_out(&token);
        let body =
            json!({ "letter": "end-of-treatment-report", "to": "Quillfeather", "variables": report(), "again": true });
        let sent = self.ask(Method::POST, "/api/v1/messages").bearer_auth(&token).json(&body).send().await;
        let sent: Value = good(sent, 202).await.json().await.expect("JSON");
        let id = sent["messages"][0]["id"].as_str().expect("a message");
        for path in [&format!("/api/v1/messages/{id}"), "/api/v1/referrers?search=Quillfeather", "/api/v1/failures"] {
            good(self.ask(Method::GET, path).bearer_auth(&token).send().await, 200).await;
        }
        let stranger = self.ask(Method::POST, "/api/v1/messages").bearer_auth(SECRET[5]).json(&body).send().await;
        good(stranger, 401).await;
    }

    /// What the provider signed, what it signed and we cannot read, and what somebody else made up.
    async fn callbacks(&self) {
        let body = json!({ "id": "evt_1", "patient": "Vandersloot", "to": "+13125550187" }).to_string();
        for (key, status) in [(WEBHOOK_SECRET, 400), ("somebody else's", 401)] {
            let seconds = SystemClock.now().0 / 1000;
            let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
            let signature = hex::encode(hmac::sign(&key, format!("{seconds}.{body}").as_bytes()));
            let request = self.ask(Method::POST, "/hooks/fax-sandbox?to=5550187").body(body.clone());
            let request = request.header("x-sandbox-timestamp", seconds).header("x-sandbox-signature", signature);
            good(request.send().await, status).await;
        }
    }

    /// At the login with a wrong and the right password, and at pages that name people.
    async fn dashboard(&self) {
        let log_in =
            |password: &str| self.ask(Method::POST, "/login").form(&[("name", "dana"), ("password", password)]);
        good(log_in(SECRET[3]).send().await, 401).await;
        let entered = good(log_in(PASSWORD).send().await, 303).await;
        let cookies = entered.headers().get_all("set-cookie").iter().map(|cookie| cookie.to_str().expect("text"));
        let cookies: Vec<&str> = cookies.filter_map(|cookie| cookie.split(';').next()).collect();
        for cookie in &cookies {
            self.handed_out(cookie.split_once('=').expect("a name and a value").1);
        }
        let session = cookies.iter().find(|cookie| cookie.starts_with(&format!("{SESSION_COOKIE}=")));
        let session = (*session.expect("a session")).to_owned();
        let page = good(self.ask(Method::GET, "/referrers").header("cookie", &session).send().await, 200).await;
        let page = page.text().await.expect("a page");
        assert!(page.contains("Quillfeather"), "{page}");
        let key = between(&page, "name=\"form_key\" value=\"", "\"");
        self.handed_out(&key);
        let search = [("form_key", key.as_str()), ("search", "Quillfeather")];
        let found = self.ask(Method::POST, "/referrers").header("cookie", &session).form(&search).send().await;
        good(found, 303).await;
        for path in ["/", "/messages", "/failures", "/campaigns", "/referrers"] {
            good(self.ask(Method::GET, path).header("cookie", &session).send().await, 200).await;
        }
    }

    /// By the link in a mail.
    async fn opt_out(&self) {
        let mails = self.served.catcher.messages();
        let mails = mails.iter().map(|mail| String::from_utf8_lossy(&mail.eml).into_owned());
        let mail = mails.into_iter().find(|mail| mail.contains("List-Unsubscribe: <")).expect("an advertisement");
        let link = between(&mail, "List-Unsubscribe: <", ">");
        let path = format!("/o/{}", link.split("/o/").nth(1).expect("our own link"));
        self.handed_out(&path[3..]);
        good(self.ask(Method::GET, &path).send().await, 200).await;
        let click = [("List-Unsubscribe", "One-Click")];
        good(self.ask(Method::POST, &path).form(&click).send().await, 200).await;
        good(self.ask(Method::POST, "/o/canary-of-nobody").form(&click).send().await, 200).await;
    }

    async fn metrics(&self) -> String {
        good(self.ask(Method::GET, "/metrics").send().await, 200).await.text().await.expect("text")
    }
}

async fn good(answer: reqwest::Result<Response>, status: u16) -> Response {
    let answer = answer.expect("an answer");
    assert_eq!(answer.status().as_u16(), status, "{}", answer.url().path());
    answer
}

fn between(text: &str, before: &str, after: &str) -> String {
    let (_, rest) = text.split_once(before).expect("its beginning");
    rest.split_once(after).expect("its end").0.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn at_any_level_neither_log_nor_metrics_hold_what_is_private_or_secret() {
    let served = served().await;
    let http = touchline::http::client().expect("a client");
    let faces = Faces { served: &served, http, handed_out: Mutex::default() };
    faces.command_line().await;
    faces.callbacks().await;
    faces.dashboard().await;
    faces.api().await;
    let at_rest = async || faces.metrics().await.contains("\ntouchline_queue_entries 0\n");
    served.until("everything has been sent", at_rest).await;
    faces.opt_out().await;
    let metrics = faces.metrics().await;
    let handed_out = faces.handed_out.into_inner().expect("nobody panicked");
    let said = served.stop().await;

    assert!(said.contains("DEBUG") && said.contains("answered"), "our own details are logged: {said}");
    assert!(metrics.contains("touchline_provider_calls_total"), "{metrics}");
    let mut told = Vec::new();
    for canary in PRIVATE.iter().chain(SECRET).copied().chain(handed_out.iter().map(String::as_str)) {
        for line in said.lines().chain(metrics.lines()).filter(|line| line.contains(canary)).take(2) {
            told.push(format!("{canary}: {}", line.chars().take(300).collect::<String>()));
        }
    }
    assert!(told.is_empty(), "said in the log or in a metric:\n{}", told.join("\n"));
}
