//! Turns nodes into plain text for the text/plain part of mail: no markup characters, lists with dashes, tables in
//! columns. Paragraphs are one line each; the reader's program wraps them.

use super::node::{Align, Inline, Node, plain};

/// The body of a mail, without a line end after the last line.
#[must_use]
pub fn blocks(nodes: &[Node]) -> String {
    let parts: Vec<String> = nodes.iter().map(block).collect();
    // Plain spaces: numbers are copied from here into phones.
    parts.join("\n\n").replace('\u{a0}', " ")
}

fn block(node: &Node) -> String {
    match node {
        Node::Paragraph { c } => inlines(c),
        Node::Heading { level, c } => {
            let text = inlines(c);
            let line = if *level == 1 { "=" } else { "-" };
            let width = text.chars().count();
            format!("{text}\n{}", line.repeat(width))
        }
        Node::Bullets { items } => list(items, |_| "- ".to_owned()),
        Node::Numbers { start, items } => list(items, |index| format!("{}. ", start.saturating_add(index))),
        Node::Quote { c } => blocks(c).lines().map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n"),
        Node::Table { align, head, rows } => table(align, head, rows),
        Node::Rule => "-".repeat(40),
    }
}

/// Items one below the other; loose items (with more than one block) are separated by empty lines.
fn list(items: &[Vec<Node>], mark: impl Fn(u64) -> String) -> String {
    let loose = items.iter().any(|item| item.len() > 1);
    let texts = (0..).zip(items).map(|(index, item)| {
        let mark = mark(index);
        let indent = " ".repeat(mark.chars().count());
        let lines = blocks(item)
            .lines()
            .map(|line| if line.is_empty() { String::new() } else { format!("{indent}{line}") })
            .collect::<Vec<_>>()
            .join("\n");
        format!("{mark}{}", lines.trim_start())
    });
    texts.collect::<Vec<_>>().join(if loose { "\n\n" } else { "\n" })
}

fn table(align: &[Align], head: &[Vec<Inline>], rows: &[Vec<Vec<Inline>>]) -> String {
    let cells = |row: &[Vec<Inline>]| row.iter().map(|cell| plain(cell)).collect::<Vec<String>>();
    let titled = head.iter().any(|cell| !cell.is_empty());
    let lines: Vec<Vec<String>> =
        titled.then(|| cells(head)).into_iter().chain(rows.iter().map(|row| cells(row))).collect();
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let mut out: Vec<String> = lines.iter().map(|line| padded(line, &widths, align)).collect();
    if titled {
        out.insert(1.min(out.len()), widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>().join("  "));
    }
    out.join("\n")
}

fn padded(cells: &[String], widths: &[usize], align: &[Align]) -> String {
    let columns = cells.iter().zip(widths).enumerate().map(|(index, (cell, width))| {
        let space = width.saturating_sub(cell.chars().count());
        let before = match align.get(index) {
            Some(Align::Right) => space,
            Some(Align::Center) => space / 2,
            _ => 0,
        };
        format!("{}{cell}{}", " ".repeat(before), " ".repeat(space - before))
    });
    columns.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// Text of inline nodes; a link shows its target behind its text unless the text already shows it.
fn inlines(nodes: &[Inline]) -> String {
    let mut text = String::new();
    for node in nodes {
        match node {
            Inline::Text { v } | Inline::Code { v } => text.push_str(v),
            Inline::Break => text.push('\n'),
            Inline::Emphasis { c } | Inline::Strong { c } => text.push_str(&inlines(c)),
            Inline::Link { href, c } => {
                let shown = inlines(c);
                text.push_str(&shown);
                if !says(&shown, href) {
                    text.push_str(&format!(" <{href}>"));
                }
            }
        }
    }
    text
}

/// Whether the text of a link is its target, give or take the scheme and punctuation of telephone numbers.
fn says(shown: &str, href: &str) -> bool {
    let bare = |text: &str| {
        let lower = text.to_lowercase();
        let rest = ["https://", "http://", "mailto:", "tel:"].iter().find_map(|scheme| lower.strip_prefix(scheme));
        rest.unwrap_or(&lower).chars().filter(|c| !matches!(c, ' ' | '(' | ')' | '-' | '+' | '/')).collect::<String>()
    };
    bare(shown) == bare(href)
}

#[cfg(test)]
mod tests {
    use super::super::markdown;
    use super::*;

    fn text(markdown_text: &str) -> String {
        blocks(&markdown::parse(markdown_text).expect("sound"))
    }

    #[test]
    fn markup_becomes_layout() {
        assert_eq!(text("Dear **Ana**,\n\n- one\n- two\n\n1. a\n2. b"), "Dear Ana,\n\n- one\n- two\n\n1. a\n2. b");
        assert_eq!(text("- one\n\n  more\n- two"), "- one\n\n  more\n\n- two");
        assert_eq!(text("# Title\n\n> said"), "Title\n=====\n\n> said");
        assert_eq!(text("| a | bb |\n|---|---:|\n| ccc | d |"), "a    bb\n---  --\nccc   d");
    }

    #[test]
    fn a_link_shows_where_it_leads() {
        assert_eq!(text("[paper](https://a.example/x)"), "paper <https://a.example/x>");
        assert_eq!(text("<https://a.example/x>"), "https://a.example/x");
        assert_eq!(text("[a.example](https://a.example/)"), "a.example");
    }
}
