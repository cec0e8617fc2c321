//! A letter's body as data: the one tree from which the fax, the HTML mail and the plain text are made.

use serde::{Deserialize, Serialize};

/// A block. The JSON form is what the fax letterhead reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t")]
pub enum Node {
    /// A paragraph.
    #[serde(rename = "p")]
    Paragraph {
        /// Its text.
        c: Vec<Inline>,
    },
    /// A heading, level 1 to 3.
    #[serde(rename = "h")]
    Heading {
        /// 1 is the largest.
        level: u8,
        /// Its text.
        c: Vec<Inline>,
    },
    /// A bullet list.
    #[serde(rename = "ul")]
    Bullets {
        /// Each item is a sequence of blocks.
        items: Vec<Vec<Node>>,
    },
    /// A numbered list.
    #[serde(rename = "ol")]
    Numbers {
        /// The first number.
        start: u64,
        /// Each item is a sequence of blocks.
        items: Vec<Vec<Node>>,
    },
    /// A quotation.
    #[serde(rename = "quote")]
    Quote {
        /// Its blocks.
        c: Vec<Node>,
    },
    /// A table.
    #[serde(rename = "table")]
    Table {
        /// One entry per column.
        align: Vec<Align>,
        /// The cells of the heading row.
        head: Vec<Vec<Inline>>,
        /// Rows of cells.
        rows: Vec<Vec<Vec<Inline>>>,
    },
    /// A horizontal rule.
    #[serde(rename = "rule")]
    Rule,
}

/// How a table column is aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Align {
    /// To the left; the default.
    Left,
    /// Centered.
    Center,
    /// To the right.
    Right,
}

/// A piece of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t")]
pub enum Inline {
    /// Plain text.
    #[serde(rename = "s")]
    Text {
        /// The characters.
        v: String,
    },
    /// Emphasis.
    #[serde(rename = "em")]
    Emphasis {
        /// What is emphasized.
        c: Vec<Inline>,
    },
    /// Strong emphasis.
    #[serde(rename = "strong")]
    Strong {
        /// What is emphasized.
        c: Vec<Inline>,
    },
    /// A link; http, https, mailto or tel.
    #[serde(rename = "link")]
    Link {
        /// Where to.
        href: String,
        /// What is shown.
        c: Vec<Inline>,
    },
    /// A line break.
    #[serde(rename = "br")]
    Break,
    /// Code, set in a fixed-width font where the format has one.
    #[serde(rename = "code")]
    Code {
        /// The characters.
        v: String,
    },
}

/// The bare text of inline nodes; a line break is a space.
#[must_use]
pub fn plain(inlines: &[Inline]) -> String {
    let mut text = String::new();
    push_plain(inlines, &mut text);
    text
}

fn push_plain(inlines: &[Inline], text: &mut String) {
    for inline in inlines {
        match inline {
            Inline::Text { v } | Inline::Code { v } => text.push_str(v),
            Inline::Emphasis { c } | Inline::Strong { c } | Inline::Link { c, .. } => push_plain(c, text),
            Inline::Break => text.push(' '),
        }
    }
}

/// The bare text of blocks, one line per paragraph, heading, cell row or list item.
#[must_use]
pub fn plain_blocks(nodes: &[Node]) -> String {
    let mut lines = Vec::new();
    push_lines(nodes, &mut lines);
    lines.join("\n")
}

fn push_lines(nodes: &[Node], lines: &mut Vec<String>) {
    for node in nodes {
        match node {
            Node::Paragraph { c } | Node::Heading { c, .. } => lines.push(plain(c)),
            Node::Bullets { items } | Node::Numbers { items, .. } => {
                items.iter().for_each(|item| push_lines(item, lines));
            }
            Node::Quote { c } => push_lines(c, lines),
            Node::Table { head, rows, .. } => {
                for row in std::iter::once(head).chain(rows) {
                    lines.push(row.iter().map(|cell| plain(cell)).collect::<Vec<_>>().join(" | "));
                }
            }
            Node::Rule => {}
        }
    }
}
