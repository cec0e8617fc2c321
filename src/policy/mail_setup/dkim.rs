//! DKIM: whether what is published for a selector is our key (RFC 6376 §3.6.1).

/// How what is published compares with what must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// Nothing is there.
    Nothing,
    /// Several records, of which a receiver may take any.
    Several,
    /// The key was revoked: `p=` is empty.
    Revoked,
    /// It is another key.
    Another,
    /// It is our key, but receivers are told not to rely on it (`t=y`).
    OnTrial,
    /// It is our key.
    Ours,
}

/// Compares the TXT records at a selector's name with the value that must stand there.
#[must_use]
pub fn compare(texts: &[String], ours: &str) -> Published {
    let keys: Vec<&String> = texts.iter().filter(|text| tag(text, "p").is_some()).collect();
    let published = match keys.as_slice() {
        [] => return Published::Nothing,
        [one] => one.as_str(),
        _ => return Published::Several,
    };
    let key = tag(published, "p").unwrap_or_default();
    let kind = |text: &str| tag(text, "k").unwrap_or_else(|| "rsa".to_owned());
    let on_trial = tag(published, "t").is_some_and(|flags| flags.split(':').any(|flag| flag == "y"));
    match key.as_str() {
        "" => Published::Revoked,
        key if Some(key) != tag(ours, "p").as_deref() || kind(published) != kind(ours) => Published::Another,
        _ if on_trial => Published::OnTrial,
        _ => Published::Ours,
    }
}

/// The value of a tag without white space, which a DNS panel may have put into it.
fn tag(text: &str, name: &str) -> Option<String> {
    let mut tags = text.split(';').filter_map(|tag| tag.split_once('='));
    let value = tags.find(|(tag, _)| tag.trim() == name).map(|(_, value)| value)?;
    Some(value.split_ascii_whitespace().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_is_our_key_or_it_is_said_what_it_is() {
        let ours = "v=DKIM1; k=rsa; p=QUJD";
        for (texts, found) in [
            (&[][..], Published::Nothing),
            (&["google-site-verification=x"], Published::Nothing),
            (&["v=DKIM1; k=rsa; p=QUJD"], Published::Ours),
            (&["k=rsa;p=QU JD;"], Published::Ours),
            (&["p=QUJD"], Published::Ours),
            (&["v=DKIM1; k=ed25519; p=QUJD"], Published::Another),
            (&["v=DKIM1; k=rsa; p=QUJE"], Published::Another),
            (&["v=DKIM1; k=rsa; p="], Published::Revoked),
            (&["v=DKIM1; t=s:y; k=rsa; p=QUJD"], Published::OnTrial),
            (&["v=DKIM1; t=s; k=rsa; p=QUJD"], Published::Ours),
            (&["v=DKIM1; p=QUJD", "v=DKIM1; p=QUJE"], Published::Several),
        ] {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(compare(&texts, ours), found, "{texts:?}");
        }
    }
}
