//! Where what comes back for an account's letters goes: the envelope's sender (RFC 5321 section 4.4.4), and the mailbox to which a
//! recipient can write to be sent no more (RFC 2369 section 3.2).

use super::compose::ascii_address;
use super::settings::Settings;
use crate::domain::EmailAddress;
use crate::domain::id::AttemptId;
use crate::domain::return_path::ReturnPaths;

/// The mailbox of `return_path`, and how addresses below it are made.
#[derive(Debug)]
pub(super) struct Returns {
    mailbox: EmailAddress,
    /// None where a relay takes no addresses with a plus.
    paths: Option<ReturnPaths>,
}

impl Returns {
    /// As the settings say; `None` where they name no mailbox: then letters return to their sender.
    ///
    /// # Errors
    /// Names the setting, what is wrong and what to do.
    pub fn new(settings: &Settings, paths: &ReturnPaths) -> Result<Option<Self>, &'static str> {
        let Some(written) = &settings.return_path else {
            let only = "return_path_verp is given without return_path: add the mailbox that reads what comes back";
            return if settings.return_path_verp.is_none() { Ok(None) } else { Err(only) };
        };
        let unwritable = |_| "return_path must be a mailbox of ASCII letters: every mailer has to write to it";
        let mailbox = EmailAddress::parse(written)
            .map_err(|_| "return_path must be one mailbox, such as bounces@practice.example")?;
        let mailbox = ascii_address(&mailbox).map_err(unwritable)?;
        if settings.return_path_verp == Some(false) {
            return Ok(Some(Self { mailbox, paths: None }));
        }
        if paths.bounce(&mailbox, AttemptId::new()).is_none() {
            return Err(
                "return_path may have 23 characters at most before the @, since each letter's own are put behind them: choose \
                        a shorter mailbox, or write return_path_verp = false",
            );
        }
        Ok(Some(Self { mailbox, paths: Some(paths.clone()) }))
    }

    /// The envelope's sender for an attempt.
    pub fn bounce(&self, attempt: AttemptId) -> EmailAddress {
        let own = self.paths.as_ref().and_then(|paths| paths.bounce(&self.mailbox, attempt));
        own.unwrap_or_else(|| self.mailbox.clone())
    }

    /// Where an attempt's recipient can write to be sent no more; none where no address names the attempt.
    pub fn opt_out(&self, attempt: AttemptId) -> Option<EmailAddress> {
        self.paths.as_ref()?.opt_out(&self.mailbox, attempt)
    }
}
