//! Callbacks of providers, as they are kept.

use super::words::words;

words! {
    /// What became of a callback.
    CallbackState {
        /// To be read and applied, now or once its attempt is known.
        Waiting = "waiting",
        /// What it says has taken effect.
        Applied = "applied",
        /// It speaks of attempts that did not turn up in time.
        Unmatched = "unmatched",
        /// It is authentic, but this version could not read it.
        Unreadable = "unreadable",
        /// It says nothing that another callback had not said.
        Repeated = "repeated",
        /// It is about nothing that Touchline sends.
        Ignored = "ignored",
    }
}

words! {
    /// In which form a callback is kept.
    CallbackForm {
        /// By an earlier version: one fact that was read in it, as JSON. It cannot be read again.
        Event = "event",
        /// Headers and body as they came.
        Raw = "raw",
    }
}
