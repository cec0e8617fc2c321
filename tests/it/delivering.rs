//! What becomes of letters: a whole gateway against a fax line and mail servers that behave as real ones do, on both
//! databases.

mod acting;
mod at_one_domain;
mod beside;
mod blaming;
mod doubting;
mod enduring;
mod hearing;
mod individually;
mod keeping_hours;
mod patients;
mod pausing;
mod reaching;
mod refusing;
mod rehearsing;
mod relays;
mod restoring;
mod retrying;
mod routing;
mod sharing;
