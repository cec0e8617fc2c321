//! Whose tokens this node renews now, so that callers of one node never renew the same twice, however long it takes. Between nodes
//! the claim in the database decides.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The accounts whose tokens are being renewed.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns(Arc<Mutex<BTreeSet<String>>>);

/// The right to renew the tokens of one account, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Turns,
    account: String,
}

impl Turns {
    /// Takes the turn; `None` if somebody has it.
    pub(super) fn take(&self, account: &str) -> Option<Turn> {
        let is_free = self.accounts().insert(account.to_owned());
        is_free.then(|| Turn { turns: self.clone(), account: account.to_owned() })
    }

    fn accounts(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.accounts().remove(&self.account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_the_turn_of_an_account_until_it_is_done() {
        let turns = Turns::default();
        let turn = turns.take("office").expect("free");
        assert!(turns.clone().take("office").is_none() && turns.take("other").is_some());
        drop(turn);
        assert!(turns.take("office").is_some());
    }
}
