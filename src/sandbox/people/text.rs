//! A story as plain lines, for CDA level 1 in text and for the PDF.

use crate::sandbox::people::story::Block;
use crate::sandbox::people::story::Run;
use crate::sandbox::people::story::Section;
use crate::sandbox::people::story::Story;
use crate::sandbox::people::story::Table;

/// Lines of at most `width` characters, as far as words allow.
pub fn lines(story: &Story, width: usize) -> Vec<String> {
    let mut out = vec![story.title.to_uppercase(), String::new()];
    for section in &story.sections {
        section_lines(section, width, &mut out);
    }
    out
}

fn section_lines(section: &Section, width: usize, out: &mut Vec<String>) {
    out.push(section.title.to_uppercase());
    for block in &section.blocks {
        match block {
            Block::Paragraph(runs) => wrap(&runs.iter().map(Run::text).collect::<String>(), width, "", out),
            Block::List { ordered, items } => {
                for (at, item) in items.iter().enumerate() {
                    let mark = if *ordered { format!("{}. ", at + 1) } else { "- ".to_owned() };
                    wrap(&format!("{mark}{item}"), width, "  ", out);
                }
            }
            Block::Table(table) => table_lines(table, width, out),
            Block::Footnote(text) => wrap(&format!("Note : {text}"), width, "", out),
        }
    }
    out.push(String::new());
}

fn table_lines(table: &Table, width: usize, out: &mut Vec<String>) {
    if let Some(caption) = &table.caption {
        out.push(caption.clone());
    }
    for row in std::iter::once(&table.head).chain(&table.rows) {
        let cells: Vec<&str> = row.iter().map(|cell| cell.text.as_str()).collect();
        wrap(&format!("  {}", cells.join(" | ")), width, "    ", out);
    }
}

fn wrap(text: &str, width: usize, indent: &str, out: &mut Vec<String>) {
    let mut line = String::new();
    let mut length = 0;
    // Only the plain space breaks: a no-break space keeps « 38,2 °C » together.
    for word in text.split(' ') {
        let long = word.chars().count();
        if length > 0 && length + 1 + long > width {
            out.push(std::mem::take(&mut line));
            line.push_str(indent);
            length = indent.len();
        } else if length > 0 || !line.is_empty() {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += long;
    }
    out.push(line);
}
