//! `chevet record show FILE [--json]`: all that the reader would display of a document, through the sealed child.

use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;
use serde_json::json;

use crate::record::reading::Reading;
use crate::record::reading::Row;
use crate::record::reading::RowKind;
use crate::record::reading::plain_text;
use crate::record::summary;
use crate::record::summary::Line;
use crate::render::Error;
use crate::render::Limits;
use crate::render::Worker;
use crate::secret::SecretBytes;

/// Why a document is not shown to the operator.
#[derive(Debug, thiserror::Error)]
enum ShowError {
    #[error("the file cannot be read")]
    File(#[source] std::io::Error),
    #[error("the reader cannot be started")]
    Start(#[source] std::io::Error),
    #[error(transparent)]
    Render(#[from] Error),
}

/// 0 shown, 1 a document that is refused (damaged, too large, unknown format), 3 the reader itself failed.
pub fn show(file: &Path, json: bool) -> ExitCode {
    match read(file) {
        Ok(reading) => {
            let text = if json { format!("{:#}\n", to_json(&reading)) } else { to_text(&reading) };
            match std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::from(3),
            }
        }
        Err(error) => {
            eprintln!("chevet: {error}{}", source_of(&error));
            match error {
                ShowError::Render(
                    Error::TooLarge { .. }
                    | Error::Unreadable { .. }
                    | Error::UnknownFormat { .. }
                    | Error::TimedOut { .. },
                ) => ExitCode::from(1),
                _ => ExitCode::from(3),
            }
        }
    }
}

fn read(file: &Path) -> Result<Reading, ShowError> {
    let limits = Limits { allow_unsealed: true, ..Limits::default() };
    let bytes = std::fs::metadata(file).map_err(ShowError::File)?.len();
    if bytes > limits.content_bytes_max {
        return Err(Error::TooLarge { bytes }.into());
    }
    let content = SecretBytes::new(std::fs::read(file).map_err(ShowError::File)?);
    let worker = Worker::start(std::env::current_exe().map_err(ShowError::Start)?, limits)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ShowError::Start)?;
    Ok(runtime.block_on(worker.read(&content, "", "", 0..0))?)
}

fn source_of(error: &ShowError) -> String {
    std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default()
}

/// The stable form. `pages` is how many pictures of pages there are; `summary` what a record's summary takes of it.
fn to_json(reading: &Reading) -> Value {
    let row = |row: &Row| {
        let cells: Vec<Value> = row
            .cells
            .iter()
            .map(|cell| json!({"text": plain_text(&cell.text), "columns": cell.columns, "rows": cell.rows}))
            .collect();
        json!({"kind": row.kind.name(), "level": row.level, "text": plain_text(&row.text), "cells": cells})
    };
    let line = |line: &Line| {
        let details: Vec<Value> =
            line.details.iter().map(|(column, value)| json!({"column": column, "value": value})).collect();
        json!({"topic": line.topic.name(), "section": line.section, "text": line.text, "details": details})
    };
    json!({
        "format": reading.format,
        "header": reading.header.iter().map(|(label, value)| json!({"label": label, "value": value})).collect::<Vec<_>>(),
        "rows": reading.rows.iter().map(row).collect::<Vec<_>>(),
        "pages": reading.page_count,
        "notices": reading.notices,
        "summary": summary::lines(reading).iter().map(line).collect::<Vec<_>>(),
    })
}

fn to_text(reading: &Reading) -> String {
    let mut text = format!("{}, {} page(s)\n", reading.format, reading.page_count);
    for (label, value) in &reading.header {
        text.push_str(&format!("{label}\u{A0}: {value}\n"));
    }
    for row in &reading.rows {
        let indent = "  ".repeat(usize::from(row.level));
        let words = plain_text(&row.text);
        text.push_str(&match row.kind {
            RowKind::Heading => format!("\n{indent}{words}\n"),
            RowKind::Bullet => format!("{indent}• {words}\n"),
            RowKind::TableHead | RowKind::TableRow => {
                let cells: Vec<String> =
                    row.cells.iter().map(|cell| plain_text(&cell.text).replace('\n', " / ")).collect();
                format!("{indent}{}\n", cells.join(" | "))
            }
            _ => format!("{indent}{words}\n"),
        });
    }
    for notice in &reading.notices {
        text.push_str(&format!("! {notice}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::reading::Cell;
    use crate::record::reading::Run;
    use crate::record::summary::Part;
    use crate::record::summary::Topic;

    #[test]
    fn the_stable_form_has_all_that_is_displayed() {
        let reading = Reading {
            format: "cda-level-3".into(),
            header: vec![("Titre".into(), "Essai".into())],
            rows: vec![Row {
                kind: RowKind::TableRow,
                level: 1,
                text: vec![Run::plain("a"), Run { bold: true, ..Run::plain("b") }],
                cells: vec![Cell { text: vec![Run::plain("c")], columns: 2, rows: 1 }],
            }],
            page_count: 3,
            parts: vec![Part { topic: Topic::Treatments, rows: 0..9 }],
            notices: vec!["n".into()],
            ..Reading::default()
        };
        let expected = json!({
            "format": "cda-level-3",
            "header": [{"label": "Titre", "value": "Essai"}],
            "rows": [{"kind": "table_row", "level": 1, "text": "ab", "cells": [{"text": "c", "columns": 2, "rows": 1}]}],
            "pages": 3,
            "notices": ["n"],
            "summary": [{
                "topic": "treatments", "section": "", "text": "c", "details": [],
            }],
        });
        assert_eq!(to_json(&reading), expected);
    }
}
