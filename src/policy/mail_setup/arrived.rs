//! A mail as it arrived: what the mailbox's server found of it (RFC 8601), how it travelled (RFC 3848), and what was signed
//! (RFC 6376).

use super::Finding;

/// Octets of a header that are read, and fields.
const HEADER_OCTETS_MAX: usize = 256 * 1024;
const FIELDS_MAX: usize = 500;
/// What must be signed where it is there: what a reader relies on, and for one-click opt-out its two fields (RFC 8058 §4).
const TO_SIGN: [&str; 7] = ["from", "to", "subject", "date", "message-id", "list-unsubscribe", "list-unsubscribe-post"];
/// Ways to hand over between programs of one machine or service, which need no encryption.
const INNER_HOPS: [&str; 5] = ["lmtp", "lmtpa", "local", "http", "mapi"];

/// What a header says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrived {
    /// What the mailbox's server found, each method and result.
    pub results: Vec<AuthResult>,
    /// The hops, the last first.
    pub hops: Vec<Hop>,
    /// The signatures.
    pub signatures: Vec<Signature>,
    /// Names of all fields, in lower case.
    names: Vec<String>,
}

/// One result of `Authentication-Results`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthResult {
    /// Such as `spf`.
    pub method: String,
    /// Such as `pass`.
    pub result: String,
    /// Of which domain.
    pub domain: Option<String>,
}

/// One `Received` field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The host that received it.
    pub by: String,
    /// The protocol, in lower case, such as `esmtps`.
    pub with: String,
    /// Whether it was encrypted, as far as is said.
    pub tls: bool,
    /// Whether it came from the same machine.
    pub is_inner: bool,
}

/// One `DKIM-Signature` field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// `d=`.
    pub domain: String,
    /// `s=`.
    pub selector: String,
    /// `a=`.
    pub algorithm: String,
    /// `h=`, in lower case.
    pub signed: Vec<String>,
}

/// The value of the first field of that name.
#[must_use]
pub fn field(octets: &[u8], name: &str) -> Option<String> {
    fields(octets).into_iter().find(|(found, _)| found == name).map(|(_, value)| value.trim().to_owned())
}

/// Reads a mail's header.
#[must_use]
pub fn read(octets: &[u8]) -> Arrived {
    let fields = fields(octets);
    let of =
        |name: &'static str| fields.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str());
    Arrived {
        results: results(of("authentication-results")),
        hops: of("received").map(hop).collect(),
        signatures: of("dkim-signature").map(signature).collect(),
        names: fields.iter().map(|(name, _)| name.clone()).collect(),
    }
}

/// Names in lower case with their values, unfolded.
fn fields(octets: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(&octets[..octets.len().min(HEADER_OCTETS_MAX)]);
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.lines().take_while(|line| !line.is_empty()) {
        if let (true, Some((_, value))) = (line.starts_with([' ', '\t']), fields.last_mut()) {
            value.push(' ');
            value.push_str(line.trim());
        } else if let Some((name, value)) = line.split_once(':')
            && fields.len() < FIELDS_MAX
        {
            fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    fields
}

/// The text without its comments, which may be nested (RFC 5322 §3.2.2).
fn without_comments(text: &str) -> String {
    let mut depth = 0_usize;
    let mut kept = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(letter),
            _ => {}
        }
    }
    kept
}

/// The results of the server that added the topmost field: what stands below may be forged.
fn results<'f>(values: impl Iterator<Item = &'f str>) -> Vec<AuthResult> {
    let (mut server, mut results) = (None, Vec::new());
    for value in values {
        let bare = without_comments(value);
        let mut parts = bare.split(';').map(str::trim).peekable();
        // Microsoft names no server: its first part is a result.
        let names_server = parts.peek().is_some_and(|first| !first.contains('='));
        let own = if names_server {
            parts.next().map(|name| name.split_whitespace().next().unwrap_or_default().to_owned())
        } else {
            None
        };
        if *server.get_or_insert_with(|| own.clone()) == own {
            results.extend(parts.filter_map(result));
        }
    }
    results
}

fn result(part: &str) -> Option<AuthResult> {
    let mut words = part.split_whitespace();
    let (method, result) = words.next()?.split_once('=')?;
    let is_domain = |name: &str| ["header.d", "header.i", "header.from", "smtp.mailfrom", "smtp.helo"].contains(&name);
    let property = words.filter_map(|word| word.split_once('=')).find(|(name, _)| is_domain(name));
    let domain =
        property.map(|(_, value)| value.rsplit('@').next().unwrap_or(value).trim_matches('"').to_ascii_lowercase());
    let domain = domain.filter(|domain| domain != "none");
    let method = method.split('/').next().unwrap_or(method);
    Some(AuthResult { method: method.to_ascii_lowercase(), result: result.to_ascii_lowercase(), domain })
}

fn hop(value: &str) -> Hop {
    let bare = without_comments(value);
    let bare = bare.split(';').next().unwrap_or_default().to_owned();
    let after = |word: &str| {
        let mut words = bare.split_whitespace().skip_while(|one| !one.eq_ignore_ascii_case(word)).skip(1);
        words.next().unwrap_or_default().to_ascii_lowercase()
    };
    let (by, with, from) = (after("by"), after("with"), after("from"));
    let lower = value.to_ascii_lowercase();
    let says_tls = ["tlsv1", "tls1_", "tls1.", "version=tls"].iter().any(|word| lower.contains(word));
    let is_smtps = with.contains("smtps") || with.starts_with("lmtps");
    let is_here = from.is_empty() || from == "localhost" || lower.contains("[127.0.0.1]");
    let is_inner = is_here || with.is_empty() || INNER_HOPS.contains(&with.as_str());
    Hop { by, with, tls: says_tls || is_smtps, is_inner }
}

fn signature(value: &str) -> Signature {
    let bare: String = value.split_whitespace().collect();
    let tag = |name: &str| {
        let mut tags = bare.split(';').filter_map(|tag| tag.split_once('='));
        tags.find(|(tag, _)| *tag == name).map(|(_, value)| value.to_ascii_lowercase()).unwrap_or_default()
    };
    let signed = tag("h").split(':').map(str::to_owned).collect();
    Signature { domain: tag("d"), selector: tag("s"), algorithm: tag("a"), signed }
}

/// What it means for letters by that account.
#[must_use]
pub fn judge(about: &str, arrived: &Arrived) -> Vec<Finding> {
    let dmarc_passes = arrived.passes("dmarc");
    let methods = ["spf", "dkim", "dmarc"].map(|method| verdict(about, arrived, method, dmarc_passes));
    methods.into_iter().chain([signed(about, arrived), encrypted(about, arrived)]).collect()
}

impl Arrived {
    fn of(&self, method: &str) -> Vec<&AuthResult> {
        self.results.iter().filter(|one| one.method == method).collect()
    }

    fn passes(&self, method: &str) -> bool {
        self.of(method).iter().any(|one| one.result == "pass")
    }
}

fn verdict(about: &str, arrived: &Arrived, method: &'static str, dmarc_passes: bool) -> Finding {
    let of = |one: &AuthResult| {
        let domain = one.domain.as_deref().map(|domain| format!(" of {domain}")).unwrap_or_default();
        format!("{method}={}{domain}", one.result)
    };
    let check = match method {
        "spf" => "arrived spf",
        "dkim" => "arrived dkim",
        _ => "arrived dmarc",
    };
    let results = arrived.of(method);
    if let Some(passed) = results.iter().find(|one| one.result == "pass") {
        return Finding::ok(check, about, format!("the mailbox's server found {}", of(passed)));
    }
    let Some(failed) = results.first() else {
        let words = format!("the mailbox's server says nothing of {method}");
        return Finding::advice(
            check,
            about,
            words,
            "send to a mailbox at Google or Microsoft: they say it in every mail",
        );
    };
    let words = format!("the mailbox's server found {}", of(failed));
    if dmarc_passes {
        Finding::advice(check, about, words, "DMARC passes all the same; the checks above say what can be better")
    } else {
        Finding::problem(check, about, words, "the checks above say what to publish or to change")
    }
}

/// Whether what a reader relies on is signed.
fn signed(about: &str, arrived: &Arrived) -> Finding {
    let check = "arrived signature";
    let wanted: Vec<&str> = TO_SIGN.into_iter().filter(|name| arrived.names.iter().any(|one| one == name)).collect();
    let lacking = |signature: &Signature| -> Vec<&str> {
        wanted.iter().copied().filter(|name| !signature.signed.iter().any(|one| one == name)).collect()
    };
    let Some(best) = arrived.signatures.iter().min_by_key(|signature| lacking(signature).len()) else {
        let advice = "make keys with `touchline dkim new`, or let the relay sign for your domain";
        return Finding::problem(check, about, "the mail arrived without a DKIM signature", advice);
    };
    let who = format!("{} ({}, selector {})", best.domain, best.algorithm, best.selector);
    let missing = lacking(best);
    if missing.is_empty() {
        return Finding::ok(check, about, format!("signed for {who}: {}", best.signed.join(", ")));
    }
    let words = format!("the signature for {who} leaves out {}", missing.join(", "));
    let advice = "let Touchline sign (`touchline dkim new`), or have the relay sign these fields";
    if missing.iter().any(|name| name.starts_with("list-unsubscribe")) {
        Finding::problem(check, about, format!("{words}: one-click opt-out does not count (RFC 8058)"), advice)
    } else {
        Finding::advice(check, about, words, advice)
    }
}

/// Whether every hop between machines was encrypted.
fn encrypted(about: &str, arrived: &Arrived) -> Finding {
    let check = "arrived tls";
    let between: Vec<&Hop> = arrived.hops.iter().filter(|hop| !hop.is_inner).collect();
    let open: Vec<String> =
        between.iter().filter(|hop| !hop.tls).map(|hop| format!("{} (with {})", hop.by, hop.with)).collect();
    if between.is_empty() {
        return Finding::advice(
            check,
            about,
            "no Received field says how the mail travelled",
            "look at its header by hand",
        );
    }
    if open.is_empty() {
        let hosts: Vec<&str> = between.iter().rev().map(|hop| hop.by.as_str()).collect();
        return Finding::ok(
            check,
            about,
            format!("encrypted on each hop that is on record: to {}", hosts.join(", then ")),
        );
    }
    let words = format!("not said to be encrypted on the way to {}", open.join(", "));
    Finding::advice(
        check,
        about,
        words,
        "ask whoever runs that host; letters with health information need it on every hop",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::mail_setup::Grade;

    const GOOGLE: &str = "Delivered-To: office@clinic.example\r\n\
        Received: by 2002:a05:6a10 with SMTP id 1csp2; Tue, 1 Dec 2026 05:00:02 -0800 (PST)\r\n\
        Received: from relay.example (relay.example. [192.0.2.9])\r\n        by mx.google.com with ESMTPS id x5-20\r\n        \
        for <office@clinic.example>\r\n        (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256);\r\n        Tue, 01 Dec 2026\r\n\
        Authentication-Results: mx.google.com;\r\n       dkim=pass header.i=@clinic.example header.s=r header.b=abc;\r\n       \
        spf=pass (google.com: domain of b@clinic.example designates 192.0.2.9; as permitted sender) smtp.mailfrom=b@clinic.example;\r\n       \
        dmarc=pass (p=NONE sp=NONE dis=NONE) header.from=clinic.example\r\n\
        Authentication-Results: evil.example; dkim=fail header.d=evil.example\r\n\
        DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=clinic.example; s=r; h=From:To:Subject:\r\n  Date:Message-ID:\
        List-Unsubscribe:List-Unsubscribe-Post; bh=x; b=y\r\n\
        From: office@clinic.example\r\nTo: office@clinic.example\r\nSubject: Test\r\nDate: x\r\nMessage-ID: <1@clinic.example>\r\n\
        List-Unsubscribe: <https://x.example/o/1>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nbody\r\nReceived: none\r\n";

    fn grade(findings: &[Finding], check: &str) -> (Grade, String) {
        let found = findings.iter().find(|one| one.check == check).unwrap_or_else(|| panic!("{check}: {findings:?}"));
        (found.grade, found.words.clone())
    }

    #[test]
    fn a_mail_at_google_says_how_it_fared() {
        let arrived = read(GOOGLE.as_bytes());
        assert_eq!(arrived.results.len(), 3, "{:?}", arrived.results);
        let findings = judge("office", &arrived);
        for check in ["arrived spf", "arrived dkim", "arrived dmarc", "arrived signature", "arrived tls"] {
            assert_eq!(grade(&findings, check).0, Grade::Ok, "{findings:?}");
        }
        assert!(grade(&findings, "arrived spf").1.contains("spf=pass of clinic.example"), "{findings:?}");
        assert_eq!(field(GOOGLE.as_bytes(), "message-id").as_deref(), Some("<1@clinic.example>"));
        assert_eq!(field(GOOGLE.as_bytes(), "body"), None);
    }

    #[test]
    fn a_mail_at_microsoft_is_read_though_it_names_no_server() {
        let eml = "Authentication-Results: spf=fail (sender IP is 192.0.2.9) smtp.mailfrom=clinic.example;\n dkim=none (message \
                   not signed) header.d=none;dmarc=fail action=none header.from=clinic.example;compauth=fail reason=001\n\
                   From: office@clinic.example\n\n";
        let findings = judge("office", &read(eml.as_bytes()));
        for check in ["arrived spf", "arrived dkim", "arrived dmarc", "arrived signature"] {
            assert_eq!(grade(&findings, check).0, Grade::Problem, "{findings:?}");
        }
    }

    #[test]
    fn what_the_signature_leaves_out_is_named() {
        let eml = GOOGLE.replace("List-Unsubscribe:List-Unsubscribe-Post; bh", "Reply-To; bh");
        let found = grade(&judge("office", &read(eml.as_bytes())), "arrived signature");
        assert!(
            found.0 == Grade::Problem && found.1.contains("leaves out list-unsubscribe, list-unsubscribe-post"),
            "{found:?}"
        );
        let eml = GOOGLE.replace("Date:Message-ID:", "Date:");
        let found = grade(&judge("office", &read(eml.as_bytes())), "arrived signature");
        assert!(found.0 == Grade::Advice && found.1.contains("leaves out message-id"), "{found:?}");
    }

    #[test]
    fn a_hop_between_machines_without_encryption_is_named() {
        for (received, grade_, words) in [
            ("from a.example by b.example with ESMTPS id 1; x", Grade::Ok, "b.example"),
            (
                "from a.example (using TLSv1.3 with cipher X) by b.example (Postfix) with ESMTP id 1; x",
                Grade::Ok,
                "b.example",
            ),
            ("from a.example by b.example with ESMTP id 1; x", Grade::Advice, "b.example (with esmtp)"),
            (
                "from localhost (localhost [127.0.0.1]) by b.example with ESMTP id 1; x",
                Grade::Advice,
                "no Received field",
            ),
            ("by b.example with LMTP id 1; x", Grade::Advice, "no Received field"),
        ] {
            let findings = judge("office", &read(format!("Received: {received}\r\n\r\n").as_bytes()));
            let found = grade(&findings, "arrived tls");
            assert!(found.0 == grade_ && found.1.contains(words), "{received}: {found:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_header_makes_it_panic(text in "(Received|Authentication-Results|DKIM-Signature): \\PC{0,80}(\r\n \\PC{0,40}){0,3}") {
            let _ = judge("office", &read(text.as_bytes()));
        }
    }
}
