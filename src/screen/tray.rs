//! The light and « À régler »: what waits and since when, what was refused, why, and what to do about it. Pure.
//!
//! Green is one thing only: every item is acknowledged. Amber waits, red was refused; "hors ligne" is no fault and has no
//! colour of its own.

use crate::identity::holder::HolderId;
use crate::say;
use crate::say::Lang;
use crate::screen::view::DeviceFacts;
use crate::screen::view::Pill;
use crate::screen::view::Tone;
use crate::screen::view::Tray;
use crate::screen::view::TrayRow;
use crate::screen::words;
use crate::screen::words::french;
use crate::time::Now;
use crate::visit::event::Refused;
use crate::visit::event::RefusedKind;
use crate::visit::event::Waiting;

/// "Tout est transmis" is the only green light, and only when nothing at all is left here.
pub(super) fn waiting(lang: Lang, waiting: Option<Waiting>, now: Now) -> Pill {
    let quiet = |text: &str| Pill { text: french(text), tone: Tone::Quiet };
    let Some(Waiting { traces, consents, contributions, set_aside, oldest }) = waiting else {
        return quiet(lang.pick("Vérification des envois…", "Checking what is to be sent…"));
    };
    let all = traces + consents + contributions;
    if all == 0 {
        return match set_aside {
            0 => Pill { text: say!(lang, "Tout est transmis", "Everything is sent"), tone: Tone::Good },
            _ => quiet(lang.pick("Rien n'attend l'envoi", "Nothing waits to be sent")),
        };
    }
    let what = if all == traces {
        words::count(lang, traces, ["trace", "traces"], ["trace", "traces"])
    } else if all == consents {
        words::count(lang, consents, ["accord", "accords"], ["consent", "consents"])
    } else if all == contributions {
        words::count(lang, contributions, ["note", "notes"], ["note", "notes"])
    } else {
        words::count(lang, all, ["envoi", "envois"], ["item", "items"])
    };
    let care = |text: String| Pill { text: french(&text), tone: Tone::Care };
    let age = oldest.map(|oldest| words::age(lang, oldest, now)).filter(|age| !age.is_empty());
    match age {
        Some(age) => care(say!(lang, "{what} en attente · {age}", "{what} waiting · {age}")),
        None => care(say!(lang, "{what} en attente", "{what} waiting")),
    }
}

/// Red, and only where something was refused.
pub(super) fn set_aside(lang: Lang, waiting: Option<Waiting>) -> Option<Pill> {
    let refused = waiting.map_or(0, |waiting| waiting.set_aside);
    let text = || words::count(lang, refused, ["envoi refusé", "envois refusés"], ["item refused", "items refused"]);
    (refused > 0).then(|| Pill { text: text(), tone: Tone::Stopped })
}

/// The way to the tray; empty where nothing is to be settled.
pub(super) fn offer(lang: Lang, waiting: Option<Waiting>) -> String {
    match waiting.map_or(0, |waiting| waiting.set_aside) {
        0 => String::new(),
        some => say!(lang, "À régler ({some})", "To settle ({some})"),
    }
}

/// `here` is whoever looks: their own notes alone can be written anew by them.
pub(super) fn page(lang: Lang, refused: &[Refused], here: &HolderId, now: Now, device: &DeviceFacts) -> Tray {
    let rows: Vec<TrayRow> = refused.iter().map(|item| row(lang, item, here, now, device)).collect();
    Tray {
        title: say!(lang, "À régler", "To settle"),
        sentence: say!(
            lang,
            "Le serveur a refusé ces envois. Rien n'est perdu, et rien n'est bloqué : le reste continue de partir.",
            "The server refused these. Nothing is lost, and nothing is held up: the rest goes on being sent."
        ),
        empty: if rows.is_empty() {
            say!(lang, "Rien à régler : aucun envoi n'est refusé.", "Nothing to settle: nothing was refused.")
        } else {
            String::new()
        },
        rows,
        back: say!(lang, "Tournée", "Round"),
    }
}

fn row(lang: Lang, item: &Refused, here: &HolderId, now: Now, device: &DeviceFacts) -> TrayRow {
    let what = match item.kind {
        RefusedKind::Contribution if item.note_by.is_some() => lang.pick("Note", "Note"),
        RefusedKind::Contribution => lang.pick("Changement d'un document", "Change of a document"),
        RefusedKind::Trace => lang.pick("Trace d'accès", "Trace of an access"),
        RefusedKind::Consent => lang.pick("Accord ou refus d'un patient", "Consent or refusal of a patient"),
    };
    let since = words::moment(lang, item.since, now, &device.time_zone);
    let title = say!(lang, "{what} · refusé depuis {since}", "{what} · refused since {since}");
    let (next, may_send) = next(lang, &item.code);
    let may_correct = item.note_by.as_ref() == Some(here) && item.code != "damaged-here";
    let next = french(next);
    // The number by which IT finds it again (`chevet sync status`).
    let code = format!("{} · {}", item.code, &item.id.to_string()[24..]);
    let label = format!("{title}, {}, {next}, {code}", item.reason);
    let offered = |text: &str, may: bool| if may { text.to_owned() } else { String::new() };
    let (act_label, correct_label) = (
        offered(lang.pick("Renvoyer", "Send again"), may_send),
        offered(lang.pick("Corriger", "Correct"), may_correct),
    );
    TrayRow { title, reason: item.reason.clone(), next, code, act_label, correct_label, label }
}

/// What to do, by the server's own code or the HTTP status; and whether sending again may help.
fn next(lang: Lang, code: &str) -> (&'static str, bool) {
    match code {
        "damaged-here" => (
            lang.pick(
                "Illisible sur cette borne : donnez ce numéro à l'informatique.",
                "Unreadable on this device: give this number to IT.",
            ),
            false,
        ),
        "record-closed" | "professional-blocked" | "authorization-missing" => (
            lang.pick(
                "Vérifiez le dossier avec le patient, puis renvoyez.",
                "Check the record with the patient, then send again.",
            ),
            true,
        ),
        "too-large" | "too-long" | "413" => (
            lang.pick(
                "Trop long pour le serveur : son auteur la corrige, plus courte.",
                "Too long for the server: its author corrects it, shorter.",
            ),
            false,
        ),
        "not-found" | "404" | "conflict" | "412" => (
            lang.pick(
                "Le document a changé sur le serveur : rouvrez le dossier, puis renvoyez.",
                "The document changed on the server: open the record again, then send again.",
            ),
            true,
        ),
        "request-invalid" | "invalid" | "structure" | "400" | "415" => (
            lang.pick(
                "Le serveur ne comprend pas cet envoi : donnez ce numéro à l'informatique.",
                "The server does not understand this: give this number to IT.",
            ),
            true,
        ),
        _ => (
            lang.pick(
                "Corrigez ce que dit le serveur et renvoyez ; refusé encore, donnez ce numéro à l'informatique.",
                "Correct what the server says and send again; refused again, give this number to IT.",
            ),
            true,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::say::Both;
    use crate::time::UnixSeconds;
    use crate::time::Wall;
    use std::time::Duration;
    use uuid::Uuid;

    const AT: UnixSeconds = UnixSeconds(1_795_423_320);

    fn now() -> Now {
        Now { since_boot: Duration::from_secs(9), wall: Wall::Is(AT.plus(7_200)) }
    }

    fn light(traces: u32, consents: u32, contributions: u32, refused: u32) -> Vec<(Tone, String)> {
        let all = Some(Waiting { traces, consents, contributions, set_aside: refused, oldest: Some(AT) });
        let pills = std::iter::once(waiting(Lang::French, all, now())).chain(set_aside(Lang::French, all));
        pills.map(|pill| (pill.tone, pill.text)).collect()
    }

    #[test]
    fn green_is_said_only_when_nothing_at_all_is_left() {
        assert_eq!(light(0, 0, 0, 0), [(Tone::Good, "Tout est transmis".into())]);
        assert_eq!(
            (waiting(Lang::French, None, now()).tone, set_aside(Lang::French, None)),
            (Tone::Quiet, None),
            "before anybody has looked"
        );
        for (at, counts) in
            [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [2, 3, 4, 5]].into_iter().enumerate()
        {
            let [traces, consents, notes, refused] = counts;
            let said = light(traces, consents, notes, refused);
            assert!(said.iter().all(|(tone, _)| *tone != Tone::Good), "{at}: {said:?}");
            assert_eq!(said[0].0 == Tone::Care, traces + consents + notes > 0, "{at}: amber waits");
            assert_eq!(said.iter().any(|(tone, _)| *tone == Tone::Stopped), refused > 0, "{at}: red was refused");
        }
        assert!(light(0, 0, 2, 0)[0].1.starts_with("2\u{a0}notes en attente"), "{:?}", light(0, 0, 2, 0));
    }

    #[test]
    fn every_refusal_has_a_reason_and_a_next_step_and_none_is_deleted() {
        let (author, other) = (HolderId("899700000001".into()), HolderId("899700000002".into()));
        for (code, may_send) in [("refused", true), ("413", false), ("damaged-here", false), ("400", true), ("", true)]
        {
            let item = Refused {
                id: Uuid::from_u128(7),
                kind: RefusedKind::Contribution,
                since: AT,
                code: code.into(),
                reason: "Le dossier est fermé.".into(),
                note_by: Some(author.clone()),
            };
            let device = DeviceFacts {
                site_name: String::new(),
                software: String::new(),
                key_provider: Both::default(),
                time_zone: "Europe/Paris".into(),
                has_scanner: true,
                in_force: Default::default(),
            };
            let of_another = page(Lang::French, std::slice::from_ref(&item), &other, now(), &device);
            assert_eq!(of_another.rows[0].correct_label, "", "{code}: nobody writes under another's name");
            let tray = page(Lang::French, &[item], &author, now(), &device);
            let row = &tray.rows[0];
            assert_eq!(row.correct_label.is_empty(), code == "damaged-here", "{code}");
            assert!(!row.next.is_empty() && row.reason == "Le dossier est fermé.", "{code}");
            assert_eq!(row.act_label.is_empty(), !may_send, "{code}");
            assert!(row.code.ends_with("000000000007"), "{}", row.code);
        }
    }
}
