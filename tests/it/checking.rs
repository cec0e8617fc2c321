//! Whether the practice's mail will be believed: keys to sign with, what the domain publishes, what arrives of the letters.

mod broadcasts;
mod faces;
mod keys;
mod looks;
mod published;
mod round_trip;
mod spam;
mod verifiers;
