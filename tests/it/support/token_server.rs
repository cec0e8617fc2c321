//! A service that issues tokens, strict about the shapes that RFC 6749, 7523, 7636 and 8628 document: client authentication,
//! scopes, one use for each code, the verifier of a challenge, the order of device polling, signatures of service accounts, and
//! refresh tokens that serve once. A person who signs in is played by the test.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

use super::soon;

/// Every token begins with it, so that a test can look for what must not be seen.
pub const CANARY: &str = "canary-token-9c1d";
pub const CLIENT: &str = "11111111-2222-3333-4444-555555555555";
pub const SECRET: &str = "canary-client-secret-77";
pub const MAILBOX: &str = "office@harbor.example";

/// What is asked of it, and what it answers.
type Fields = BTreeMap<String, String>;

#[derive(Default)]
struct Known {
    url: String,
    scope: String,
    has_secret: bool,
    life: u64,
    issued: u64,
    /// Access tokens that a relay lets in.
    accepted: BTreeSet<String>,
    /// The refresh token that serves next.
    refresh: Option<String>,
    /// Codes by their challenge and redirect.
    codes: BTreeMap<String, (String, String)>,
    /// What the next questions for a device code hear.
    device: VecDeque<&'static str>,
    /// What every token request hears instead.
    refusal: Option<(u16, Value)>,
    requests: Vec<Fields>,
    hold: Option<tokio::sync::watch::Receiver<bool>>,
    /// What it says that it granted; nothing if it says nothing.
    granted: Option<String>,
    /// Whether what is issued is let in nowhere.
    issues_strangers: bool,
}

type Shared = Arc<Mutex<Known>>;

/// The service.
#[derive(Clone)]
pub struct TokenServer {
    pub url: String,
    known: Shared,
}

impl TokenServer {
    /// One that knows [`CLIENT`], with [`SECRET`] if it has one, and grants that scope.
    pub async fn start(scope: &str, has_secret: bool) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let (url_of, scope) = (url.clone(), scope.to_owned());
        let known = Shared::new(Mutex::new(Known { url: url_of, scope, has_secret, life: 3599, ..Known::default() }));
        let router = Router::new()
            .route("/token", post(token))
            .route("/device", post(device))
            .route("/authorize", get(authorize))
            .route("/introspect", get(introspect))
            .with_state(known.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.expect("served") });
        Self { url, known }
    }

    /// The account's settings that lead here: with a page for people, or without.
    pub fn settings(&self, has_page: bool) -> String {
        let Self { url, .. } = self;
        let scope = self.known().scope.clone();
        let page = if has_page {
            format!("authorize_url = \"{url}/authorize\"\ndevice_url = \"{url}/device\"\n")
        } else {
            String::new()
        };
        format!(
            "oauth = \"other\"\ntoken_url = \"{url}/token\"\n{page}scope = \"{scope}\"\nclient_id = \"{CLIENT}\"\n\
             username = \"{MAILBOX}\"\n"
        )
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("not poisoned")
    }

    /// What it says with a token that it granted.
    pub fn grants(&self, scope: &str) {
        self.known().granted = Some(scope.to_owned());
    }

    /// How long its tokens live, in seconds.
    pub fn lives(&self, seconds: u64) {
        self.known().life = seconds;
    }

    /// From now on it refuses, or nothing.
    pub fn refuse(&self, refusal: Option<(u16, Value)>) {
        self.known().refusal = refusal;
    }

    /// A person revokes the app's access: nothing that was issued serves any more.
    pub fn revoke(&self) {
        let mut known = self.known();
        known.refresh = None;
        known.accepted.clear();
    }

    /// Relays do not let in what was issued so far; the sign-in still stands.
    pub fn forget_access(&self) {
        self.known().accepted.clear();
    }

    /// Whether relays refuse whatever is issued from now on.
    pub fn only_issues_strangers(&self, strangers: bool) {
        self.known().issues_strangers = strangers;
    }

    /// Whether a relay lets that token in.
    pub fn accepts(&self, token: &str) -> bool {
        self.known().accepted.contains(token)
    }

    /// What the questions for a device code hear, before the token.
    pub fn device_hears(&self, words: &[&'static str]) {
        self.known().device = words.iter().copied().collect();
    }

    /// Token requests wait until `release` says true.
    pub fn hold(&self, release: tokio::sync::watch::Receiver<bool>) {
        self.known().hold = Some(release);
    }

    /// The fields of every token request so far.
    pub fn requests(&self) -> Vec<Fields> {
        self.known().requests.clone()
    }

    /// How many tokens were asked for with that grant.
    pub fn asked(&self, grant: &str) -> usize {
        self.requests().iter().filter(|fields| fields.get("grant_type").is_some_and(|it| it == grant)).count()
    }

    /// Opens the address as a browser would, agrees, and returns the address that it is sent to.
    pub async fn sign_in_at(&self, address: &str) -> String {
        let client = touchline::http::client().expect("a client");
        let answer = soon("the page", client.get(address).send()).await.expect("answered");
        let location = answer.headers().get("location").unwrap_or_else(|| panic!("refused: {}", answer.status()));
        location.to_str().expect("text").to_owned()
    }
}

async fn token(State(known): State<Shared>, Form(fields): Form<Fields>) -> Response {
    let hold = known.lock().expect("not poisoned").hold.clone();
    if let Some(mut release) = hold {
        let _ = release.wait_for(|released| *released).await;
    }
    let mut known = known.lock().expect("not poisoned");
    known.requests.push(fields.clone());
    if let Some((status, body)) = known.refusal.clone() {
        return (StatusCode::from_u16(status).expect("a status"), Json(body)).into_response();
    }
    match grant(&mut known, &fields) {
        Ok(body) => Json(body).into_response(),
        Err(word) => {
            let text = "Trace 7: office@harbor.example canary-in-a-description";
            (StatusCode::BAD_REQUEST, Json(json!({ "error": word, "error_description": text }))).into_response()
        }
    }
}

fn grant(known: &mut Known, fields: &Fields) -> Result<Value, &'static str> {
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    let kind = field("grant_type");
    if kind != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
        let secret = known.has_secret.then_some(SECRET);
        if field("client_id") != CLIENT || fields.get("client_secret").map(String::as_str) != secret {
            return Err("invalid_client");
        }
    }
    match kind {
        "client_credentials" if !known.has_secret => Err("unauthorized_client"),
        "client_credentials" if field("scope") != known.scope => Err("invalid_scope"),
        "client_credentials" => Ok(issue(known, false)),
        "refresh_token" => {
            if known.refresh.as_deref() != Some(field("refresh_token")) {
                // RFC 9700 §4.14.2: one that serves a second time was stolen, and ends the sign-in.
                known.refresh = None;
                return Err("invalid_grant");
            }
            Ok(issue(known, true))
        }
        "authorization_code" => {
            let (challenge, redirect) = known.codes.remove(field("code")).ok_or("invalid_grant")?;
            let proof = URL_SAFE_NO_PAD.encode(digest(&SHA256, field("code_verifier").as_bytes()));
            let is_proof = (43..=128).contains(&field("code_verifier").len()) && proof == challenge;
            if is_proof && redirect == field("redirect_uri") { Ok(issue(known, true)) } else { Err("invalid_grant") }
        }
        "urn:ietf:params:oauth:grant-type:device_code" => {
            if field("device_code") != "canary-device-code" {
                return Err("invalid_grant");
            }
            known.device.pop_front().map_or_else(|| Ok(issue(known, true)), Err)
        }
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
            check_assertion(known, field("assertion"))?;
            Ok(issue(known, false))
        }
        _ => Err("unsupported_grant_type"),
    }
}

fn issue(known: &mut Known, is_of_person: bool) -> Value {
    known.issued += 1;
    let access = format!("{CANARY}-access-{}", known.issued);
    if !known.issues_strangers {
        known.accepted.insert(access.clone());
    }
    let mut body = json!({ "token_type": "Bearer", "access_token": access, "expires_in": known.life });
    if let Some(granted) = &known.granted {
        body["scope"] = json!(granted);
    }
    if is_of_person {
        let refresh = format!("{CANARY}-refresh-{}", known.issued);
        known.refresh = Some(refresh.clone());
        body["refresh_token"] = json!(refresh);
        let claims = URL_SAFE_NO_PAD.encode(json!({ "email": MAILBOX }).to_string());
        body["id_token"] = json!(format!("e30.{claims}.e30"));
    }
    body
}

/// RFC 7523 §3: who states, for whom, to whom, until when, and signed by whom.
fn check_assertion(known: &Known, assertion: &str) -> Result<(), &'static str> {
    let (stated, signature) = assertion.rsplit_once('.').ok_or("invalid_grant")?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| "invalid_grant")?;
    let public = service_key().public().as_ref().to_vec();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
    key.verify(stated.as_bytes(), &signature).map_err(|_| "invalid_grant")?;
    let part = |number: usize| -> Value {
        let part = stated.split('.').nth(number).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        part.and_then(|octets| serde_json::from_slice(&octets).ok()).unwrap_or_default()
    };
    let (header, claims) = (part(0), part(1));
    let life = claims["exp"].as_i64().unwrap_or(0) - claims["iat"].as_i64().unwrap_or(0);
    let is_whole = header["alg"] == "RS256"
        && header["kid"] == "the-key"
        && claims["iss"] == "sender@project.example"
        && claims["sub"] == MAILBOX
        && claims["scope"] == known.scope.as_str()
        && claims["aud"] == format!("{}/token", known.url)
        && (1..=3600).contains(&life);
    if is_whole { Ok(()) } else { Err("invalid_grant") }
}

const KEY_PEM: &str = include_str!("../fixtures/dkim/rsa.pem");

fn service_key() -> RsaKeyPair {
    match PrivateKeyDer::from_pem_slice(KEY_PEM.as_bytes()).expect("a key") {
        PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).expect("an RSA key"),
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()).expect("an RSA key"),
        _ => panic!("another kind of key"),
    }
}

/// The JSON file of the service account that it knows.
pub fn service_account() -> String {
    json!({
        "type": "service_account",
        "client_email": "sender@project.example",
        "private_key_id": "the-key",
        "private_key": KEY_PEM,
    })
    .to_string()
}

async fn device(State(known): State<Shared>, Form(fields): Form<Fields>) -> Response {
    let known = known.lock().expect("not poisoned");
    if fields.get("client_id").is_none_or(|id| id != CLIENT) || fields.get("scope") != Some(&known.scope) {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_scope" }))).into_response();
    }
    Json(json!({
        "device_code": "canary-device-code",
        "user_code": "WDJB-MJHT",
        "verification_uri": "https://id.example/device",
        "expires_in": 900,
        "interval": 5,
    }))
    .into_response()
}

async fn authorize(State(known): State<Shared>, Query(fields): Query<Fields>) -> Response {
    let mut known = known.lock().expect("not poisoned");
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let is_whole = field("response_type") == "code"
        && field("client_id") == CLIENT
        && field("scope") == known.scope
        && field("code_challenge_method") == "S256"
        && field("code_challenge").len() == 43
        && field("login_hint") == MAILBOX
        && !field("state").is_empty();
    if !is_whole || !field("redirect_uri").starts_with("http://127.0.0.1:") {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let code = format!("canary-code-{}", known.codes.len() + 1);
    known.codes.insert(code.clone(), (field("code_challenge"), field("redirect_uri")));
    Redirect::to(&format!("{}/?code={code}&state={}", field("redirect_uri"), field("state"))).into_response()
}

/// Whose a token is, for a mail server that asks (RFC 7662 in the form that Dovecot understands).
async fn introspect(State(known): State<Shared>, Query(fields): Query<Fields>) -> Response {
    let known = known.lock().expect("not poisoned");
    match fields.get("access_token").filter(|token| known.accepted.contains(*token)) {
        Some(_) => Json(json!({ "active": true, "email": MAILBOX })).into_response(),
        None => (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_token" }))).into_response(),
    }
}
