//! What must hold of the section on callbacks.

use super::super::webhook::Webhook;
use super::Check;
use crate::provider::kit::signature::{Piece, Proof};

impl Check<'_> {
    pub(super) fn webhook(&mut self) {
        let Some(webhook) = &self.description.webhook else { return };
        if self.description.fax.reference.is_empty() {
            self.at(&webhook.proof, "[fax] must say where their reference stands");
        }
        if webhook.event.is_empty() && self.description.fax.state.is_empty() {
            self.at(&webhook.proof, "a callback says nothing: give event here, or state in [fax]");
        }
        match webhook.proof.get_ref() {
            Proof::SecretPath if self.description.status.is_none() => {
                self.at(&webhook.proof, "such callbacks are not believed but asked about: add [status]");
            }
            Proof::SecretPath => {}
            proof => self.signature(webhook, *proof),
        }
    }

    fn signature(&mut self, webhook: &Webhook, proof: Proof) {
        match &webhook.header {
            None => self.at(&webhook.proof, "header must name the header that holds the signature or the secret"),
            Some(header) => self.header_name(header),
        }
        match &webhook.key {
            None => self.at(&webhook.proof, "key must name it: secrets.NAME, or settings.NAME for a public key"),
            Some(key) => {
                let known = match key.get_ref().split_once('.') {
                    Some(("secrets", name)) => self.description.secrets.contains_key(name),
                    Some(("settings", name)) => proof == Proof::Ed25519 && self.description.settings.contains_key(name),
                    _ => false,
                };
                if !known {
                    self.at(
                        key,
                        "there is no such key: write secrets.NAME; only an Ed25519 key is public, as settings.NAME",
                    );
                }
            }
        }
        if proof == Proof::SharedSecret {
            return;
        }
        match (webhook.pieces(), webhook.signed.as_ref()) {
            (Err(why), Some(signed)) => self.at(signed, why),
            (Ok(pieces), _) => {
                let has_time = webhook.timestamp_header.is_some() || webhook.timestamp_part.is_some();
                if !pieces.contains(&Piece::Body) {
                    self.at(&webhook.proof, "signed must hold {body}: anything else could be changed");
                }
                if pieces.contains(&Piece::Timestamp) != has_time {
                    self.at(&webhook.proof, "a time counts only if it is signed: give timestamp_header or timestamp_part, and {timestamp} in signed");
                }
            }
            (Err(_), None) => {}
        }
        if !(30..=3600).contains(&webhook.tolerance_seconds) {
            self.at(&webhook.proof, "tolerance_seconds is from 30 to 3,600");
        }
    }
}
