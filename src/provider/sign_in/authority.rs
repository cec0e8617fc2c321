//! The services that issue tokens, as far as their addresses and scopes are known.

use serde::Deserialize;

use super::Grant;

/// The setting `oauth`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Authority {
    /// Microsoft 365 (Entra ID).
    Microsoft,
    /// Google Workspace and Gmail.
    Google,
    /// Any other, whose addresses and scope the settings give.
    Other,
}

/// What the account does in the mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Send by SMTP.
    Smtp,
    /// Read by IMAP.
    Imap,
    /// Read by POP.
    Pop,
}

/// A service's addresses.
pub(super) struct Addresses {
    pub token: String,
    pub device: Option<String>,
    pub authorize: Option<String>,
}

impl Authority {
    /// The service of that name, as the setting `oauth` has it.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "microsoft" => Some(Self::Microsoft),
            "google" => Some(Self::Google),
            "other" => Some(Self::Other),
            _ => None,
        }
    }

    /// As people call it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Microsoft => "Microsoft 365",
            Self::Google => "Google",
            Self::Other => "the mail service",
        }
    }

    /// Host and port of its submission server, which takes STARTTLS.
    #[must_use]
    pub const fn relay(self) -> Option<(&'static str, u16)> {
        match self {
            Self::Microsoft => Some(("smtp.office365.com", 587)),
            Self::Google => Some(("smtp.gmail.com", 587)),
            Self::Other => None,
        }
    }

    /// Its own addresses; none for any other. Google has no device code here: the list of scopes that its device flow allows
    /// does not have that of mail.
    pub(super) fn addresses(self, tenant: &str) -> Option<Addresses> {
        match self {
            Self::Microsoft => {
                let at = |name: &str| format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/{name}");
                Some(Addresses { token: at("token"), device: Some(at("devicecode")), authorize: Some(at("authorize")) })
            }
            Self::Google => Some(Addresses {
                token: "https://oauth2.googleapis.com/token".to_owned(),
                device: None,
                authorize: Some("https://accounts.google.com/o/oauth2/v2/auth".to_owned()),
            }),
            Self::Other => None,
        }
    }

    /// Its own scope. A person also signs in with who they are, so that it can be said who did.
    pub(super) const fn scope(self, grant: Grant, access: Access) -> Option<&'static str> {
        Some(match (self, grant, access) {
            (Self::Microsoft, Grant::Person, Access::Smtp) => {
                "https://outlook.office.com/SMTP.Send offline_access openid profile"
            }
            (Self::Microsoft, Grant::Person, Access::Imap) => {
                "https://outlook.office.com/IMAP.AccessAsUser.All offline_access openid profile"
            }
            (Self::Microsoft, Grant::Person, Access::Pop) => {
                "https://outlook.office.com/POP.AccessAsUser.All offline_access openid profile"
            }
            (Self::Microsoft, _, _) => "https://outlook.office365.com/.default",
            (Self::Google, Grant::Person, _) => "https://mail.google.com/ openid email",
            (Self::Google, _, _) => "https://mail.google.com/",
            (Self::Other, _, _) => return None,
        })
    }

    /// What its page for people wants besides the RFC's parameters. Google issues a refresh token only where it is asked for
    /// offline access, and a second time only after a new consent.
    pub(super) const fn asked_of_the_person(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Microsoft => &[("prompt", "select_account")],
            Self::Google => &[("access_type", "offline"), ("prompt", "consent")],
            Self::Other => &[],
        }
    }
}
