//! A person signs in on another device (RFC 8628): we show an address and a code, and ask until it is done.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::exchange::{Denied, Endpoint, Issued};
use crate::domain::fault::{Failure, Fault};
use crate::domain::{Clock, Timestamp};

/// How long a code is waited for at most, whatever its lifetime.
const LIFE_MAX: Duration = Duration::from_secs(15 * 60);
/// Seconds between two questions where the server names none (RFC 8628 §3.2), and at most.
const INTERVAL_UNTOLD: u64 = 5;
const INTERVAL_MAX: u64 = 60;
/// How much longer to wait after each `slow_down` (RFC 8628 §3.5).
const SLOWER_BY: Duration = Duration::from_secs(5);
/// Longest code that a person can be asked to type, in characters.
const USER_CODE_CHARS_MAX: usize = 40;

/// What a person needs to sign in. Prints neither of its codes.
pub struct Device {
    /// The address to open.
    pub address: Url,
    /// The code to type there.
    pub user_code: String,
    /// When the code ends.
    pub ends: Timestamp,
    code: SecretString,
    interval: Duration,
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device").field("ends", &self.ends).finish_non_exhaustive()
    }
}

impl Device {
    /// Asks the device endpoint for a code.
    ///
    /// # Errors
    /// There is none, and why.
    pub async fn begin(endpoint: &Endpoint, client_id: &str, scope: &str, now: Timestamp) -> Result<Self, Denied> {
        let body = endpoint.ask_for_other(&[("client_id", client_id), ("scope", scope)]).await?;
        let odd =
            || Denied::without_word(Failure::new(Fault::ProtocolError).text("the answer contains no code to type"));
        read(&body, now).ok_or_else(odd)
    }

    /// Asks until the person has signed in, refused, or the code has ended.
    ///
    /// # Errors
    /// Why nothing was issued; `expired_token` if the person did not sign in in time.
    pub async fn wait(
        &self,
        endpoint: &Endpoint,
        client: &[(&str, &str)],
        clock: &dyn Clock,
    ) -> Result<Issued, Denied> {
        let mut form = vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", self.code.expose_secret()),
        ];
        form.extend_from_slice(client);
        let mut interval = self.interval;
        while clock.now() < self.ends {
            clock.sleep(interval).await;
            match endpoint.ask(&form, None).await {
                Err(denied) if denied.is("authorization_pending") => {}
                Err(denied) if denied.is("slow_down") => interval += SLOWER_BY,
                // RFC 8628 §3.5: after a lost connection, ask less often.
                Err(Denied { word: None, failure, .. }) if failure.fault == Fault::ProviderError => {
                    interval = (interval * 2).min(Duration::from_secs(INTERVAL_MAX));
                }
                ended => return ended,
            }
        }
        Err(expired())
    }
}

fn expired() -> Denied {
    let failure = Failure::new(Fault::AccountError).text("expired_token");
    Denied { failure, word: Some("expired_token".to_owned()), number: None }
}

fn read(body: &Value, now: Timestamp) -> Option<Device> {
    let code = body["device_code"].as_str().filter(|code| !code.is_empty())?;
    let user_code = body["user_code"].as_str()?.trim();
    // Google's name for it is older than the RFC.
    let address = body["verification_uri"].as_str().or_else(|| body["verification_url"].as_str())?;
    let address = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    let is_typed = |text: &str| text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    if !(1..=USER_CODE_CHARS_MAX).contains(&user_code.len()) || !is_typed(user_code) {
        return None;
    }
    let life = body["expires_in"].as_u64().map_or(LIFE_MAX, Duration::from_secs).min(LIFE_MAX);
    let interval = body["interval"].as_u64().unwrap_or(INTERVAL_UNTOLD).clamp(1, INTERVAL_MAX);
    Some(Device {
        address,
        user_code: user_code.to_owned(),
        ends: now.after(life),
        code: SecretString::from(code),
        interval: Duration::from_secs(interval),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_code_that_cannot_be_typed_or_leads_nowhere_is_refused() {
        let good =
            json!({ "device_code": "d", "user_code": "ABCD-EFGH", "verification_uri": "https://x.example/device" });
        let device = read(&good, Timestamp(0)).expect("whole");
        assert_eq!((device.interval, device.ends), (Duration::from_secs(5), Timestamp(900_000)));
        assert!(!format!("{device:?}").contains("ABCD"));
        for (key, value) in [
            ("user_code", json!("A\u{1b}[31m")),
            ("user_code", json!("x".repeat(41))),
            ("user_code", json!("")),
            ("verification_uri", json!("javascript:alert(1)")),
            ("device_code", json!("")),
        ] {
            let mut body = good.clone();
            body[key] = value.clone();
            assert!(read(&body, Timestamp(0)).is_none(), "{key}: {value}");
        }
    }
}
