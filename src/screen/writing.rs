//! Pages of what a holder writes: the editor, the page on which it is read again, what may be done with it later. Pure.

use crate::record::note::Change;
use crate::say;
use crate::say::Both;
use crate::say::Lang;
use crate::say::both;
use crate::screen::before;
use crate::screen::labels;
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
    let lang = visit.lang();
    let documents = || bar(lang.pick("Documents", "Documents"));
    match &writing.step {
        WritingStep::AskingDesk { .. } => {
            Body::Wait(wait(documents(), lang.pick("Votre brouillon…", "Your draft…"), ""))
        }
        WritingStep::ChoosingType { types } => Body::Choice(Choice {
            bar: documents(),
            title: say!(lang, "Quel document écrivez-vous ?", "Which document are you writing?"),
            sentence: say!(
                lang,
                "Seuls les types que la matrice ouvre à votre profession sont proposés.",
                "Only the types that the matrix opens to your profession are offered."
            ),
            lines: types
                .iter()
                .map(|code| ChoiceLine { label: french(labels::document_type(lang, code)), ..ChoiceLine::default() })
                .collect(),
        }),
        WritingStep::Typing { .. } => Body::Note(Note {
            bar: documents(),
            title: type_of(lang, writing),
            sentence: french(kept(lang, record)),
            begun: writing.begun.clone(),
            label: say!(lang, "Texte de la note", "Text of the note"),
            act_label: say!(lang, "Relire", "Read again"),
        }),
        WritingStep::Checking => Body::Check(Check {
            bar: bar(lang.pick("Texte", "Text")),
            title: say!(lang, "Relisez avant de déposer", "Read it again before adding it"),
            lead: type_of(lang, writing),
            text: writing.draft.text.trim().to_owned(),
            warning: french(ATTESTED.within(lang)),
            act_label: say!(lang, "Identité vérifiée : déposer", "Identity checked: add it"),
            is_grave: false,
        }),
        WritingStep::Depositing { .. } => Body::Wait(wait(
            bar(""),
            lang.pick("Votre note est enregistrée…", "Recording your note…"),
            lang.pick(
                "Le dépôt est inscrit dans l'historique du patient.",
                "It is being written into the patient’s history.",
            ),
        )),
        WritingStep::Deposited => Body::Wait(wait(
            documents(),
            lang.pick("Note enregistrée", "Note recorded"),
            &say!(lang, "{} Dites au patient ce que vous déposez.", "{} Tell the patient what you add.", leaves(visit)),
        )),
        WritingStep::Denied { decision } => Body::Why(denied(documents(), decision, visit, device)),
        WritingStep::Failed { trouble } => Body::Why(failed(
            lang,
            documents(),
            *trouble,
            lang.pick(
                "La note n'est pas déposée. Votre brouillon est gardé.",
                "The note is not added. Your draft is kept.",
            ),
        )),
    }
}

pub(super) fn managing(
    managing: &Managing,
    record: &page::Record,
    bar: impl Fn(&str) -> Bar,
    visit: &Visit,
    device: &DeviceFacts,
) -> Body {
    let lang = visit.lang();
    let Some(permitted) = record.documents.get(managing.place) else { return Body::Wait(Wait::default()) };
    let document = &permitted.document;
    let title = french(labels::document_type(lang, &document.type_code));
    match &managing.step {
        ManagingStep::Choosing => Body::Choice(Choice {
            bar: bar(lang.pick("Documents", "Documents")),
            title: say!(lang, "Que voulez-vous faire de ce document ?", "What do you want to do with this document?"),
            sentence: title,
            lines: record.acts(managing.place).into_iter().map(|act| line(lang, act)).collect(),
        }),
        ManagingStep::Confirming { change } => {
            let (what, consequence, act) = words_of(lang, *change);
            let day = words::date(lang, &words::local(document.service_start, &device.time_zone));
            Body::Check(Check {
                bar: bar(lang.pick("Annuler", "Cancel")),
                title: french(what),
                lead: say!(lang, "{title}, du {day}", "{title}, of {day}"),
                text: french(consequence),
                warning: String::new(),
                act_label: french(act),
                is_grave: matches!(
                    change,
                    Change::Withdraw | Change::RevealToPatient | Change::RevealToRepresentatives
                ),
            })
        }
        ManagingStep::Recording { .. } => Body::Wait(wait(
            bar(""),
            lang.pick("Votre choix est enregistré…", "Recording your choice…"),
            lang.pick(
                "Il est inscrit dans l'historique du patient.",
                "It is being written into the patient’s history.",
            ),
        )),
        ManagingStep::Done { .. } => Body::Wait(wait(
            bar(lang.pick("Documents", "Documents")),
            lang.pick("C'est enregistré", "Recorded"),
            leaves(visit),
        )),
        ManagingStep::Denied { decision } => {
            Body::Why(denied(bar(lang.pick("Documents", "Documents")), decision, visit, device))
        }
        ManagingStep::Failed { trouble } => Body::Why(failed(
            lang,
            bar(lang.pick("Documents", "Documents")),
            *trouble,
            lang.pick("Rien n'a changé.", "Nothing has changed."),
        )),
    }
}

fn wait(bar: Bar, title: &str, hint: &str) -> Wait {
    Wait { bar, title: french(title), hint: french(hint) }
}

fn type_of(lang: Lang, writing: &Writing) -> String {
    let label = writing.draft.type_code.as_ref().map_or("", |code| labels::document_type(lang, code));
    match writing.draft.replaces {
        Some(_) => say!(lang, "Nouvelle version : {label}", "New version: {label}"),
        None => french(label),
    }
}

fn kept(lang: Lang, record: &page::Record) -> &'static str {
    match record.here.holder.means {
        crate::identity::holder::Means::Card => lang.pick(
            "Brouillon gardé sur la borne, sous votre carte seule.",
            "Draft kept on the device, under your card alone.",
        ),
        crate::identity::holder::Means::ECps => lang.pick(
            "Sans carte, aucun brouillon n'est gardé : finissez ou quittez.",
            "Without a card, no draft is kept: finish or leave.",
        ),
    }
}

/// When what was finished will be upstream, as far as it can be told.
fn leaves(visit: &Visit) -> &'static str {
    let lang = visit.lang();
    match visit.standing.link {
        LinkState::Offline => lang.pick(
            "Hors ligne : l'envoi partira au retour du réseau, avec votre carte.",
            "Offline: it leaves when the network is back, with your card.",
        ),
        LinkState::Online | LinkState::Unknown => lang.pick(
            "L'envoi part maintenant ; la liste le montrera à la prochaine ouverture du dossier.",
            "It leaves now; the list will show it when the record is next opened.",
        ),
    }
}

fn line(lang: Lang, act: Act) -> ChoiceLine {
    let (label, hint, tone) = match act {
        Act::Replace => (
            lang.pick("Remplacer", "Replace"),
            lang.pick(
                "Écrire une nouvelle version ; celle-ci restera marquée comme remplacée.",
                "Write a new version; this one stays, marked as replaced.",
            ),
            Tone::Quiet,
        ),
        Act::Change(Change::Mask) => (
            lang.pick("Masquer aux professionnels", "Hide from professionals"),
            lang.pick(
                "Vous et le médecin traitant le verrez encore.",
                "You and the patient’s own doctor will still see it.",
            ),
            Tone::Quiet,
        ),
        Act::Change(Change::Show) => {
            (lang.pick("Rendre visible aux professionnels", "Make visible to professionals"), "", Tone::Quiet)
        }
        Act::Change(Change::RevealToPatient) => (
            lang.pick("Rendre visible au patient", "Make visible to the patient"),
            lang.pick("Après l'annonce ; sans retour possible.", "Once they have been told; it cannot be taken back."),
            Tone::Care,
        ),
        Act::Change(Change::RevealToRepresentatives) => (
            lang.pick("Rendre visible aux représentants légaux", "Make visible to the legal representatives"),
            lang.pick(
                "Si le patient mineur le veut ; sans retour possible.",
                "If the minor wants it; it cannot be taken back.",
            ),
            Tone::Care,
        ),
        Act::Change(Change::Archive) => (
            lang.pick("Archiver", "Archive"),
            lang.pick(
                "Il reste lisible, hors de la liste courante.",
                "It can still be read, outside the current list.",
            ),
            Tone::Quiet,
        ),
        Act::Change(Change::Restore) => (lang.pick("Sortir de l'archive", "Take out of the archive"), "", Tone::Quiet),
        Act::Change(Change::Withdraw) => (
            lang.pick("Retirer du dossier", "Withdraw from the record"),
            lang.pick(
                "Déposé par erreur : personne ne le verra plus.",
                "Added by mistake: nobody will see it any more.",
            ),
            Tone::Care,
        ),
    };
    ChoiceLine { label: french(label), hint: french(hint), tone }
}

/// The question, what follows from a yes, and the button.
fn words_of(lang: Lang, change: Change) -> (&'static str, &'static str, &'static str) {
    match change {
        Change::Mask => (
            lang.pick("Masquer ce document aux professionnels ?", "Hide this document from professionals?"),
            lang.pick("Les autres professionnels ne le verront plus. Vous, le médecin traitant et le patient le verrez encore. Ce choix peut être repris.", "Other professionals will not see it any more. You, the patient’s own doctor and the patient still will. This can be taken back."),
            lang.pick("Oui, masquer", "Yes, hide it"),
        ),
        Change::Show => (
            lang.pick("Rendre ce document visible ?", "Make this document visible?"),
            lang.pick("Les professionnels autorisés le verront de nouveau.", "Authorized professionals will see it again."),
            lang.pick("Oui, rendre visible", "Yes, make it visible"),
        ),
        Change::RevealToPatient => (
            lang.pick("Montrer ce document au patient ?", "Show this document to the patient?"),
            lang.pick("Le patient le verra dans Mon espace santé dès l'envoi. Ce choix ne peut pas être repris : l'annonce doit être faite.", "The patient will see it in Mon espace santé once it is sent. This cannot be taken back: they must have been told."),
            lang.pick("Oui, le montrer", "Yes, show it"),
        ),
        Change::RevealToRepresentatives => (
            lang.pick("Montrer ce document aux représentants légaux ?", "Show this document to the legal representatives?"),
            lang.pick("Ils le verront dans Mon espace santé dès l'envoi. Ce choix ne peut pas être repris : c'est au patient mineur de le vouloir.", "They will see it in Mon espace santé once it is sent. This cannot be taken back: it is for the minor to want it."),
            lang.pick("Oui, le montrer", "Yes, show it"),
        ),
        Change::Archive => (
            lang.pick("Archiver ce document ?", "Archive this document?"),
            lang.pick("Il sera marqué comme archivé et restera lisible. Ce choix peut être repris.", "It will be marked as archived and can still be read. This can be taken back."),
            lang.pick("Oui, archiver", "Yes, archive it"),
        ),
        Change::Restore => {
            (lang.pick("Sortir ce document de l'archive ?", "Take this document out of the archive?"), lang.pick("Il reviendra dans la liste courante.", "It comes back into the current list."), lang.pick("Oui, sortir de l'archive", "Yes, take it out"))
        }
        Change::Withdraw => (
            lang.pick("Retirer ce document du dossier ?", "Withdraw this document from the record?"),
            lang.pick("Personne ne le verra plus, le patient non plus. Ce choix ne peut pas être repris : il faudrait déposer une nouvelle note.", "Nobody will see it any more, nor will the patient. This cannot be taken back: a new note would have to be added."),
            lang.pick("Oui, retirer", "Yes, withdraw it"),
        ),
    }
}

fn denied(bar: Bar, decision: &crate::policy::Decision, visit: &Visit, device: &DeviceFacts) -> Why {
    let lang = visit.lang();
    let reason = reasons::one(decision, String::new(), visit, &device.time_zone);
    Why {
        bar,
        title: say!(lang, "Ce dépôt n'est pas possible.", "This cannot be added."),
        pill: before::care(lang.pick("Refusé par la règle", "Refused by the rule")),
        reasons: vec![reason],
    }
}

fn failed(lang: Lang, bar: Bar, trouble: Trouble, what_stands: &str) -> Why {
    let Notice { happened, next, code } = before::notice(lang, trouble);
    let reason = crate::screen::view::Reason { sentence: happened, next, about: String::new(), detail: code };
    Why {
        bar,
        title: french(what_stands),
        pill: before::care(lang.pick("Pas enregistré", "Not recorded")),
        reasons: vec![reason],
    }
}

/// EX_GEN-1255: what the holder says by pressing the button.
const ATTESTED: Both = both(
    "En déposant, vous attestez que l'identité est qualifiée : INS obtenu par le téléservice INSi et pièce d'identité vérifiée. Le document portera votre nom.",
    "By adding it, you attest that the identity is qualified: INS obtained from the INSi service and identity paper checked. The document will bear your name.",
);
