//! A story as a CDA R2 document in the French shape (CI-SIS volet structuration minimale): level 3 with narrative, or
//! level 1 around a PDF or a text. Written from the HL7 schema by hand; only what a reader shows and what it checks.

use crate::patient::ins::Patient;
use crate::patient::ins::Sex;
use crate::sandbox::people::Author;
use crate::sandbox::people::story::Block;
use crate::sandbox::people::story::Cell;
use crate::sandbox::people::story::Run;
use crate::sandbox::people::story::Section;
use crate::sandbox::people::story::Story;
use crate::sandbox::people::story::Table;
use crate::time::UnixSeconds;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What the header says.
pub struct Header<'a> {
    pub unique_id: &'a str,
    pub title: &'a str,
    pub type_code: &'a str,
    pub type_label: &'a str,
    pub confidentiality: &'a str,
    pub patient: &'a Patient,
    pub author: &'a Author,
    pub created: UnixSeconds,
    pub service_start: UnixSeconds,
}

/// Level 3: sections with narrative.
pub fn narrative(header: &Header<'_>, story: &Story) -> Vec<u8> {
    let mut out = open(header);
    out.push_str("  <component><structuredBody>\n");
    for (number, section) in story.sections.iter().enumerate() {
        write_section(&mut out, section, number + 1);
    }
    out.push_str("  </structuredBody></component>\n</ClinicalDocument>\n");
    out.into_bytes()
}

/// Level 1 around bytes.
pub fn wrapping(header: &Header<'_>, media_type: &str, bytes: &[u8]) -> Vec<u8> {
    let mut out = open(header);
    out.push_str(&format!(
        "  <component><nonXMLBody><text mediaType=\"{media_type}\" representation=\"B64\">{}</text></nonXMLBody>\
         </component>\n</ClinicalDocument>\n",
        STANDARD.encode(bytes)
    ));
    out.into_bytes()
}

fn open(header: &Header<'_>) -> String {
    let created = compact(header.created);
    // LOINC where the code has its shape, else the French table of types (TRE_A05's OID in JDV_J07).
    let loinc = header.type_code.contains('-') && header.type_code.starts_with(|c: char| c.is_ascii_digit());
    let system = if loinc { "2.16.840.1.113883.6.1" } else { "1.2.250.1.213.1.1.4.12" };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
<ClinicalDocument xmlns=\"urn:hl7-org:v3\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n\
  <realmCode code=\"FR\"/>\n\
  <typeId root=\"2.16.840.1.113883.1.3\" extension=\"POCD_HD000040\"/>\n\
  <templateId root=\"2.16.840.1.113883.2.8.2.1\"/>\n\
  <templateId root=\"1.2.250.1.213.1.1.1.1\"/>\n\
  <id root=\"{id}\"/>\n\
  <code code=\"{code}\" displayName=\"{label}\" codeSystem=\"{system}\"/>\n\
  <title>{title}</title>\n\
  <effectiveTime value=\"{created}\"/>\n\
  <confidentialityCode code=\"{confidentiality}\" codeSystem=\"2.16.840.1.113883.5.25\"/>\n\
  <languageCode code=\"fr-FR\"/>\n\
  <setId root=\"{id}\"/>\n\
  <versionNumber value=\"1\"/>\n\
{patient}{author}\
  <custodian><assignedCustodian><representedCustodianOrganization><name>{structure}</name>\
</representedCustodianOrganization></assignedCustodian></custodian>\n\
  <documentationOf><serviceEvent><effectiveTime><low value=\"{service}\"/></effectiveTime></serviceEvent></documentationOf>\n",
        id = header.unique_id,
        code = escape(header.type_code),
        label = escape(header.type_label),
        title = escape(header.title),
        confidentiality = header.confidentiality,
        patient = record_target(header.patient),
        author = author(header.author, &created),
        structure = escape(header.author.structure.as_deref().unwrap_or("Mon espace santé")),
        service = compact(header.service_start),
    )
}

fn record_target(patient: &Patient) -> String {
    let (code, word) = match patient.sex {
        Sex::Male => ("M", "Masculin"),
        Sex::Female => ("F", "Féminin"),
        Sex::Indeterminate => ("U", "Inconnu"),
    };
    let given: String =
        patient.birth_given_names.split(' ').map(|name| format!("<given>{}</given>", escape(name))).collect();
    let birth = patient.birth_date;
    format!(
        "  <recordTarget><patientRole>\n\
    <id root=\"{oid}\" extension=\"{matricule}\"/>\n\
    <patient><name><family qualifier=\"BR\">{family}</family>{given}</name>\
<administrativeGenderCode code=\"{code}\" displayName=\"{word}\" codeSystem=\"2.16.840.1.113883.5.1\"/>\
<birthTime value=\"{year:04}{month:02}{day:02}\"/></patient>\n\
  </patientRole></recordTarget>\n",
        oid = patient.ins.kind.oid(),
        matricule = patient.ins.matricule,
        family = escape(&patient.birth_name),
        year = birth.year,
        month = birth.month,
        day = birth.day,
    )
}

fn author(author: &Author, created: &str) -> String {
    let id = match &author.id {
        Some(id) => format!("<id root=\"1.2.250.1.71.4.2.1\" extension=\"{}\"/>", escape(id)),
        None => "<id nullFlavor=\"NASK\"/>".to_owned(),
    };
    let structure = author.structure.as_ref().map_or(String::new(), |name| {
        format!("<representedOrganization><name>{}</name></representedOrganization>", escape(name))
    });
    format!(
        "  <author><time value=\"{created}\"/><assignedAuthor>{id}<assignedPerson><name><family>{}</family></name>\
</assignedPerson>{structure}</assignedAuthor></author>\n",
        escape(&author.name)
    )
}

fn write_section(out: &mut String, section: &Section, number: usize) {
    out.push_str("    <component><section>\n");
    if let Some((code, name)) = section.code {
        out.push_str(&format!(
            "      <code code=\"{code}\" displayName=\"{}\" codeSystem=\"2.16.840.1.113883.6.1\"/>\n",
            escape(name)
        ));
    }
    out.push_str(&format!("      <title>{}</title>\n      <text>\n", escape(&section.title)));
    let mut notes = 0;
    for block in &section.blocks {
        match block {
            Block::Paragraph(runs) => {
                let body: String = runs.iter().map(run).collect();
                out.push_str(&format!("        <paragraph>{body}</paragraph>\n"));
            }
            Block::List { ordered, items } => {
                let kind = if *ordered { "ordered" } else { "unordered" };
                let items: String = items.iter().map(|item| format!("<item>{}</item>", escape(item))).collect();
                out.push_str(&format!("        <list listType=\"{kind}\">{items}</list>\n"));
            }
            Block::Table(table) => write_table(out, table),
            Block::Footnote(text) => {
                notes += 1;
                let id = format!("note-{number}-{notes}");
                out.push_str(&format!(
                    "        <paragraph>Voir la note <footnoteRef IDREF=\"{id}\"/>.</paragraph>\n\
                     \x20       <footnote ID=\"{id}\">{}</footnote>\n",
                    escape(text)
                ));
            }
        }
    }
    out.push_str("      </text>\n    </section></component>\n");
}

fn write_table(out: &mut String, table: &Table) {
    out.push_str("        <table border=\"1\">");
    if let Some(caption) = &table.caption {
        out.push_str(&format!("<caption>{}</caption>", escape(caption)));
    }
    out.push_str("<thead><tr>");
    for head in &table.head {
        out.push_str(&format!("<th>{}</th>", escape(&head.text)));
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in &table.rows {
        let cells: String = row.iter().map(cell).collect();
        out.push_str(&format!("          <tr>{cells}</tr>\n"));
    }
    out.push_str("        </tbody></table>\n");
}

fn cell(cell: &Cell) -> String {
    let span = if cell.span > 1 { format!(" colspan=\"{}\"", cell.span) } else { String::new() };
    let text = escape(&cell.text);
    if cell.strong {
        format!("<td{span}><content styleCode=\"Bold\">{text}</content></td>")
    } else {
        format!("<td{span}>{text}</td>")
    }
}

fn run(run: &Run) -> String {
    let text = escape(run.text());
    match run {
        Run::Plain(_) => text,
        Run::Bold(_) => format!("<content styleCode=\"Bold\">{text}</content>"),
        Run::Italics(_) => format!("<content styleCode=\"Italics\">{text}</content>"),
        Run::Underline(_) => format!("<content styleCode=\"Underline\">{text}</content>"),
        Run::Sup(_) => format!("<sup>{text}</sup>"),
    }
}

/// HL7 TS, in UTC: `20261123084200+0000`.
fn compact(at: UnixSeconds) -> String {
    let digits: String = at.rfc3339().chars().filter(char::is_ascii_digit).collect();
    format!("{digits}+0000")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
