//! When a row may count as proof against a mailbox. Servers that refuse for other reasons sometimes use the codes and words
//! of a dead mailbox, so nothing is proved if the reply mentions anything else; later rows then decide.

use std::net::IpAddr;
use std::sync::LazyLock;

use super::pattern::{Heard, stands_in};
use super::{About, EnhancedStatus, Phase, Row, table};

/// Basic codes that never speak of a mailbox: of a command (RFC 5321 section 4.2.3), or of a login (RFC 4954 section 6).
const NEVER: &[&str] = &["500", "502", "503", "504", "523", "530", "534", "535", "538", "555"];
/// The same for 501, which has to have a code of addresses (RFC 5321 section 4.2.3: a parameter).
const OF_A_PARAMETER: &str = "501";
const OF_ADDRESSES: &[&str] = &["5.1.x"];
/// The same for 525, which a bounce may have for the recipient (RFC 5248; RFC 7293).
const NEVER_IN_A_DIALOGUE: &str = "525";
/// The enhanced codes under which words may speak of the recipient (RFC 3463; RFC 7293; Microsoft: NDR codes). Not among
/// them are those of the sender (5.1.7, 5.1.8), of size and content, of the login, and of the sender's domain and machine.
const OF_THE_RECIPIENT: &[&str] = &[
    "5.0.x", "5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.1.351", "5.2.0", "5.2.1", "5.3.0", "5.3.2",
    "5.4.1", "5.4.4", "5.4.310", "5.5.0", "5.5.1", "5.7.1", "5.7.13", "5.7.17", "5.7.18",
];

/// "Delivery not authorized": with words about a machine or a domain it is about ours (Postfix reject_unknown_client_hostname).
const NOT_AUTHORIZED: &str = "5.7.1";
const MACHINES: &[&str] = &[" host", " domain", " machine", " server", " mx"];

/// Beginnings of words about something else, one group a line: the sending side and its account, how much and how fast it
/// sends, the letter, lists and machines, and what passes by itself.
const BEGINNINGS: &[&str] = &[
    "sender, sending, sent, originat, outgoing, outbound, submi, relay",
    "from address, from user, from domain, mail from, mailfrom, from you, return path, return address, reply address",
    "reply to you, bounce to, reverse, envelope, domain of, callout, callback, verif, unverif, identit, credential, password",
    "authent, authoriz, authoris, unauth, oauth, login, logon, log in, log on, logged, sign in, token, certificate, you have",
    "you ve, you are, you re, you must, you need, you may, permission, not permitted, not allowed, privilege, restrict",
    "billing, payment, unpaid, invoice, overdue, funds, balance, contract, subscription, licens, licenc, upgrade, credit",
    "support, tenant, regist, unregist, smtp auth, smtp access, smtp service, smtp client, via smtp, for smtp, smtp quota",
    "terms of, on hold, paused, frozen, terminat, expire, misuse, abus, compromis, hacked, penal",
    "quota, allowance, allotment, threshold, limit, maximum, hour, minute, second, 24h, today, tomorrow, daily, week, month",
    "for the day, per day, rates, volume, too many, too fast, too much, too often, too high, frequen, throttl, exceed, excess",
    "concurren, slow, burst, flood, peak, batch, capacity, attempts, errors, reset, until, unknown users, unknown recipients",
    "unknown addresses, invalid users, invalid recipients, invalid addresses, wrong recipients, existent recipients",
    "existent users, existent addresses, harvest, attack, probing",
    "spam, antispam, virus, malware, phish, content, attach, polic, filter, scan, message re, message was, message contain",
    "message block, message not, mail re, mail was, mail not, subject, contains, matches, pattern, signature, dkim, dmarc",
    "bulk, mailing, newsletter, unsolicited, junk, unwanted, unaccept, prohibit, forbid, suspicious, suspect, unusual, score",
    "size, large, too big, too long, format, header, quarantin, fraud, forge, spoof, impersonat, infect, threat, executable",
    "violat, html, charset, encoding, image",
    "block, unblock, blacklist, blackhol, black list, whitelist, white list, allowlist, allow list, safelist, safe list",
    "denylist, deny, dnsbl, reputation, listed, listing, delist, spamhaus, spamcop, barracuda, cloudmark, complain, banned",
    "helo, ehlo, rdns, dns record, dns failure, hostname, client, connect, session, network, firewall, proxy, botnet, dynamic",
    "residential, access, denied, secur, trust, untrust, correspond, address book, external, encrypt, starttls",
    "temporar, try again, try later, try in, come back, later, retry, retries, greylist, graylist, grey list, maintenance",
    "defer, delay, timeout, timed out, time out, unavailable, not available, unreachable, busy, in progress, migrat, pending",
    "transient, intermittent, shortly, soon, some time, recently, repeated, ldap, lookup fail",
    "dns trouble, dns error, dns fail, dns lookup, service un, service not, service stop, service cancel, service refus, service is",
    "overload, congest, currently, at this time, at the moment, moment, right now, wait, loop, resource, transport, outage",
    "lleno, llena, voll, pleine, pieno, piena, cheio, cheia",
    "locked, storage, database, backend, internal error, system is, system error, system failure, being, queue",
    "reopen, on leave, summer, vacation, holiday, try server, try host, other server, reply to address, bounce address",
    "absender, expéditeur, expediteur, remitente, remetente, mittente, afzender, avsändare, afsender, avsender, lähettäj",
    "отправител, nadawc, odesílatel, odosielate, feladó",
];
/// The sender in languages that write no spaces, anywhere in a text.
const SENDERS: &[&str] = &["发件人", "寄件者", "寄件人", "送信者", "差出人", "발신자", "보낸 사람", "보낸사람"];
/// The same, whole words.
const WHOLE: &str = "send, sends, auth, your, yours, plan, trial, api, rate, rated, many, url, urls, link, links, spf, dlp, rbl, ip, ips, \
    ptr, tls, ssl, ban, full, disk, space, hold, down, bot, pay, paid, risk, body, text, html, sec, secs, min, mins";

/// Block lists, as their hosts are named.
const LISTS: &[&str] = &["spamhaus", "spamcop", "barracudacentral", "sorbs", "surbl", "uribl", "dnsbl", "senderscore"];

/// All of them, and the phrases of rows that are not about the recipient and look at no enhanced code, as they stand in a text
/// of letters: with a space before each, and behind a whole word.
pub(super) static OF_SOMETHING_ELSE: LazyLock<Vec<String>> = LazyLock::new(|| {
    let beginnings = BEGINNINGS.iter().flat_map(|group| group.split(", ")).map(|start| format!(" {start}"));
    let whole = WHOLE.split(", ").map(|word| format!(" {word} "));
    let speaks_for_itself = |row: &&Row| row.verdict.about != About::Recipient && row.enhanced == "*";
    let phrases = table().filter(speaks_for_itself).flat_map(|row| row.words).map(|phrase| {
        let parts = phrase.split("..").map(|part| format!(" {}", letters(part)));
        parts.collect::<Vec<_>>().join("..")
    });
    beginnings.chain(whole).chain(phrases).chain(SENDERS.iter().map(|sender| (*sender).to_owned())).collect()
});

/// What says nothing of the sending side, as it stands in a text of letters.
static HARMLESS_PHRASES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let advice = ADVICE_TO.iter().flat_map(|to| ADVISED.iter().map(move |what| format!(" {to} {what} ")));
    OF_THE_MAILBOX.iter().map(|phrase| format!(" {phrase} ")).chain(advice).collect()
});

/// Said of the recipient though a word of the list above stands in it: Postfix, Exchange, Domino, Gmail, Outlook.com, Mail.ru.
const OF_THE_MAILBOX: &[&str] = &[
    "relay recipient table",
    "relay recipients table",
    "relay domain table",
    "relay domains table",
    "not listed in",
    "public name address book",
    "recipient address rejected access denied",
    "requested action not taken mailbox unavailable",
    "mailbox unavailable",
    "message was not accepted invalid mailbox local mailbox is unavailable",
    "address and try again",
    "spelling and try again",
    "your message cannot be delivered",
    "your message can t be delivered",
    "your message could not be delivered",
    "your message couldn t be delivered",
    "your message wasn t delivered",
    "your message was not delivered",
    "your message to cannot be delivered",
    "your message to could not be delivered",
    "you are trying to",
    "you re trying to",
    "returned to sender",
    "return to sender",
    "inform the sender",
    "notify the sender",
    "tell the sender",
    "an den absender",
    "dem absender",
    "à l expéditeur",
    "al remitente",
    "ao remetente",
    "al mittente",
    "aan de afzender",
    "отправителю",
    "not in ldap",
    "not in our ldap",
    "not found in ldap",
    "not in the ldap directory",
];
/// Advice to the sender that says nothing of the sender: one of these, and one of the others behind it.
const ADVICE_TO: &[&str] = &["sender should", "sender can", "sender may", "sender must", "sender needs to"];
const ADVISED: &[&str] = &["check", "correct", "contact", "confirm", "ask", "retry", "try again", "remove", "update"];

/// How a clause begins that only says what to do about it, or where more is written.
const ADVICE: &[&str] = &[
    "please",
    "for more",
    "for further",
    "for explanation",
    "information",
    "see",
    "visit",
    "learn more",
    "go to",
    "contact",
    "check",
    "sender should",
    "sender can",
    "the sender should",
    "the sender can",
    "try double",
    "name service error",
    "bad destination host",
];
/// How a phrase begins that has a person's name and an office's around it.
const OF_A_PERSON: &[&str] = &["no longer", "left", "has moved"];
/// Clauses around a proof: Microsoft, Mail.ru, Yahoo, GMX, Postini.
const AROUND: &[&str] = &[
    "message was not accepted",
    "local mailbox is unavailable",
    "requested mail action aborted",
    "your message cannot be delivered",
    "your message can t be delivered",
    "your message couldn t be delivered",
    "your message wasn t delivered",
    "remote server returned an error",
    "permanent failure for one or more recipients",
    "or was misspelled",
    "authoritative answer",
    "adresse d au moins un destinataire invalide",
    "no valid recipients",
    "mailbox unavailable",
    "smtp",
    "x postfix",
    "aup",
];

/// Words that add nothing to a refusal of a mailbox, in the languages of the rows.
const HARMLESS: &str = " \
    a an the this that is isn are was wasn has have had been be does doesn did didn do don not no non t s in on of at by or \
    and with here there it its my our we i any sorry error failed failure fatal permanent permanently requested action taken \
    aborted rcpt to command reply go recipient addressee address user username mailbox delivery remote returned \
    person name local part alias destination known unknown exist exists existing existent nonexistent found find \
    invalid valid bad illegal incorrect wrong misspelled ambiguous recognized recognised such rejected cannot can could \
    couldn unable reach longer anymore gone left moved removed deleted deactivated closed inactive \
    discontinued owner changed off table virtual local as psmtp gsmtp exim chkuser author ofr mx rejecting please check spelling code status \
    der die das den dem des ein eine kein keine keinen ist wurde wird nicht diese dieser dieses unter auf hier \
    le la les l un une est n pas ce cette cet chez aucun \
    el los las se ha sido una es este esta ningun en il lo non utente di questo questa o os um uma não nao \
    de het een is niet deze op ";

/// Words that add nothing in the clause of a phrase, where they would say something alone.
const NEAR: &str = " recipients email e mail account domain host server system organization organisation company office \
    for relay dd dns you tried trying directory lookup public book smtp entered rfc more infodomainnonexistent message nullmx one unavailable ";

/// What a refusal says, as far as it decides whether a row that proves something may count.
pub(super) struct Spoken<'a> {
    heard: &'a Heard,
    plain: Plain,
    may_be_the_recipient: bool,
    of_something_else: bool,
}

impl<'a> Spoken<'a> {
    pub fn of(heard: &'a Heard) -> Self {
        let plain = Plain::of(heard);
        let (may_be_the_recipient, of_something_else) = (codes_allow(heard, &plain), plain.speaks_of_something_else());
        Self { heard, plain, may_be_the_recipient, of_something_else }
    }

    /// Whether the codes leave room for the recipient, and no word is about anything else.
    pub fn says_nothing_else(&self) -> bool {
        self.may_be_the_recipient && !self.of_something_else
    }

    /// Whether a row that proves something, or counts only alone, may decide.
    pub fn lets_decide(&self, row: &Row) -> bool {
        let nothing_else = match (row.alone, row.words.is_empty()) {
            (true, true) => !self.of_something_else && self.plain.says_only(row, &self.heard.text),
            (true, false) => self.plain.says_only(row, &self.heard.text),
            (false, _) => !self.of_something_else && self.plain.says_nothing_strange_besides(row, &self.heard.text),
        };
        self.may_be_the_recipient && nothing_else
    }
}

/// Whether the codes, also those within the text, leave room for the recipient.
fn codes_allow(heard: &Heard, plain: &Plain) -> bool {
    let is_of_addresses = || heard.enhanced().is_some_and(|code| Heard::is_among(code, OF_ADDRESSES));
    let is_never = match heard.code() {
        NEVER_IN_A_DIALOGUE => heard.phase != Phase::Bounce,
        OF_A_PARAMETER => !is_of_addresses(),
        code => NEVER.contains(&code),
    };
    let of_a_machine = MACHINES.iter().any(|start| plain.words.contains(start));
    let allows = |code: &str| Heard::is_among(code, OF_THE_RECIPIENT) && !(code == NOT_AUTHORIZED && of_a_machine);
    !is_never && plain.codes.iter().map(String::as_str).chain(heard.enhanced()).all(allows)
}

/// A text without the names of hosts, links and addresses in it.
struct Plain {
    /// Only letters and digits, and spaces between and around the words.
    words: String,
    /// The same for each clause.
    clauses: Vec<String>,
    /// Whether an Internet address or a link stood in it, which may say anything.
    points_elsewhere: bool,
    /// Whether one of the names is a block list's.
    names_a_list: bool,
    /// The enhanced codes in it.
    codes: Vec<String>,
}

impl Plain {
    fn of(heard: &Heard) -> Self {
        let (mut names, mut kept) = (Vec::new(), Vec::new());
        for word in heard.text.split_whitespace() {
            let end = word.trim_end_matches(|c: char| !c.is_alphanumeric()).len();
            let is_name = is_name(word);
            names.extend(word.get(..end).filter(|_| is_name));
            // A name may end a clause.
            kept.push(if is_name { word.get(end..).unwrap_or_default() } else { word });
        }
        let kept = kept.join(" ").replace(" -- ", ";").replace(" - ", ";");
        let words = letters(&kept);
        let ends = |c: char| matches!(c, ';' | '.' | ',' | ':' | '(' | ')' | '!' | '?' | '>' | '|');
        let clauses = kept.split(ends).map(letters).filter(|clause| !clause.is_empty());
        let clauses = clauses.map(|clause| format!(" {clause} ")).collect();
        let cores = names.iter().map(|name| name.trim_matches(|c: char| !c.is_alphanumeric()));
        let codes = cores.clone().filter(|core| EnhancedStatus::parse(core).is_some()).map(str::to_owned).collect();
        let points_elsewhere = |core: &str| core.contains("://") || core.parse::<IpAddr>().is_ok();
        Self {
            words: format!(" {words} "),
            clauses,
            points_elsewhere: cores.clone().any(points_elsewhere),
            names_a_list: cores.clone().any(|core| LISTS.iter().any(|list| core.contains(list))),
            codes,
        }
    }

    /// Whether it speaks of anything but the mailbox: in a word of the lists, or in a phrase of a row that is not about the
    /// recipient.
    fn speaks_of_something_else(&self) -> bool {
        let words = HARMLESS_PHRASES.iter().fold(self.words.clone(), |words, phrase| words.replace(phrase, " "));
        self.names_a_list || OF_SOMETHING_ELSE.iter().any(|phrase| stands_in(phrase, &words))
    }

    /// Whether every clause is the row's own, adds nothing, or is known to stand beside such a statement.
    fn says_nothing_strange_besides(&self, row: &Row, text: &str) -> bool {
        let said = row.words.iter().filter(|phrase| stands_in(phrase, text));
        let parts = said.flat_map(|phrase| phrase.split("..")).flat_map(|part| part.split(": "));
        let own: Vec<String> = parts.map(letters).filter(|part| !part.is_empty()).collect();
        let has_digit = |word: &str| word.bytes().any(|byte| byte.is_ascii_digit());
        let adds_nothing_around = |part: &str, clause: &str| {
            let around = clause.replace(part, " ");
            let is_harmless = |word: &str| has_digit(word) || is_harmless(word) || NEAR.contains(&format!(" {word} "));
            OF_A_PERSON.iter().any(|start| part.starts_with(start)) || around.split_whitespace().all(is_harmless)
        };
        self.clauses.iter().all(|clause| {
            let words: Vec<&str> = clause.split_whitespace().filter(|word| !has_digit(word)).collect();
            own.iter().any(|part| clause.contains(part.as_str()) && adds_nothing_around(part, clause))
                || ADVICE.iter().any(|start| clause.starts_with(&format!(" {start} ")))
                || AROUND.contains(&words.join(" ").as_str())
                || words.iter().all(|word| is_harmless(word))
        })
    }

    /// Whether it says nothing but one of the row's phrases, and words that add nothing to it.
    fn says_only(&self, row: &Row, text: &str) -> bool {
        let phrases: Vec<&str> = row.words.iter().filter(|phrase| stands_in(phrase, text)).copied().collect();
        let of_a_phrase =
            |word: &str| phrases.iter().any(|phrase| phrase.split([' ', '.', '\'']).any(|part| part == word));
        let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
        let words = self.words.replace(" e mail a", " a").replace(" email a", " a");
        let adds_nothing = |word: &str| of_a_phrase(word) || is_number(word) || HARMLESS.contains(&format!(" {word} "));
        !(row.words.is_empty() && self.points_elsewhere) && words.split(' ').all(adds_nothing)
    }
}

fn is_harmless(word: &str) -> bool {
    word.is_empty() || HARMLESS.contains(&format!(" {word} "))
}

/// The words of a text, without what stands between them.
fn letters(text: &str) -> String {
    text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Whether a word names somebody or something: an address, a host, a link, a code, whatever stands alone in quotes.
fn is_name(word: &str) -> bool {
    let stands_in = |open: char, close: char| {
        word.strip_prefix(open).is_some_and(|rest| rest.trim_end_matches([':', ';', ',', '.']).ends_with(close))
    };
    let core = word.trim_matches(|c: char| !c.is_alphanumeric());
    core.contains(['@', '.']) || core.contains("://") || stands_in('"', '"') || stands_in('<', '>')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_else_is_spoken_of_in_words_and_not_in_names() {
        for (text, speaks) in [
            ("user has exceeded its daily relay allowance", true),
            ("Mailbox disabled for OUTBOUND mail", true),
            ("no mx for the return-path domain", true),
            ("not (sender) known", true),
            ("user unknown; sender should check the address", false),
            ("user unknown; sender should authenticate", true),
            ("user unknown (authoritative answer)", false),
            ("<sender@clinic.example>: user unknown", false),
            ("no such user at relay.example, see https://relay.example/outgoing?sender=1", false),
            ("unlimited mailbox unknown", false),
            ("Recipient address rejected: User unknown in relay recipient table", false),
        ] {
            let heard = Heard::new(Phase::Rcpt, 550, None, text);
            assert_eq!(Plain::of(&heard).speaks_of_something_else(), speaks, "{text}");
        }
    }
}
