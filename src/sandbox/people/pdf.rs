//! The smallest PDF that says something: lines of Helvetica on A4 pages (ISO 32000-1), no picture, no compression.
//!
//! Helvetica is one of the fourteen fonts that every reader has, and WinAnsiEncoding holds all of French.

/// One to three pages; what does not fit on three is left out, and said so on the last line.
pub fn write(title: &str, lines: &[String]) -> Vec<u8> {
    let mut pages: Vec<Vec<&str>> =
        lines.chunks(LINES_PER_PAGE).take(PAGES_MAX).map(|page| page.iter().map(String::as_str).collect()).collect();
    if pages.is_empty() {
        pages.push(Vec::new());
    }
    if lines.len() > LINES_PER_PAGE * PAGES_MAX
        && let Some(last) = pages.last_mut().and_then(|page| page.last_mut())
    {
        *last = "(la suite n’est pas imprimée)";
    }
    let count = pages.len();
    // Objects: 1 catalogue, 2 pages, 3 and 4 fonts, 5 information, then a page and its content each.
    let kids: Vec<String> = (0..count).map(|page| format!("{} 0 R", 6 + 2 * page)).collect();
    let mut objects: Vec<Vec<u8>> = vec![
        b"<< /Type /Catalog /Pages 2 0 R /Lang (fr-FR) >>".to_vec(),
        format!("<< /Type /Pages /Kids [{}] /Count {count} >>", kids.join(" ")).into_bytes(),
        font("Helvetica"),
        font("Helvetica-Bold"),
        [b"<< /Title ".as_slice(), &literal(title), b" /Producer (Chevet, bac a sable) >>"].concat(),
    ];
    for (at, page) in pages.iter().enumerate() {
        let content = 7 + 2 * at;
        objects.push(
            format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] \
                 /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> /Contents {content} 0 R >>"
            )
            .into_bytes(),
        );
        let drawn = draw(page, at + 1, count);
        let head = format!("<< /Length {} >>\nstream\n", drawn.len());
        objects.push([head.as_bytes(), &drawn, b"\nendstream"].concat());
    }
    assemble(&objects)
}

/// Header, objects, cross-reference table, trailer (§7.5).
fn assemble(objects: &[Vec<u8>]) -> Vec<u8> {
    // The second line tells file transfers that this is binary.
    let mut out = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut offsets = Vec::with_capacity(objects.len());
    for (at, object) in objects.iter().enumerate() {
        offsets.push(out.len());
        out.extend(format!("{} 0 obj\n", at + 1).bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    let table = out.len();
    // Each entry is exactly twenty bytes (§7.5.4).
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for offset in offsets {
        out.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    let size = objects.len() + 1;
    out.extend(format!("trailer\n<< /Size {size} /Root 1 0 R /Info 5 0 R >>\nstartxref\n{table}\n%%EOF\n").bytes());
    out
}

fn font(name: &str) -> Vec<u8> {
    format!("<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding >>").into_bytes()
}

fn draw(lines: &[&str], page: usize, of: usize) -> Vec<u8> {
    let mut out = b"BT\n14 TL\n56 786 Td\n".to_vec();
    for line in lines {
        // A line in capitals is a heading.
        let heading = line.chars().any(char::is_alphabetic) && !line.chars().any(char::is_lowercase);
        let style: &[u8] = if heading { b"/F2 11 Tf " } else { b"/F1 10.5 Tf " };
        out.extend(style);
        out.extend(literal(line));
        out.extend(b" Tj T*\n");
    }
    out.extend(b"ET\nBT\n/F1 9 Tf\n500 36 Td\n");
    out.extend(literal(&format!("Page {page} sur {of}")));
    out.extend(b" Tj\nET");
    out
}

/// A literal string in WinAnsiEncoding (§7.3.4.2 and annex D.2).
fn literal(text: &str) -> Vec<u8> {
    let mut out = vec![b'('];
    for c in text.chars() {
        let byte = match c {
            '(' | ')' | '\\' => {
                out.push(b'\\');
                c as u8
            }
            '\u{20}'..='\u{7e}' | '\u{a0}'..='\u{ff}' => c as u32 as u8,
            '€' => 0x80,
            '…' => 0x85,
            'Œ' => 0x8c,
            '‘' => 0x91,
            '’' => 0x92,
            '“' => 0x93,
            '”' => 0x94,
            '•' => 0x95,
            '–' => 0x96,
            '—' => 0x97,
            'œ' => 0x9c,
            '\u{202f}' => 0xa0,
            _ => b'?',
        };
        out.push(byte);
    }
    out.push(b')');
    out
}

const LINES_PER_PAGE: usize = 50;
const PAGES_MAX: usize = 3;
