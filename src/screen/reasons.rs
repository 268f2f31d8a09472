//! « Pourquoi ? » in French (P6): the rule, the law, what the rule looked at, what can be done. Pure; it decides nothing.

use crate::identity::holder::ProfessionCode;
use crate::policy::Decision;
use crate::policy::emergency;
use crate::policy::nomenclature;
use crate::record::document::Label;
use crate::record::document::TypeCode;
use crate::say;
use crate::say::Lang;
use crate::screen::english;
use crate::screen::labels;
use crate::screen::view::Reason;
use crate::screen::words;
use crate::screen::words::french;
use crate::time::UnixSeconds;
use crate::visit::Visit;
use crate::visit::page::Denied;

/// The rule's sentence. Its law stays as it is cited.
pub(super) fn sentence(lang: Lang, decision: &Decision) -> String {
    let english = || english::rule(decision.rule.id).map_or(decision.rule.sentence, |[sentence, _]| sentence);
    match lang {
        Lang::French => french(decision.rule.sentence),
        Lang::English => english().to_owned(),
    }
}

/// What can be done about it.
fn next(lang: Lang, decision: &Decision) -> String {
    let french_next = decision.what_can_be_done();
    match lang {
        Lang::French => french(french_next),
        Lang::English => english::rule(decision.rule.id).map_or(french_next, |[_, next]| next).to_owned(),
    }
}

/// What a denial at the gate says.
pub(super) fn one(decision: &Decision, about: String, visit: &Visit, zone: &str) -> Reason {
    reason(&[decision], about, false, visit, zone)
}

/// One reason a rule, with all the classes that it keeps closed: « 3 comptes rendus, 2 synthèses ».
pub(super) fn by_rule(denied: &[Denied], visit: &Visit, zone: &str) -> Vec<Reason> {
    let lang = visit.lang();
    let mut groups: Vec<Vec<&Denied>> = Vec::new();
    for one in denied {
        match groups.iter_mut().find(|group| group[0].decision.rule == one.decision.rule) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    let told = |mut group: Vec<&Denied>| {
        group.sort_by_key(|denied| std::cmp::Reverse(denied.count));
        let counted = group.iter().map(|denied| labels::counted(lang, denied.count, &denied.class_code));
        let about = counted.collect::<Vec<String>>().join(", ");
        let decisions: Vec<&Decision> = group.iter().map(|denied| &denied.decision).collect();
        // One decision stands for all documents of a class: what it read of one document is an example.
        let some = group.iter().any(|denied| denied.count > 1);
        reason(&decisions, about, some, visit, zone)
    };
    groups.into_iter().map(told).collect()
}

fn reason(decisions: &[&Decision], about: String, some: bool, visit: &Visit, zone: &str) -> Reason {
    let lang = visit.lang();
    let Some(first) = decisions.first() else { return Reason::default() };
    let mut parts = vec![say!(lang, "{}, {} connue", "{}, {} known", law(first, visit), percent_known(visit))];
    for (fact, _) in &first.facts {
        // The matrix's version stands in the line already.
        if *fact == "matrix_version" {
            continue;
        }
        let mut values: Vec<String> = Vec::new();
        let told = decisions.iter().flat_map(|decision| &decision.facts).filter(|(name, _)| name == fact);
        for (name, given) in told {
            let value = value(lang, name, &given.to_string(), zone);
            if !values.contains(&value) {
                values.push(value);
            }
        }
        let is_example = some && OF_A_DOCUMENT.contains(fact);
        if is_example {
            values.truncate(EXAMPLES_MAX);
        }
        let example = if is_example { lang.pick(" (par exemple)", " (for example)") } else { "" };
        parts.push(say!(
            lang,
            "{}{example} : {}",
            "{}{example}: {}",
            name(lang, fact).unwrap_or(fact),
            values.join(", ")
        ));
    }
    Reason { sentence: sentence(lang, first), next: next(lang, first), about, detail: french(&parts.join(" · ")) }
}

/// Rule, source in law, version of the matrix.
pub(super) fn law(decision: &Decision, visit: &Visit) -> String {
    let lang = visit.lang();
    let matrix = &visit.rules().matrix;
    say!(
        lang,
        "Règle {} · {} · matrice {}",
        "Rule {} · {} · matrix {}",
        decision.rule.id,
        decision.rule.law,
        matrix.version
    )
}

pub(super) fn percent_known(visit: &Visit) -> String {
    let lang = visit.lang();
    let (known, all) = visit.rules().matrix.known();
    // Rounded down: 99.9 % known is not all.
    say!(lang, "{} %", "{}%", known * 100 / all.max(1))
}

/// A longer list of examples says nothing more, and pushes the rest of the reason off the page.
const EXAMPLES_MAX: usize = 3;

/// Facts that differ between two documents under one rule.
const OF_A_DOCUMENT: [&str; 4] = ["type", "labels", "status", "by_this_holder"];

/// A fact's French name, from policy's own.
fn name(lang: Lang, fact: &str) -> Option<&'static str> {
    Some(match fact {
        "ask" => lang.pick("demande", "asked"),
        "card_kind" => lang.pick("carte", "card"),
        "profession" => "profession",
        "profession_kind" => lang.pick("catégorie de profession", "kind of profession"),
        "in_training" => lang.pick("en formation", "in training"),
        "record" => lang.pick("dossier", "record"),
        "authorization" => lang.pick("autorisation", "authorization"),
        "authorized_until" => lang.pick("fin de l’autorisation", "end of authorization"),
        "blocked" => lang.pick("bloqué par le patient", "blocked by the patient"),
        "attending_doctor" => lang.pick("médecin traitant", "patient’s own doctor"),
        "administrator" => lang.pick("médecin administrateur", "managing doctor"),
        "emergency_allowed" => {
            lang.pick("accès en urgence accepté par le patient", "emergency access accepted by the patient")
        }
        "emergency_masked_allowed" => {
            lang.pick("documents masqués ouverts en urgence", "hidden documents open in emergencies")
        }
        "initial_team" => lang.pick("consentement initial à l’équipe", "initial consent to the team"),
        "informed_at_event" => lang.pick("patient informé à cet événement", "patient informed at this event"),
        "explicit" => lang.pick("consentement exprès", "explicit consent"),
        "refused" => lang.pick("refus du patient", "patient’s refusal"),
        "in_team" => lang.pick("inscrit dans l’équipe de soins", "listed in the care team"),
        "given_at" => lang.pick("date du consentement", "date of consent"),
        "mode" => lang.pick("mode d’accès", "mode of access"),
        "ground" => lang.pick("motif d’accès", "ground of access"),
        "emergency_reason" => lang.pick("motif de l’urgence", "reason of emergency"),
        "type" => lang.pick("type de document", "type of document"),
        "cell" => lang.pick("droit dans la matrice", "right in the matrix"),
        "labels" => lang.pick("confidentialité", "confidentiality"),
        "status" => lang.pick("état du document", "state of the document"),
        "by_this_holder" => lang.pick("document écrit par vous", "document written by you"),
        "minor" => lang.pick("patient mineur", "patient is a minor"),
        "ins_qualified" => lang.pick("identité qualifiée", "identity qualified"),
        "secret_connection" => lang.pick("connexion secrète", "secret connection"),
        "by_representative" => lang.pick("un représentant légal parle", "a legal representative speaks"),
        "brain_death" => lang.pick("mort encéphalique", "brain death"),
        "brain_death_framework" => lang.pick("cadre signé de l’établissement", "establishment’s signed framework"),
        "matrix_version" => lang.pick("version de la matrice", "version of the matrix"),
        "regime" => lang.pick("régime du consentement", "consent regime"),
        "time" => lang.pick("heure de la borne", "device time"),
        "time_trust" => lang.pick("heure vérifiée", "time verified"),
        _ => return None,
    })
}

/// A fact's value in French. What has no words of its own (a reference, a version) stays as it is.
fn value(lang: Lang, fact: &str, given: &str, zone: &str) -> String {
    let set = match (fact, given) {
        ("profession", code) if code.parse::<u16>().is_ok() => {
            let known = code.parse().map(|code| labels::profession_name(lang, ProfessionCode(code)));
            return known.map_or_else(|_| code.to_owned(), str::to_owned);
        }
        ("type", code) if code != "none" => {
            let kind = TypeCode(code.to_owned());
            let label = labels::document_type(lang, &kind);
            return if nomenclature::type_is_known(&kind) { label.to_owned() } else { format!("{label} ({code})") };
        }
        ("labels", codes) if codes != "none" => {
            let each = codes.split('+').filter(|code| !code.is_empty());
            let told: Vec<&str> = each.map(|code| labels::confidentiality(lang, &Label::from_code(code))).collect();
            return if told.is_empty() { say!(lang, "aucune", "none") } else { told.join(" + ") };
        }
        ("emergency_reason", code) if emergency::reason(code).is_some() => {
            emergency::reason(code).map_or("", |reason| labels::emergency(lang, &reason))
        }
        ("time" | "authorized_until" | "given_at", at) if UnixSeconds::parse(at).is_some() => {
            let at = words::local(UnixSeconds::parse(at).unwrap_or(UnixSeconds(0)), zone);
            return format!("{} à {}", words::date(lang, &at), words::time(lang, &at));
        }
        ("ask", "open_record") => lang.pick("ouvrir le dossier", "open the record"),
        ("ask", "see_document") => lang.pick("voir un document", "see a document"),
        ("ask", "prefetch_document") => lang.pick("charger un document à l’avance", "load a document in advance"),
        ("ask", "deposit") => lang.pick("déposer un document", "add a document"),
        ("profession_kind", "doctor") => lang.pick("médecin", "doctor"),
        ("profession_kind", "occupational_doctor") => lang.pick("médecin du travail", "occupational doctor"),
        ("profession_kind", "coordinating_doctor") => lang.pick("médecin coordonnateur", "coordinating doctor"),
        ("profession_kind", "pharmacist") => lang.pick("pharmacien", "pharmacist"),
        ("profession_kind", "other") => lang.pick("autre profession de santé", "other health profession"),
        ("profession_kind", "without_column") => lang.pick("sans colonne dans la matrice", "no column in the matrix"),
        ("record", "never_created") => lang.pick("jamais créé", "never created"),
        ("record", "open") => lang.pick("ouvert", "open"),
        ("record", "closed_by_patient") => lang.pick("fermé par le patient", "closed by the patient"),
        ("record", "closed_deceased") => lang.pick("fermé après un décès", "closed after a death"),
        ("record", "closed") => lang.pick("fermé", "closed"),
        ("authorization", "valid") => lang.pick("valide", "valid"),
        ("authorization", "expired") => lang.pick("expirée", "expired"),
        ("authorization", "forbidden") => lang.pick("interdite", "forbidden"),
        ("authorization", "none") => lang.pick("aucune", "none"),
        ("authorization", "unknown") => lang.pick("inconnue", "unknown"),
        ("mode", "normal") => "normal",
        ("mode", "bris_de_glace") | ("ground", "break_glass") => lang.pick("bris de glace", "emergency access"),
        ("mode", "centre_15") => lang.pick("centre 15", "call centre 15"),
        ("mode", "prefetch") => lang.pick("chargement à l’avance", "loading in advance"),
        ("ground", "authorization") => lang.pick("autorisation valide", "valid authorization"),
        ("ground", "team") => lang.pick("équipe de soins", "care team"),
        ("ground", "explicit") => lang.pick("consentement exprès", "explicit consent"),
        ("ground", "refused") => lang.pick("refus du patient", "patient’s refusal"),
        ("status", "current") => lang.pick("en vigueur", "current"),
        ("status", "archived") => lang.pick("archivé", "archived"),
        ("status", "superseded") => lang.pick("remplacé", "replaced"),
        ("status", "deleted") => lang.pick("retiré", "withdrawn"),
        ("regime", "arrete-2023") => lang.pick("arrêté du 26 octobre 2023", "order of 26 October 2023"),
        ("regime", "conseil-etat-2025") => lang
            .pick("décision du Conseil d’État du 15 octobre 2025", "decision of the Conseil d’État of 15 October 2025"),
        ("time_trust", "is") => lang.pick("oui", "yes"),
        ("time_trust", "at_least") => lang.pick("non", "no"),
        ("profession" | "type" | "emergency_reason" | "given_at" | "authorized_until" | "labels", "none") => {
            lang.pick("non donné", "not given")
        }
        (_, "yes" | "true") => lang.pick("oui", "yes"),
        (_, "no" | "false") => lang.pick("non", "no"),
        (_, "none") => lang.pick("aucun", "none"),
        (_, "unknown") => lang.pick("inconnu", "unknown"),
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

    const FR: Lang = Lang::French;
    const PARIS: &str = "Europe/Paris";

    #[test]
    fn every_fact_that_a_rule_looks_at_has_a_french_name() {
        let mut seen = 0;
        for fact in articles().flat_map(|article| article.looks_at) {
            let french = name(FR, fact.name).unwrap_or_else(|| panic!("no French name for {}", fact.name));
            assert!(!french.contains('_') && !french.is_empty(), "{french}");
            for given in ["yes", "no", "true", "false", "none", "unknown"] {
                let told = value(FR, fact.name, given, PARIS);
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
            let told = value(FR, fact, given, PARIS);
            assert!(told != given || shared.contains(&(fact, given)), "{fact} {given} stays as it is");
        }
        assert_eq!(value(FR, "card_kind", CardKind::Cpf.name(), PARIS), "CPF");
        assert_eq!(value(FR, "time", "2026-11-23T07:42:00Z", PARIS), "23/11/2026 à 8\u{a0}h\u{a0}42");
        assert_eq!(value(FR, "labels", "N+MASQUE_PS", PARIS), "Normal + Masqué aux professionnels de santé");
        assert_eq!(value(FR, "type", "9-9", PARIS), "Type de document non reconnu (9-9)");
        assert_eq!(value(FR, "profession", "60", PARIS), "Infirmier");
    }

    #[test]
    fn every_rule_and_every_fact_has_its_english() {
        for article in articles() {
            let id = article.rule.id;
            let [sentence, next] = english::rule(id).unwrap_or_else(|| panic!("{id} has no English"));
            assert!(sentence != article.rule.sentence && next != article.next, "{id}");
            for said in [sentence, next] {
                assert!(said.ends_with('.') && !said.contains('«') && !said.contains('\u{a0}'), "{id}: {said}");
            }
            for fact in article.looks_at {
                let (french, english) = (name(Lang::French, fact.name), name(Lang::English, fact.name));
                assert!(french.is_some() && english.is_some(), "{id}: {}", fact.name);
                let both = ["profession"];
                assert!(french != english || both.contains(&fact.name), "{}: {french:?}", fact.name);
            }
        }
        assert_eq!(english::rule("X-99"), None);
    }
}
