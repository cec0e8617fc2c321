//! The fax adapters, one folder per provider, and `declared`: any other provider by a TOML description.

pub mod declared;
pub(super) mod documo;
pub(super) mod faxplus;
pub(super) mod humblefax;
pub(super) mod hylafax;
pub(super) mod interfax;
pub(super) mod notifyre;
pub(super) mod phaxio;
pub(super) mod ringcentral;
pub(super) mod sandbox;
pub(super) mod signalwire;
pub(super) mod sinch;
pub(super) mod srfax;
pub(super) mod telnyx;
pub(super) mod westfax;
