//! What Typst asks of hayagriva, and nothing behind it: no bibliography can be read, and no style is known. Letters cite
//! nothing, and the styles and sorting rules of the world's journals would be a seventh of the program (decision 41).

use std::borrow::Cow;
use std::marker::PhantomData;

use citationberg::{
    Display, FontStyle, FontVariant, FontWeight, IndependentStyle, Locale, LocaleCode, TextDecoration, VerticalAlign,
};

pub mod citationberg;

/// Why nothing is read.
const NONE: &str = "this program sets no bibliographies";

/// Styles and languages that come with it: none.
pub mod archive {
    use super::citationberg::{IndependentStyle, Locale, Style};

    /// A style, by name only.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum ArchivedStyle {
        /// What a bibliography has that names no other.
        InstituteOfElectricalAndElectronicsEngineers,
    }

    impl ArchivedStyle {
        /// All that can be named: none.
        #[must_use]
        pub const fn all() -> &'static [Self] {
            &[]
        }

        /// By its name.
        #[must_use]
        pub const fn by_name(_: &str) -> Option<Self> {
            None
        }

        /// Its names.
        #[must_use]
        pub const fn names(&self) -> &'static [&'static str] {
            &["ieee"]
        }

        /// Its name in words.
        #[must_use]
        pub const fn display_name(&self) -> &'static str {
            "none"
        }

        /// A style that cites nothing.
        #[must_use]
        pub fn get(&self) -> Style {
            Style::Independent(IndependentStyle::default())
        }
    }

    /// No languages.
    #[must_use]
    pub const fn locales() -> Vec<Locale> {
        Vec::new()
    }
}

/// Files.
pub mod io {
    use std::ops::Range;

    use super::{Library, NONE};

    /// Why a file is refused.
    #[derive(Debug)]
    pub enum BibLaTeXError {
        /// It cannot be read.
        Parse(Refusal),
        /// It says what cannot be.
        Type(Refusal),
    }

    /// Where and why.
    #[derive(Debug)]
    pub struct Refusal {
        /// Where.
        pub span: Range<usize>,
        /// Why.
        pub kind: String,
    }

    /// Refuses whatever it is given.
    ///
    /// # Errors
    /// Always.
    pub fn from_yaml_str(_: &str) -> Result<Library, serde_yaml::Error> {
        Err(serde::de::Error::custom(NONE))
    }

    /// Refuses whatever it is given.
    ///
    /// # Errors
    /// Always.
    pub fn from_biblatex_str(_: &str) -> Result<Library, Vec<BibLaTeXError>> {
        Err(vec![BibLaTeXError::Parse(Refusal { span: 0..0, kind: NONE.to_owned() })])
    }
}

/// What cannot exist.
#[derive(Debug, Clone, Copy)]
enum Never {}

/// A bibliography: there is none.
#[derive(Debug)]
pub struct Library(Never);

impl Library {
    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self.0 {}
    }
}

impl IntoIterator for Library {
    type Item = Entry;
    type IntoIter = std::iter::Empty<Entry>;

    fn into_iter(self) -> Self::IntoIter {
        match self.0 {}
    }
}

/// A work: there is none.
#[derive(Debug, Clone)]
pub struct Entry(Never);

impl Entry {
    /// What it is cited by.
    #[must_use]
    pub fn key(&self) -> &str {
        match self.0 {}
    }

    /// Its title.
    #[must_use]
    pub fn title(&self) -> Option<&Title> {
        match self.0 {}
    }
}

/// The title of a work.
#[derive(Debug)]
pub struct Title {
    /// Its words.
    pub value: Words,
}

/// The words of a title.
#[derive(Debug)]
pub struct Words(Never);

impl Words {
    /// As text.
    #[must_use]
    pub fn to_str(&self) -> Cow<'_, str> {
        match self.0 {}
    }
}

/// What citations are asked of.
#[derive(Debug)]
pub struct BibliographyDriver<'a, T>(PhantomData<&'a T>);

impl<'a, T> BibliographyDriver<'a, T> {
    /// A new one.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    /// Changes nothing.
    #[must_use]
    pub const fn with_citation_number_offset(self, _: usize) -> Self {
        self
    }

    /// Cites nothing.
    pub fn citation(&mut self, _: CitationRequest<'a, T>) {}

    /// Nothing at all.
    #[must_use]
    pub fn finish(self, _: BibliographyRequest<'_>) -> Rendered {
        Rendered { bibliography: None, citations: Vec::new() }
    }
}

impl<T> Default for BibliographyDriver<'_, T> {
    fn default() -> Self {
        Self::new()
    }
}

/// What is asked of a bibliography.
#[derive(Debug)]
pub struct BibliographyRequest<'a> {
    /// In which style.
    pub style: &'a IndependentStyle,
    /// In which language.
    pub locale: Option<LocaleCode>,
    /// In which languages it could be.
    pub locale_files: &'a [Locale],
}

/// What is asked of a citation.
#[derive(Debug)]
pub struct CitationRequest<'a, T>(PhantomData<&'a T>);

impl<'a, T> CitationRequest<'a, T> {
    /// For these works.
    #[must_use]
    pub fn new(
        _: Vec<CitationItem<'a, T>>,
        _: &'a IndependentStyle,
        _: Option<LocaleCode>,
        _: &'a [Locale],
        _: Option<usize>,
    ) -> Self {
        Self(PhantomData)
    }
}

/// One work of a citation.
#[derive(Debug)]
pub struct CitationItem<'a, T>(PhantomData<&'a T>);

impl<'a, T> CitationItem<'a, T> {
    /// This one.
    #[must_use]
    pub fn new(
        _: &'a T,
        _: Option<SpecificLocator<'a>>,
        _: Option<LocaleCode>,
        _: bool,
        _: Option<CitePurpose>,
    ) -> Self {
        Self(PhantomData)
    }
}

/// Where in a work.
#[derive(Debug)]
pub struct SpecificLocator<'a>(pub citationberg::taxonomy::Locator, pub LocatorPayload<'a>);

/// The words for it.
#[derive(Debug)]
pub enum LocatorPayload<'a> {
    /// As text.
    Str(&'a str),
    /// As something that is passed through.
    Transparent(TransparentLocator),
}

/// Something that is passed through.
#[derive(Debug)]
pub struct TransparentLocator(());

impl TransparentLocator {
    /// Forgets it.
    pub fn new<T>(_: T) -> Self {
        Self(())
    }
}

/// What a citation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "as in CSL")]
pub enum CitePurpose {
    Author,
    Year,
    Full,
    Prose,
}

/// What came of all requests.
#[derive(Debug)]
pub struct Rendered {
    /// The bibliography.
    pub bibliography: Option<RenderedBibliography>,
    /// The citations.
    pub citations: Vec<RenderedCitation>,
}

/// A set bibliography.
#[derive(Debug)]
pub struct RenderedBibliography {
    /// Its works.
    pub items: Vec<BibliographyItem>,
    /// Whether all lines but the first are indented.
    pub hanging_indent: bool,
}

/// A work in a set bibliography.
#[derive(Debug)]
pub struct BibliographyItem {
    /// What it is cited by.
    pub key: String,
    /// What stands before it.
    pub first_field: Option<ElemChild>,
    /// Its words.
    pub content: ElemChildren,
}

/// A set citation.
#[derive(Debug)]
pub struct RenderedCitation {
    /// Its words.
    pub citation: ElemChildren,
}

/// Some parts.
#[derive(Debug)]
pub struct ElemChildren(pub Vec<ElemChild>);

impl ElemChildren {
    /// The first part with this meaning: there is none.
    #[must_use]
    pub const fn find_meta(&self, _: &ElemMeta) -> Option<&Elem> {
        None
    }
}

/// A part.
#[derive(Debug)]
#[allow(missing_docs, reason = "as in hayagriva")]
pub enum ElemChild {
    Text(Formatted),
    Elem(Elem),
    Markup(String),
    Link { text: Formatted, url: String },
    Transparent { cite_idx: usize, format: Formatting },
}

/// A part with parts.
#[derive(Debug)]
pub struct Elem {
    /// Its parts.
    pub children: ElemChildren,
    /// How it is set.
    pub display: Option<Display>,
    /// What it means.
    pub meta: Option<ElemMeta>,
}

/// What a part means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElemMeta {
    /// A number in a list.
    CitationNumber,
    /// A work.
    Entry(usize),
}

/// Words and how they look.
#[derive(Debug)]
pub struct Formatted {
    /// The words.
    pub text: String,
    /// How they look.
    pub formatting: Formatting,
}

/// How words look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "as in CSL")]
pub struct Formatting {
    pub font_style: FontStyle,
    pub font_variant: FontVariant,
    pub font_weight: FontWeight,
    pub text_decoration: TextDecoration,
    pub vertical_align: VerticalAlign,
}
