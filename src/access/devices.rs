//! Devices: a browser in which an operator has logged in before keeps a cookie that says so. A browser that shows it
//! has its own counter of failed logins, so that strangers, even those behind the same address, cannot lock its
//! operator out. The cookie replaces no password, and serves for one name only.

use ring::hmac;

use super::{AccessError, new_secret};

/// Signs and reads the cookies.
#[derive(Debug, Clone)]
pub struct Devices {
    key: hmac::Key,
}

/// A browser that an operator has logged in with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Device(String);

impl Devices {
    /// Cookies signed with that secret of the installation.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, secret) }
    }

    /// The cookie of a browser in which that operator has just logged in for the first time.
    ///
    /// # Errors
    /// [`AccessError::Machine`] without randomness.
    pub fn issue(&self, name: &str) -> Result<String, AccessError> {
        let device = new_secret()?;
        let tag = hmac::sign(&self.key, &signed(&device, name));
        Ok(format!("{device}.{}", hex::encode(tag)))
    }

    /// The device, if the cookie is genuine and was made for that name.
    #[must_use]
    pub fn known(&self, name: &str, cookie: &str) -> Option<Device> {
        let (device, tag) = cookie.split_once('.')?;
        let tag = hex::decode(tag).ok()?;
        hmac::verify(&self.key, &signed(device, name), &tag).ok()?;
        Some(Device(device.to_owned()))
    }
}

/// What is signed. A device has no NUL in it, so that no other pair makes the same text.
fn signed(device: &str, name: &str) -> Vec<u8> {
    [device.as_bytes(), b"\0", name.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_serves_for_the_name_it_was_made_for_only() {
        let devices = Devices::new(b"key");
        let cookie = devices.issue("dana").expect("a cookie");
        let device = devices.known("dana", &cookie).expect("genuine");
        assert_eq!(devices.known("dana", &cookie), Some(device.clone()));
        assert_ne!(devices.known("dana", &devices.issue("dana").expect("a cookie")), Some(device));
        assert_eq!(devices.known("erin", &cookie), None);
        assert_eq!(Devices::new(b"another key").known("dana", &cookie), None);
        let (_, tag) = cookie.split_once('.').expect("two parts");
        for forged in
            [String::new(), ".".to_owned(), cookie.replace('.', ""), format!("x.{tag}"), format!("{cookie}00")]
        {
            assert_eq!(devices.known("dana", &forged), None, "{forged}");
        }
    }
}
