//! A visitor without a browser: sends forms by hand, including ones that no page would send.

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Response, StatusCode};

use super::stage::{OPERATOR, Stage};

/// Somebody with a session, or without one.
pub struct Visitor {
    http: Client,
    address: String,
    cookies: Vec<String>,
    /// What every form of the session brings back.
    pub form_key: String,
}

impl Visitor {
    /// Somebody who has not logged in.
    pub fn stranger(stage: &Stage) -> Self {
        Self::stranger_at(&stage.address)
    }

    fn stranger_at(address: &str) -> Self {
        let http = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        Self { http, address: address.to_owned(), cookies: Vec::new(), form_key: String::new() }
    }

    /// The operator, logged in.
    pub async fn operator(stage: &Stage) -> Self {
        Self::operator_at(&stage.address).await
    }

    /// The operator, logged in at a dashboard of its own address.
    pub async fn operator_at(address: &str) -> Self {
        Self::logged_in_at(address, OPERATOR.0, OPERATOR.1).await
    }

    /// Another operator, logged in.
    pub async fn logged_in(stage: &Stage, name: &str, password: &str) -> Self {
        Self::logged_in_at(&stage.address, name, password).await
    }

    async fn logged_in_at(address: &str, name: &str, password: &str) -> Self {
        let mut visitor = Self::stranger_at(address);
        let answer = visitor.send("/login", &[("name", name), ("password", password)]).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "logged in");
        let page = visitor.read("/").await;
        let (_, key) = page.split_once("name=\"form_key\" value=\"").expect("a form with its key");
        visitor.form_key = key.split('"').next().expect("a value").to_owned();
        visitor
    }

    /// Asks for a page.
    pub async fn get(&self, path: &str) -> Response {
        let request = self.http.get(format!("{}{path}", self.address)).header(COOKIE, self.cookies.join("; "));
        request.send().await.expect("answered")
    }

    /// A page's text.
    pub async fn read(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.expect("text")
    }

    /// Sends a form as it is, and keeps the cookies of the answer.
    pub async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Response {
        let request = self.http.post(format!("{}{path}", self.address)).header(COOKIE, self.cookies.join("; "));
        let answer = request.form(fields).send().await.expect("answered");
        let fresh = answer.headers().get_all(SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
        self.cookies.extend(fresh.filter_map(|cookie| cookie.split(';').next()).map(str::to_owned));
        answer
    }

    /// Sends a form as a browser says that a page of that site did.
    pub async fn send_from(&self, site: &str, path: &str, fields: &[(&str, &str)]) -> Response {
        let request = self.http.post(format!("{}{path}", self.address)).header(COOKIE, self.cookies.join("; "));
        request.header("sec-fetch-site", site).form(fields).send().await.expect("answered")
    }

    /// As if the session had ended by itself: the browser still has a cookie, and nobody knows it.
    pub fn forget_session(&mut self) {
        self.cookies.retain(|cookie| !cookie.starts_with("touchline_session="));
        self.cookies.push("touchline_session=ended".to_owned());
    }

    /// Sends a form of the session that is refused, and answers the page.
    pub async fn submit_refused(&mut self, path: &str, fields: &[(&str, &str)]) -> String {
        let key = self.form_key.clone();
        let mut all = vec![("form_key", key.as_str())];
        all.extend_from_slice(fields);
        let answer = self.send(path, &all).await;
        assert!(answer.status().is_client_error(), "{path}: {}", answer.status());
        answer.text().await.expect("text")
    }

    /// Sends a form of the session, and answers where it leads.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> String {
        let key = self.form_key.clone();
        let mut all = vec![("form_key", key.as_str())];
        all.extend_from_slice(fields);
        let answer = self.send(path, &all).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}: {}", answer.text().await.unwrap_or_default());
        answer.headers()[LOCATION].to_str().expect("a place").to_owned()
    }
}
