//! Nodes to HTML for mail. Styles are inline, because many mail programs drop style sheets. Everything
//! from the tree is escaped; there is no way for text to become markup.

use super::dialable::{Piece, pieces};
use super::node::{Align, Inline, Node};

const PARAGRAPH: &str = "margin:0 0 16px";
const TIGHT: &str = "margin:0 0 4px";
const LIST: &str = "margin:0 0 16px;padding:0 0 0 24px";
const ITEM: &str = "margin:0 0 6px";
const QUOTE: &str = "margin:0 0 16px;padding:0 0 0 14px;border-left:3px solid #b8c0c8";
const TABLE: &str = "border-collapse:collapse;width:100%;margin:0 0 16px;font-size:15px;line-height:1.4";
const LINK: &str = "color:#1b4f72;text-decoration:underline";
const NUMBER: &str = "color:#1b4f72;text-decoration:underline;white-space:nowrap";
const RULE: &str = "border:0;border-top:1px solid #b8c0c8;margin:24px 0";

/// The body of a mail.
#[must_use]
pub fn blocks(nodes: &[Node]) -> String {
    let mut html = String::with_capacity(1024);
    push_blocks(nodes, &mut html);
    html
}

/// Text for use between tags, in which a telephone can dial the numbers.
#[must_use]
pub fn with_numbers(text: &str) -> String {
    let parts = pieces(text).into_iter().map(|piece| match piece {
        Piece::Words(words) => escape(words),
        Piece::Number(shown, link) => format!("<a href=\"{}\" style=\"{NUMBER}\">{}</a>", escape(&link), escape(shown)),
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

fn push_blocks(nodes: &[Node], html: &mut String) {
    for node in nodes {
        match node {
            Node::Paragraph { c } => wrapped("p", PARAGRAPH, c, html),
            Node::Heading { level, c } => {
                let (tag, style) = match level {
                    1 => ("h2", "margin:24px 0 12px;font-size:20px;line-height:1.3"),
                    2 => ("h3", "margin:20px 0 10px;font-size:17px;line-height:1.3"),
                    _ => ("h4", "margin:16px 0 8px;font-size:16px;line-height:1.3;font-style:italic"),
                };
                wrapped(tag, style, c, html);
            }
            Node::Bullets { items } => list("<ul", "</ul>", items, html),
            Node::Numbers { start, items } => list(&format!("<ol start=\"{start}\""), "</ol>", items, html),
            Node::Quote { c } => {
                html.push_str(&format!("<blockquote style=\"{QUOTE}\">"));
                push_blocks(c, html);
                html.push_str("</blockquote>");
            }
            Node::Table { align, head, rows } => table(align, head, rows, html),
            Node::Rule => html.push_str(&format!("<hr style=\"{RULE}\">")),
        }
    }
}

fn wrapped(tag: &str, style: &str, inlines: &[Inline], html: &mut String) {
    html.push_str(&format!("<{tag} style=\"{style}\">"));
    push_inlines(inlines, html);
    html.push_str(&format!("</{tag}>"));
}

fn list(open: &str, close: &str, items: &[Vec<Node>], html: &mut String) {
    html.push_str(&format!("{open} style=\"{LIST}\">"));
    for item in items {
        html.push_str(&format!("<li style=\"{ITEM}\">"));
        match &item[..] {
            [Node::Paragraph { c }] => push_inlines(c, html),
            [Node::Paragraph { c }, rest @ ..] => {
                wrapped("p", TIGHT, c, html);
                push_blocks(rest, html);
            }
            nodes => push_blocks(nodes, html),
        }
        html.push_str("</li>");
    }
    html.push_str(close);
}

fn table(align: &[Align], head: &[Vec<Inline>], rows: &[Vec<Vec<Inline>>], html: &mut String) {
    html.push_str(&format!("<div style=\"overflow-x:auto\"><table style=\"{TABLE}\">"));
    if head.iter().any(|cell| !cell.is_empty()) {
        html.push_str("<thead>");
        row("th", "2px solid #1f2d3a", align, head, html);
        html.push_str("</thead>");
    }
    html.push_str("<tbody>");
    for cells in rows {
        row("td", "1px solid #b8c0c8", align, cells, html);
    }
    html.push_str("</tbody></table></div>");
}

fn row(tag: &str, border: &str, align: &[Align], cells: &[Vec<Inline>], html: &mut String) {
    html.push_str("<tr>");
    for (index, cell) in cells.iter().enumerate() {
        let side = match align.get(index) {
            Some(Align::Center) => "center",
            Some(Align::Right) => "right",
            Some(Align::Left) | None => "left",
        };
        let style = format!(
            "padding:6px 10px 6px 0;text-align:{side};vertical-align:top;word-break:normal;overflow-wrap:normal;border-bottom:{border}"
        );
        wrapped(tag, &style, cell, html);
    }
    html.push_str("</tr>");
}

fn push_inlines(inlines: &[Inline], html: &mut String) {
    push_texts(inlines, with_numbers, html);
}

/// `shown` makes HTML of a text; there is no link inside a link.
fn push_texts(inlines: &[Inline], shown: fn(&str) -> String, html: &mut String) {
    for inline in inlines {
        match inline {
            Inline::Text { v } => html.push_str(&shown(v)),
            Inline::Code { v } => html.push_str(&format!("<code>{}</code>", escape(v))),
            Inline::Break => html.push_str("<br>"),
            Inline::Emphasis { c } => {
                html.push_str("<em>");
                push_texts(c, shown, html);
                html.push_str("</em>");
            }
            Inline::Strong { c } => {
                html.push_str("<strong>");
                push_texts(c, shown, html);
                html.push_str("</strong>");
            }
            Inline::Link { href, c } => {
                html.push_str(&format!("<a href=\"{}\" style=\"{LINK}\">", escape(href)));
                push_texts(c, escape, html);
                html.push_str("</a>");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::markdown;
    use super::*;
    use proptest::prelude::*;

    fn html(text: &str) -> String {
        blocks(&markdown::parse(text).expect("sound"))
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

    proptest! {
        #[test]
        fn no_text_becomes_markup(text in "\\PC{0,60}") {
            let out = blocks(&[Node::Paragraph { c: vec![Inline::Text { v: text }] }]);
            prop_assert_eq!(out.matches('<').count(), 2);
            prop_assert!(!out.contains("{{"));
        }
    }
}
