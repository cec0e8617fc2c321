use super::*;

/// The texts of all leaves, in order.
fn leaves(entity: &Entity) -> Vec<String> {
    match &entity.body {
        Body::Text(text) => vec![text.clone()],
        Body::Parts(parts) => parts.iter().flat_map(leaves).collect(),
        Body::Mail(inner) => leaves(inner),
        Body::Other => Vec::new(),
    }
}

#[test]
fn a_text_is_decoded_from_its_encoding_and_its_charset() {
    let japanese = "\u{1b}$B$3$N\u{1b}(B";
    for (head, body, wanted) in [
        ("text/plain; charset=utf-8\nContent-Transfer-Encoding: base64", "w6TDtg==", "äö"),
        (
            "text/plain; charset=windows-1252\nContent-Transfer-Encoding: quoted-printable",
            "Empf=E4ng=\ner",
            "Empfänger",
        ),
        ("text/plain; charset=\"ISO-2022-JP\"", japanese, "この"),
        ("text/plain", japanese, "この"),
        ("text/plain; charset=nothing-known", "caf\u{e9}", "café"),
        ("text/plain", "a = b", "a = b"),
    ] {
        let mail = format!("Content-Type: {head}\n\n{body}");
        assert_eq!(leaves(&Entity::parse(mail.as_bytes())), [wanted], "{head}");
    }
}

#[test]
fn fields_are_unfolded_and_their_words_decoded() {
    let mail = Entity::parse(
        b"From x@y Mon Jan 1\r\nSubject: =?utf-8?B?w6Q=?=\r\n =?iso-8859-1?Q?_=F6?= end =?x\r\nX-Two:a\r\n\r\nbody",
    );
    assert_eq!(mail.fields.get("subject"), "ä ö end =?x");
    assert_eq!(mail.fields.get("x-two"), "a");
    assert_eq!(leaves(&mail), ["body"]);
}

#[test]
fn parts_are_found_though_their_boundaries_are_indented_missing_or_never_end() {
    for mail in [
        "Content-Type: multipart/report; boundary=\"b-b-b-b\"\n\n--b-b-b-b\n\none\n --b-b-b-b\n\ntwo\n--b-b-b-b--\n",
        "Content-Type: multipart/mixed; boundary=b-b-b-b\r\n\r\npreamble\r\n--b-b-b-b\r\n\r\none\r\n--b-b-b-b\r\n\r\ntwo",
        "Content-Type: multipart/mixed\n\n--b-b-b-b\n\none\n--b-b-b-b\n\ntwo\n",
    ] {
        let found: Vec<String> =
            leaves(&Entity::parse(mail.as_bytes())).iter().map(|text| text.trim().to_owned()).collect();
        assert_eq!(found, ["one", "two"], "{mail}");
    }
    let whole = Entity::parse(b"Content-Type: multipart/mixed; boundary=x\n\nno boundary at all");
    assert_eq!(leaves(&whole), ["no boundary at all"]);
}

#[test]
fn a_mail_within_a_mail_is_read_until_it_is_too_deep() {
    let mut mail = "Subject: innermost\n\nhello".to_owned();
    for depth in 0..1000 {
        mail = format!(
            "Content-Type: multipart/mixed; boundary=boundary{depth}\n\n--boundary{depth}\nContent-Type: message/rfc822\n\n{mail}\n--boundary{depth}--\n"
        );
    }
    let text = leaves(&Entity::parse(mail.as_bytes())).join("");
    assert!(text.len() <= TEXT_OCTETS_MAX);
}

#[test]
fn html_becomes_its_words() {
    let html = "<html><style>p { color: red }</style><p>Your&nbsp;message to\n<b>dana@clinic.example</b> &lt;x&gt;<br>AT&T <dana@b.example> &#228;";
    let text = as_text(html);
    assert_eq!(text, "\nYour message to dana@clinic.example <x>\nAT&T <dana@b.example> ä");
}
