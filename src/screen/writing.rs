//! Pages of what a holder writes: the editor, the page on which it is read again, what may be done with it later. Pure.

use crate::policy::nomenclature;
use crate::record::note::Change;
use crate::screen::before;
use crate::screen::reasons;
use crate::screen::view::Bar;
use crate::screen::view::Body;
use crate::screen::view::Check;
use crate::screen::view::Choice;
use crate::screen::view::ChoiceLine;
use crate::screen::view::DeviceFacts;
use crate::screen::view::Note;
use crate::screen::view::Notice;
use crate::screen::view::Tone;
use crate::screen::view::Wait;
use crate::screen::view::Why;
use crate::screen::words;
use crate::screen::words::french;
use crate::trouble::Trouble;
use crate::visit::Visit;
use crate::visit::event::LinkState;
use crate::visit::managing::Act;
use crate::visit::page;
use crate::visit::page::writing::Managing;
use crate::visit::page::writing::ManagingStep;
use crate::visit::page::writing::Writing;
use crate::visit::page::writing::WritingStep;

pub(super) fn writing(
    writing: &Writing,
    record: &page::Record,
    bar: impl Fn(&str) -> Bar,
    visit: &Visit,
    device: &DeviceFacts,
) -> Body {
    let documents = || bar("Documents");
    match &writing.step {
        WritingStep::AskingDesk { .. } => Body::Wait(wait(documents(), "Votre brouillon…", "")),
        WritingStep::ChoosingType { types } => Body::Choice(Choice {
            bar: documents(),
            title: french("Quel document écrivez-vous ?"),
            sentence: french("Seuls les types que la matrice ouvre à votre profession sont proposés."),
            lines: types
                .iter()
                .map(|code| ChoiceLine { label: french(nomenclature::type_label(code)), ..ChoiceLine::default() })
                .collect(),
        }),
        WritingStep::Typing { .. } => Body::Note(Note {
            bar: documents(),
            title: type_of(writing),
            sentence: french(kept(record)),
            begun: writing.begun.clone(),
            label: french("Texte de la note"),
            act_label: french("Relire"),
        }),
        WritingStep::Checking => Body::Check(Check {
            bar: bar("Texte"),
            title: french("Relisez avant de déposer"),
            lead: type_of(writing),
            text: writing.draft.text.trim().to_owned(),
            warning: french(ATTESTED),
            act_label: french("Identité vérifiée : déposer"),
            is_grave: false,
        }),
        WritingStep::Depositing { .. } => Body::Wait(wait(
            bar(""),
            "Votre note est enregistrée…",
            "Le dépôt est inscrit dans l'historique du patient.",
        )),
        WritingStep::Deposited => Body::Wait(wait(
            documents(),
            "Note enregistrée",
            &format!("{} Dites au patient ce que vous déposez.", leaves(visit)),
        )),
        WritingStep::Denied { decision } => Body::Why(denied(documents(), decision, visit, device)),
        WritingStep::Failed { trouble } => {
            Body::Why(failed(documents(), *trouble, "La note n'est pas déposée. Votre brouillon est gardé."))
        }
    }
}

pub(super) fn managing(
    managing: &Managing,
    record: &page::Record,
    bar: impl Fn(&str) -> Bar,
    visit: &Visit,
    device: &DeviceFacts,
) -> Body {
    let Some(permitted) = record.documents.get(managing.place) else { return Body::Wait(Wait::default()) };
    let document = &permitted.document;
    let title = french(nomenclature::type_label(&document.type_code));
    match &managing.step {
        ManagingStep::Choosing => Body::Choice(Choice {
            bar: bar("Documents"),
            title: french("Que voulez-vous faire de ce document ?"),
            sentence: title,
            lines: record.acts(managing.place).into_iter().map(line).collect(),
        }),
        ManagingStep::Confirming { change } => {
            let (what, consequence, act) = words_of(*change);
            let day = words::date(&words::local(document.service_start, &device.time_zone));
            Body::Check(Check {
                bar: bar("Annuler"),
                title: french(what),
                lead: french(&format!("{title}, du {day}")),
                text: french(consequence),
                warning: String::new(),
                act_label: french(act),
                is_grave: matches!(
                    change,
                    Change::Withdraw | Change::RevealToPatient | Change::RevealToRepresentatives
                ),
            })
        }
        ManagingStep::Recording { .. } => {
            Body::Wait(wait(bar(""), "Votre choix est enregistré…", "Il est inscrit dans l'historique du patient."))
        }
        ManagingStep::Done { .. } => Body::Wait(wait(bar("Documents"), "C'est enregistré", leaves(visit))),
        ManagingStep::Denied { decision } => Body::Why(denied(bar("Documents"), decision, visit, device)),
        ManagingStep::Failed { trouble } => Body::Why(failed(bar("Documents"), *trouble, "Rien n'a changé.")),
    }
}

fn wait(bar: Bar, title: &str, hint: &str) -> Wait {
    Wait { bar, title: french(title), hint: french(hint) }
}

fn type_of(writing: &Writing) -> String {
    let label = writing.draft.type_code.as_ref().map_or("", nomenclature::type_label);
    match writing.draft.replaces {
        Some(_) => french(&format!("Nouvelle version : {label}")),
        None => french(label),
    }
}

fn kept(record: &page::Record) -> &'static str {
    match record.here.holder.means {
        crate::identity::holder::Means::Card => "Brouillon gardé sur la borne, sous votre carte seule.",
        crate::identity::holder::Means::ECps => "Sans carte, aucun brouillon n'est gardé : finissez ou quittez.",
    }
}

/// When what was finished will be upstream, as far as it can be told.
fn leaves(visit: &Visit) -> &'static str {
    match visit.standing.link {
        LinkState::Offline => "Hors ligne : l'envoi partira au retour du réseau, avec votre carte.",
        LinkState::Online | LinkState::Unknown => {
            "L'envoi part maintenant ; la liste le montrera à la prochaine ouverture du dossier."
        }
    }
}

fn line(act: Act) -> ChoiceLine {
    let (label, hint, tone) = match act {
        Act::Replace => {
            ("Remplacer", "Écrire une nouvelle version ; celle-ci restera marquée comme remplacée.", Tone::Quiet)
        }
        Act::Change(Change::Mask) => {
            ("Masquer aux professionnels", "Vous et le médecin traitant le verrez encore.", Tone::Quiet)
        }
        Act::Change(Change::Show) => ("Rendre visible aux professionnels", "", Tone::Quiet),
        Act::Change(Change::RevealToPatient) => {
            ("Rendre visible au patient", "Après l'annonce ; sans retour possible.", Tone::Care)
        }
        Act::Change(Change::RevealToRepresentatives) => (
            "Rendre visible aux représentants légaux",
            "Si le patient mineur le veut ; sans retour possible.",
            Tone::Care,
        ),
        Act::Change(Change::Archive) => ("Archiver", "Il reste lisible, hors de la liste courante.", Tone::Quiet),
        Act::Change(Change::Restore) => ("Sortir de l'archive", "", Tone::Quiet),
        Act::Change(Change::Withdraw) => {
            ("Retirer du dossier", "Déposé par erreur : personne ne le verra plus.", Tone::Care)
        }
    };
    ChoiceLine { label: french(label), hint: french(hint), tone }
}

/// The question, what follows from a yes, and the button.
fn words_of(change: Change) -> (&'static str, &'static str, &'static str) {
    match change {
        Change::Mask => (
            "Masquer ce document aux professionnels ?",
            "Les autres professionnels ne le verront plus. Vous, le médecin traitant et le patient le verrez encore. Ce choix peut être repris.",
            "Oui, masquer",
        ),
        Change::Show => (
            "Rendre ce document visible ?",
            "Les professionnels autorisés le verront de nouveau.",
            "Oui, rendre visible",
        ),
        Change::RevealToPatient => (
            "Montrer ce document au patient ?",
            "Le patient le verra dans Mon espace santé dès l'envoi. Ce choix ne peut pas être repris : l'annonce doit être faite.",
            "Oui, le montrer",
        ),
        Change::RevealToRepresentatives => (
            "Montrer ce document aux représentants légaux ?",
            "Ils le verront dans Mon espace santé dès l'envoi. Ce choix ne peut pas être repris : c'est au patient mineur de le vouloir.",
            "Oui, le montrer",
        ),
        Change::Archive => (
            "Archiver ce document ?",
            "Il sera marqué comme archivé et restera lisible. Ce choix peut être repris.",
            "Oui, archiver",
        ),
        Change::Restore => {
            ("Sortir ce document de l'archive ?", "Il reviendra dans la liste courante.", "Oui, sortir de l'archive")
        }
        Change::Withdraw => (
            "Retirer ce document du dossier ?",
            "Personne ne le verra plus, le patient non plus. Ce choix ne peut pas être repris : il faudrait déposer une nouvelle note.",
            "Oui, retirer",
        ),
    }
}

fn denied(bar: Bar, decision: &crate::policy::Decision, visit: &Visit, device: &DeviceFacts) -> Why {
    let reason = reasons::one(decision, String::new(), visit, &device.time_zone);
    Why {
        bar,
        title: french("Ce dépôt n'est pas possible."),
        pill: before::care("Refusé par la règle"),
        reasons: vec![reason],
    }
}

fn failed(bar: Bar, trouble: Trouble, what_stands: &str) -> Why {
    let Notice { happened, next, code } = before::notice(trouble);
    let reason = crate::screen::view::Reason { sentence: happened, next, about: String::new(), detail: code };
    Why { bar, title: french(what_stands), pill: before::care("Pas enregistré"), reasons: vec![reason] }
}

/// EX_GEN-1255: what the holder says by pressing the button.
const ATTESTED: &str = "En déposant, vous attestez que l'identité est qualifiée : INS obtenu par le téléservice INSi et pièce d'identité vérifiée. Le document portera votre nom.";
