//! What SNS sends: which fields, in which order they are signed, and where the addresses in them may lead.

use serde::Deserialize;
use url::Url;

use crate::domain::Timestamp;
use crate::provider::kit::reading;

/// Most characters of a region's name.
const REGION_CHARS_MAX: usize = 30;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Kind {
    Notification,
    SubscriptionConfirmation,
    UnsubscribeConfirmation,
}

/// A message as SNS sends it.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope {
    #[serde(rename = "Type")]
    pub kind: Kind,
    #[serde(rename = "MessageId")]
    id: String,
    #[serde(rename = "TopicArn")]
    pub topic: String,
    #[serde(rename = "Message")]
    pub message: String,
    #[serde(rename = "Subject", default)]
    subject: Option<String>,
    #[serde(rename = "Timestamp")]
    timestamp: String,
    #[serde(rename = "SignatureVersion")]
    pub version: String,
    #[serde(rename = "Signature")]
    pub signature: String,
    #[serde(rename = "SigningCertURL", alias = "SigningCertUrl")]
    pub certificate: String,
    #[serde(rename = "Token", default)]
    pub token: String,
    #[serde(rename = "SubscribeURL", alias = "SubscribeUrl", default)]
    pub subscribe: String,
    /// [`Self::timestamp`] as a moment.
    #[serde(skip)]
    pub sent: Option<Timestamp>,
}

impl Envelope {
    /// Reads one; `None` if it is none.
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut envelope: Self = serde_json::from_slice(body).ok()?;
        envelope.sent = reading::time(&envelope.timestamp);
        Some(envelope)
    }

    /// What is signed: names and values, each on a line of its own, in alphabetical order.
    pub fn signed(&self) -> String {
        let mut lines = vec![("Message", self.message.as_str()), ("MessageId", &self.id)];
        match self.kind {
            Kind::Notification => {
                lines.extend(self.subject.as_deref().map(|subject| ("Subject", subject)));
                lines.push(("Timestamp", &self.timestamp));
            }
            Kind::SubscriptionConfirmation | Kind::UnsubscribeConfirmation => {
                lines.push(("SubscribeURL", &self.subscribe));
                lines.extend([("Timestamp", self.timestamp.as_str()), ("Token", &self.token)]);
            }
        }
        let kind = match self.kind {
            Kind::Notification => "Notification",
            Kind::SubscriptionConfirmation => "SubscriptionConfirmation",
            Kind::UnsubscribeConfirmation => "UnsubscribeConfirmation",
        };
        lines.extend([("TopicArn", self.topic.as_str()), ("Type", kind)]);
        lines.into_iter().map(|(name, value)| format!("{name}\n{value}\n")).collect()
    }
}

/// The topic of an account.
#[derive(Debug, Clone)]
pub(super) struct Topic {
    /// Its name.
    pub arn: String,
    region: String,
    suffix: &'static str,
}

impl Topic {
    /// Reads `arn:aws:sns:REGION:ACCOUNT:NAME`, also of China and of the government's regions.
    pub fn parse(arn: &str) -> Option<Self> {
        let arn = arn.trim();
        let parts: Vec<&str> = arn.split(':').collect();
        let ["arn", partition, "sns", region, account, name] = parts.as_slice() else { return None };
        let suffix = match *partition {
            "aws" | "aws-us-gov" => "amazonaws.com",
            "aws-cn" => "amazonaws.com.cn",
            _ => return None,
        };
        let is_region = (3..=REGION_CHARS_MAX).contains(&region.len())
            && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let is_number = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        let fits = is_region && is_number && !name.is_empty();
        fits.then(|| Self { arn: arn.to_owned(), region: (*region).to_owned(), suffix })
    }

    /// The host that everything of this topic comes from.
    fn host(&self) -> String {
        format!("sns.{}.{}", self.region, self.suffix)
    }

    /// The names of which the certificate must bear one (AWS SDK for Java 2, `sns-message-manager`: they differ by
    /// region, and certificates of some regions bear two).
    pub fn names(&self) -> Vec<String> {
        let Self { region, suffix, .. } = self;
        let mut names = vec![
            self.host(),
            format!("sns.{suffix}"),
            format!("sns-signing.{region}.{suffix}"),
            format!("sns-{region}.{suffix}"),
        ];
        if region.starts_with("us-gov-") {
            names.push("sns-us-gov-west-1.amazonaws.com".to_owned());
        }
        names
    }

    /// An https address of the topic's host, without user and port.
    fn address(&self, text: &str) -> Option<Url> {
        let url = Url::parse(text).ok()?;
        let is_plain = url.scheme() == "https"
            && url.username().is_empty()
            && url.password().is_none()
            && url.port().is_none()
            && url.fragment().is_none();
        (is_plain && url.host_str() == Some(self.host().as_str())).then_some(url)
    }

    /// Whether a certificate may be fetched from there.
    pub fn is_certificate(&self, text: &str) -> bool {
        self.address(text).is_some_and(|url| {
            url.query().is_none() && std::path::Path::new(url.path()).extension().is_some_and(|ending| ending == "pem")
        })
    }

    /// The address that confirms a subscription to this topic.
    pub fn confirmation(&self, text: &str) -> Option<Url> {
        self.address(text).filter(|url| {
            let says = |name: &str, value: &str| url.query_pairs().any(|(key, given)| key == name && given == value);
            says("Action", "ConfirmSubscription") && says("TopicArn", &self.arn)
        })
    }
}
