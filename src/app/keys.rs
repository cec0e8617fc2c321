//! The keys of an installation: those that it makes for itself, and where the one is that tokens and answers are sealed with.

use secrecy::ExposeSecret;

use crate::access;
use crate::config::{Config, RepliesKept, StoreConfig};
use crate::domain::opt_out::OptOutLinks;
use crate::domain::return_path::ReturnPaths;
use crate::provider::SettingsError;
use crate::sealing::KeyPlace;
use crate::store::engine::db::sqlite_file;
use crate::store::{Store, StoreError};

/// What is signed with keys of this installation's own.
pub(super) struct Keys {
    pub opt_out: OptOutLinks,
    pub devices: access::Devices,
    pub return_paths: ReturnPaths,
}

/// The keys that sign opt-out links, return paths and the cookies of known browsers are generated once and stored with the
/// records.
pub(super) async fn keys(store: &Store, config: &Config) -> Result<Keys, StoreError> {
    let candidate = || format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    let mut tx = store.write().await?;
    let links = tx.setting_or("opt_out_key", &candidate()).await?;
    let devices = tx.setting_or("device_key", &candidate()).await?;
    let returns = tx.setting_or("return_path_key", &candidate()).await?;
    tx.commit().await?;
    let links = OptOutLinks::new(config.server.public_url.clone(), links.as_bytes());
    Ok(Keys {
        opt_out: links,
        devices: access::Devices::new(devices.as_bytes()),
        return_paths: ReturnPaths::new(returns.as_bytes()),
    })
}

/// Where the key is that tokens and people's answers are sealed with: as configured, else beside a SQLite file.
///
/// # Errors
/// Something is to be sealed, and there is no place for its key.
pub(super) fn key_place(config: &Config) -> Result<KeyPlace, SettingsError> {
    let StoreConfig { url, key, .. } = &config.store;
    if let Some(key) = key {
        return Ok(KeyPlace::Given(key.clone()));
    }
    if let Some(path) = sqlite_file(url.expose_secret()) {
        return Ok(KeyPlace::File(path.with_added_extension("key")));
    }
    let accounts = config.providers.iter().filter(|(_, account)| account.settings.contains_key("oauth"));
    let mailboxes = config.mailboxes.iter().filter(|(_, mailbox)| mailbox.oauth.contains_key("oauth"));
    let mut sign_in =
        accounts.map(|(name, _)| ("providers", name)).chain(mailboxes.map(|(name, _)| ("mailboxes", name)));
    match sign_in.next() {
        Some((section, name)) => Err(SettingsError(format!(
            "{section}.{name}.oauth: with PostgreSQL its tokens need a key, the same on every node: openssl rand -base64 32 > \
             touchline.key, and in [store] key = {{ file = \"touchline.key\" }}"
        ))),
        None if config.returns.replies == RepliesKept::Whole => Err(SettingsError(
            "returns.replies = \"whole\": with PostgreSQL the answers need a key, the same on every node: openssl rand -base64 32 \
             > touchline.key, and in [store] key = { file = \"touchline.key\" }"
                .to_owned(),
        )),
        None => Ok(KeyPlace::Nowhere),
    }
}
