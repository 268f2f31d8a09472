//! The light and « À régler »: what waits and since when, what was refused, why, and what to do about it. Pure.
//!
//! Green is one thing only: every item is acknowledged. Amber waits, red was refused; "hors ligne" is no fault and has no
//! colour of its own.

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
pub(super) fn waiting(waiting: Option<Waiting>, now: Now) -> Pill {
    let quiet = |text: &str| Pill { text: french(text), tone: Tone::Quiet };
    let Some(Waiting { traces, consents, contributions, set_aside, oldest }) = waiting else {
        return quiet("Vérification des envois…");
    };
    let all = traces + consents + contributions;
    if all == 0 {
        return match set_aside {
            0 => Pill { text: "Tout est transmis".to_owned(), tone: Tone::Good },
            _ => quiet("Rien n'attend l'envoi"),
        };
    }
    let what = if all == traces {
        words::count(traces, "trace", "traces")
    } else if all == consents {
        words::count(consents, "accord", "accords")
    } else if all == contributions {
        words::count(contributions, "note", "notes")
    } else {
        words::count(all, "envoi", "envois")
    };
    let care = |text: String| Pill { text: french(&text), tone: Tone::Care };
    let age = oldest.map(|oldest| words::age(oldest, now)).filter(|age| !age.is_empty());
    match age {
        Some(age) => care(format!("{what} en attente · {age}")),
        None => care(format!("{what} en attente")),
    }
}

/// Red, and only where something was refused.
pub(super) fn set_aside(waiting: Option<Waiting>) -> Option<Pill> {
    let refused = waiting.map_or(0, |waiting| waiting.set_aside);
    let text = || words::count(refused, "envoi refusé", "envois refusés");
    (refused > 0).then(|| Pill { text: text(), tone: Tone::Stopped })
}

/// The way to the tray; empty where nothing is to be settled.
pub(super) fn offer(waiting: Option<Waiting>) -> String {
    match waiting.map_or(0, |waiting| waiting.set_aside) {
        0 => String::new(),
        some => french(&format!("À régler ({some})")),
    }
}

pub(super) fn page(refused: &[Refused], now: Now, device: &DeviceFacts) -> Tray {
    let rows: Vec<TrayRow> = refused.iter().map(|item| row(item, now, device)).collect();
    Tray {
        title: french("À régler"),
        sentence: french(
            "Le serveur a refusé ces envois. Rien n'est perdu, et rien n'est bloqué : le reste continue de partir.",
        ),
        empty: if rows.is_empty() { french("Rien à régler : aucun envoi n'est refusé.") } else { String::new() },
        rows,
        back: french("Tournée"),
    }
}

fn row(item: &Refused, now: Now, device: &DeviceFacts) -> TrayRow {
    let what = match item.kind {
        RefusedKind::Trace => "Trace d'accès",
        RefusedKind::Consent => "Accord ou refus d'un patient",
        RefusedKind::Contribution => "Note ou changement d'un document",
    };
    let since = words::moment(item.since, now, &device.time_zone);
    let title = french(&format!("{what} · refusé depuis {since}"));
    let (next, may_send) = next(&item.code);
    let next = french(next);
    // The number by which IT finds it again (`chevet sync status`).
    let code = format!("{} · {}", item.code, &item.id.to_string()[24..]);
    let label = format!("{title}, {}, {next}, {code}", item.reason);
    TrayRow { title, reason: item.reason.clone(), next, code, act_label: send_label(may_send), label }
}

fn send_label(may_send: bool) -> String {
    if may_send { "Renvoyer".to_owned() } else { String::new() }
}

/// What to do, by the server's own code or the HTTP status; and whether sending again may help.
fn next(code: &str) -> (&'static str, bool) {
    match code {
        "damaged-here" => ("Illisible sur cette borne : donnez ce numéro à l'informatique.", false),
        "record-closed" | "professional-blocked" | "authorization-missing" => {
            ("Vérifiez le dossier avec le patient, puis renvoyez.", true)
        }
        "too-large" | "too-long" | "413" => {
            ("Trop long pour le serveur : écrivez plus court dans une nouvelle note.", false)
        }
        "not-found" | "404" | "conflict" | "412" => {
            ("Le document a changé sur le serveur : rouvrez le dossier, puis renvoyez.", true)
        }
        "request-invalid" | "invalid" | "structure" | "400" | "415" => {
            ("Le serveur ne comprend pas cet envoi : donnez ce numéro à l'informatique.", true)
        }
        _ => ("Corrigez ce que dit le serveur et renvoyez ; refusé encore, donnez ce numéro à l'informatique.", true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let pills = std::iter::once(waiting(all, now())).chain(set_aside(all));
        pills.map(|pill| (pill.tone, pill.text)).collect()
    }

    #[test]
    fn green_is_said_only_when_nothing_at_all_is_left() {
        assert_eq!(light(0, 0, 0, 0), [(Tone::Good, "Tout est transmis".into())]);
        assert_eq!((waiting(None, now()).tone, set_aside(None)), (Tone::Quiet, None), "before anybody has looked");
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
        for (code, may_send) in [("refused", true), ("413", false), ("damaged-here", false), ("400", true), ("", true)]
        {
            let item = Refused {
                id: Uuid::from_u128(7),
                kind: RefusedKind::Contribution,
                since: AT,
                code: code.into(),
                reason: "Le dossier est fermé.".into(),
            };
            let device = DeviceFacts {
                site_name: String::new(),
                software: String::new(),
                key_provider: String::new(),
                time_zone: "Europe/Paris".into(),
                has_scanner: true,
            };
            let tray = page(&[item], now(), &device);
            let row = &tray.rows[0];
            assert!(!row.next.is_empty() && row.reason == "Le dossier est fermé.", "{code}");
            assert_eq!(row.act_label.is_empty(), !may_send, "{code}");
            assert!(row.code.ends_with("000000000007"), "{}", row.code);
        }
    }
}
