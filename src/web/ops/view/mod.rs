//! What the pages show, as plain values made of the store's rows: no request, no database, no markup beyond the small
//! pieces in [`pieces`] and [`moment`]. The words are those of [`crate::wording`].

pub mod accounts;
pub mod causes;
pub mod history;
pub mod lines;
pub mod moment;
pub mod people;
pub mod pieces;
pub mod returned;
pub mod returns;
pub mod standing;
pub mod timeline;
pub mod titles;
