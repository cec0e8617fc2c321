//! Return paths: addresses made for one attempt each, so that what comes back to one names the letter by itself, whatever the
//! mail in it says. `bounces@practice.example` becomes `bounces+b…@practice.example`, where the letters behind the plus hold
//! the attempt and a signature; nobody else can make one. For the mailbox of opt-outs by mail the first letter is a `u`.

use ring::hmac;

use super::address::EmailAddress;
use super::id::AttemptId;

/// Octets of the signature; 64 bits, as each guess is a mail.
const TAG_OCTETS: usize = 8;
/// Octets of the attempt's identifier.
const ID_OCTETS: usize = 16;
/// Characters that hold both, five bits each.
const CODE_CHARS: usize = ((TAG_OCTETS + ID_OCTETS) * 8).div_ceil(5);
/// The longest local part (RFC 5321 section 4.5.3.1.1).
const LOCAL_OCTETS_MAX: usize = 64;
/// Lower case, since local parts lose their case on the way (RFC 4648 section 6).
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// What is sent to a return path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Whatever comes back for the attempt.
    Bounce,
    /// A request to be sent no more such letters.
    OptOut,
}

impl Way {
    const ALL: [Self; 2] = [Self::Bounce, Self::OptOut];

    const fn letter(self) -> char {
        match self {
            Self::Bounce => 'b',
            Self::OptOut => 'u',
        }
    }
}

/// Makes and reads return paths.
#[derive(Debug, Clone)]
pub struct ReturnPaths {
    key: hmac::Key,
}

impl ReturnPaths {
    /// Return paths signed with this installation's key.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key) }
    }

    /// The address to which mail about the attempt is returned, below a mailbox. None if that has no room for it: its local part
    /// may have 23 characters at most.
    #[must_use]
    pub fn bounce(&self, mailbox: &EmailAddress, attempt: AttemptId) -> Option<EmailAddress> {
        self.address(mailbox, Way::Bounce, attempt)
    }

    /// The address to which the attempt's recipient can write to opt out. None as for [`ReturnPaths::bounce`].
    #[must_use]
    pub fn opt_out(&self, mailbox: &EmailAddress, attempt: AttemptId) -> Option<EmailAddress> {
        self.address(mailbox, Way::OptOut, attempt)
    }

    fn address(&self, mailbox: &EmailAddress, way: Way, attempt: AttemptId) -> Option<EmailAddress> {
        let local = format!("{}+{}{}", mailbox.local(), way.letter(), self.code(way, attempt));
        if local.len() > LOCAL_OCTETS_MAX {
            return None;
        }
        EmailAddress::parse(&format!("{local}@{}", mailbox.domain())).ok()
    }

    /// What an address of ours is for, and the attempt that it names. None for any other address, and for a forged one.
    #[must_use]
    pub fn read(&self, address: &str) -> Option<(Way, AttemptId)> {
        let local = address.trim().trim_matches(['<', '>']).rsplit_once('@')?.0;
        let code = local.rsplit_once('+')?.1.to_ascii_lowercase();
        let way = Way::ALL.into_iter().find(|way| code.starts_with(way.letter()))?;
        let code = code.get(1..).filter(|code| code.len() == CODE_CHARS)?;
        let octets = unlettered(code)?;
        let attempt = AttemptId(uuid::Uuid::from_slice(octets.get(..ID_OCTETS)?).ok()?);
        // Compared as text, so that no second spelling of the last character passes.
        let is_ours: bool = subtle::ConstantTimeEq::ct_eq(self.code(way, attempt).as_bytes(), code.as_bytes()).into();
        is_ours.then_some((way, attempt))
    }

    fn code(&self, way: Way, attempt: AttemptId) -> String {
        let mut signed = Vec::with_capacity(ID_OCTETS + 1);
        signed.extend_from_slice(attempt.0.as_bytes());
        signed.extend_from_slice(way.letter().to_string().as_bytes());
        let tag = hmac::sign(&self.key, &signed);
        let mut octets = attempt.0.as_bytes().to_vec();
        octets.extend(tag.as_ref().iter().take(TAG_OCTETS));
        lettered(&octets)
    }
}

/// Five bits a character.
fn lettered(octets: &[u8]) -> String {
    let mut text = String::with_capacity((octets.len() * 8).div_ceil(5));
    let (mut held, mut bits) = (0_u32, 0_u32);
    for octet in octets {
        held = (held << 8) | u32::from(*octet);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(letter(held >> bits));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(letter(held << (5 - bits)));
    }
    text
}

fn letter(bits: u32) -> char {
    let place = usize::try_from(bits & 31).unwrap_or(0);
    LETTERS.get(place).map_or('a', |octet| char::from(*octet))
}

fn unlettered(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len() * 5 / 8);
    let (mut held, mut bits) = (0_u32, 0_u32);
    for octet in text.bytes() {
        let value = LETTERS.iter().position(|letter| *letter == octet)?;
        held = (held << 5) | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            octets.push(u8::try_from((held >> bits) & 0xff).ok()?);
        }
        held &= (1 << bits) - 1;
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mailbox(text: &str) -> EmailAddress {
        EmailAddress::parse(text).expect("an address")
    }

    proptest! {
        #[test]
        fn an_attempt_comes_back_and_nothing_else_is_believed(
            id in any::<u128>(), noise in "\\PC{0,80}", place in 0usize..39, other in 0usize..32,
        ) {
            let paths = ReturnPaths::new(b"key");
            let attempt = AttemptId(uuid::Uuid::from_u128(id));
            let bounce = paths.bounce(&mailbox("bounces@practice.example"), attempt).expect("room");
            let opt_out = paths.opt_out(&mailbox("bounces@practice.example"), attempt).expect("room");
            prop_assert_eq!(paths.read(bounce.as_str()), Some((Way::Bounce, attempt)));
            prop_assert_eq!(paths.read(&format!("<{}>", opt_out.as_str().to_uppercase())), Some((Way::OptOut, attempt)));
            prop_assert_eq!(ReturnPaths::new(b"other").read(bounce.as_str()), None);
            prop_assert_eq!(paths.read(&noise), None);
            let start = "bounces+b".len() + place;
            let mut changed = bounce.as_str().to_owned();
            let letter = char::from(LETTERS[other]).to_string();
            changed.replace_range(start..=start, &letter);
            prop_assert_eq!(paths.read(&changed).is_some(), changed == bounce.as_str());
            let swapped = bounce.as_str().replacen("+b", "+u", 1);
            prop_assert_eq!(paths.read(&swapped), None, "signed for the other way");
        }
    }

    #[test]
    fn a_local_part_has_64_octets_at_most() {
        let paths = ReturnPaths::new(b"key");
        let attempt = AttemptId::new();
        let longest = paths.bounce(&mailbox("a23456789012345678901.3@practice.example"), attempt).expect("room");
        assert_eq!(longest.local().len(), LOCAL_OCTETS_MAX);
        assert_eq!(paths.bounce(&mailbox("a23456789012345678901.34@practice.example"), attempt), None);
    }
}
