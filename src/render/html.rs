//! Nodes to HTML for mail. Styles are inline, because many mail programs drop style sheets. Everything
//! from the tree is escaped; there is no way for text to become markup.

use std::ops::Range;

use super::node::{Align, Inline, Node, plain};
use super::tappable::{Piece, pieces};

const PARAGRAPH: &str = "margin:0 0 16px";
const TIGHT: &str = "margin:0 0 4px";
const LIST: &str = "margin:0 0 16px;padding:0 0 0 24px";
const ITEM: &str = "margin:0 0 6px";
const QUOTE: &str = "margin:0 0 16px;padding:0 0 0 14px;border-left:3px solid #b8c0c8";
const TABLE: &str = "border-collapse:collapse;width:100%;margin:0 0 16px;font-size:14px;line-height:1.4";
const LINK: &str = "color:#1b4f72;text-decoration:underline";
/// In one piece wherever it fits on a line.
const MAILBOX: &str = "color:#1b4f72;text-decoration:underline;display:inline-block";
const NUMBER: &str = "color:#1b4f72;text-decoration:underline;white-space:nowrap";
const RULE: &str = "border:0;border-top:1px solid #b8c0c8;margin:24px 0";

/// The body of a mail. Numbers can be dialed, except those of fax machines, which are `faxes` (E.164) and what the letter calls
/// so; mailboxes can be written to.
#[must_use]
pub fn blocks(nodes: &[Node], faxes: &[String]) -> String {
    let mut page = Page { html: String::with_capacity(1024), faxes };
    page.push_blocks(nodes);
    page.html
}

/// Text for use between tags, in which numbers and mailboxes are links.
#[must_use]
pub fn linked(text: &str, faxes: &[String]) -> String {
    linked_within(text, 0..text.len(), faxes)
}

fn linked_within(text: &str, within: Range<usize>, faxes: &[String]) -> String {
    let link = |target: &str, style: &str, shown: &str| {
        format!("<a href=\"{}\" style=\"{style}\">{}</a>", escape(target), escape(shown))
    };
    let parts = pieces(text, within, faxes).into_iter().map(|piece| match piece {
        Piece::Words(words) => escape(words),
        Piece::Number(shown, target) => link(&target, NUMBER, shown),
        Piece::Mailbox(shown, target) => link(&target, MAILBOX, shown),
    });
    parts.collect()
}

/// Text escaped for use between tags or in a quoted attribute.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '{' => escaped.push_str("&#123;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// HTML being written.
struct Page<'a> {
    html: String,
    faxes: &'a [String],
}

impl Page<'_> {
    fn push_blocks(&mut self, nodes: &[Node]) {
        for node in nodes {
            match node {
                Node::Paragraph { c } => self.push_wrapped("p", PARAGRAPH, "", c),
                Node::Heading { level, c } => {
                    let (tag, style) = match level {
                        1 => ("h2", "margin:24px 0 12px;font-size:20px;line-height:1.3"),
                        2 => ("h3", "margin:20px 0 10px;font-size:17px;line-height:1.3"),
                        _ => ("h4", "margin:16px 0 8px;font-size:16px;line-height:1.3;font-style:italic"),
                    };
                    self.push_wrapped(tag, style, "", c);
                }
                Node::Bullets { items } => self.push_list("<ul", "</ul>", items),
                Node::Numbers { start, items } => self.push_list(&format!("<ol start=\"{start}\""), "</ol>", items),
                Node::Quote { c } => {
                    self.html.push_str(&format!("<blockquote style=\"{QUOTE}\">"));
                    self.push_blocks(c);
                    self.html.push_str("</blockquote>");
                }
                Node::Table { align, head, rows } => self.push_table(align, head, rows),
                Node::Rule => self.html.push_str(&format!("<hr style=\"{RULE}\">")),
            }
        }
    }

    /// `label` is what is said of it elsewhere, such as the head of its column.
    fn push_wrapped(&mut self, tag: &str, style: &str, label: &str, inlines: &[Inline]) {
        self.html.push_str(&format!("<{tag} style=\"{style}\">"));
        self.push_inlines(label, inlines);
        self.html.push_str(&format!("</{tag}>"));
    }

    fn push_list(&mut self, open: &str, close: &str, items: &[Vec<Node>]) {
        self.html.push_str(&format!("{open} style=\"{LIST}\">"));
        for item in items {
            self.html.push_str(&format!("<li style=\"{ITEM}\">"));
            match &item[..] {
                [Node::Paragraph { c }] => self.push_inlines("", c),
                [Node::Paragraph { c }, rest @ ..] => {
                    self.push_wrapped("p", TIGHT, "", c);
                    self.push_blocks(rest);
                }
                nodes => self.push_blocks(nodes),
            }
            self.html.push_str("</li>");
        }
        self.html.push_str(close);
    }

    fn push_table(&mut self, align: &[Align], head: &[Vec<Inline>], rows: &[Vec<Vec<Inline>>]) {
        self.html.push_str(&format!("<div style=\"overflow-x:auto\"><table style=\"{TABLE}\">"));
        if head.iter().any(|cell| !cell.is_empty()) {
            self.html.push_str("<thead>");
            self.push_row("th", "2px solid #1f2d3a", align, &[], head);
            self.html.push_str("</thead>");
        }
        self.html.push_str("<tbody>");
        for cells in rows {
            self.push_row("td", "1px solid #b8c0c8", align, head, cells);
        }
        self.html.push_str("</tbody></table></div>");
    }

    fn push_row(&mut self, tag: &str, border: &str, align: &[Align], head: &[Vec<Inline>], cells: &[Vec<Inline>]) {
        self.html.push_str("<tr>");
        for (index, cell) in cells.iter().enumerate() {
            let side = match align.get(index) {
                Some(Align::Center) => "center",
                Some(Align::Right) => "right",
                Some(Align::Left) | None => "left",
            };
            // A table of two columns has room between them on a telephone, too.
            let gap = if cells.len() > 2 { 5 } else { 12 };
            let style = format!(
                "padding:6px {gap}px 6px 0;text-align:{side};vertical-align:top;word-break:normal;overflow-wrap:normal;border-bottom:{border}"
            );
            // What the cell is about: the head of its column, or else the cell before it.
            let titled = head.get(index).map(|title| plain(title)).filter(|title| !title.trim().is_empty());
            let earlier = || index.checked_sub(1).and_then(|index| cells.get(index)).map(|cell| plain(cell));
            let label = titled.or_else(earlier).unwrap_or_default();
            self.push_wrapped(tag, &style, &label, cell);
        }
        self.html.push_str("</tr>");
    }

    fn push_inlines(&mut self, label: &str, inlines: &[Inline]) {
        let mut text = if label.is_empty() { String::new() } else { format!("{label}: ") };
        let start = text.len();
        push_said(inlines, &mut text);
        let mut passage = Passage { text: &text, at: start, faxes: self.faxes };
        passage.push(inlines, true, &mut self.html);
    }
}

/// What inlines say, in the order in which they are written.
fn push_said(inlines: &[Inline], text: &mut String) {
    for inline in inlines {
        match inline {
            Inline::Text { v } | Inline::Code { v } => text.push_str(v),
            Inline::Break => text.push('\n'),
            Inline::Emphasis { c } | Inline::Strong { c } | Inline::Link { c, .. } => push_said(c, text),
        }
    }
}

/// A walk over the inlines of one paragraph or cell, whose whole text says what a number in it is for.
struct Passage<'a> {
    text: &'a str,
    /// Where in the text the next inline is said.
    at: usize,
    faxes: &'a [String],
}

impl Passage<'_> {
    /// There is no link inside a link.
    fn push(&mut self, inlines: &[Inline], may_link: bool, html: &mut String) {
        for inline in inlines {
            match inline {
                Inline::Text { v } if may_link => {
                    let within = self.at..self.at + v.len();
                    self.at = within.end;
                    html.push_str(&linked_within(self.text, within, self.faxes));
                }
                Inline::Text { v } => {
                    self.at += v.len();
                    html.push_str(&escape(v));
                }
                Inline::Code { v } => {
                    self.at += v.len();
                    html.push_str(&format!("<code>{}</code>", escape(v)));
                }
                Inline::Break => {
                    self.at += 1;
                    html.push_str("<br>");
                }
                Inline::Emphasis { c } => self.push_inside("<em>", c, "</em>", may_link, html),
                Inline::Strong { c } => self.push_inside("<strong>", c, "</strong>", may_link, html),
                Inline::Link { href, c } => {
                    let open = format!("<a href=\"{}\" style=\"{LINK}\">", escape(href));
                    self.push_inside(&open, c, "</a>", false, html);
                }
            }
        }
    }

    fn push_inside(&mut self, open: &str, inlines: &[Inline], close: &str, may_link: bool, html: &mut String) {
        html.push_str(open);
        self.push(inlines, may_link, html);
        html.push_str(close);
    }
}

#[cfg(test)]
mod tests {
    use super::super::markdown;
    use super::*;
    use proptest::prelude::*;

    fn html(text: &str) -> String {
        blocks(&markdown::parse(text).expect("sound"), &["+18475550141".to_owned()])
    }

    #[test]
    fn nodes_become_the_elements_they_are() {
        assert_eq!(html("a **b** *c*"), format!("<p style=\"{PARAGRAPH}\">a <strong>b</strong> <em>c</em></p>"));
        assert!(html("- a\n- b").contains(">a</li>"));
        assert!(html("3. a").contains("<ol start=\"3\""));
        assert!(html("|a|\n|-:|\n|1|").contains("text-align:right"));
        assert!(
            html("[x](https://a.example/?q=\"1\"&r)").contains("href=\"https://a.example/?q=&quot;1&quot;&amp;r\"")
        );
    }

    #[test]
    fn a_number_can_be_tapped_unless_it_is_a_link_already() {
        let out = html("call **(847) 555-0142**");
        assert!(out.contains("<a href=\"tel:+18475550142\""), "{out}");
        assert_eq!(html("[(847) 555-0142](https://a.example)").matches("<a ").count(), 1);
    }

    #[test]
    fn a_fax_number_is_known_by_the_words_around_it_however_they_are_set() {
        for fax in [
            "**Fax:** (847) 555-0199",
            "fax *a note* to **(847) 555-0199**",
            "Phone\\\nFax (847) 555-0199",
            "reach us at (847) 555-0141",
            "| | |\n|---|---|\n| Fax | (847) 555-0199 |",
            "| Name | Fax |\n|---|---|\n| Jo Li | (847) 555-0199 |",
        ] {
            assert!(!html(fax).contains("tel:"), "{fax}: {}", html(fax));
        }
        for phone in [
            "**Fax:** (847) 555-0199\\\n**Office:** (847) 555-0142",
            "**Call (847) 555-0142** or fax us.",
            "| | |\n|---|---|\n| Phone | (847) 555-0142 |",
            "| Fax | Telephone |\n|---|---|\n| (847) 555-0199 | (847) 555-0142 |",
        ] {
            assert_eq!(html(phone).matches("href=\"tel:+18475550142\"").count(), 1, "{phone}: {}", html(phone));
            assert!(!html(phone).contains("tel:+18475550199"), "{phone}");
        }
    }

    #[test]
    fn a_mailbox_can_be_written_to_unless_it_is_a_link_already() {
        let out = html("- **To join:** (847) 555-0166 or hello@peers.example");
        assert!(
            out.contains(">hello@peers.example</a>") && out.contains("href=\"mailto:hello@peers.example\""),
            "{out}"
        );
        for once in [
            "<mailto:hello@peers.example>",
            "[hello@peers.example](mailto:hello@peers.example)",
            "[a@b.example](https://c.example)",
        ] {
            assert_eq!(html(once).matches("<a ").count(), 1, "{once}");
        }
        assert!(!html("`hello@peers.example`").contains("<a "));
    }

    proptest! {
        #[test]
        fn no_text_becomes_markup(text in "\\PC{0,60}") {
            let out = blocks(&[Node::Paragraph { c: vec![Inline::Text { v: text }] }], &[]);
            let links = out.matches("<a href=\"tel:+").count() + out.matches("<a href=\"mailto:").count();
            prop_assert_eq!(out.matches('<').count(), 2 + 2 * links);
            prop_assert!(!out.contains("{{"));
        }
    }
}
