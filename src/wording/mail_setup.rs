//! What the checks of the email setup are called.

/// A check as people call it; one that is not known here by its own word.
#[must_use]
pub fn check(word: &'static str) -> &'static str {
    match word {
        "from" => "Sender address",
        "spf" => "SPF",
        "dkim" => "DKIM",
        "dmarc" => "DMARC",
        "alignment" => "Alignment for DMARC",
        "return path" => "Return path",
        "reverse name" => "Reverse name (PTR)",
        "relay" => "Relay",
        "quota" => "Quota",
        "postal address" => "Postal address",
        "opt-out link" => "Opt-out link",
        "answers" => "Mailbox for answers",
        "returns" => "Mailbox for returns",
        other => other,
    }
}
