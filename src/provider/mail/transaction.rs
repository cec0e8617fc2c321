//! One letter over one connection: MAIL, RCPT, DATA, body, final dot. Each step knows what its failure means: before
//! the dot nothing was sent, an answer is an answer, and silence after the dot is unknown. Where the relay offers
//! PIPELINING (RFC 2920), the three commands travel together; their answers are read one by one all the same.

use std::fmt::Write as _;
use std::time::Duration;

use tokio::time::Instant;

use super::compose::{ComposeError, ascii_address, compose, message_id};
use super::connection::Connection;
use super::dialogue::{Lost, Silence, TimeLimits, ended_by_a_dot};
use super::dkim::Signer;
use super::reply::Reply;
use super::returning::Returns;
use super::tls::Onward;
use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::Mail;
use crate::domain::fault::{About, Failure, Fault};
use crate::domain::id::AttemptId;
use crate::domain::mail_reply::Phase;
use crate::domain::transport::TransportNote;
use crate::domain::{EmailAddress, Outcome, Timestamp};

/// How long the answers to commands that no longer matter are waited for, so that the connection can go on.
const DRAIN_MAX: Duration = Duration::from_secs(5);

/// A mail ready to travel, with what the commands say of it.
pub(super) struct Letter {
    from: EmailAddress,
    to: EmailAddress,
    attempt: AttemptId,
    reference: ProviderReference,
    /// Octets of the mail itself.
    size: usize,
    /// The mail as it follows DATA, the dot that ends it included.
    octets: Vec<u8>,
    /// What it demands of the hops behind the relay.
    pub onward: Onward,
    /// Where it is noted how it travels.
    pub transport: TransportNote,
    /// Whether the relay's own name for the letter becomes the reference, where its answer has one: events may name that alone.
    pub keeps_name: bool,
}

impl Letter {
    /// Puts the mail into its final form.
    ///
    /// # Errors
    /// Nothing was sent: it cannot travel, or it could not be signed.
    pub fn new(
        mail: &Mail,
        to: &EmailAddress,
        attempt: AttemptId,
        now: Timestamp,
        signer: Option<&Signer>,
        returns: Option<&Returns>,
    ) -> Result<Self, Outcome> {
        let refused = |error: ComposeError| Outcome::Refused(error.into());
        let opt_out = returns.and_then(|returns| returns.opt_out(attempt));
        let mut eml = compose(mail, to, attempt, now, opt_out.as_ref()).map_err(refused)?;
        if let Some(signer) = signer {
            let unsigned =
                |_| Outcome::NotSent(Failure::new(Fault::ProviderError).text("the letter could not be signed"));
            let mut signed = signer.sign(&eml, now).map_err(unsigned)?;
            signed.extend_from_slice(&eml);
            eml = signed;
        }
        let reference = message_id(attempt, &mail.from);
        Ok(Self {
            from: match returns {
                Some(returns) => returns.bounce(attempt),
                None => ascii_address(&mail.from).map_err(refused)?,
            },
            to: ascii_address(to).map_err(refused)?,
            attempt,
            // A sender's domain may be as long as 253 octets; the attempt alone still names it.
            reference: ProviderReference::new(&reference).unwrap_or_else(|| ProviderReference(attempt.to_string())),
            size: eml.len(),
            octets: ended_by_a_dot(eml),
            onward: Onward::Free,
            transport: TransportNote::default(),
            keeps_name: false,
        })
    }

    /// Puts a field above all others, which the relay takes out again; no signature covers it.
    pub fn add_field(&mut self, name: &str, value: &str) {
        let line = format!("{name}: {value}\r\n");
        self.size += line.len();
        self.octets.splice(0..0, line.into_bytes());
    }

    /// How the letter is known once the relay has taken it.
    fn reference(&self, answer: &Reply) -> ProviderReference {
        let name = answer.letter_name().filter(|_| self.keeps_name);
        name.and_then(ProviderReference::new).unwrap_or_else(|| self.reference.clone())
    }

    /// What servers repeat in their answers and nobody may read in ours.
    fn private(&self) -> [&str; 2] {
        [self.to.local(), self.to.domain()]
    }

    /// MAIL with its parameters: the size (RFC 1870), for bounces our reference and headers only (RFC 3461), and that every hop
    /// behind the relay must check whom it encrypts to (RFC 8689).
    fn mail_command(&self, connection: &Connection) -> String {
        let mut command = format!("MAIL FROM:<{}>", self.from.as_str());
        // Writing to a string cannot fail.
        if connection.offers.size {
            let _ = write!(command, " SIZE={}", self.size);
        }
        if connection.offers.dsn {
            let _ = write!(command, " RET=HDRS ENVID={}", self.attempt);
        }
        if connection.offers.requiretls && self.onward != Onward::Free {
            command.push_str(" REQUIRETLS");
        }
        command
    }

    /// RCPT, asking to hear of failure and delay (RFC 3461 §4.1), by the address that we wrote to (§4.2): forwarded or not,
    /// a report names it.
    fn rcpt_command(&self, connection: &Connection) -> String {
        let to = self.to.as_str();
        if !connection.offers.dsn {
            return format!("RCPT TO:<{to}>");
        }
        format!("RCPT TO:<{to}> NOTIFY=FAILURE,DELAY ORCPT=rfc822;{}", xtext(to))
    }

    /// A refusal that the answer to EHLO already implies, before anything is said.
    pub fn refused_by(&self, connection: &Connection) -> Option<Outcome> {
        let refused = |fault, code, text: &str| {
            Some(Outcome::Refused(Failure::new(fault).about(About::Letter).code(code).text(text)))
        };
        if connection.offers.size_max.is_some_and(|most| self.size > most) {
            return refused(Fault::TooLarge, "5.3.4", "it is larger than the relay's SIZE");
        }
        if self.onward == Onward::Demanded && !connection.offers.requiretls {
            let text = "the relay does not offer REQUIRETLS, which requiretls = \"phi\" demands for health information";
            return refused(Fault::TlsRequired, "5.7.30", text);
        }
        None
    }
}

/// Octets as parameters of SMTP carry them (RFC 3461 §4).
fn xtext(text: &str) -> String {
    let plain = |octet: u8| octet.is_ascii_graphic() && !matches!(octet, b'+' | b'=');
    text.bytes()
        .map(|octet| if plain(octet) { char::from(octet).to_string() } else { format!("+{octet:02X}") })
        .collect()
}

/// Opens the transaction with MAIL, after RSET where the connection's last one was left open. With PIPELINING, RCPT and
/// DATA have been said too when the answer to MAIL is there; the connection remembers that.
pub(super) async fn begin(connection: &mut Connection, letter: &Letter, limits: &TimeLimits) -> Result<Reply, Silence> {
    letter.transport.set(connection.transport());
    if connection.offers.pipelining {
        return begin_with_all(connection, letter, limits).await;
    }
    if connection.in_transaction {
        let reply = say(connection, "RSET", limits).await?;
        if !reply.is_done() {
            return Ok(reply);
        }
        connection.in_transaction = false;
    }
    connection.letters += 1;
    let command = letter.mail_command(connection);
    let reply = say(connection, &command, limits).await?;
    connection.in_transaction = reply.is_done();
    Ok(reply)
}

async fn begin_with_all(connection: &mut Connection, letter: &Letter, limits: &TimeLimits) -> Result<Reply, Silence> {
    let is_left_open = connection.in_transaction;
    let reset = if is_left_open { "RSET\r\n" } else { "" };
    let (mail, rcpt) = (letter.mail_command(connection), letter.rcpt_command(connection));
    connection.letters += 1;
    let commands = format!("{reset}{mail}\r\n{rcpt}\r\nDATA\r\n");
    if let Err(silence) = connection.dialogue.send(commands.as_bytes(), limits.minutes(5)).await {
        return note(connection, Err(silence));
    }
    if is_left_open {
        let reply = hear(connection, limits).await?;
        if !reply.is_done() {
            // Whatever the relay makes of the commands behind it, this connection is not worth finding out.
            connection.usable = false;
            return Ok(reply);
        }
    }
    let reply = hear(connection, limits).await?;
    connection.in_transaction = reply.is_done();
    Ok(reply)
}

/// Carries it to its end, from the answer to MAIL on.
pub(super) async fn complete(
    connection: &mut Connection,
    letter: &Letter,
    mail: Result<Reply, Silence>,
    limits: &TimeLimits,
) -> Outcome {
    match before_the_dot(connection, letter, mail, limits).await {
        Ok(()) => the_letter(connection, letter, limits).await,
        Err(outcome) => outcome,
    }
}

async fn before_the_dot(
    connection: &mut Connection,
    letter: &Letter,
    mail: Result<Reply, Silence>,
    limits: &TimeLimits,
) -> Result<(), Outcome> {
    let is_pipelined = connection.offers.pipelining;
    if let Err(outcome) = expect(connection, letter, mail, Phase::Mail) {
        drain(connection, 2).await;
        return Err(outcome);
    }
    let rcpt = if is_pipelined {
        hear(connection, limits).await
    } else {
        say(connection, &letter.rcpt_command(connection), limits).await
    };
    if let Err(outcome) = expect(connection, letter, rcpt, Phase::Rcpt) {
        drain(connection, 1).await;
        return Err(outcome);
    }
    let until = limits.minutes(2);
    let data =
        if is_pipelined { connection.dialogue.hear(until).await } else { connection.dialogue.say("DATA", until).await };
    let data = note(connection, data);
    expect(connection, letter, data, Phase::Data)
}

/// Reads the answers to commands that went along with a refused one, DATA the last of them. A relay that asks for the
/// letter nevertheless gets the dot alone (RFC 2920 §3.1): nothing goes to a recipient it has refused.
async fn drain(connection: &mut Connection, answers: usize) {
    if !connection.offers.pipelining {
        return;
    }
    let until = Instant::now() + DRAIN_MAX;
    for left in (0..answers).rev() {
        if !connection.usable {
            return;
        }
        let answer = connection.dialogue.hear(until).await;
        let wants_letter = matches!(&answer, Ok(reply) if left == 0 && reply.code == 354);
        let _ = note(connection, answer);
        if wants_letter {
            let answer = connection.dialogue.say(".", until).await;
            connection.in_transaction = false;
            connection.usable &= matches!(note(connection, answer), Ok(reply) if reply.is_refusal());
        }
    }
}

async fn the_letter(connection: &mut Connection, letter: &Letter, limits: &TimeLimits) -> Outcome {
    if connection.dialogue.is_ahead() {
        connection.usable = false;
        return Outcome::NotSent(Silence::Garbled.failure("before the letter was sent"));
    }
    let answer = match connection.dialogue.say_letter(&letter.octets, limits).await {
        Ok(reply) => Ok(reply),
        Err(Lost::AfterTheDot(silence)) => Err(silence),
        Err(Lost::BeforeTheDot(silence)) => {
            connection.usable = false;
            return Outcome::NotSent(silence.failure("during the body"));
        }
    };
    match note(connection, answer) {
        Ok(reply) if reply.takes_letter() => {
            connection.in_transaction = false;
            connection.usable &= !connection.dialogue.is_ahead();
            Outcome::Accepted { reference: letter.reference(&reply) }
        }
        Ok(reply) if reply.is_refusal() => {
            connection.in_transaction = false;
            connection.usable &= !connection.dialogue.is_ahead();
            refusal(&reply, Phase::Dot, letter)
        }
        Ok(_) | Err(Silence::Garbled) => {
            connection.usable = false;
            Outcome::Unknown(Silence::Garbled.failure("to the final dot"))
        }
        Err(silence) => Outcome::Unknown(silence.failure("after the final dot")),
    }
}

async fn say(connection: &mut Connection, command: &str, limits: &TimeLimits) -> Result<Reply, Silence> {
    let answer = connection.dialogue.say(command, limits.minutes(5)).await;
    note(connection, answer)
}

async fn hear(connection: &mut Connection, limits: &TimeLimits) -> Result<Reply, Silence> {
    let answer = connection.dialogue.hear(limits.minutes(5)).await;
    note(connection, answer)
}

/// Remembers whether the connection can go on after this answer.
fn note(connection: &mut Connection, answer: Result<Reply, Silence>) -> Result<Reply, Silence> {
    if !matches!(&answer, Ok(reply) if !reply.ends_session()) {
        connection.usable = false;
    }
    answer
}

/// Lets the wanted answer through; anything else ends the transaction, and nothing was sent.
fn expect(
    connection: &mut Connection,
    letter: &Letter,
    answer: Result<Reply, Silence>,
    phase: Phase,
) -> Result<(), Outcome> {
    let reply = answer.map_err(|silence| Outcome::NotSent(silence.failure("before the letter was sent")))?;
    let wanted = if phase == Phase::Data { reply.code == 354 } else { reply.is_done() };
    if wanted {
        return Ok(());
    }
    connection.usable &= reply.is_refusal();
    Err(refusal(&reply, phase, letter))
}

/// A fault of the relay, of the account or of our speed means that the letter never was up for decision; any other is a no
/// to it.
fn refusal(reply: &Reply, phase: Phase, letter: &Letter) -> Outcome {
    let failure = reply.failure(phase, &letter.private());
    let was_up_for_decision = phase > Phase::Mail
        && !failure.fault.is_the_providers()
        && (failure.fault == Fault::TlsRequired || !failure.is_the_providers());
    if was_up_for_decision || (phase == Phase::Mail && failure.fault == Fault::TooLarge) {
        Outcome::Refused(failure)
    } else {
        Outcome::NotSent(failure)
    }
}
