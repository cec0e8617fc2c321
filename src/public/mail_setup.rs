//! What a look at the email setup found.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Timestamp;
use crate::policy::mail_setup::{Finding, Grade, Record};

/// The email setup as it was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct MailSetupView {
    /// When it was looked at.
    #[schema(value_type = String, format = DateTime)]
    pub checked_at: Timestamp,
    /// Whether nothing is wrong.
    pub ok: bool,
    /// The domain of From.
    pub from: String,
    /// What was found.
    pub findings: Vec<FindingView>,
}

/// One thing that was looked at.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingView {
    /// What: `from`, `spf`, `dkim`, `dmarc`, `alignment`, `return path`, `reverse name`, `relay`, `postal address`, `opt-out link`,
    /// `answers`, `returns`, `quota`; of a test mail, what arrived.
    pub check: &'static str,
    /// Of which domain, account or campaign.
    pub about: String,
    /// `ok`, `advice` or `problem`.
    pub grade: &'static str,
    /// What was found.
    pub words: String,
    /// What to do; empty if nothing.
    pub advice: String,
    /// The records to publish, ready to copy.
    pub publish: Vec<RecordView>,
    /// Whether mail to many would break the rules that large receivers have for it.
    pub stops_broadcasts: bool,
}

/// A record to publish in DNS.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordView {
    /// Where.
    pub name: String,
    /// `TXT`.
    pub kind: &'static str,
    /// What.
    pub value: String,
}

impl MailSetupView {
    /// The result of a look at that moment.
    #[must_use]
    pub fn of(at: Timestamp, from: &str, findings: &[Finding]) -> Self {
        Self {
            checked_at: at,
            ok: findings.iter().all(|finding| finding.grade != Grade::Problem),
            from: from.to_owned(),
            findings: findings.iter().map(FindingView::from).collect(),
        }
    }
}

impl From<&Finding> for FindingView {
    fn from(finding: &Finding) -> Self {
        Self {
            check: finding.check,
            about: finding.about.clone(),
            grade: match finding.grade {
                Grade::Ok => "ok",
                Grade::Advice => "advice",
                Grade::Problem => "problem",
            },
            words: finding.words.clone(),
            advice: finding.advice.clone(),
            publish: finding.publish.iter().map(RecordView::from).collect(),
            stops_broadcasts: finding.breaks_bulk_rules,
        }
    }
}

impl From<&Record> for RecordView {
    fn from(record: &Record) -> Self {
        Self { name: record.name.clone(), kind: "TXT", value: record.value.clone() }
    }
}
