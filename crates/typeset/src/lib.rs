//! Typst behind one small interface: a letter as data in, pages out.
//!
//! A [`Typesetter`] holds one Typst source. Each call of [`Typesetter::typeset`] hands that source a JSON file
//! (`/letter.json`) and at most two pictures (`/signature`, `/logo`) and returns a [`Document`], which becomes
//! a reproducible PDF, one-bit fax pages, or facts about the pages (text, smallest type, unprintable characters).
//!
//! Guarantees for any input:
//! - nothing of a letter is ever Typst source: strings arrive through JSON and print literally;
//! - the source reaches neither disk, network nor clock;
//! - invalid input results in a [`TypesetError`], never in a panic, an abort or a page of unbounded cost;
//! - the same source, letter and pictures give the same PDF, byte for byte.
//!
//! It is pure computation, a few milliseconds per page: in an asynchronous program, run it where blocking
//! is allowed.

mod document;
mod error;
mod fonts;
mod raster;
mod typesetter;
mod world;

pub use document::Document;
pub use error::TypesetError;
pub use fonts::{FontNotice, fonts, is_printable};
pub use raster::{Bitmap, Resolution};
pub use typesetter::{Images, Typesetter};
