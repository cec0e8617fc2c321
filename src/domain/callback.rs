//! Provider callbacks, as stored.

use super::words::words;

words! {
    /// What became of a callback.
    CallbackState {
        /// To be read and applied, now or once its attempt is known.
        Waiting = "waiting",
        /// What it says has taken effect.
        Applied = "applied",
        /// It is about attempts that did not turn up in time.
        Unmatched = "unmatched",
        /// It is authentic, but this version could not read it.
        Unreadable = "unreadable",
        /// It says nothing that an earlier callback did not.
        Repeated = "repeated",
        /// It is about nothing that Touchline sends.
        Ignored = "ignored",
    }
}

words! {
    /// The form in which a callback is stored.
    CallbackForm {
        /// By an earlier version: one fact that was read in it, as JSON. It cannot be read again.
        Event = "event",
        /// Headers and body as received.
        Raw = "raw",
    }
}
