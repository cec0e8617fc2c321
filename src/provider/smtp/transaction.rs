//! One letter over one connection: MAIL, RCPT, DATA, body, final dot. Each step knows what its failure means: before
//! the dot nothing was sent, an answer is an answer, and silence after the dot is unknown.

use lettre::Address;
use lettre::transport::smtp::commands::{Mail as MailCommand, Rcpt as RcptCommand};
use lettre::transport::smtp::extension::{MailParameter, RcptParameter};

use super::compose::{ComposeError, ascii_address, compose, message_id};
use super::connection::Connection;
use super::dialogue::{Patience, Silence};
use super::dkim::Signer;
use super::reply::{Phase, Reply};
use super::signing_key::SignError;
use crate::domain::attempt::ProviderReference;
use crate::domain::envelope::Mail;
use crate::domain::fault::{Failure, Fault};
use crate::domain::id::AttemptId;
use crate::domain::{EmailAddress, Outcome, Timestamp};

/// A mail ready to travel, with what the commands say of it.
pub(super) struct Letter {
    from: Address,
    to: Address,
    attempt: AttemptId,
    reference: ProviderReference,
    eml: Vec<u8>,
}

impl Letter {
    /// Puts the mail into its final form.
    pub fn new(mail: &Mail, to: &EmailAddress, attempt: AttemptId, now: Timestamp) -> Result<Self, ComposeError> {
        let reference = message_id(attempt, &mail.from);
        Ok(Self {
            from: ascii_address(&mail.from)?,
            to: ascii_address(to)?,
            attempt,
            // A sender's domain may be as long as 253 octets; the attempt alone still names it.
            reference: ProviderReference::new(&reference).unwrap_or_else(|| ProviderReference(attempt.to_string())),
            eml: compose(mail, to, attempt, now)?,
        })
    }

    /// Puts the signatures before it.
    pub fn sign(&mut self, signer: &Signer, now: Timestamp) -> Result<(), SignError> {
        let mut signed = signer.sign(&self.eml, now)?;
        signed.extend_from_slice(&self.eml);
        self.eml = signed;
        Ok(())
    }

    /// What servers repeat in their answers and nobody may read in ours.
    fn private(&self) -> [&str; 2] {
        [self.to.user(), self.to.domain()]
    }

    /// MAIL with its parameters: the size (RFC 1870), and for bounces our reference and headers only (RFC 3461).
    fn mail_command(&self, connection: &Connection) -> String {
        let mut parameters = Vec::new();
        if connection.offers.size {
            parameters.push(MailParameter::Size(self.eml.len()));
        }
        if connection.offers.dsn {
            let other =
                |keyword: &str, value: String| MailParameter::Other { keyword: keyword.into(), value: Some(value) };
            parameters.push(other("RET", "HDRS".to_owned()));
            parameters.push(other("ENVID", self.attempt.to_string()));
        }
        without_end(&MailCommand::new(Some(self.from.clone()), parameters).to_string())
    }

    /// RCPT, asking to hear of failure and delay (RFC 3461 §4.1).
    fn rcpt_command(&self, connection: &Connection) -> String {
        let notify = || RcptParameter::Other { keyword: "NOTIFY".into(), value: Some("FAILURE,DELAY".into()) };
        let parameters = if connection.offers.dsn { vec![notify()] } else { Vec::new() };
        without_end(&RcptCommand::new(self.to.clone(), parameters).to_string())
    }

    /// A refusal that the answer to EHLO already implies, before anything is said.
    pub fn too_large_for(&self, connection: &Connection) -> Option<Outcome> {
        let size_max = connection.offers.size_max?;
        let failure = || Failure::new(Fault::TooLarge).code("5.3.4").text("it is larger than the relay's SIZE");
        (self.eml.len() > size_max).then(|| Outcome::Refused(failure()))
    }
}

fn without_end(command: &str) -> String {
    command.trim_end().to_owned()
}

/// Opens the transaction with MAIL, after RSET where the connection's last one was left open.
pub(super) async fn begin(connection: &mut Connection, letter: &Letter, patience: &Patience) -> Result<Reply, Silence> {
    if connection.in_transaction {
        let reply = say(connection, "RSET", patience).await?;
        if !reply.is_done() {
            return Ok(reply);
        }
        connection.in_transaction = false;
    }
    connection.letters += 1;
    let command = letter.mail_command(connection);
    let reply = say(connection, &command, patience).await?;
    connection.in_transaction = reply.is_done();
    Ok(reply)
}

/// Carries it to its end, from the answer to MAIL on.
pub(super) async fn complete(
    connection: &mut Connection,
    letter: &Letter,
    mail: Result<Reply, Silence>,
    patience: &Patience,
) -> Outcome {
    match before_the_dot(connection, letter, mail, patience).await {
        Ok(()) => the_dot(connection, letter, patience).await,
        Err(outcome) => outcome,
    }
}

async fn before_the_dot(
    connection: &mut Connection,
    letter: &Letter,
    mail: Result<Reply, Silence>,
    patience: &Patience,
) -> Result<(), Outcome> {
    expect(connection, letter, mail, Phase::Mail)?;
    let rcpt = letter.rcpt_command(connection);
    let rcpt = say(connection, &rcpt, patience).await;
    expect(connection, letter, rcpt, Phase::Rcpt)?;
    let data = connection.dialogue.say("DATA", patience.minutes(2)).await;
    let data = note(connection, data);
    expect(connection, letter, data, Phase::Data)?;
    connection.dialogue.say_body(&letter.eml, patience).await.map_err(|silence| {
        connection.usable = false;
        Outcome::NotSent(silence.failure("during the body"))
    })
}

async fn the_dot(connection: &mut Connection, letter: &Letter, patience: &Patience) -> Outcome {
    let answer = connection.dialogue.say_final_dot(patience.final_dot()).await;
    match note(connection, answer) {
        Ok(reply) if reply.is_done() => {
            connection.in_transaction = false;
            Outcome::Accepted { reference: letter.reference.clone() }
        }
        Ok(reply) if reply.is_refusal() => {
            connection.in_transaction = false;
            refusal(&reply, Phase::Dot, letter)
        }
        Ok(_) | Err(Silence::Garbled) => {
            connection.usable = false;
            Outcome::Unknown(Silence::Garbled.failure("to the final dot"))
        }
        Err(silence) => Outcome::Unknown(silence.failure("after the final dot")),
    }
}

async fn say(connection: &mut Connection, command: &str, patience: &Patience) -> Result<Reply, Silence> {
    let answer = connection.dialogue.say(command, patience.minutes(5)).await;
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

/// A fault of the relay or the account means that the letter never was up for decision; any other is a no to it.
fn refusal(reply: &Reply, phase: Phase, letter: &Letter) -> Outcome {
    let failure = reply.failure(phase, &letter.private());
    if failure.fault.is_the_providers() || (phase <= Phase::Mail && failure.fault == Fault::TlsRequired) {
        Outcome::NotSent(failure)
    } else {
        Outcome::Refused(failure)
    }
}
