//! Which patient: from the round, from what was typed, from a scan. What is known here is compared; it never proves.

use crate::patient::datamatrix;
use crate::patient::ins::BirthDate;
use crate::patient::ins::Ins;
use crate::patient::ins::InsError;
use crate::patient::ins::InsKind;
use crate::patient::ins::Patient;
use crate::patient::ins::Sex;
use crate::trouble::Trouble;
use crate::visit::event::RoundEntry;

/// From the typing page: the key is checked, the name and the date are compared with what is known of that number.
pub(super) fn typed(
    round: &[RoundEntry],
    matricule: &str,
    birth_name: &str,
    birth_date: &str,
) -> Result<Patient, Trouble> {
    let date = parse_date(birth_date).ok_or(Trouble::PatientMismatch)?;
    if birth_name.trim().is_empty() {
        return Err(Trouble::PatientMismatch);
    }
    if let Some(known) = round.iter().map(|entry| &entry.patient).find(|p| same_number(p, matricule)) {
        let same = folded(&known.birth_name) == folded(birth_name) && known.birth_date == date;
        return if same { Ok(known.clone()) } else { Err(Trouble::PatientMismatch) };
    }
    let ins = Ins::checked(matricule, kind_of(round)).map_err(|error| match error {
        InsError::Key => Trouble::InsWrongKey,
        InsError::Shape | InsError::Kind => Trouble::InsUnreadable,
    })?;
    if !agrees(&ins, date) {
        return Err(Trouble::PatientMismatch);
    }
    let sex = match ins.matricule.as_bytes()[0] {
        b'1' | b'3' | b'7' => Sex::Male,
        b'2' | b'4' | b'8' => Sex::Female,
        _ => Sex::Indeterminate,
    };
    Ok(Patient {
        ins,
        birth_name: birth_name.trim().to_uppercase(),
        birth_given_names: String::new(),
        sex,
        birth_date: date,
        // Not typed, and a matricule is no proof of it.
        birth_place: None,
    })
}

/// From a datamatrix: read as it stands; a patient known here keeps the traits known here.
pub(super) fn scanned(round: &[RoundEntry], payload: &str) -> Result<Patient, Trouble> {
    let patient = datamatrix::parse(payload).map_err(|_| Trouble::InsUnreadable)?.patient;
    match round.iter().map(|entry| &entry.patient).find(|known| known.ins == patient.ins) {
        // A scan has all five traits; what was only typed has not, and may have been mistyped.
        Some(known) if known.birth_given_names.is_empty() => Ok(patient),
        Some(known) => {
            let same =
                folded(&known.birth_name) == folded(&patient.birth_name) && known.birth_date == patient.birth_date;
            if same { Ok(known.clone()) } else { Err(Trouble::PatientMismatch) }
        }
        None => Ok(patient),
    }
}

fn same_number(patient: &Patient, matricule: &str) -> bool {
    let plain: String = matricule.chars().filter(|c| !c.is_whitespace()).collect();
    patient.ins.matricule == plain
}

/// A round of invented people is a desk's: there, a typed number is of the test kind too.
fn kind_of(round: &[RoundEntry]) -> InsKind {
    let test = !round.is_empty() && round.iter().all(|entry| entry.patient.ins.kind == InsKind::Test);
    if test { InsKind::Test } else { InsKind::Nir }
}

/// Year and month stand in characters 2 to 5 of the matricule; months above 12 are special registrations.
fn agrees(ins: &Ins, date: BirthDate) -> bool {
    let year = ins.matricule[1..3].parse::<u16>();
    let month = ins.matricule[3..5].parse::<u8>();
    let same_year = year == Ok(date.year % 100);
    let same_month = month.is_ok_and(|month| month > 12 || month == date.month);
    same_year && same_month
}

/// `28/03/1979`, or the same digits without separators.
fn parse_date(text: &str) -> Option<BirthDate> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let only = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '/' | '-' | '.' | ' '));
    if digits.len() != 8 || !only {
        return None;
    }
    let day = digits[..2].parse().ok()?;
    let month = digits[2..4].parse().ok()?;
    let year = digits[4..].parse().ok()?;
    jiff::civil::Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    Some(BirthDate { year, month, day })
}

/// Capitals, without accents, hyphens or apostrophes: how names are compared, never how they are shown.
fn folded(name: &str) -> String {
    name.chars().flat_map(char::to_uppercase).flat_map(plain_letter).filter(|c| c.is_alphanumeric()).collect()
}

fn plain_letter(letter: char) -> Vec<char> {
    match letter {
        'À' | 'Â' | 'Ä' | 'Á' | 'Ã' | 'Å' => vec!['A'],
        'Ç' => vec!['C'],
        'È' | 'É' | 'Ê' | 'Ë' => vec!['E'],
        'Î' | 'Ï' | 'Í' | 'Ì' => vec!['I'],
        'Ô' | 'Ö' | 'Ó' | 'Ò' | 'Õ' => vec!['O'],
        'Ù' | 'Û' | 'Ü' | 'Ú' => vec!['U'],
        'Ÿ' | 'Ý' => vec!['Y'],
        'Ñ' => vec!['N'],
        'Œ' => vec!['O', 'E'],
        'Æ' => vec!['A', 'E'],
        other => vec![other],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<RoundEntry> {
        let patient = Patient {
            ins: Ins::checked("279035121518989", InsKind::Test).expect("a right key"),
            birth_name: "LEFÈVRE-BŒUF".into(),
            birth_given_names: "DOMINIQUE MARIE-LOUISE".into(),
            sex: Sex::Female,
            birth_date: BirthDate { year: 1979, month: 3, day: 28 },
            birth_place: Some("51215".into()),
        };
        vec![RoundEntry { patient, cached: 0, as_of: None, ready: None }]
    }

    #[test]
    fn a_known_patient_must_match_name_and_date() {
        let round = known();
        let found = typed(&round, "2 79 03 51 215 189 89", "lefevre boeuf", "28/03/1979").expect("the same person");
        assert_eq!(found.birth_given_names, "DOMINIQUE MARIE-LOUISE");
        assert_eq!(typed(&round, "279035121518989", "MARTIN", "28/03/1979"), Err(Trouble::PatientMismatch));
        assert_eq!(typed(&round, "279035121518989", "LEFEVRE BOEUF", "27/03/1979"), Err(Trouble::PatientMismatch));
    }

    #[test]
    fn an_unknown_number_is_checked_against_itself() {
        let round = known();
        let date = "15/06/1955";
        let patient = typed(&round, "255069999999934", "Desmaux", date).expect("a right key and date");
        assert_eq!((patient.sex, patient.birth_name.as_str()), (Sex::Female, "DESMAUX"));
        assert_eq!(typed(&round, "255069999999935", "Desmaux", date), Err(Trouble::InsWrongKey));
        assert_eq!(typed(&round, "25506999999993", "Desmaux", date), Err(Trouble::InsUnreadable));
        assert_eq!(typed(&round, "255069999999934", "Desmaux", "15/07/1955"), Err(Trouble::PatientMismatch));
        assert_eq!(typed(&round, "255069999999934", "Desmaux", "32/06/1955"), Err(Trouble::PatientMismatch));
        assert_eq!(typed(&round, "255069999999934", " ", date), Err(Trouble::PatientMismatch));
    }
}
