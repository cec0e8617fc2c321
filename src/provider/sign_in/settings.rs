//! The keys of an account's section by which it signs in, and what is refused before anything starts.

use serde::Deserialize;
use url::Url;

use super::authority::{Access, Addresses, Authority};
use super::{Grant, SignIn};
use crate::domain::EmailAddress;
use crate::http::oauth::assertion::ServiceKey;
use crate::http::oauth::exchange::Endpoint;
use crate::provider::kit::auth::TOKEN_PART;
use crate::provider::{Account, Setting, SettingsError};

/// The keys, for the settings of a kind.
pub const SETTINGS: [Setting; 9] = [
    Setting::plain(
        "oauth",
        "Sign in by OAuth instead of with a password: microsoft, google, or other with token_url and scope. Sets host and \
         port for the first two; username is then the mailbox.",
        false,
    ),
    Setting::plain("tenant", "Microsoft: the organization's Directory (tenant) ID, or its domain.", false),
    Setting::plain("client_id", "The Application (client) ID of the practice's own app registration.", false),
    Setting::secret(
        "client_secret",
        "The app registration's secret. Microsoft: with it the app itself signs in, without it a person does. Google: the \
         secret of the desktop client.",
        false,
    ),
    Setting::secret(
        "service_account",
        "Google Workspace: the JSON key of a service account with domain-wide delegation, which signs in for the mailbox.",
        false,
    ),
    Setting::plain("token_url", "The token address of another service.", false),
    Setting::plain("authorize_url", "Its address for a sign-in in the browser.", false),
    Setting::plain("device_url", "Its address for a sign-in by a code on another device.", false),
    Setting::plain("scope", "The scopes to ask for, separated by spaces; those of mail unless given.", false),
];

/// Of these, what is not secret, as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The service.
    pub oauth: Authority,
    tenant: Option<String>,
    client_id: Option<String>,
    token_url: Option<String>,
    authorize_url: Option<String>,
    device_url: Option<String>,
    scope: Option<String>,
}

impl Settings {
    /// Takes these keys out of an account's section; `None` if it does not sign in by OAuth.
    ///
    /// # Errors
    /// A value is wrong, or such a key is given without `oauth`.
    pub fn take(account: &mut Account) -> Result<Option<Self>, SettingsError> {
        let mut own = toml::Table::new();
        for setting in SETTINGS {
            let value = account.settings.remove(setting.key);
            own.extend(value.map(|value| (setting.key.to_owned(), value)));
        }
        let is_given = |key: &&str| own.contains_key(*key) || account.secrets.contains_key(*key);
        let stray = SETTINGS.iter().map(|setting| setting.key).find(is_given);
        if !own.contains_key("oauth") {
            let refused = |key| account.refuse(key, "needs oauth = \"microsoft\", \"google\" or \"other\"");
            return stray.map_or(Ok(None), |key| Err(refused(key)));
        }
        let read = own.try_into::<Self>();
        read.map(Some).map_err(|error| SettingsError(format!("providers.{}: {}", account.name, error.message().trim())))
    }

    /// How the account signs in to `mailbox` (the key `username`).
    ///
    /// # Errors
    /// Names the key that is missing or wrong, and what to do.
    pub fn sign_in(&self, account: &Account, mailbox: Option<&str>, access: Access) -> Result<SignIn, SettingsError> {
        if account.secrets.contains_key("password") {
            return Err(account.refuse("password", "is not used with oauth: remove it"));
        }
        let mailbox = mailbox.unwrap_or_default();
        if EmailAddress::parse(mailbox).is_err() {
            return Err(account.refuse("username", "must be the mailbox to sign in to, such as office@clinic.example"));
        }
        let addresses = self.addresses(account)?;
        let grant = self.grant(account, &addresses);
        let service_key = self.service_key(account, grant)?;
        let client_id = self.client_id(account, grant)?;
        let client_secret = account.optional_secret("client_secret")?;
        if client_secret.is_none() && self.needs_secret(grant) {
            return Err(account.refuse("client_secret", &missing("the secret that belongs to client_id")));
        }
        let scope = self.scope.as_deref().or(self.oauth.scope(grant, access));
        let scope =
            scope.ok_or_else(|| account.refuse("scope", &missing("the scopes that the service wants for mail")))?;
        let url = |key: &str, text: &str| checked(account, key, text);
        let endpoint = |url| Endpoint::new(account.http.clone(), url, account.timeout / TOKEN_PART);
        let device = addresses.device.as_deref().map(|text| url("device_url", text)).transpose()?;
        let authorize = addresses.authorize.as_deref().map(|text| url("authorize_url", text)).transpose()?;
        Ok(SignIn {
            account: account.name.clone(),
            mailbox: mailbox.to_owned(),
            authority: self.oauth,
            grant,
            client_id,
            client_secret,
            service_key,
            token: endpoint(url("token_url", &addresses.token)?),
            device: device.map(endpoint),
            authorize,
            scope: scope.to_owned(),
            clock: account.clock.clone(),
        })
    }

    /// The service's own addresses, those that are given instead of them.
    fn addresses(&self, account: &Account) -> Result<Addresses, SettingsError> {
        let given = |text: &Option<String>| text.clone();
        if let Some(token) = given(&self.token_url) {
            return Ok(Addresses { token, device: given(&self.device_url), authorize: given(&self.authorize_url) });
        }
        let is_tenant = |text: &&str| {
            (1..=253).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
        };
        let tenant = self.tenant.as_deref().filter(is_tenant).unwrap_or_default();
        if self.oauth == Authority::Microsoft && tenant.is_empty() {
            return Err(account.refuse("tenant", &missing("the Directory (tenant) ID of the app registration")));
        }
        let known = self.oauth.addresses(tenant);
        let known = known.ok_or_else(|| account.refuse("token_url", &missing("the service's token address")))?;
        Ok(Addresses {
            token: known.token,
            device: given(&self.device_url).or(known.device),
            authorize: given(&self.authorize_url).or(known.authorize),
        })
    }

    /// Who signs in follows from what is given.
    fn grant(&self, account: &Account, addresses: &Addresses) -> Grant {
        let has_secret = account.secrets.contains_key("client_secret");
        let has_page = addresses.device.is_some() || addresses.authorize.is_some();
        match self.oauth {
            _ if account.secrets.contains_key("service_account") => Grant::ServiceAccount,
            Authority::Microsoft if has_secret => Grant::Application,
            Authority::Other if has_secret && !has_page => Grant::Application,
            _ => Grant::Person,
        }
    }

    /// Whether the way of signing in needs the client's secret. Google's desktop clients have one that is no secret, and are
    /// refused without it.
    fn needs_secret(&self, grant: Grant) -> bool {
        grant == Grant::Application || (grant == Grant::Person && self.oauth == Authority::Google)
    }

    fn client_id(&self, account: &Account, grant: Grant) -> Result<String, SettingsError> {
        if grant == Grant::ServiceAccount {
            return Ok(String::new());
        }
        let id = self.client_id.as_deref().map(str::trim).unwrap_or_default();
        if id.is_empty() {
            return Err(account.refuse("client_id", &missing("the Application (client) ID of your app registration")));
        }
        Ok(id.to_owned())
    }

    fn service_key(&self, account: &Account, grant: Grant) -> Result<Option<ServiceKey>, SettingsError> {
        if grant != Grant::ServiceAccount {
            return Ok(None);
        }
        if self.oauth == Authority::Microsoft {
            return Err(account
                .refuse("service_account", "is Google's: for Microsoft give tenant, client_id and client_secret"));
        }
        let key = ServiceKey::read(&account.secret("service_account")?);
        key.map(Some).map_err(|why| account.refuse("service_account", why))
    }
}

fn missing(what: &str) -> String {
    format!("is missing: add {what}; docs/operations.md, \"Sign in instead of a password\", has the steps")
}

/// Tokens travel encrypted, or stay on this machine.
fn checked(account: &Account, key: &str, text: &str) -> Result<Url, SettingsError> {
    let url = Url::parse(text).ok().filter(|url| url.username().is_empty() && url.password().is_none());
    let is_near = |url: &Url| match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    };
    url.filter(|url| url.scheme() == "https" || (url.scheme() == "http" && is_near(url)))
        .ok_or_else(|| account.refuse(key, "must be an https address"))
}
