//! Small pieces of markup that many pages share. Each is a template of its own, so that its values are escaped.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::domain::touch::TOUCH_GOAL_DEFAULT;
use crate::store::views::ledger::Ledger;
use crate::wording::Label;

/// A word in a coloured frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Template)]
#[template(source = r#"<span class="chip {{ said.0.as_str() }}">{{ said.1 }}</span>"#, ext = "html")]
pub struct Chip {
    /// The word and its tone.
    pub said: Label,
}

impl HtmlSafe for Chip {}

impl Chip {
    /// The class of its tone in the style sheet.
    #[must_use]
    pub const fn tone(&self) -> &'static str {
        self.said.0.as_str()
    }
}

impl From<Label> for Chip {
    fn from(said: Label) -> Self {
        Self { said }
    }
}

/// How many of the goal's touches a referrer has had: one dot each, and the words for those who do not see dots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Template)]
#[template(
    source = r#"<span class="steps" role="img" aria-label="{{ done }} of {{ goal }} touches">
    {%- for step in 0..goal %}<i{% if step < done %} class="done"{% endif %}></i>{% endfor -%}
    </span>"#,
    ext = "html"
)]
pub struct Steps {
    /// Touches that were delivered.
    pub done: u32,
    /// The goal.
    pub goal: u32,
}

impl HtmlSafe for Steps {}

impl Steps {
    /// With the usual goal.
    #[must_use]
    pub fn new(delivered: i64) -> Self {
        Self { done: u32::try_from(delivered).unwrap_or(0), goal: TOUCH_GOAL_DEFAULT }
    }
}

/// A stretch of a bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// Class in the style sheet.
    pub class: &'static str,
    /// Where it begins, in percent.
    pub from: String,
    /// How long it is, in percent.
    pub width: String,
}

/// How far a broadcast has come, as a bar of stretches. Widths are attributes, not styles, so that the pages need no
/// inline style.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    source = r#"<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" role="img" aria-label="{{ words }}">
    {%- for s in stretches %}<rect class="{{ s.class }}" x="{{ s.from }}" y="0" width="{{ s.width }}" height="4"/>{% endfor -%}
    </svg>"#,
    ext = "html"
)]
pub struct Bar {
    /// The stretches, left to right.
    pub stretches: Vec<Stretch>,
    /// What the bar says, in words.
    pub words: String,
}

impl HtmlSafe for Bar {}

impl Bar {
    /// The bar of a ledger.
    #[must_use]
    pub fn of(ledger: &Ledger) -> Self {
        let parts = [
            ("good", ledger.delivered, "delivered"),
            ("bad", ledger.failed + ledger.expired, "failed or expired"),
            ("warn", ledger.in_doubt + ledger.held, "in doubt or held"),
            ("quiet", ledger.suppressed + ledger.cancelled, "suppressed or cancelled"),
        ];
        let total = ledger.total.max(1) as f64;
        let mut from = 0.0;
        let mut stretches = Vec::new();
        let mut words = Vec::new();
        for (class, count, word) in parts.into_iter().filter(|(_, count, _)| *count > 0) {
            let width = count as f64 * 100.0 / total;
            stretches.push(Stretch { class, from: format!("{from:.2}"), width: format!("{width:.2}") });
            words.push(format!("{count} {word}"));
            from += width;
        }
        words.push(format!("{} still on the way", ledger.queued));
        Self { stretches, words: words.join(", ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wording::Tone;

    #[test]
    fn a_bar_says_in_words_what_it_shows() {
        let ledger = Ledger { total: 8, delivered: 4, failed: 1, expired: 1, queued: 2, ..Ledger::default() };
        let bar = Bar::of(&ledger);
        assert_eq!(bar.words, "4 delivered, 2 failed or expired, 2 still on the way");
        let widths: Vec<&str> = bar.stretches.iter().map(|stretch| stretch.width.as_str()).collect();
        assert_eq!(widths, ["50.00", "25.00"]);
    }

    #[test]
    fn an_empty_broadcast_has_an_empty_bar() {
        assert!(Bar::of(&Ledger::default()).stretches.is_empty());
    }

    #[test]
    fn steps_show_no_more_than_the_goal_and_tell_the_true_number() {
        let markup = Steps::new(9).to_string();
        assert_eq!(markup.matches("<i").count(), 7, "{markup}");
        assert!(markup.contains("9 of 7 touches"), "{markup}");
    }

    #[test]
    fn a_chip_escapes_nothing_because_its_words_are_ours() {
        assert_eq!(Chip::from((Tone::Bad, "failed")).to_string(), r#"<span class="chip bad">failed</span>"#);
    }
}
