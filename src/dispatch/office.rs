//! Office: whether the recipient's office is open, asked before a letter is rendered, so that what is due at night is not
//! typeset in vain. The gate decides again.

use super::{Job, Parts};
use crate::domain::Timestamp;
use crate::domain::message::Message;
use crate::domain::referrer::Referrer;
use crate::policy::hours::Hours;
use crate::policy::keeps_office_hours;
use crate::policy::zones::Zones;

/// Until when a message to this referrer waits for office hours; `None` if it may go at this hour.
pub(super) fn closed_until(hours: &Hours, message: &Message, referrer: &Referrer, now: Timestamp) -> Option<Timestamp> {
    let waits = keeps_office_hours(message.purpose) && message.any_hour_ms.is_none();
    let zones = || Zones::of(referrer, &message.address);
    waits.then(|| hours.closed_until(now, zones())).flatten()
}

/// Until when a claimed message waits for office hours; `None` if it may go on.
pub(super) fn until(parts: &Parts, job: &Job) -> Option<Timestamp> {
    let now = parts.clock.now();
    // What has come to its end of time ends at the gate.
    closed_until(&parts.settings.hours, &job.message, &job.referrer, now).filter(|_| now < job.message.give_up_ms)
}
