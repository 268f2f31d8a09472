//! « Pourquoi ? » in French (P6): the rule, the law, what the rule looked at, what can be done. Pure; it decides nothing.

use crate::identity::holder::ProfessionCode;
use crate::policy::Decision;
use crate::policy::emergency;
use crate::policy::nomenclature;
use crate::record::document::Label;
use crate::record::document::TypeCode;
use crate::screen::labels;
use crate::screen::view::Reason;
use crate::screen::words;
use crate::screen::words::french;
use crate::time::UnixSeconds;
use crate::visit::Visit;
use crate::visit::page::Denied;

/// What a denial at the gate says.
pub(super) fn one(decision: &Decision, about: String, visit: &Visit, zone: &str) -> Reason {
    reason(&[decision], about, false, visit, zone)
}

/// One reason a rule, with all the classes that it keeps closed: « 3 comptes rendus, 2 synthèses ».
pub(super) fn by_rule(denied: &[Denied], visit: &Visit, zone: &str) -> Vec<Reason> {
    let mut groups: Vec<Vec<&Denied>> = Vec::new();
    for one in denied {
        match groups.iter_mut().find(|group| group[0].decision.rule == one.decision.rule) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    let told = |mut group: Vec<&Denied>| {
        group.sort_by_key(|denied| std::cmp::Reverse(denied.count));
        let counted = group.iter().map(|denied| {
            let (one, many) = labels::class(&denied.class_code);
            words::count(denied.count, one, many)
        });
        let about = counted.collect::<Vec<String>>().join(", ");
        let decisions: Vec<&Decision> = group.iter().map(|denied| &denied.decision).collect();
        // One decision stands for all documents of a class: what it read of one document is an example.
        let some = group.iter().any(|denied| denied.count > 1);
        reason(&decisions, about, some, visit, zone)
    };
    groups.into_iter().map(told).collect()
}

fn reason(decisions: &[&Decision], about: String, some: bool, visit: &Visit, zone: &str) -> Reason {
    let Some(first) = decisions.first() else { return Reason::default() };
    let mut parts = vec![format!("{}, {} connue", law(first, visit), percent_known(visit))];
    for (fact, _) in &first.facts {
        // The matrix's version stands in the line already.
        if *fact == "matrix_version" {
            continue;
        }
        let mut values: Vec<String> = Vec::new();
        let told = decisions.iter().flat_map(|decision| &decision.facts).filter(|(name, _)| name == fact);
        for (name, given) in told {
            let value = value(name, &given.to_string(), zone);
            if !values.contains(&value) {
                values.push(value);
            }
        }
        let is_example = some && OF_A_DOCUMENT.contains(fact);
        if is_example {
            values.truncate(EXAMPLES_MAX);
        }
        let example = if is_example { " (par exemple)" } else { "" };
        parts.push(format!("{}{example} : {}", name(fact).unwrap_or(fact), values.join(", ")));
    }
    Reason {
        sentence: french(first.rule.sentence),
        next: french(first.what_can_be_done()),
        about,
        detail: french(&parts.join(" · ")),
    }
}

/// Rule, source in law, version of the matrix.
pub(super) fn law(decision: &Decision, visit: &Visit) -> String {
    let matrix = &visit.rules().matrix;
    french(&format!("Règle {} · {} · matrice {}", decision.rule.id, decision.rule.law, matrix.version))
}

pub(super) fn percent_known(visit: &Visit) -> String {
    let (known, all) = visit.rules().matrix.known();
    // Rounded down: 99.9 % known is not all.
    format!("{} %", known * 100 / all.max(1))
}

/// A longer list of examples says nothing more, and pushes the rest of the reason off the page.
const EXAMPLES_MAX: usize = 3;

/// Facts that differ between two documents under one rule.
const OF_A_DOCUMENT: [&str; 4] = ["type", "labels", "status", "by_this_holder"];

/// A fact's French name, from policy's own.
fn name(fact: &str) -> Option<&'static str> {
    Some(match fact {
        "ask" => "demande",
        "card_kind" => "carte",
        "profession" => "profession",
        "profession_kind" => "catégorie de profession",
        "in_training" => "en formation",
        "record" => "dossier",
        "authorization" => "autorisation",
        "authorized_until" => "fin de l’autorisation",
        "blocked" => "bloqué par le patient",
        "attending_doctor" => "médecin traitant",
        "administrator" => "médecin administrateur",
        "emergency_allowed" => "accès en urgence accepté par le patient",
        "emergency_masked_allowed" => "documents masqués ouverts en urgence",
        "initial_team" => "consentement initial à l’équipe",
        "informed_at_event" => "patient informé à cet événement",
        "explicit" => "consentement exprès",
        "refused" => "refus du patient",
        "in_team" => "inscrit dans l’équipe de soins",
        "given_at" => "date du consentement",
        "mode" => "mode d’accès",
        "ground" => "motif d’accès",
        "emergency_reason" => "motif de l’urgence",
        "type" => "type de document",
        "cell" => "droit dans la matrice",
        "labels" => "confidentialité",
        "status" => "état du document",
        "by_this_holder" => "document écrit par vous",
        "minor" => "patient mineur",
        "ins_qualified" => "identité qualifiée",
        "secret_connection" => "connexion secrète",
        "by_representative" => "un représentant légal parle",
        "brain_death" => "mort encéphalique",
        "brain_death_framework" => "cadre signé de l’établissement",
        "matrix_version" => "version de la matrice",
        "regime" => "régime du consentement",
        "time" => "heure de la borne",
        "time_trust" => "heure vérifiée",
        _ => return None,
    })
}

/// A fact's value in French. What has no words of its own (a reference, a version) stays as it is.
fn value(fact: &str, given: &str, zone: &str) -> String {
    let set = match (fact, given) {
        ("profession", code) if code.parse::<u16>().is_ok() => {
            let known = code.parse().map(|code| nomenclature::profession_label(ProfessionCode(code)));
            return known.map_or_else(|_| code.to_owned(), str::to_owned);
        }
        ("type", code) if code != "none" => {
            let kind = TypeCode(code.to_owned());
            let label = nomenclature::type_label(&kind);
            return if nomenclature::type_is_known(&kind) { label.to_owned() } else { format!("{label} ({code})") };
        }
        ("labels", codes) if codes != "none" => {
            let each = codes.split('+').filter(|code| !code.is_empty());
            let told: Vec<&str> = each.map(|code| nomenclature::label_text(&Label::from_code(code))).collect();
            return if told.is_empty() { "aucune".to_owned() } else { told.join(" + ") };
        }
        ("emergency_reason", code) if emergency::reason(code).is_some() => {
            emergency::reason(code).map_or("", |reason| reason.label)
        }
        ("time" | "authorized_until" | "given_at", at) if UnixSeconds::parse(at).is_some() => {
            let at = words::local(UnixSeconds::parse(at).unwrap_or(UnixSeconds(0)), zone);
            return format!("{} à {}", words::date(&at), words::time(&at));
        }
        ("ask", "open_record") => "ouvrir le dossier",
        ("ask", "see_document") => "voir un document",
        ("ask", "prefetch_document") => "charger un document à l’avance",
        ("ask", "deposit") => "déposer un document",
        ("profession_kind", "doctor") => "médecin",
        ("profession_kind", "occupational_doctor") => "médecin du travail",
        ("profession_kind", "coordinating_doctor") => "médecin coordonnateur",
        ("profession_kind", "pharmacist") => "pharmacien",
        ("profession_kind", "other") => "autre profession de santé",
        ("profession_kind", "without_column") => "sans colonne dans la matrice",
        ("record", "never_created") => "jamais créé",
        ("record", "open") => "ouvert",
        ("record", "closed_by_patient") => "fermé par le patient",
        ("record", "closed_deceased") => "fermé après un décès",
        ("record", "closed") => "fermé",
        ("authorization", "valid") => "valide",
        ("authorization", "expired") => "expirée",
        ("authorization", "forbidden") => "interdite",
        ("authorization", "none") => "aucune",
        ("authorization", "unknown") => "inconnue",
        ("mode", "normal") => "normal",
        ("mode", "bris_de_glace") | ("ground", "break_glass") => "bris de glace",
        ("mode", "centre_15") => "centre 15",
        ("mode", "prefetch") => "chargement à l’avance",
        ("ground", "authorization") => "autorisation valide",
        ("ground", "team") => "équipe de soins",
        ("ground", "explicit") => "consentement exprès",
        ("ground", "refused") => "refus du patient",
        ("status", "current") => "en vigueur",
        ("status", "archived") => "archivé",
        ("status", "superseded") => "remplacé",
        ("status", "deleted") => "retiré",
        ("regime", "arrete-2023") => "arrêté du 26 octobre 2023",
        ("regime", "conseil-etat-2025") => "décision du Conseil d’État du 15 octobre 2025",
        ("time_trust", "is") => "oui",
        ("time_trust", "at_least") => "non",
        ("profession" | "type" | "emergency_reason" | "given_at" | "authorized_until" | "labels", "none") => {
            "non donné"
        }
        (_, "yes" | "true") => "oui",
        (_, "no" | "false") => "non",
        (_, "none") => "aucun",
        (_, "unknown") => "inconnu",
        (_, other) => other,
    };
    set.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::holder::CardKind;
    use crate::journal::words::Ground;
    use crate::journal::words::Mode;
    use crate::journal::words::Regime;
    use crate::policy::facts::Ask;
    use crate::policy::facts::Cell;
    use crate::policy::facts::Known;
    use crate::policy::facts::ProfessionKind;
    use crate::policy::looked;
    use crate::policy::rules::articles;
    use crate::record::document::Status;
    use crate::record::state::Authorization;
    use crate::record::state::ClosureReason;
    use crate::record::state::Existence;

    const PARIS: &str = "Europe/Paris";

    #[test]
    fn every_fact_that_a_rule_looks_at_has_a_french_name() {
        let mut seen = 0;
        for fact in articles().flat_map(|article| article.looks_at) {
            let french = name(fact.name).unwrap_or_else(|| panic!("no French name for {}", fact.name));
            assert!(!french.contains('_') && !french.is_empty(), "{french}");
            for given in ["yes", "no", "true", "false", "none", "unknown"] {
                let told = value(fact.name, given, PARIS);
                assert!(told != given || told == "non", "{} {given} stays English", fact.name);
            }
            seen += 1;
        }
        assert!(seen > 60, "too few facts to prove anything: {seen}");
    }

    #[test]
    fn every_value_that_policy_prints_is_french() {
        let closed = |reason| Existence::Closed { reason, on: None };
        let records = [
            Existence::NeverCreated,
            Existence::Open,
            closed(ClosureReason::Patient),
            closed(ClosureReason::Deceased),
            closed(ClosureReason::Other),
            Existence::Unknown,
        ];
        let authorizations = [
            Authorization::Valid { until: None },
            Authorization::None,
            Authorization::Expired,
            Authorization::Forbidden,
            Authorization::Unknown,
        ];
        let statuses = [Status::Current, Status::Archived, Status::Superseded, Status::Deleted, Status::Unknown];
        let kinds = [
            ProfessionKind::Doctor,
            ProfessionKind::OccupationalDoctor,
            ProfessionKind::CoordinatingDoctor,
            ProfessionKind::Pharmacist,
            ProfessionKind::Other,
            ProfessionKind::WithoutColumn,
        ];
        let mut printed: Vec<(&str, &str)> = Vec::new();
        printed.extend(records.iter().map(|record| ("record", looked::existence(record))));
        printed.extend(authorizations.map(|one| ("authorization", looked::authorization(one))));
        printed.extend(statuses.map(|one| ("status", looked::status(one))));
        printed.extend(kinds.map(|one| ("profession_kind", one.name())));
        printed.extend(
            [Ask::OpenRecord, Ask::SeeDocument, Ask::PrefetchDocument, Ask::Deposit].map(|one| ("ask", one.name())),
        );
        printed.extend([Cell::Yes, Cell::No, Cell::Unknown].map(|one| ("cell", one.name())));
        printed.extend([Known::Yes, Known::No, Known::Unknown].map(|one| ("in_team", one.name())));
        printed.extend(Mode::ALL.iter().map(|one| ("mode", one.name())));
        printed.extend(Ground::ALL.iter().map(|one| ("ground", one.name())));
        printed.extend(Regime::ALL.iter().map(|one| ("regime", one.name())));
        printed.extend(emergency::REASONS.iter().map(|reason| ("emergency_reason", reason.code)));
        printed.extend([("time_trust", "is"), ("time_trust", "at_least"), ("profession", "60"), ("type", "11488-4")]);
        printed.extend([("labels", "N+MASQUE_PS"), ("time", "2026-11-23T07:42:00Z")]);
        // Words that both languages share.
        let shared = [("mode", "normal")];
        for (fact, given) in printed {
            let told = value(fact, given, PARIS);
            assert!(told != given || shared.contains(&(fact, given)), "{fact} {given} stays as it is");
        }
        assert_eq!(value("card_kind", CardKind::Cpf.name(), PARIS), "CPF");
        assert_eq!(value("time", "2026-11-23T07:42:00Z", PARIS), "23/11/2026 à 8\u{a0}h\u{a0}42");
        assert_eq!(value("labels", "N+MASQUE_PS", PARIS), "Normal + Masqué aux professionnels de santé");
        assert_eq!(value("type", "9-9", PARIS), "Type de document non reconnu (9-9)");
        assert_eq!(value("profession", "60", PARIS), "Infirmier");
    }
}
