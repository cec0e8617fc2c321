//! Styles of citation.

use std::fmt;

/// A style.
#[derive(Debug, Clone)]
pub enum Style {
    /// One that stands by itself.
    Independent(IndependentStyle),
    /// One that refers to another: there is none.
    Dependent(std::convert::Infallible),
}

/// A style that stands by itself and cites nothing.
#[derive(Debug, Clone, Default)]
pub struct IndependentStyle {
    /// Its settings.
    pub settings: Settings,
}

/// Settings of a style.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Where citations stand.
    pub class: StyleClass,
}

/// Where citations stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StyleClass {
    /// In the text.
    #[default]
    InText,
    /// In notes.
    Note,
}

/// Why no style is read.
#[derive(Debug)]
pub struct StyleError;

impl fmt::Display for StyleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(super::NONE)
    }
}

impl IndependentStyle {
    /// Refuses whatever it is given.
    ///
    /// # Errors
    /// Always.
    pub const fn from_xml(_: &str) -> Result<Self, StyleError> {
        Err(StyleError)
    }
}

/// The words of a language.
#[derive(Debug, Clone)]
pub struct Locale(());

/// A language's name.
#[derive(Debug, Clone)]
pub struct LocaleCode(pub String);

/// How a part is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "as in CSL")]
pub enum Display {
    Block,
    LeftMargin,
    RightInline,
    Indent,
}

/// Upright or italic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "as in CSL")]
pub enum FontStyle {
    Normal,
    Italic,
}

/// Small capitals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "as in CSL")]
pub enum FontVariant {
    Normal,
    SmallCaps,
}

/// Bold or light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "as in CSL")]
pub enum FontWeight {
    Normal,
    Bold,
    Light,
}

/// Underlined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "as in CSL")]
pub enum TextDecoration {
    None,
    Underline,
}

/// Above or below the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "as in CSL")]
pub enum VerticalAlign {
    None,
    Baseline,
    Sup,
    Sub,
}

/// Kinds of places.
pub mod taxonomy {
    /// Where in a work.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Locator {
        /// By words of one's own.
        Custom,
    }
}
