//! What the reader promises: on the labeled samples, on mails of every kind, and on mails that are broken in any way.

mod broken;
mod kinds;
mod samples;
