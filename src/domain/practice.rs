//! The practice: the sender. Comes from the configuration file and goes onto every page.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::address::{EmailAddress, FaxNumber, PhoneNumber};
use super::address_error::AddressError;
use super::listed::listed;

/// The longest description, in characters: one line under the name.
const DESCRIPTION_CHARS_MAX: usize = 90;

/// The sender's profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Practice {
    /// Name on the letterhead.
    pub name: String,
    /// Legal name: the header line of every fax names it (47 CFR § 68.318(d)).
    pub legal_name: String,
    /// Street and suite. A valid physical postal address is required in commercial mail (15 U.S.C. § 7704(a)(5)).
    pub street: String,
    /// City.
    pub city: String,
    /// Two-letter state.
    pub state: String,
    /// ZIP code.
    pub zip: String,
    /// Main voice number; printed in the fax header.
    #[serde(deserialize_with = "called")]
    pub phone: FaxNumber,
    /// The practice's own fax number; the caller number of faxes.
    pub fax: FaxNumber,
    /// The referral line; the main number if absent.
    #[serde(default, deserialize_with = "called_or_none")]
    pub referral_line: Option<FaxNumber>,
    /// Web address.
    #[serde(default)]
    pub website: Option<String>,
    /// The practice's mailbox, the From of its letters.
    pub email: EmailAddress,
    /// The mailbox that answers to its letters go to (`Reply-To`), which should be one that is read; `email` if absent.
    #[serde(default)]
    pub reply_to: Option<EmailAddress>,
    /// IANA zone name.
    pub time_zone: chrono_tz::Tz,
    /// Opening hours in words.
    #[serde(default)]
    pub hours: Option<String>,
    /// Treatments offered.
    #[serde(default)]
    pub services: Vec<String>,
    /// Conditions treated.
    #[serde(default)]
    pub conditions: Vec<String>,
    /// Insurers accepted.
    #[serde(default)]
    pub insurers: Vec<String>,
    /// The response time promised to referrers, in words.
    #[serde(default = "response_time_default")]
    pub response_time: String,
    /// What the practice does, in one line under its name on advertisements; made of `conditions` if absent.
    #[serde(default)]
    pub description: Option<String>,
    /// Logo file (one-bit artwork, PNG or SVG).
    #[serde(default)]
    pub logo: Option<std::path::PathBuf>,
    /// The signer.
    pub medical_director: MedicalDirector,
    /// How an advertisement can be refused; printed on each one.
    pub opt_out: OptOut,
}

/// Reads a number at which the practice is called.
///
/// # Errors
/// As [`PhoneNumber::parse`]; an extension, which neither the header of a fax nor a letter has room for.
pub fn called_number(text: &str) -> Result<FaxNumber, AddressError> {
    let number = PhoneNumber::parse(text)?;
    FaxNumber::parse(number.as_str())
        .map_err(|_| AddressError("leave the extension out: letters print a number that callers reach without one"))
}

fn called<'de, D: Deserializer<'de>>(source: D) -> Result<FaxNumber, D::Error> {
    called_number(&String::deserialize(source)?).map_err(D::Error::custom)
}

fn called_or_none<'de, D: Deserializer<'de>>(source: D) -> Result<Option<FaxNumber>, D::Error> {
    let text = Option::<String>::deserialize(source)?;
    text.map(|text| called_number(&text)).transpose().map_err(D::Error::custom)
}

fn response_time_default() -> String {
    "one business day".to_owned()
}

/// The clinician who signs the letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MedicalDirector {
    /// Full name.
    pub name: String,
    /// Letters after the name.
    pub credentials: String,
    /// Title under the signature.
    #[serde(default = "title_default")]
    pub title: String,
    /// One or two sentences about training and experience.
    #[serde(default)]
    pub background: String,
    /// Signature image file (PNG, black on white).
    #[serde(default)]
    pub signature: Option<std::path::PathBuf>,
}

fn title_default() -> String {
    "Medical Director".to_owned()
}

/// The means by which a recipient may refuse further advertisements (47 CFR § 64.1200(a)(4)(iii)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptOut {
    /// Domestic telephone number, answered or recorded at any hour.
    #[serde(deserialize_with = "called")]
    pub phone: FaxNumber,
    /// Domestic fax number.
    pub fax: FaxNumber,
    /// Web page that explains and accepts the request.
    #[serde(default)]
    pub web: Option<String>,
    /// Mailbox that accepts the request.
    #[serde(default)]
    pub email: Option<EmailAddress>,
    /// Whether one of the two numbers is toll-free; if not, `web` or `email` is required.
    #[serde(default)]
    pub toll_free: bool,
}

impl Practice {
    /// The referral line, or the main number.
    #[must_use]
    pub fn referral_number(&self) -> &FaxNumber {
        self.referral_line.as_ref().unwrap_or(&self.phone)
    }

    /// What the practice does, in one line: its description, or the first of the conditions treated. Empty if there is neither.
    #[must_use]
    pub fn does(&self) -> String {
        if let Some(said) = self.description.as_deref().map(str::trim).filter(|said| !said.is_empty()) {
            return said.to_owned();
        }
        let counts = (1..=self.conditions.len()).rev();
        let mut named = counts.map(|count| format!("Treatment of {}", listed(&self.conditions[..count], "and")));
        named.find(|line| line.chars().count() <= DESCRIPTION_CHARS_MAX).unwrap_or_default()
    }

    /// What is missing or contradictory, each with the key and what to do. Empty means complete.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (key, value) in [
            ("name", &self.name),
            ("legal_name", &self.legal_name),
            ("street", &self.street),
            ("city", &self.city),
            ("state", &self.state),
            ("zip", &self.zip),
            ("medical_director.name", &self.medical_director.name),
        ] {
            if value.trim().is_empty() {
                problems.push(format!("practice.{key} is empty: write it as it should appear on the letterhead"));
            } else if value.chars().count() > 200 || value.chars().any(char::is_control) {
                problems.push(format!("practice.{key} must be one line of at most 200 characters"));
            }
        }
        let description = self.description.as_deref().unwrap_or_default();
        if description.chars().count() > DESCRIPTION_CHARS_MAX || description.chars().any(char::is_control) {
            problems
                .push(format!("practice.description must be one line of at most {DESCRIPTION_CHARS_MAX} characters"));
        }
        if self.reply_to.as_ref().is_some_and(|mailbox| !mailbox.local().is_ascii()) {
            problems.push(
                "practice.reply_to must have ASCII letters before the @: mail programs of others must write to it"
                    .to_owned(),
            );
        }
        if !self.opt_out.toll_free && self.opt_out.web.is_none() && self.opt_out.email.is_none() {
            problems.push(
                "practice.opt_out needs a cost-free way: set toll_free = true if a number is toll-free, or give web or email (47 CFR 64.1200(a)(4)(iii)(D))"
                    .to_owned(),
            );
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_at_which_the_practice_is_called_is_no_fax_number_and_has_no_extension() {
        for text in ["608.233.1900", "Tel. (608) 233-1900", "+1 608 233 1900"] {
            assert_eq!(called_number(text).expect("a number").as_str(), "+16082331900", "{text}");
        }
        let refused = called_number("608.233.1900 ext 4").expect_err("an extension").to_string();
        assert!(refused.contains("leave the extension out") && !refused.contains("fax"), "{refused}");
        assert!(called_number("nobody").is_err());
    }

    #[test]
    fn what_a_practice_does_is_said_in_its_own_words_or_by_the_conditions_that_fit_one_line() {
        #[derive(Deserialize)]
        struct File {
            practice: Practice,
        }
        let sample =
            toml::from_str::<File>(include_str!("../../config/sample-practice.toml")).expect("a practice").practice;
        assert!(sample.problems().is_empty() && !sample.does().is_empty());
        let with = |description: Option<&str>, conditions: &[&str]| {
            let conditions = conditions.iter().map(|&name| name.to_owned()).collect();
            Practice { description: description.map(str::to_owned), conditions, ..sample.clone() }
        };
        assert_eq!(with(Some("Care for depression"), &["OCD"]).does(), "Care for depression");
        assert_eq!(with(Some(" "), &["OCD"]).does(), "Treatment of OCD");
        assert_eq!(with(None, &["depression", "anxiety", "OCD"]).does(), "Treatment of depression, anxiety and OCD");
        assert_eq!(with(None, &["depression", &"x".repeat(80)]).does(), "Treatment of depression");
        assert_eq!(with(None, &[]).does(), "");
        assert!(with(Some(&"x".repeat(91)), &[]).problems()[0].contains("practice.description"));
    }
}
