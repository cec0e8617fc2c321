//! What Typst asks of syntect, and nothing behind it: no programming language is known, and raw text is set as it stands.
//! Letters show no program code (decision 41).

use std::fmt;

/// Why nothing is loaded.
const NONE: &str = "this program highlights no program code";

/// Colors and styles.
pub mod highlighting {
    use std::io::BufRead;
    use std::marker::PhantomData;
    use std::ops::BitOr;
    use std::str::FromStr;

    use super::LoadingError;
    use super::parsing::{ParseSyntaxError, Scope};

    /// A color.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Color {
        /// Red.
        pub r: u8,
        /// Green.
        pub g: u8,
        /// Blue.
        pub b: u8,
        /// Opacity.
        pub a: u8,
    }

    impl Color {
        /// Black.
        pub const BLACK: Self = Self { r: 0, g: 0, b: 0, a: 255 };
    }

    /// Bold, italic, underlined.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct FontStyle(u8);

    impl FontStyle {
        /// None of them.
        pub const NONE: Self = Self(0);
        /// Bold.
        pub const BOLD: Self = Self(1);
        /// Underlined.
        pub const UNDERLINE: Self = Self(2);
        /// Italic.
        pub const ITALIC: Self = Self(4);

        /// Whether all of the other are among these.
        #[must_use]
        pub const fn contains(self, other: Self) -> bool {
            self.0 & other.0 == other.0
        }
    }

    impl BitOr for FontStyle {
        type Output = Self;

        fn bitor(self, other: Self) -> Self {
            Self(self.0 | other.0)
        }
    }

    /// How a piece of text looks.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Style {
        /// Its color.
        pub foreground: Color,
        /// Bold, italic, underlined.
        pub font_style: FontStyle,
    }

    /// What an entry of a theme changes.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct StyleModifier {
        /// The color.
        pub foreground: Option<Color>,
        /// The color behind.
        pub background: Option<Color>,
        /// Bold, italic, underlined.
        pub font_style: Option<FontStyle>,
    }

    /// Which text an entry of a theme is about.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ScopeSelectors;

    impl FromStr for ScopeSelectors {
        type Err = ParseSyntaxError;

        fn from_str(_: &str) -> Result<Self, Self::Err> {
            Ok(Self)
        }
    }

    /// An entry of a theme.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ThemeItem {
        /// Which text it is about.
        pub scope: ScopeSelectors,
        /// What it changes.
        pub style: StyleModifier,
    }

    /// What a theme sets for all text.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct ThemeSettings {
        /// The color.
        pub foreground: Option<Color>,
    }

    /// A theme, of which only the color of all text is used.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct Theme {
        /// Its name.
        pub name: Option<String>,
        /// Who made it.
        pub author: Option<String>,
        /// What it sets for all text.
        pub settings: ThemeSettings,
        /// Its entries.
        pub scopes: Vec<ThemeItem>,
    }

    /// Themes in files.
    #[derive(Debug)]
    pub struct ThemeSet;

    impl ThemeSet {
        /// Refuses whatever it is given.
        ///
        /// # Errors
        /// Always.
        pub fn load_from_reader(_: &mut impl BufRead) -> Result<Theme, LoadingError> {
            Err(LoadingError::ParseSyntax(ParseSyntaxError::NotAvailable, None))
        }
    }

    /// What gives text its style: all of it the same.
    #[derive(Debug)]
    pub struct Highlighter<'theme>(Style, PhantomData<&'theme Theme>);

    impl<'theme> Highlighter<'theme> {
        /// By this theme.
        #[must_use]
        pub fn new(theme: &'theme Theme) -> Self {
            let foreground = theme.settings.foreground.unwrap_or(Color::BLACK);
            Self(Style { foreground, font_style: FontStyle::NONE }, PhantomData)
        }

        /// The style of text in these scopes.
        #[must_use]
        pub const fn style_for_stack(&self, _: &[Scope]) -> Style {
            self.0
        }
    }
}

/// Programming languages.
pub mod parsing {
    use std::fmt;

    use super::NONE;

    /// What a piece of code is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Scope;

    impl Scope {
        /// By its name.
        ///
        /// # Errors
        /// None.
        pub const fn new(_: &str) -> Result<Self, ParseSyntaxError> {
            Ok(Self)
        }
    }

    /// Why a description is refused.
    #[derive(Debug)]
    pub enum ParseSyntaxError {
        /// It cannot be read.
        InvalidYaml(ScanError),
        /// None can.
        NotAvailable,
    }

    impl fmt::Display for ParseSyntaxError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(NONE)
        }
    }

    /// What cannot be read.
    #[derive(Debug)]
    pub struct ScanError(Marker);

    impl ScanError {
        /// Where.
        #[must_use]
        pub const fn marker(&self) -> &Marker {
            &self.0
        }
    }

    /// A place in a file.
    #[derive(Debug)]
    pub struct Marker(());

    impl Marker {
        /// The octet.
        #[must_use]
        pub const fn index(&self) -> usize {
            0
        }

        /// The line.
        #[must_use]
        pub const fn line(&self) -> usize {
            1
        }

        /// The column.
        #[must_use]
        pub const fn col(&self) -> usize {
            0
        }
    }

    /// The description of a language.
    #[derive(Debug)]
    pub struct SyntaxDefinition(());

    impl SyntaxDefinition {
        /// Refuses whatever it is given.
        ///
        /// # Errors
        /// Always.
        pub const fn load_from_str(_: &str, _: bool, _: Option<&str>) -> Result<Self, ParseSyntaxError> {
            Err(ParseSyntaxError::NotAvailable)
        }
    }

    /// A known language.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct SyntaxReference {
        /// Its name.
        pub name: String,
        /// How its files end.
        pub file_extensions: Vec<String>,
    }

    /// The known languages: none.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct SyntaxSet(());

    impl SyntaxSet {
        /// All of them.
        #[must_use]
        pub const fn syntaxes(&self) -> &[SyntaxReference] {
            &[]
        }

        /// One by its name or ending.
        #[must_use]
        pub const fn find_syntax_by_token(&self, _: &str) -> Option<&SyntaxReference> {
            None
        }
    }

    /// Puts descriptions together.
    #[derive(Debug, Default)]
    pub struct SyntaxSetBuilder(());

    impl SyntaxSetBuilder {
        /// None yet.
        #[must_use]
        pub const fn new() -> Self {
            Self(())
        }

        /// Adds one.
        pub fn add(&mut self, _: SyntaxDefinition) {}

        /// All of them.
        #[must_use]
        pub const fn build(self) -> SyntaxSet {
            SyntaxSet(())
        }
    }
}

/// Line by line.
pub mod easy {
    use super::highlighting::{Color, FontStyle, Style, Theme};
    use super::parsing::{ParseSyntaxError, SyntaxReference, SyntaxSet};

    /// What gives lines their style: all of it the same.
    #[derive(Debug)]
    pub struct HighlightLines(Color);

    impl HighlightLines {
        /// By this theme.
        #[must_use]
        pub fn new(_: &SyntaxReference, theme: &Theme) -> Self {
            Self(theme.settings.foreground.unwrap_or(Color::BLACK))
        }

        /// One line.
        ///
        /// # Errors
        /// None.
        pub fn highlight_line<'line>(
            &mut self,
            line: &'line str,
            _: &SyntaxSet,
        ) -> Result<Vec<(Style, &'line str)>, ParseSyntaxError> {
            let plain = Style { foreground: self.0, font_style: FontStyle::NONE };
            Ok(vec![(plain, line)])
        }
    }
}

/// Why a theme is refused.
#[derive(Debug)]
pub enum LoadingError {
    /// It cannot be read.
    ParseSyntax(parsing::ParseSyntaxError, Option<String>),
    /// It is not there.
    Missing,
}

impl fmt::Display for LoadingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NONE)
    }
}
