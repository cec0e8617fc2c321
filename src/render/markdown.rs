//! Turns Markdown into nodes.

use std::ops::Range;

use pulldown_cmark::{Alignment, Event, Options, Parser, Tag, TagEnd};

use super::node::{Align, Inline, Node};

/// How deeply lists, quotations and emphasis may be nested. The typesetter can handle more.
pub const DEPTH_MAX: usize = 12;
/// The schemes a link may have.
const SCHEMES: [&str; 4] = ["http://", "https://", "mailto:", "tel:"];

/// What a letter may not contain, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkdownError {
    /// Byte offset in the Markdown.
    pub offset: usize,
    /// What is wrong, in words.
    pub message: String,
}

/// The options every letter is parsed with: tables, and typographic punctuation so that all formats agree on it.
#[must_use]
pub fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_SMART_PUNCTUATION
}

/// Reads CommonMark with tables. Quotes, dashes and ellipses become typographic.
///
/// # Errors
/// Raw HTML, code blocks, pictures, links with a scheme other than http, https, mailto or tel, and nesting deeper
/// than [`DEPTH_MAX`] are refused.
pub fn parse(markdown: &str) -> Result<Vec<Node>, MarkdownError> {
    let events: Vec<(Event<'_>, Range<usize>)> = Parser::new_ext(markdown, options()).into_offset_iter().collect();
    Reader { events: &events, at: 0 }.blocks(0)
}

/// A cursor over the events; every method leaves it after what it read.
struct Reader<'a, 'e> {
    events: &'a [(Event<'e>, Range<usize>)],
    at: usize,
}

impl<'a, 'e> Reader<'a, 'e> {
    fn peek(&self) -> Option<&'a Event<'e>> {
        self.events.get(self.at).map(|(event, _)| event)
    }

    fn refuse<T>(&self, message: impl Into<String>) -> Result<T, MarkdownError> {
        let offset = self.events.get(self.at).map_or(0, |(_, range)| range.start);
        Err(MarkdownError { offset, message: message.into() })
    }

    fn check_depth(&self, depth: usize) -> Result<(), MarkdownError> {
        if depth > DEPTH_MAX {
            return self.refuse(format!("lists, quotations or emphasis are nested more than {DEPTH_MAX} levels deep"));
        }
        Ok(())
    }

    /// Blocks up to the end of the enclosing element, which is consumed.
    fn blocks(&mut self, depth: usize) -> Result<Vec<Node>, MarkdownError> {
        self.check_depth(depth)?;
        let mut nodes = Vec::new();
        while let Some(event) = self.peek() {
            match event {
                Event::End(_) => {
                    self.at += 1;
                    break;
                }
                Event::Rule => {
                    self.at += 1;
                    nodes.push(Node::Rule);
                }
                Event::Start(tag) if is_block(tag) => nodes.push(self.block(tag, depth)?),
                Event::Html(_) => return self.refuse(RAW_HTML),
                // Text directly inside an item: a tight list has no paragraph events.
                _ => nodes.push(Node::Paragraph { c: self.inlines(depth, false)? }),
            }
        }
        Ok(nodes)
    }

    fn block(&mut self, tag: &Tag<'_>, depth: usize) -> Result<Node, MarkdownError> {
        match tag {
            Tag::Paragraph => {
                self.at += 1;
                Ok(Node::Paragraph { c: self.inlines(depth, true)? })
            }
            Tag::Heading { level, .. } => {
                self.at += 1;
                Ok(Node::Heading { level: (*level as u8).min(3), c: self.inlines(depth, true)? })
            }
            Tag::BlockQuote(_) => {
                self.at += 1;
                Ok(Node::Quote { c: self.blocks(depth + 1)? })
            }
            Tag::List(start) => {
                self.at += 1;
                let items = self.items(depth + 1)?;
                Ok(start.map_or_else(
                    || Node::Bullets { items: items.clone() },
                    |start| Node::Numbers { start, items: items.clone() },
                ))
            }
            Tag::Table(align) => {
                self.at += 1;
                self.table(align, depth)
            }
            Tag::HtmlBlock => self.refuse(RAW_HTML),
            Tag::CodeBlock(_) => self.refuse("a letter has no code blocks; a line may not begin with four spaces"),
            _ => self.refuse("this kind of Markdown is not used in letters"),
        }
    }

    fn items(&mut self, depth: usize) -> Result<Vec<Vec<Node>>, MarkdownError> {
        let mut items = Vec::new();
        while let Some(Event::Start(Tag::Item)) = self.peek() {
            self.at += 1;
            items.push(self.blocks(depth)?);
        }
        self.at += 1; // the end of the list
        Ok(items)
    }

    fn table(&mut self, align: &[Alignment], depth: usize) -> Result<Node, MarkdownError> {
        let align = align.iter().map(|column| match column {
            Alignment::Center => Align::Center,
            Alignment::Right => Align::Right,
            Alignment::Left | Alignment::None => Align::Left,
        });
        let align = align.collect();
        let (mut head, mut rows) = (Vec::new(), Vec::new());
        while let Some(Event::Start(part @ (Tag::TableHead | Tag::TableRow))) = self.peek() {
            self.at += 1;
            let row = self.cells(depth)?;
            if matches!(part, Tag::TableHead) { head = row } else { rows.push(row) }
        }
        self.at += 1; // the end of the table
        Ok(Node::Table { align, head, rows })
    }

    fn cells(&mut self, depth: usize) -> Result<Vec<Vec<Inline>>, MarkdownError> {
        let mut cells = Vec::new();
        while let Some(Event::Start(Tag::TableCell)) = self.peek() {
            self.at += 1;
            cells.push(self.inlines(depth, true)?);
        }
        self.at += 1; // the end of the row
        Ok(cells)
    }

    /// Text up to the end of the enclosing element. The end is consumed if `closed`; otherwise the text is
    /// directly inside a list item and stops before the next block.
    fn inlines(&mut self, depth: usize, closed: bool) -> Result<Vec<Inline>, MarkdownError> {
        self.check_depth(depth)?;
        let mut inlines = Vec::new();
        while let Some(event) = self.peek() {
            match event {
                Event::End(_) => {
                    self.at += usize::from(closed);
                    break;
                }
                Event::Start(tag) if is_block(tag) => break,
                Event::Rule => break,
                Event::Text(text) => push_text(&mut inlines, text),
                Event::SoftBreak => push_text(&mut inlines, " "),
                Event::HardBreak => inlines.push(Inline::Break),
                Event::Code(text) => inlines.push(Inline::Code { v: text.to_string() }),
                Event::Start(tag) => {
                    let inline = self.spanning(tag, depth)?;
                    inlines.push(inline);
                    continue;
                }
                Event::InlineHtml(_) | Event::Html(_) => return self.refuse(RAW_HTML),
                _ => return self.refuse("this kind of Markdown is not used in letters"),
            }
            self.at += 1;
        }
        Ok(inlines)
    }

    /// Emphasis or a link, from its start to past its end.
    fn spanning(&mut self, tag: &Tag<'_>, depth: usize) -> Result<Inline, MarkdownError> {
        match tag {
            Tag::Emphasis => {
                self.at += 1;
                Ok(Inline::Emphasis { c: self.inlines(depth + 1, true)? })
            }
            Tag::Strong => {
                self.at += 1;
                Ok(Inline::Strong { c: self.inlines(depth + 1, true)? })
            }
            Tag::Link { dest_url, .. } => {
                let lower = dest_url.to_ascii_lowercase();
                if !SCHEMES.iter().any(|scheme| lower.starts_with(scheme)) {
                    return self.refuse("a link must begin with https://, http://, mailto: or tel:");
                }
                self.at += 1;
                Ok(Inline::Link { href: dest_url.to_string(), c: self.inlines(depth + 1, true)? })
            }
            Tag::Image { .. } => self.refuse("a letter has no pictures other than the logo and the signature"),
            _ => self.refuse("this kind of Markdown is not used in letters"),
        }
    }
}

const RAW_HTML: &str = "raw HTML is not allowed in a letter; write \\< for a plain <";

fn is_block(tag: &Tag<'_>) -> bool {
    matches!(
        tag.to_end(),
        TagEnd::Paragraph
            | TagEnd::Heading(_)
            | TagEnd::BlockQuote(_)
            | TagEnd::CodeBlock
            | TagEnd::HtmlBlock
            | TagEnd::List(_)
            | TagEnd::Item
            | TagEnd::Table
            | TagEnd::TableHead
            | TagEnd::TableRow
            | TagEnd::TableCell
    )
}

/// Appends text, joining it to preceding text: escapes and entities arrive as separate events.
fn push_text(inlines: &mut Vec<Inline>, text: &str) {
    match inlines.last_mut() {
        Some(Inline::Text { v }) => v.push_str(text),
        _ => inlines.push(Inline::Text { v: text.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::node::plain_blocks;
    use super::*;

    fn refused(markdown: &str) -> String {
        parse(markdown).expect_err(markdown).message
    }

    #[test]
    fn a_letter_becomes_a_tree() {
        let nodes = parse("Dear *Ana*,\n\n- one\n- two\n\n  more\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n").expect("sound");
        assert_eq!(nodes.len(), 3);
        assert!(matches!(&nodes[1], Node::Bullets { items } if items.len() == 2 && items[1].len() == 2));
        assert!(matches!(&nodes[2], Node::Table { align, rows, .. } if align[1] == Align::Right && rows.len() == 1));
        let json = serde_json::to_value(&nodes[0]).expect("plain data");
        assert_eq!(json["t"], "p");
        assert_eq!(json["c"][1], serde_json::json!({"t": "em", "c": [{"t": "s", "v": "Ana"}]}));
    }

    #[test]
    fn punctuation_becomes_typographic_once_for_all_formats() {
        let nodes = parse("\"We're here\" -- always...").expect("sound");
        assert_eq!(plain_blocks(&nodes), "“We’re here” – always…");
    }

    #[test]
    fn what_no_format_can_carry_is_refused() {
        assert!(refused("a <b>bold</b> word").contains("raw HTML"));
        assert!(refused("<script>alert(1)</script>").contains("raw HTML"));
        assert!(refused("<!-- hidden -->").contains("raw HTML"));
        assert!(refused("    code").contains("code blocks"));
        assert!(refused("![x](https://a.example/x.png)").contains("pictures"));
        assert!(refused("[x](javascript:alert(1))").contains("https://"));
        assert!(refused("[x](/relative)").contains("https://"));
    }

    #[test]
    fn nesting_is_capped() {
        assert!(parse(&format!("{}x", "> ".repeat(DEPTH_MAX))).is_ok());
        assert!(refused(&format!("{}x", "> ".repeat(DEPTH_MAX + 1))).contains("nested"));
        assert!(refused(&"> ".repeat(5000)).contains("nested"));
    }
}
