//! Who there is. Each person stands for one case; what they suffer from follows from the seed.

use crate::identity::holder::HolderId;
use crate::patient::ins::BirthDate;
use crate::patient::ins::Ins;
use crate::patient::ins::InsKind;
use crate::patient::ins::Patient;
use crate::patient::ins::Sex;
use crate::sandbox::people::CareTeam;
use crate::sandbox::people::Case;
use crate::sandbox::people::Content;
use crate::sandbox::people::DOCTOR;
use crate::sandbox::people::Emergency;
use crate::sandbox::people::NURSE;
use crate::sandbox::people::PHYSIOTHERAPIST;
use crate::sandbox::people::Paper;
use crate::sandbox::people::PaperStatus;
use crate::sandbox::people::Person;
use crate::sandbox::people::Record;
use crate::sandbox::people::Standing;
use crate::sandbox::people::authors;
use crate::sandbox::people::broken;
use crate::sandbox::people::catalogue;
use crate::sandbox::people::catalogue::Fits;
use crate::sandbox::people::catalogue::KINDS;
use crate::sandbox::people::catalogue::Kind;
use crate::sandbox::people::catalogue::Layout;
use crate::sandbox::people::cda;
use crate::sandbox::people::chance::Chance;
use crate::sandbox::people::pdf;
use crate::sandbox::people::prose;
use crate::sandbox::people::sha1;
use crate::sandbox::people::text;
use crate::time::UnixSeconds;
use std::sync::Arc;

/// Whom this holder sees today: nine people, the one with a thousand documents among them.
pub fn round_for(_holder: &HolderId) -> Vec<Patient> {
    let round = [
        Case::Authorized,
        Case::Unasked(0),
        Case::Thousand,
        Case::Labelled,
        Case::BlockedNurse,
        Case::Closed,
        Case::Minor,
        Case::Unasked(1),
        Case::Unasked(2),
    ];
    let seen = |case: &Case| SHEETS.iter().find(|sheet| sheet.case == *case).map(patient);
    round.iter().filter_map(seen).collect()
}

pub(super) fn persons(seed: u64, today: UnixSeconds) -> Vec<Person> {
    SHEETS.iter().enumerate().map(|(number, sheet)| person(number, sheet, seed, today)).collect()
}

struct Sheet {
    case: Case,
    family: &'static str,
    given: &'static str,
    sex: Sex,
    born: (u16, u8, u8),
    papers: u64,
    about: &'static str,
}

#[rustfmt::skip]
const SHEETS: &[Sheet] = &[
    sheet(Case::Authorized, "BELLAVOINE", "MARGUERITE ODETTE", Sex::Female, (1944, 5, 17), 48, "L’infirmière a une autorisation valide."),
    sheet(Case::Unasked(0), "CORMERIE", "ACHILLE", Sex::Male, (1951, 11, 3), 36, "Aucune autorisation : l’accord se demande au chevet."),
    sheet(Case::Thousand, "DUPRESNOY", "GILBERTE JEANNE", Sex::Female, (1938, 2, 28), 1000, "Mille documents."),
    sheet(Case::Labelled, "ESCANDELLE", "RAYMOND", Sex::Male, (1960, 8, 9), 32, "Documents masqués ou invisibles."),
    sheet(Case::BlockedNurse, "FONTVERT", "SIDONIE", Sex::Female, (1972, 1, 20), 24, "A bloqué l’infirmière."),
    sheet(Case::Closed, "GRANDPERRIN", "AUGUSTE", Sex::Male, (1947, 6, 30), 22, "Dossier fermé à sa demande."),
    sheet(Case::NeverCreated, "HAUTEMULLE", "LÉOPOLDINE", Sex::Female, (1985, 12, 12), 0, "Dossier jamais créé."),
    sheet(Case::Minor, "ISNARDIÈRE", "TIMÉO", Sex::Male, (2015, 4, 2), 18, "Mineur : l’accord est donné par un représentant légal."),
    sheet(Case::Unasked(1), "JOUVENEL", "PHILIPPINE ROSE", Sex::Female, (1991, 9, 25), 28, "Jeune mère, aucune autorisation."),
    sheet(Case::Unasked(2), "KERVIGNAC", "HIPPOLYTE", Sex::Male, (1979, 7, 14), 10, "Aucune autorisation ; le DMP connaît son équipe de rééducation."),
    sheet(Case::Expired, "LAUBESPINE", "CÉLESTINE", Sex::Female, (1956, 3, 8), 60, "L’autorisation de l’infirmière est échue."),
    sheet(Case::Forbidden, "MONTCHABLON", "FERNAND", Sex::Male, (1940, 10, 19), 15, "A refusé l’accès à l’infirmière."),
    sheet(Case::Broken, "NOIRVAULT", "EULALIE", Sex::Female, (1968, 5, 5), 12, "Documents abîmés, pour les essais."),
];

const fn sheet(
    case: Case,
    family: &'static str,
    given: &'static str,
    sex: Sex,
    born: (u16, u8, u8),
    papers: u64,
    about: &'static str,
) -> Sheet {
    Sheet { case, family, given, sex, born, papers, about }
}

/// Sex, year, month, the birthplace 99 999 that does not exist, an order that follows from the day.
fn patient(sheet: &Sheet) -> Patient {
    let (year, month, day) = sheet.born;
    let sex = if sheet.sex == Sex::Male { 1_u64 } else { 2 };
    let body = format!("{sex}{:02}{month:02}99999{:03}", year % 100, 960 + u16::from(day));
    let number: u64 = body.parse().expect("thirteen digits, written above");
    let matricule = format!("{body}{:02}", 97 - number % 97);
    Patient {
        ins: Ins { matricule, kind: InsKind::Test },
        birth_name: sheet.family.to_owned(),
        birth_given_names: sheet.given.to_owned(),
        sex: sheet.sex,
        birth_date: BirthDate { year, month, day },
        birth_place: Some("99999".to_owned()),
    }
}

fn person(number: usize, sheet: &Sheet, seed: u64, today: UnixSeconds) -> Person {
    let patient = patient(sheet);
    let mut chance = Chance::new(seed, number as u64 + 1);
    let mut papers: Vec<Paper> =
        (0..sheet.papers).map(|at| paper(number, at, sheet, &patient, &mut chance, today)).collect();
    match sheet.case {
        Case::Labelled => label(&mut papers),
        Case::Broken => broken::spoil(&mut papers),
        _ => {}
    }
    let standing = match sheet.case {
        Case::Authorized | Case::Labelled | Case::Broken => vec![Standing::Valid(NURSE), Standing::Valid(DOCTOR)],
        Case::Thousand | Case::Closed => vec![Standing::Valid(NURSE)],
        Case::BlockedNurse => vec![Standing::Valid(NURSE), Standing::Blocked(NURSE), Standing::Valid(DOCTOR)],
        Case::Expired => vec![Standing::Expired(NURSE)],
        Case::Forbidden => vec![Standing::Forbidden(NURSE)],
        Case::Unasked(_) | Case::NeverCreated | Case::Minor => Vec::new(),
    };
    Person {
        patient,
        about: sheet.about,
        case: sheet.case,
        record: match sheet.case {
            Case::NeverCreated => Record::NeverCreated,
            Case::Closed => Record::Closed { days_ago: 120 },
            _ => Record::Open,
        },
        minor: sheet.case == Case::Minor,
        emergency: Emergency {
            samu: true,
            other_professionals: sheet.case != Case::Forbidden,
            masked_documents: false,
        },
        standing,
        care_team: (sheet.case == Case::Unasked(2)).then(|| CareTeam {
            name: "Rééducation du Val",
            members: &[PHYSIOTHERAPIST],
            agreed: today.plus(-30 * 86_400),
        }),
        attending: matches!(sheet.case, Case::Authorized | Case::Labelled).then_some(DOCTOR),
        papers,
    }
}

/// One document. Nine out of ten are of the last two years; about half are of a type that a nurse may read.
fn paper(person: usize, at: u64, sheet: &Sheet, patient: &Patient, chance: &mut Chance, today: UnixSeconds) -> Paper {
    let kind = choose(at, sheet, chance);
    let layout = if chance.between(0, 9) == 0 { *chance.pick(&LAYOUTS) } else { kind.layout };
    let old = at % 10 == 9 && !matches!(sheet.case, Case::Thousand | Case::Broken);
    let days = if old { chance.between(740, 2600) } else { chance.between(1, 700) };
    let service_start = UnixSeconds(today.0 - days as i64 * 86_400 + chance.between(8, 18) as i64 * 3_600);
    let created = service_start.plus(chance.between(1, 5) as i64 * 1_800);
    let name = format!("{} {}", sheet.given, sheet.family);
    let author = authors::author(chance, kind.pen, &name);
    let story = prose::story(kind.tale, kind.label, chance, service_start);
    let unique_id = format!("1.2.250.1.213.1.4.10.99.{}.{}", person + 1, at + 1);
    let header = cda::Header {
        unique_id: &unique_id,
        title: &story.title,
        type_code: kind.code,
        type_label: kind.label,
        confidentiality: "N",
        patient,
        author: &author,
        created,
        service_start,
    };
    let bytes = match layout {
        Layout::Narrative => cda::narrative(&header, &story),
        Layout::Pdf => cda::wrapping(&header, "application/pdf", &pdf::write(&story.title, &text::lines(&story, 84))),
        Layout::Text => cda::wrapping(&header, "text/plain", text::lines(&story, 78).join("\n").as_bytes()),
    };
    Paper {
        entry_id: chance.uuid(),
        logical_id: chance.uuid(),
        type_code: kind.code,
        type_label: kind.label,
        class_code: kind.class,
        format_code: catalogue::format_code(kind, layout),
        title: story.title,
        author,
        labels: vec!["N"],
        status: match at % 23 {
            21 => PaperStatus::Archived,
            22 => PaperStatus::Superseded,
            _ => PaperStatus::Current,
        },
        created,
        service_start,
        mime: "text/xml",
        claimed_size: bytes.len() as u64,
        claimed_sha1: Some(sha1(&bytes)),
        content: Content::Bytes(Arc::from(bytes)),
        unique_id,
    }
    .all_current(sheet.case)
}

impl Paper {
    /// The thousand are all current and recent: paging must give exactly a thousand. So are those there to be spoilt.
    fn all_current(mut self, case: Case) -> Paper {
        if matches!(case, Case::Thousand | Case::Broken) {
            self.status = PaperStatus::Current;
        }
        self
    }
}

/// Every other document is of a type that a nurse may read; those between take the classes in turn, so that each of
/// the eleven is met within two dozen documents.
fn choose(at: u64, sheet: &Sheet, chance: &mut Chance) -> &'static Kind {
    let fits = |kind: &&Kind| match kind.fits {
        Fits::Anybody => true,
        Fits::Adult => sheet.case != Case::Minor,
        Fits::Mother => sheet.case == Case::Unasked(1),
        Fits::Child => sheet.case == Case::Minor,
    };
    if at.is_multiple_of(2) {
        let may: Vec<&Kind> = KINDS[..catalogue::FIRST_FOR_NURSES].iter().filter(fits).collect();
        return may[chance.below(may.len())];
    }
    let rest: Vec<&Kind> = KINDS[catalogue::FIRST_FOR_NURSES..].iter().filter(fits).collect();
    let mut classes: Vec<&str> = rest.iter().map(|kind| kind.class).collect();
    classes.dedup();
    let class = classes[(at as usize / 2) % classes.len()];
    let of_class: Vec<&Kind> = rest.into_iter().filter(|kind| kind.class == class).collect();
    of_class[chance.below(of_class.len())]
}

/// Several at once, as JDV_J08 allows. The third is the nurse's own, and masked: she still sees it.
fn label(papers: &mut [Paper]) {
    let sets: [&[&str]; 8] = [
        &["N", "INVISIBLE_PATIENT"],
        &["R", "MASQUE_PS"],
        &["N", "MASQUE_PS"],
        &["R", "INVISIBLE_PATIENT", "INVISIBLE_REPRESENTANTS_LEGAUX"],
        &["V"],
        &["V", "MASQUE_PS", "INVISIBLE_REPRESENTANTS_LEGAUX"],
        &["R"],
        &["N", "INVISIBLE_REPRESENTANTS_LEGAUX"],
    ];
    for (paper, labels) in papers.iter_mut().zip(sets) {
        paper.labels = labels.to_vec();
        paper.status = PaperStatus::Current;
    }
    if let Some(own) = papers.get_mut(2) {
        own.author = authors::nurse();
    }
}

const LAYOUTS: [Layout; 3] = [Layout::Narrative, Layout::Pdf, Layout::Text];
