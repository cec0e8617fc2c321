//! The small vocabularies that travel with every message: channel, lane, purpose, PHI class.

use super::words::words;

words! {
    /// How a message travels.
    Channel {
        /// Facsimile, ITU-T T.30, through a provider's HTTP API.
        Fax = "fax",
        /// Internet mail, RFC 5321.
        Email = "email",
    }
}

words! {
    /// A class of work; treatment goes before one-off, one-off before broadcast.
    Lane {
        /// Correspondence about a patient.
        Treatment = "treatment",
        /// A single letter that someone asked for now.
        OneOff = "one_off",
        /// Part of a broadcast.
        Broadcast = "broadcast",
    }
}

impl Lane {
    /// The share of the dispatcher's time relative to the other lanes (start-time fair queueing weight).
    #[must_use]
    pub const fn weight(self) -> i64 {
        match self {
            Self::Treatment => 100,
            Self::OneOff => 40,
            Self::Broadcast => 10,
        }
    }
}

words! {
    /// What a letter is for; decides which law applies (`compliance.md` §1).
    Purpose {
        /// Speaks of the availability or quality of services: 47 U.S.C. § 227(a)(5).
        Advertisement = "advertisement",
        /// Bona fide information with only incidental identity of the sender.
        Informational = "informational",
        /// About a patient, to a clinician who treats that patient.
        Treatment = "treatment",
        /// Plain business between the parties, such as a delivery test.
        Operational = "operational",
    }
}

impl Purpose {
    /// Whether it is sent to win or keep a referrer, rather than about a patient or about the work with them.
    #[must_use]
    pub const fn is_outreach(self) -> bool {
        matches!(self, Self::Advertisement | Self::Informational)
    }
}

words! {
    /// Whether a letter holds protected health information (45 CFR § 160.103).
    PhiClass {
        /// None.
        None = "none",
        /// De-identified under 45 CFR § 164.514(b).
        Deidentified = "deidentified",
        /// Identifies a patient: leaves only through providers under a business associate agreement.
        Identified = "identified",
    }
}
