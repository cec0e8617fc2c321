//! A verifier of DKIM signatures (RFC 6376 §6, RFC 8463), written apart from the signer and in another way, and itself held
//! against signatures that others made. Only relaxed/relaxed, and no limits: it reads what the tests send.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};

/// One signature of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Its tags without white space, in their order.
    pub tags: Vec<(String, String)>,
    /// What is wrong with it.
    pub verdict: Result<(), String>,
}

impl Signature {
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.tags.iter().find(|(tag, _)| tag == name).map(|(_, value)| value.as_str())
    }
}

/// Verifies every signature of a mail with CRLF line ends. `lookup` gives the TXT record of a name.
pub fn verify(eml: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Vec<Signature> {
    let (header, body) = eml.split_once("\r\n\r\n").unwrap_or((eml, ""));
    let fields = unfolded(header);
    fields
        .iter()
        .filter(|field| name_of(field) == "dkim-signature")
        .map(|field| {
            let tags = tags(field);
            let signature = Signature { tags, verdict: Ok(()) };
            let verdict = judge(&signature, field, &fields, body, lookup);
            Signature { verdict, ..signature }
        })
        .collect()
}

fn judge(
    signature: &Signature,
    own: &str,
    fields: &[String],
    body: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<(), String> {
    let tag = |name: &str| signature.tag(name).ok_or(format!("no {name}="));
    let decode = |text: &str| BASE64.decode(text).map_err(|_| "not base64".to_owned());
    if tag("v")? != "1" || tag("c")? != "relaxed/relaxed" || signature.tag("l").is_some() {
        return Err("not of the form that is used here".to_owned());
    }
    if decode(tag("bh")?)? != digest(&SHA256, relaxed_body(body).as_bytes()).as_ref() {
        return Err("the body was changed".to_owned());
    }
    let mut left: Vec<&String> = fields.iter().collect();
    let mut signed = String::new();
    for name in tag("h")?.to_lowercase().split(':') {
        if let Some(place) = left.iter().rposition(|field| name_of(field) == name) {
            signed.push_str(&relaxed_field(left.remove(place)));
            signed.push_str("\r\n");
        }
    }
    let (before, value) = own.rsplit_once("b=").ok_or("no b=")?;
    assert!(!value.contains(';'), "b= stands last in what the tests read");
    signed.push_str(&relaxed_field(&format!("{before}b=")));
    let record = lookup(&format!("{}._domainkey.{}", tag("s")?, tag("d")?)).ok_or("no record")?;
    let record_tag = |name: &str| {
        let tags = record.split(';').filter_map(|tag| tag.trim().split_once('='));
        tags.filter(|(tag, _)| *tag == name).map(|(_, value)| value.to_owned()).next_back().ok_or(format!("no {name}="))
    };
    let (key, b) = (decode(&record_tag("p")?)?, decode(tag("b")?)?);
    let good = match (tag("a")?, record_tag("k")?.as_str()) {
        ("rsa-sha256", "rsa") => {
            let key = UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, bare_rsa(&key));
            key.verify(signed.as_bytes(), &b).is_ok()
        }
        ("ed25519-sha256", "ed25519") => {
            let hash = digest(&SHA256, signed.as_bytes());
            UnparsedPublicKey::new(&ED25519, key).verify(hash.as_ref(), &b).is_ok()
        }
        _ => return Err("another algorithm".to_owned()),
    };
    if good { Ok(()) } else { Err("the header was changed".to_owned()) }
}

fn unfolded(header: &str) -> Vec<String> {
    let marked = header.replace("\r\n ", " ").replace("\r\n\t", "\t");
    marked.split("\r\n").map(str::to_owned).collect()
}

fn name_of(field: &str) -> String {
    field.split(':').next().unwrap_or_default().trim().to_lowercase()
}

fn tags(field: &str) -> Vec<(String, String)> {
    let value = field.split_once(':').map(|(_, value)| value).unwrap_or_default();
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    value.split(';').filter_map(|tag| tag.split_once('=')).map(|(tag, value)| (bare(tag), bare(value))).collect()
}

fn relaxed_field(field: &str) -> String {
    let (name, value) = field.split_once(':').expect("a field has a colon");
    let words: Vec<&str> = value.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
    format!("{}:{}", name.trim().to_lowercase(), words.join(" "))
}

fn relaxed_body(body: &str) -> String {
    let mut lines: Vec<String> = body.split("\r\n").map(|line| line.replace('\t', " ")).collect();
    for line in &mut lines {
        while line.contains("  ") {
            *line = line.replace("  ", " ");
        }
        *line = line.trim_end_matches(' ').to_owned();
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.iter().map(|line| format!("{line}\r\n")).collect()
}

/// The RSA public key inside its X.509 wrapping: it begins where the BIT STRING's first octet, 0, ends.
fn bare_rsa(wrapped: &[u8]) -> &[u8] {
    let starts = |at: &usize| wrapped[*at] == 0 && wrapped.get(at + 1) == Some(&0x30) && *at > 18;
    let at = (0..wrapped.len().min(40)).find(starts).expect("an RSA key in its wrapping");
    &wrapped[at + 1..]
}
