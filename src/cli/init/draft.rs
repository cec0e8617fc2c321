//! What has been answered so far, the practice that comes of it, and its review.

use chrono_tz::Tz;

use super::config_file::{AccountAnswers, Answers};
use super::reading::is_toll_free;
use super::states::zone_words;
use crate::domain::practice::{MedicalDirector, OptOut, Practice};
use crate::domain::{Channel, EmailAddress, FaxNumber};
use crate::provider::find_spec;

/// The answers. Texts that were not asked for yet are empty.
#[derive(Debug, Default)]
pub struct Draft {
    pub name: String,
    pub legal_name: String,
    pub street: String,
    pub city: String,
    pub state: String,
    pub zip: String,
    pub zone: Option<Tz>,
    pub phone: Option<FaxNumber>,
    pub fax: Option<FaxNumber>,
    pub email: Option<EmailAddress>,
    pub website: Option<String>,
    pub referral_line: Option<FaxNumber>,
    pub hours: Option<String>,
    pub response_time: String,
    pub director: String,
    pub credentials: String,
    pub background: String,
    pub services: Vec<String>,
    pub conditions: Vec<String>,
    pub insurers: Vec<String>,
    pub opt_out_phone: Option<FaxNumber>,
    pub opt_out_fax: Option<FaxNumber>,
    pub opt_out_email: Option<EmailAddress>,
    /// The accounts picked, one for each channel at most.
    pub accounts: Vec<AccountAnswers>,
}

impl Draft {
    /// City, state and ZIP code on one line; `None` before they are known.
    pub fn place(&self) -> Option<String> {
        (!self.city.is_empty()).then(|| format!("{}, {} {}", self.city, self.state, self.zip))
    }

    /// Name and letters of who signs; `None` before they are known.
    pub fn signer(&self) -> Option<String> {
        let parts = [self.director.as_str(), self.credentials.as_str()];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// Whether a recipient can opt out by telephone or fax free of charge.
    pub fn has_toll_free(&self) -> bool {
        [&self.opt_out_phone, &self.opt_out_fax].into_iter().flatten().any(is_toll_free)
    }

    /// The account picked for a channel.
    pub fn account(&self, channel: Channel) -> Option<&AccountAnswers> {
        self.accounts.iter().find(|account| find_spec(account.kind).is_some_and(|spec| spec.channel == channel))
    }

    /// The practice; `None` while an answer is missing that has no default.
    pub fn practice(&self) -> Option<Practice> {
        let (phone, fax) = (self.phone.clone()?, self.fax.clone()?);
        Some(Practice {
            name: self.name.clone(),
            legal_name: self.legal_name.clone(),
            street: self.street.clone(),
            city: self.city.clone(),
            state: self.state.clone(),
            zip: self.zip.clone(),
            referral_line: self.referral_line.clone(),
            website: self.website.clone(),
            email: self.email.clone()?,
            reply_to: None,
            time_zone: self.zone?,
            hours: self.hours.clone(),
            services: self.services.clone(),
            conditions: self.conditions.clone(),
            insurers: self.insurers.clone(),
            response_time: self.response_time.clone(),
            description: None,
            logo: None,
            medical_director: MedicalDirector {
                name: self.director.clone(),
                credentials: self.credentials.clone(),
                title: "Medical Director".to_owned(),
                background: self.background.clone(),
                signature: None,
            },
            opt_out: OptOut {
                phone: self.opt_out_phone.clone().unwrap_or_else(|| phone.clone()),
                fax: self.opt_out_fax.clone().unwrap_or_else(|| fax.clone()),
                web: None,
                email: self.opt_out_email.clone(),
                toll_free: self.has_toll_free(),
            },
            phone,
            fax,
        })
    }

    /// What the file is written from; `None` as [`Draft::practice`].
    pub fn answers(&self) -> Option<Answers> {
        let practice = self.practice()?;
        Some(Answers { accounts: self.accounts.clone(), ..Answers::of_practice(practice) })
    }

    /// Everything answered, as it will be used: what it is, and the answer.
    pub fn review(&self) -> Vec<(&'static str, String)> {
        let number = |number: &Option<FaxNumber>| number.as_ref().map(FaxNumber::pretty).unwrap_or_default();
        let or = |text: String, instead: &str| if text.is_empty() { instead.to_owned() } else { text };
        let list = |list: &[String]| or(list.join("\n"), "none: letters leave them out");
        let address = |address: &Option<EmailAddress>| {
            address.as_ref().map(|address| address.as_str().to_owned()).unwrap_or_default()
        };
        let place = self.place().unwrap_or_default();
        let opt_out = [number(&self.opt_out_phone), number(&self.opt_out_fax), address(&self.opt_out_email)];
        let opt_out: Vec<String> = opt_out.into_iter().filter(|text| !text.is_empty()).collect();
        vec![
            ("Name", self.name.clone()),
            ("Legal name", self.legal_name.clone()),
            ("Address", format!("{}\n{place}", self.street)),
            ("Time zone", self.zone.map(zone_words).unwrap_or_default()),
            ("Telephone", number(&self.phone)),
            ("Fax", number(&self.fax)),
            ("Email", address(&self.email)),
            ("Website", or(self.website.clone().unwrap_or_default(), "none")),
            ("Referral line", or(number(&self.referral_line), "the main number")),
            ("Hours", or(self.hours.clone().unwrap_or_default(), "not given")),
            ("Answers within", self.response_time.clone()),
            ("Signs", self.signer().unwrap_or_default()),
            ("Background", or(self.background.clone(), "none: the introduction does without")),
            ("Treatments", list(&self.services)),
            ("Conditions", list(&self.conditions)),
            ("Insurers", list(&self.insurers)),
            ("Opting out", opt_out.join("\n")),
            ("Faxes by", self.account_words(Channel::Fax)),
            ("Email by", self.account_words(Channel::Email)),
        ]
    }

    fn account_words(&self, channel: Channel) -> String {
        match self.account(channel) {
            None => "nothing: this channel is not used".to_owned(),
            Some(account) if account.is_rehearsal() => "the sandbox: nothing leaves this machine".to_owned(),
            Some(account) => find_spec(account.kind).map_or(account.kind, |spec| spec.title).to_owned(),
        }
    }
}
