//! What the reader promises: on the labeled samples, on mails of every kind, on one-line replies in the mails of every mailer, and on mails
//! that are broken in any way.

mod boilerplate;
mod broken;
mod kinds;
mod mailers;
mod replies;
mod samples;
