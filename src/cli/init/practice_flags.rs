//! A practice from flags, for `touchline init` without a terminal.

use chrono_tz::Tz;

use super::reading::{background, is_toll_free, person};
use crate::cli::exit::CliError;
use crate::cli::sample;
use crate::domain::practice::{Practice, called_number};
use crate::domain::{EmailAddress, FaxNumber};

/// What the flags say about the practice.
#[derive(Debug, Default, clap::Args)]
pub struct PracticeFlags {
    /// Name on the letterhead
    #[arg(long)]
    name: Option<String>,
    /// Legal name, for the fax header line (default: the name)
    #[arg(long)]
    legal_name: Option<String>,
    /// Street and suite
    #[arg(long)]
    street: Option<String>,
    /// City
    #[arg(long)]
    city: Option<String>,
    /// State, two letters
    #[arg(long)]
    state: Option<String>,
    /// ZIP code
    #[arg(long)]
    zip: Option<String>,
    /// Main telephone number
    #[arg(long, value_parser = called_number)]
    phone: Option<FaxNumber>,
    /// Fax number of the practice
    #[arg(long)]
    fax: Option<FaxNumber>,
    /// Number to call about a referral (default: the main number)
    #[arg(long, value_parser = called_number)]
    referral_line: Option<FaxNumber>,
    /// Opening hours in words
    #[arg(long, value_name = "TEXT")]
    hours: Option<String>,
    /// How soon a referral is answered: "within …"
    #[arg(long, value_name = "TEXT")]
    response_time: Option<String>,
    /// Email address the letters come from
    #[arg(long)]
    email: Option<EmailAddress>,
    /// Website
    #[arg(long)]
    website: Option<String>,
    /// IANA zone name, such as America/Chicago
    #[arg(long)]
    time_zone: Option<Tz>,
    /// Medical director's name
    #[arg(long)]
    director: Option<String>,
    /// Letters after the director's name
    #[arg(long, value_name = "LETTERS")]
    director_credentials: Option<String>,
    /// One or two sentences about the director's training and experience
    #[arg(long, value_name = "TEXT")]
    director_background: Option<String>,
    /// Opt-out telephone number, answered or recorded day and night (default: the main number)
    #[arg(long, value_parser = called_number)]
    opt_out_phone: Option<FaxNumber>,
    /// Opt-out fax number (default: the practice's)
    #[arg(long)]
    opt_out_fax: Option<FaxNumber>,
    /// A treatment offered; repeat for more
    #[arg(long = "service", value_name = "TEXT")]
    services: Vec<String>,
    /// A condition treated; repeat for more
    #[arg(long = "condition", value_name = "TEXT")]
    conditions: Vec<String>,
    /// An insurer accepted; repeat for more
    #[arg(long = "insurer", value_name = "TEXT")]
    insurers: Vec<String>,
}

impl PracticeFlags {
    /// Whether any flag was given.
    #[must_use]
    pub fn any(&self) -> bool {
        let texts = [
            &self.name,
            &self.legal_name,
            &self.street,
            &self.city,
            &self.state,
            &self.zip,
            &self.website,
            &self.hours,
            &self.response_time,
            &self.director,
            &self.director_credentials,
            &self.director_background,
        ];
        let numbers = [&self.phone, &self.fax, &self.referral_line, &self.opt_out_phone, &self.opt_out_fax];
        let lists = [&self.services, &self.conditions, &self.insurers];
        texts.iter().any(|text| text.is_some())
            || numbers.iter().any(|number| number.is_some())
            || lists.iter().any(|list| !list.is_empty())
            || self.email.is_some()
            || self.time_zone.is_some()
    }

    /// The practice. With `defaults`, what is not given is taken from the demo's fictional practice.
    ///
    /// # Errors
    /// Flags are missing, all of them named; or a value is not valid.
    pub fn practice(&self, defaults: bool) -> Result<Practice, CliError> {
        if !defaults {
            self.refuse_missing()?;
        }
        let mut practice = sample::practice()?;
        if !defaults {
            forget_fiction(&mut practice);
        }
        self.fill_texts(&mut practice);
        self.fill_addresses(&mut practice, defaults);
        self.fill_signer(&mut practice)?;
        let problems = practice.problems();
        if problems.is_empty() { Ok(practice) } else { Err(CliError::refused(problems.join("\n"))) }
    }

    fn refuse_missing(&self) -> Result<(), CliError> {
        let given = [
            ("--name", self.name.is_some()),
            ("--street", self.street.is_some()),
            ("--city", self.city.is_some()),
            ("--state", self.state.is_some()),
            ("--zip", self.zip.is_some()),
            ("--phone", self.phone.is_some()),
            ("--fax", self.fax.is_some()),
            ("--email", self.email.is_some()),
            ("--time-zone", self.time_zone.is_some()),
            ("--director", self.director.is_some()),
            ("--director-credentials", self.director_credentials.is_some()),
        ];
        let missing: Vec<&str> = given.iter().filter(|(_, given)| !given).map(|(flag, _)| *flag).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(CliError::usage(format!(
            "give {} too, or --defaults to fill in a fictional practice that you edit afterwards",
            missing.join(", ")
        )))
    }

    fn fill_texts(&self, practice: &mut Practice) {
        let director = &mut practice.medical_director;
        let legal_name = self.legal_name.as_ref().or(self.name.as_ref());
        for (known, said) in [
            (&mut practice.name, self.name.as_ref()),
            (&mut practice.legal_name, legal_name),
            (&mut practice.street, self.street.as_ref()),
            (&mut practice.city, self.city.as_ref()),
            (&mut practice.state, self.state.as_ref()),
            (&mut practice.zip, self.zip.as_ref()),
            (&mut director.name, self.director.as_ref()),
            (&mut director.credentials, self.director_credentials.as_ref()),
            (&mut practice.response_time, self.response_time.as_ref()),
        ] {
            if let Some(said) = said {
                said.trim().clone_into(known);
            }
        }
        for (known, said) in [
            (&mut practice.services, &self.services),
            (&mut practice.conditions, &self.conditions),
            (&mut practice.insurers, &self.insurers),
        ] {
            if !said.is_empty() {
                known.clone_from(said);
            }
        }
        for (known, said) in [(&mut practice.website, &self.website), (&mut practice.hours, &self.hours)] {
            if said.is_some() {
                known.clone_from(said);
            }
        }
        practice.time_zone = self.time_zone.unwrap_or(practice.time_zone);
    }

    /// Name and letters of who signs, each once, and the sentences about them.
    fn fill_signer(&self, practice: &mut Practice) -> Result<(), CliError> {
        let director = &mut practice.medical_director;
        (director.name, director.credentials) = person(&director.name, &director.credentials);
        if let Some(said) = self.director_background.as_deref().filter(|said| !said.trim().is_empty()) {
            director.background =
                background(said).map_err(|why| CliError::usage(format!("--director-background: {why}")))?;
        }
        Ok(())
    }

    fn fill_addresses(&self, practice: &mut Practice, defaults: bool) {
        for (known, said) in [(&mut practice.phone, &self.phone), (&mut practice.fax, &self.fax)] {
            if let Some(said) = said {
                known.clone_from(said);
            }
        }
        if self.referral_line.is_some() {
            practice.referral_line.clone_from(&self.referral_line);
        }
        if let Some(email) = &self.email {
            practice.email.clone_from(email);
        }
        let opt_out = &mut practice.opt_out;
        if !defaults {
            opt_out.phone.clone_from(&practice.phone);
            opt_out.fax.clone_from(&practice.fax);
            opt_out.email = Some(practice.email.clone());
        }
        for (known, said) in [(&mut opt_out.phone, &self.opt_out_phone), (&mut opt_out.fax, &self.opt_out_fax)] {
            if let Some(said) = said {
                known.clone_from(said);
            }
        }
        opt_out.toll_free = is_toll_free(&opt_out.phone) || is_toll_free(&opt_out.fax);
    }
}

/// Nothing from the fictional practice may end up in a real one's letters.
fn forget_fiction(practice: &mut Practice) {
    practice.referral_line = None;
    practice.website = None;
    practice.hours = None;
    practice.services.clear();
    practice.conditions.clear();
    practice.insurers.clear();
    practice.medical_director.background.clear();
    practice.opt_out.web = None;
}
