//! What a name in DNS looks like.

/// Longest name that is used: with a selector or `_dmarc` before it, it still fits the 253 characters of a name.
const CHARS_MAX: usize = 180;

/// Whether a text is a name of hosts or domains in ASCII: labels of letters, digits and inner hyphens, at most 63 octets
/// each, with dots between, 180 octets in all (RFC 1035 §2.3.1, RFC 6376 §3.1). One label alone is a name as well.
#[must_use]
pub fn is_dns_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= CHARS_MAX && text.split('.').all(is_label)
}
