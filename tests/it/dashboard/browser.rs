//! A real browser, driven over the W3C WebDriver protocol (chromedriver on a port of its own). Waits are the driver's
//! own: a lookup of an element lasts until it is there, a minute at most.

use std::path::Path;
use std::process::Stdio;

use base64::Engine;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::support::PATIENCE;
use crate::support::require;

/// The key under which an element's id comes (WebDriver §11).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// How often the driver is started at most.
const STARTS_MAX: usize = 5;
/// How high the window is.
const HEIGHT: u64 = 1000;

/// A browser with one window. The driver, and with it the browser, ends when this is dropped.
pub struct Browser {
    http: reqwest::Client,
    session: String,
    _driver: Child,
}

impl Browser {
    /// Starts one; `None` where the machine has none, which is said.
    pub async fn start() -> Option<Self> {
        let (Some(driver), Some(chromium)) =
            (require::program(&["chromedriver"]), require::program(&["chromium", "chromium-browser", "google-chrome"]))
        else {
            require::skip("a browser with its driver (chromium, chromedriver)");
            return None;
        };
        let (driver, port) = tokio::time::timeout(PATIENCE, spawn(&driver)).await.expect("the driver starts in time");
        // Whoever comes second is told that there is a provider of cryptography already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client");
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-first-run",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--window-size=1280,1000",
        ];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "timeouts": { "implicit": 60_000, "pageLoad": 120_000, "script": 120_000 },
            "goog:chromeOptions": { "binary": chromium, "args": arguments },
        } } });
        let base = format!("http://127.0.0.1:{port}/session");
        let answer = ask(&http, http.post(&base).json(&wanted)).await;
        let session = format!("{base}/{}", answer["sessionId"].as_str().expect("a session"));
        Some(Self { http, session, _driver: driver })
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        ask(&self.http, self.http.post(format!("{}{path}", self.session)).json(&body)).await
    }

    async fn get(&self, path: &str) -> Value {
        ask(&self.http, self.http.get(format!("{}{path}", self.session))).await
    }

    /// Opens a page and waits until it has loaded.
    pub async fn open(&self, url: &str) {
        self.post("/url", json!({ "url": url })).await;
    }

    /// Loads the page again.
    pub async fn reload(&self) {
        self.post("/refresh", json!({})).await;
    }

    /// Where we are.
    pub async fn url(&self) -> String {
        self.get("/url").await.as_str().unwrap_or_default().to_owned()
    }

    /// The first element that fits, waited for.
    async fn find(&self, using: &str, value: &str) -> String {
        let found = self.post("/element", json!({ "using": using, "value": value })).await;
        found[ELEMENT].as_str().unwrap_or_else(|| panic!("nothing fits `{value}`")).to_owned()
    }

    /// Clicks what fits the CSS selector.
    pub async fn click(&self, css: &str) {
        let id = self.find("css selector", css).await;
        self.post(&format!("/element/{id}/click"), json!({})).await;
    }

    /// Clicks the link that reads so.
    pub async fn follow(&self, text: &str) {
        let id = self.find("partial link text", text).await;
        self.post(&format!("/element/{id}/click"), json!({})).await;
    }

    /// Presses the button that reads so.
    pub async fn press(&self, text: &str) {
        let id = self.find("xpath", &format!("//button[starts-with(normalize-space(.), '{text}')]")).await;
        self.post(&format!("/element/{id}/click"), json!({})).await;
    }

    /// Types into a field in place of what it held.
    pub async fn fill(&self, css: &str, text: &str) {
        let id = self.find("css selector", css).await;
        self.post(&format!("/element/{id}/clear"), json!({})).await;
        self.post(&format!("/element/{id}/value"), json!({ "text": text })).await;
    }

    /// What stands in the element, as it is seen.
    pub async fn text(&self, css: &str) -> String {
        let id = self.find("css selector", css).await;
        self.get(&format!("/element/{id}/text")).await.as_str().unwrap_or_default().to_owned()
    }

    /// The value of a script's expression.
    pub async fn value(&self, expression: &str) -> Value {
        self.post("/execute/sync", json!({ "script": format!("return {expression}"), "args": [] })).await
    }

    /// Loads the page again and again until the element reads as wanted; two minutes at most.
    pub async fn reload_until(&self, css: &str, wanted: impl Fn(&str) -> bool) {
        let reloading = async {
            self.reload().await;
            while !wanted(&self.text(css).await) {
                self.reload().await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, reloading).await;
        assert!(in_time.is_ok(), "`{css}` never read as wanted, but: {}", self.text(css).await);
    }

    /// Makes the window so wide.
    pub async fn resize(&self, width: u64) {
        self.set_size(width, HEIGHT).await;
    }

    /// Shows pages as to somebody who asked for `light` or `dark`.
    pub async fn scheme(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.command("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    async fn set_size(&self, width: u64, height: u64) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.command("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Keeps a picture of the whole page as `target/screenshots/NAME.png`, if `TOUCHLINE_TEST_PICTURES` asks for pictures:
    /// they are for people to look at, and take longer than everything that is checked.
    pub async fn picture(&self, name: &str) {
        if std::env::var_os("TOUCHLINE_TEST_PICTURES").is_none() {
            return;
        }
        // A frame of another origin is drawn only inside the window, so the window becomes as high as the page.
        let width = self.value("window.innerWidth").await.as_u64().expect("a width");
        let height = self.value("document.documentElement.scrollHeight").await.as_u64().expect("a height");
        self.set_size(width, height.max(HEIGHT)).await;
        // Pictures that load late are loaded first, and looked at only when they are there.
        self.post("/execute/async", json!({ "script": LOAD_PICTURES, "args": [] })).await;
        let taken = self.command("Page.captureScreenshot", json!({ "format": "png" })).await;
        self.set_size(width, HEIGHT).await;
        let octets = base64::engine::general_purpose::STANDARD.decode(taken["data"].as_str().expect("a picture"));
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join(format!("{name}.png")), octets.expect("base64")).expect("written");
    }

    async fn command(&self, command: &str, params: Value) -> Value {
        self.post("/goog/cdp/execute", json!({ "cmd": command, "params": params })).await
    }

    /// Ends the browser, then its driver.
    pub async fn close(self) {
        ask(&self.http, self.http.delete(&self.session)).await;
    }
}

const LOAD_PICTURES: &str = "const done = arguments[0];
    const late = [...document.querySelectorAll('img, iframe')];
    late.forEach(one => one.loading = 'eager');
    const pictures = [...document.images];
    const frames = [...document.querySelectorAll('iframe')];
    const framed = frames.map(one => new Promise(end => { one.onload = end; one.src = one.src; }));
    Promise.all(framed.concat(pictures.map(one => one.complete ? 1 : new Promise(end => one.onload = one.onerror = end))))
        .then(() => done(pictures.every(one => one.naturalWidth > 0)))";

/// Starts the driver. It ends at once if the port that it chose for IPv4 is taken for IPv6, which happens where many
/// connections come and go; then it is started again.
async fn spawn(program: &Path) -> (Child, u16) {
    for _ in 0..STARTS_MAX {
        if let Some(started) = spawn_once(program).await {
            return started;
        }
    }
    panic!("the driver ended {STARTS_MAX} times before it named its port");
}

/// Starts it once, and reads from what it prints which port it took.
async fn spawn_once(program: &Path) -> Option<(Child, u16)> {
    let mut driver = Command::new(program)
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("the driver starts");
    let mut lines = BufReader::new(driver.stdout.take().expect("piped")).lines();
    while let Some(line) = lines.next_line().await.expect("readable") {
        let port = line.rsplit_once("successfully on port ").map(|(_, port)| port.trim_end_matches('.').to_owned());
        if let Some(port) = port.and_then(|port| port.parse().ok()) {
            return Some((driver, port));
        }
    }
    None
}

/// The value of an answer; what the driver objects to fails the test with its words.
async fn ask(http: &reqwest::Client, request: reqwest::RequestBuilder) -> Value {
    let request = request.build().expect("a request");
    let asked = request.url().path().to_owned();
    let answer = http.execute(request).await.expect("the driver answers");
    let fine = answer.status().is_success();
    let mut body: Value = answer.json().await.expect("JSON");
    let value = body["value"].take();
    assert!(fine, "{asked}: {}", value["message"].as_str().unwrap_or("no words"));
    value
}
