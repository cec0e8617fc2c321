//! Enhanced status codes (RFC 3463, RFC 5248).

use std::fmt;

/// An enhanced status code, such as 5.1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnhancedStatus {
    /// 2 done, 4 may work later, 5 permanent.
    pub class: u8,
    /// What it is about: 1 address, 2 mailbox, 3 system, 4 network, 5 protocol, 6 content, 7 policy.
    pub subject: u16,
    /// Which trouble exactly.
    pub detail: u16,
}

impl EnhancedStatus {
    /// Reads `5.1.1`. `None` for anything else.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let mut parts = word.split('.');
        let mut number = |digits_max: usize| {
            let part = parts.next()?;
            let fits = (1..=digits_max).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
            if fits { part.parse::<u16>().ok() } else { None }
        };
        let (class, subject, detail) = (number(1)?, number(3)?, number(3)?);
        let class = u8::try_from(class).ok().filter(|class| [2, 4, 5].contains(class))?;
        parts.next().is_none().then_some(Self { class, subject, detail })
    }
}

impl fmt::Display for EnhancedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_codes_of_known_classes_are_read() {
        assert_eq!(EnhancedStatus::parse("5.1.10").map(|status| status.to_string()), Some("5.1.10".to_owned()));
        for word in ["5.1.1.1", "5.1234.1", "9.1.1", "5.1", "5..1", "", "a.b.c", "+5.1.1"] {
            assert_eq!(EnhancedStatus::parse(word), None, "{word}");
        }
    }
}
