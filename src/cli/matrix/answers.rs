//! What each verb answers, as JSON and as text.

use super::Diff;
use super::Failure;
use super::Import;
use super::Show;
use super::Sign;
use super::Verify;
use super::data::Data;
use super::data::Device;
use super::data::of_establishment;
use super::data::read;
use super::data::signature_beside;
use super::data::write;
use crate::cli;
use crate::identity::holder::ProfessionCode;
use crate::kiosk::rulebook;
use crate::policy::Matrix;
use crate::policy::establishment;
use crate::policy::facts::Cell;
use crate::policy::in_force;
use crate::policy::in_force::Given;
use crate::policy::matrix::Place;
use crate::policy::matrix::Source;
use crate::policy::matrix::difference;
use crate::policy::matrix::difference::Change;
use crate::policy::matrix::file;
use crate::policy::matrix::import as publication;
use crate::policy::matrix::import::About;
use crate::policy::nomenclature;
use crate::policy::nomenclature::Lists;
use crate::policy::nomenclature::list;
use crate::policy::nomenclature::list::List;
use crate::policy::signed;
use crate::policy::signed::Standing;
use crate::record::document::TypeCode;
use serde_json::Value;
use serde_json::json;
use std::path::Path;

pub(super) struct Answer {
    pub json: Value,
    pub text: String,
    pub code: u8,
}

impl Answer {
    fn done(json: Value, text: String) -> Answer {
        Answer { json, text, code: cli::DONE }
    }
}

pub(super) fn show(asked: &Show, device: &Device) -> Result<Answer, Failure> {
    if let Some(id) = &asked.list {
        return show_list(named(&device.lists, id)?);
    }
    let matrix = &device.matrix;
    let (known, cells) = matrix.known();
    let sources: Vec<Value> =
        matrix.sources.iter().map(|s| json!({"id": s.id, "date": s.date, "text": s.text})).collect();
    let columns: Vec<Value> =
        matrix.columns().iter().map(|c| json!({"id": c.0, "label": matrix.column_label(c)})).collect();
    let lists = device.lists.all().iter();
    let lists: Vec<Value> = lists.map(|l| json!({"id": l.id, "edition": l.edition, "version": l.version})).collect();
    let waiting: Vec<Value> =
        device.waiting.iter().map(|(version, day)| json!({"version": version, "effective": day})).collect();
    let aside: Vec<Value> =
        device.left_aside.iter().map(|one| json!({"file": one.name, "why": chain(&one.why)})).collect();
    let mut json = json!({
        "version": matrix.version, "effective": matrix.effective, "known": known, "cells": cells,
        "sources": sources, "columns": columns, "lists": lists, "waiting": waiting, "left_aside": aside,
    });
    let percent = known * 100 / cells.max(1);
    let mut text = format!(
        "Matrix {}, effective {}: {known} of {cells} cells known ({percent} %)\n",
        matrix.version, matrix.effective
    );
    for (version, day) in &device.waiting {
        text += &format!("Matrix {version} waits for {day}\n");
    }
    for refused in &device.left_aside {
        text += &format!("{} is left aside: {}\n{}\n", refused.name, chain(&refused.why), refused.why.sentence());
    }
    if let Some(code) = asked.profession {
        show_profession(ProfessionCode(code), asked.section.as_deref(), matrix, &mut json, &mut text);
    }
    Ok(Answer::done(json, text))
}

fn show_profession(code: ProfessionCode, section: Option<&str>, matrix: &Matrix, json: &mut Value, text: &mut String) {
    let place = Place::of(Some(code), section);
    let named = nomenclature::profession_label(code);
    let rows: Vec<(&TypeCode, Cell)> = matrix.types().iter().map(|kind| (kind, matrix.cell(&place, kind))).collect();
    json["profession"] = json!({
        "code": code.0, "label": named, "columns": place.columns.iter().map(|c| &c.0).collect::<Vec<_>>(),
        "types": rows.iter().map(|(kind, cell)| json!({"type": kind.0, "cell": cell.name()})).collect::<Vec<_>>(),
    });
    *text += &format!("{named} ({}):\n", code.0);
    for (kind, cell) in rows {
        *text += &format!("  {:<8} {:<16} {}\n", cell.name(), kind.0, nomenclature::type_label(kind));
    }
}

fn show_list(list: &List) -> Result<Answer, Failure> {
    let label = |code: &str| list.value(code, "label").unwrap_or_default().to_owned();
    let codes: Vec<Value> = list.codes().map(|code| json!({"code": code, "label": label(code)})).collect();
    let mut text = format!("{} ({}), edition {}, {}\n", list.name, list.version, list.edition, list.source);
    for code in list.codes() {
        text += &format!("  {code:<32} {}\n", label(code));
    }
    let json = json!({
        "list": list.id, "edition": list.edition, "name": list.name, "version": list.version, "source": list.source,
        "codes": codes,
    });
    Ok(Answer::done(json, text))
}

pub(super) fn diff(asked: &Diff, device: &Device) -> Result<Answer, Failure> {
    let after = Data::read_unsigned(&asked.file)?;
    let before = match (&asked.against, &after) {
        (Some(path), _) => Data::read_unsigned(path)?,
        (None, Data::Matrix(_)) => Data::Matrix(device.matrix.clone()),
        (None, Data::List(list)) => Data::List(named(&device.lists, &list.id)?.clone()),
    };
    match (&before, &after) {
        (Data::Matrix(before), Data::Matrix(after)) => Ok(matrix_changes(before, after)),
        (Data::List(before), Data::List(after)) if before.id == after.id => Ok(list_changes(before, after)),
        _ => Err(Failure::Unlike),
    }
}

/// A publication becomes our own form; what is ours and signed is given to the device.
pub(super) fn import(asked: &Import, device: &Device) -> Result<Answer, Failure> {
    let bytes = read(&asked.file)?;
    if in_force::kind(&bytes).is_some() {
        return give(&asked.file, bytes, device);
    }
    let version = asked.matrix_version.clone().ok_or(Failure::Needed { option: "--matrix-version" })?;
    let out = asked.out.as_deref().ok_or(Failure::Needed { option: "--out" })?;
    let source = asked.source.replace('\n', " ");
    let (mut answer, own) = match &asked.list {
        Some(id) => {
            let before = named(&device.lists, id)?;
            let published = if asked.published.is_empty() { before.version.clone() } else { asked.published.clone() };
            let next = before.renewed(&bytes, version, published, source);
            let next = next.and_then(|next| next.may_replace(before).map(|()| next));
            let next = next.map_err(|source| Failure::list(&asked.file, source))?;
            (list_changes(before, &next), next.write())
        }
        None => {
            let effective = asked.effective.clone().ok_or(Failure::Needed { option: "--effective" })?;
            let source = Source { id: "publication".into(), date: effective.clone(), text: source };
            let next = imported(&asked.file, &bytes, About { version, effective, source }, &device.matrix)?;
            (matrix_changes(&device.matrix, &next), file::write(&next))
        }
    };
    write(out, &own)?;
    answer.text += &format!("Written to {}, not signed. Read it, then: chevet matrix sign\n", out.display());
    Ok(answer)
}

fn imported(path: &Path, bytes: &[u8], about: About, in_force: &Matrix) -> Result<Matrix, Failure> {
    let is_json = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("json"));
    let read = if is_json {
        publication::from_json(bytes, about, in_force)
    } else {
        publication::from_csv(bytes, about, in_force)
    };
    let read = read.and_then(|matrix| matrix.may_replace(in_force).map(|()| matrix));
    read.map_err(|source| Failure::matrix(path, source))
}

fn give(path: &Path, bytes: Vec<u8>, device: &Device) -> Result<Answer, Failure> {
    let signature = signature_beside(path)?;
    let file = Given { name: path.display().to_string(), bytes, signature };
    let refused = |source| Failure::Refused { path: file.name.clone(), source };
    let name = in_force::may_be_given(&file, device.standing, &device.matrix, &device.lists).map_err(refused)?;
    let mut answer = match Data::open(&file.bytes, &file.signature, device.standing).map_err(refused)? {
        Data::Matrix(after) => matrix_changes(&device.matrix, &after),
        Data::List(after) => list_changes(named(&device.lists, &after.id)?, &after),
    };
    let given = rulebook::give(&device.state, &name, &file.bytes, &file.signature);
    let given = given.map_err(|source| Failure::Rulebook { source })?.display().to_string();
    answer.text += &format!("Given to this device as {given}; a kiosk takes it at its next start\n");
    answer.json["given"] = json!(given);
    Ok(answer)
}

pub(super) fn sign(asked: &Sign) -> Result<Answer, Failure> {
    let bytes = read(&asked.file)?;
    let key = String::from_utf8_lossy(&read(&asked.key)?).into_owned();
    let not_signed = |source| Failure::NotSigned { path: asked.file.display().to_string(), source };
    let signature = signed::sign(&bytes, &key, &asked.name).map_err(not_signed)?;
    // What cannot be read is not signed.
    let version = match of_establishment(&bytes, &signature, Standing::Desk) {
        Some(Ok((_, version))) => version,
        // Any key may sign: whether it is believed is the reader's to say.
        Some(Err(establishment::Error::Signature { .. })) => String::new(),
        Some(Err(source)) => return Err(Failure::Establishment { path: asked.file.display().to_string(), source }),
        None => Data::read_unsigned(&asked.file)?.version().to_owned(),
    };
    let beside = asked.file.with_extension("sig");
    write(&beside, &signature)?;
    let json = json!({"version": version, "signature": beside.display().to_string()});
    Ok(Answer::done(json, format!("Signed {version} in {}\n", beside.display())))
}

pub(super) fn verify(asked: &Verify, device: &Device) -> Result<Answer, Failure> {
    let standing = if asked.production { Standing::Production } else { device.standing };
    let good = |name: String, version: &str| {
        let text = format!("{name} is signed by a key that is believed here\n");
        Answer::done(json!({"ok": true, "version": version, "why": null}), text)
    };
    let Some(path) = &asked.file else {
        return Ok(match Matrix::shipped_for(standing) {
            Ok(matrix) => good(format!("Matrix {}", matrix.version), &matrix.version),
            Err(error) => refused(&error, error.sentence()),
        });
    };
    let (bytes, signature) = (read(path)?, signature_beside(path)?);
    if let Some(opened) = of_establishment(&bytes, &signature, standing) {
        return Ok(match opened {
            Ok((name, version)) => good(name, &version),
            Err(why) => refused(&why, why.sentence()),
        });
    }
    Ok(match Data::open(&bytes, &signature, standing) {
        Ok(data) => good(data.name(), data.version()),
        Err(why) => refused(&why, why.sentence()),
    })
}

fn refused(error: &dyn std::error::Error, sentence: &str) -> Answer {
    Answer {
        json: json!({"ok": false, "version": null, "why": chain(error)}),
        text: format!("{}\n{sentence}\n", chain(error)),
        code: cli::SAID_NO,
    }
}

fn matrix_changes(before: &Matrix, after: &Matrix) -> Answer {
    let changes = difference::changes(before, after);
    let (known, cells) = after.known();
    let json = json!({
        "from": before.version, "to": after.version, "known": known, "cells": cells,
        "changes": changes.iter().map(change_json).collect::<Vec<_>>(),
    });
    let mut text = format!("{} → {}: {} cells change\n", before.version, after.version, changes.len());
    for change in changes {
        let label = nomenclature::type_label(&change.kind);
        let (was, is) = (change.before.name(), change.after.name());
        text += &format!("  {:<16} {:<18} {was} → {is}  {label}\n", change.kind.0, change.column.0);
    }
    Answer::done(json, text)
}

fn change_json(change: &Change) -> Value {
    json!({
        "type": change.kind.0, "label": nomenclature::type_label(&change.kind), "column": change.column.0,
        "before": change.before.name(), "after": change.after.name(),
    })
}

fn list_changes(before: &List, after: &List) -> Answer {
    let changes = after.changes_from(before);
    let one = |change: &list::Change| json!({"code": change.code, "column": change.column, "before": change.before, "after": change.after});
    let json = json!({
        "list": after.id, "from": before.edition, "to": after.edition, "changes": changes.iter().map(one).collect::<Vec<_>>(),
    });
    let mut text = format!("{} {} → {}: {} values change\n", after.id, before.edition, after.edition, changes.len());
    for change in changes {
        let (was, is) = (change.before.unwrap_or_default(), change.after.unwrap_or_default());
        text += &format!("  {:<16} {:<10} « {was} » → « {is} »\n", change.code, change.column);
    }
    Answer::done(json, text)
}

fn named<'a>(lists: &'a Lists, id: &str) -> Result<&'a List, Failure> {
    lists.named(id).ok_or_else(|| Failure::UnknownList {
        found: id.to_owned(),
        known: lists.all().iter().map(|list| list.id.as_str()).collect::<Vec<_>>().join(", "),
    })
}

fn chain(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {}", chain(cause)))
}
