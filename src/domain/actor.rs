//! Who did something: a person, a program, a provider account, a built-in rule. One spelling, `kind:name`, wherever it
//! is stored or shown to a program.

use std::fmt;
use std::str::FromStr;

use super::words::{text_column, text_json, words};

/// Longest name kept, in characters.
const NAME_CHARS_MAX: usize = 200;

words! {
    /// A built-in rule that decided something without being asked.
    Rule {
        /// The last check before a call.
        Gate = "gate",
        /// The letter could not be rendered.
        Renderer = "renderer",
        /// What follows a restore of the records.
        AfterRestore = "after_restore",
        /// An open attempt was found that no node is working on.
        FoundUnfinished = "found_unfinished",
        /// No bounce came in time.
        NoBounceInTime = "no_bounce_in_time",
        /// No final report came in time.
        NoReportInTime = "no_report_in_time",
        /// A letter goes out once more by itself because a look-up found nothing, and not again.
        OneResend = "one_resend",
        /// The same refusal for several recipients in a row.
        SameRefusal = "same_refusal",
        /// What passes has passed: the end of a suppression for a while.
        Expiry = "expiry",
        /// Too many letters of a broadcast came back.
        TooManyReturns = "too_many_returns",
        /// The setting `smtp_doubt = assume_sent`.
        AssumeSent = "smtp_doubt_assume_sent",
        /// The setting `smtp_doubt = resend`.
        Resend = "smtp_doubt_resend",
    }
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Actor {
    /// A person, at the dashboard or on the command line.
    Operator(String),
    /// A program, by the name of its API token.
    Token(String),
    /// A campaign that became due.
    Campaign(String),
    /// A provider account.
    Provider(String),
    /// A built-in rule.
    Rule(Rule),
    /// The recipient, through a link in a letter.
    Recipient,
    /// Touchline itself.
    System,
}

impl Actor {
    /// A person by name.
    #[must_use]
    pub fn operator(name: &str) -> Self {
        Self::Operator(shortened(name))
    }

    /// A program by the name of its token.
    #[must_use]
    pub fn token(name: &str) -> Self {
        Self::Token(shortened(name))
    }

    /// A campaign by name.
    #[must_use]
    pub fn campaign(name: &str) -> Self {
        Self::Campaign(shortened(name))
    }

    /// A provider account by name.
    #[must_use]
    pub fn provider(account: &str) -> Self {
        Self::Provider(shortened(account))
    }

    /// The name alone, for people: `maria`, `crm`, `telnyx-main`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Operator(name) | Self::Token(name) | Self::Campaign(name) | Self::Provider(name) => name,
            Self::Rule(rule) => rule.as_str(),
            Self::Recipient => "recipient",
            Self::System => "Touchline",
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Operator(_) => "operator",
            Self::Token(_) => "token",
            Self::Campaign(_) => "campaign",
            Self::Provider(_) => "provider",
            Self::Rule(_) => "rule",
            Self::Recipient => "recipient",
            Self::System => "system",
        }
    }
}

fn shortened(name: &str) -> String {
    name.chars().take(NAME_CHARS_MAX).collect()
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recipient | Self::System => f.write_str(self.kind()),
            named => write!(f, "{}:{}", named.kind(), named.name()),
        }
    }
}

impl FromStr for Actor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || "this does not name an actor".to_owned();
        match text.split_once(':') {
            Some(("operator", name)) => Ok(Self::operator(name)),
            Some(("token", name)) => Ok(Self::token(name)),
            Some(("campaign", name)) => Ok(Self::campaign(name)),
            Some(("provider", name)) => Ok(Self::provider(name)),
            Some(("rule", rule)) => rule.parse().map(Self::Rule).map_err(|_| unknown()),
            None if text == "recipient" => Ok(Self::Recipient),
            None if text == "system" => Ok(Self::System),
            _ => Err(unknown()),
        }
    }
}

text_json!(Actor);
text_column!(Actor, String, |actor| actor.to_string());

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_actor_is_read_back_from_its_spelling_whatever_the_name(name in "\\PC{0,200}") {
            for actor in [
                Actor::operator(&name), Actor::token(&name), Actor::campaign(&name), Actor::provider(&name),
            ] {
                prop_assert_eq!(actor.to_string().parse::<Actor>(), Ok(actor.clone()));
                let json = serde_json::to_string(&actor).expect("a text");
                prop_assert_eq!(serde_json::from_str::<Actor>(&json).expect("the text"), actor);
            }
        }
    }

    #[test]
    fn rules_and_those_without_a_name_are_read_back_too_and_nothing_else_is() {
        let rules = Rule::ALL.iter().copied().map(Actor::Rule);
        for actor in rules.chain([Actor::Recipient, Actor::System]) {
            assert_eq!(actor.to_string().parse::<Actor>(), Ok(actor));
        }
        for text in ["", "maria", "rule:whim", "system:x", "Operator:maria"] {
            assert!(text.parse::<Actor>().is_err(), "{text}");
        }
    }
}
