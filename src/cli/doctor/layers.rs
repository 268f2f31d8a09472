//! The layers, one after the other.

use crate::card;
use crate::card::CardContents;
use crate::card::Generation;
use crate::card::service;
use crate::card::service::Holds;
use crate::card::service::Slot;
use crate::cli;
use crate::cli::doctor::Desk;
use crate::cli::doctor::Line;
use crate::cli::doctor::usb;
use crate::cli::doctor::usb::UsbReader;
use crate::identity::certificate::Certificate;
use crate::identity::crl::Crls;
use crate::identity::trust;
use crate::identity::trust::Age;
use crate::identity::trust::ListPolicy;
use crate::kiosk::trusted;
use crate::kiosk::trusted::Trust;
use crate::time::BUILT_AFTER;
use crate::time::UnixSeconds;
use crate::time::Wall;
use std::os::unix::net::UnixStream;

/// Authorities and lists as they could be read.
pub(super) type Trusted = Result<(Crls, Trust), trusted::Error>;

/// From the bus to the card's application. What the card says, when all of it stands.
pub(super) fn hardware(desk: &Desk<'_>, lines: &mut Vec<Line>) -> Option<CardContents> {
    let on_bus = usb::readers(&desk.usb);
    let slots = match service(desk, lines) {
        Ok(slots) => slots,
        Err(()) => {
            // What lies below a service that does not answer is said too: it may be why.
            lines.splice(0..0, bus(&on_bus, &[]));
            return None;
        }
    };
    lines.splice(0..0, bus(&on_bus, &slots));
    if lines.iter().any(|line| !line.ok && line.layer == "usb") {
        return None;
    }
    if slots.is_empty() {
        lines.push(driver(desk));
        return None;
    }
    let slot = reader(desk, &slots, lines)?;
    if !card_in(slot, lines) {
        return None;
    }
    application(desk, lines)
}

/// Is a reader plugged in? One that is not on this bus (serial, virtual) is seen by the service alone.
fn bus(on_bus: &std::io::Result<Vec<UsbReader>>, slots: &[Slot]) -> Vec<Line> {
    match on_bus {
        Ok(found) if !found.is_empty() => {
            let names: Vec<String> = found.iter().map(|reader| format!("{} ({})", reader.product, reader.id)).collect();
            vec![Line::good("usb", format!("a reader is plugged in: {}", names.join(", ")))]
        }
        _ if !slots.is_empty() => {
            vec![Line::good("usb", "no reader on the USB bus; the service has one by another way")]
        }
        Ok(_) => vec![Line::bad(
            "usb",
            "no smart-card reader (USB class 0b, CCID) is plugged in",
            "Plug the reader in, or try another port and cable. A reader that is plugged in and not seen here is no CCID \
             reader, and cannot be used.",
        )],
        Err(error) => vec![Line::bad("usb", format!("the USB bus cannot be listed: {error}"), "Look with lsusb.")],
    }
}

/// A reader is plugged in and the service has none of it.
fn driver(desk: &Desk<'_>) -> Line {
    if desk.driver.exists() {
        let what = "a reader is plugged in, and the service's CCID driver does not take it";
        let next =
            "Compare its numbers with the list of https://ccid.apdu.fr/; restart pcscd after a change of libccid.";
        Line::bad("driver", what, next)
    } else {
        let what = format!("the CCID driver is not installed ({})", desk.driver.display());
        Line::bad("driver", what, "Install the Debian package libccid, then restart pcscd.")
    }
}

/// Does the service answer, and does it answer us?
fn service(desk: &Desk<'_>, lines: &mut Vec<Line>) -> Result<Vec<Slot>, ()> {
    if let Err(error) = UnixStream::connect(&desk.socket) {
        let what = format!("the smart-card service does not listen at {}: {}", desk.socket.display(), error.kind());
        lines.push(Line::bad("pcscd", what, "systemctl start pcscd.socket, and look at journalctl -u pcscd."));
        return Err(());
    }
    match service::slots() {
        Ok(slots) => {
            lines.push(Line::good("pcscd", "the smart-card service answers"));
            lines.push(Line::good("polkit", "this user may ask it for readers"));
            Ok(slots)
        }
        // It listens, and hangs up on us before its first word: that is how pcscd turns away whom polkit refuses.
        Err(card::Error::ServiceDown) => {
            lines.push(Line::good("pcscd", "the smart-card service listens"));
            lines.push(Line::bad("polkit", "the service hangs up on this user, as it does when polkit refuses", ALLOW));
            Err(())
        }
        Err(error) => {
            lines.push(Line::bad(
                "pcscd",
                error.to_string(),
                "systemctl restart pcscd, and look at journalctl -u pcscd.",
            ));
            Err(())
        }
    }
}

/// The reader that the settings name, or the first that holds a card, or the first.
fn reader<'a>(desk: &Desk<'_>, slots: &'a [Slot], lines: &mut Vec<Line>) -> Option<&'a Slot> {
    let wanted = desk.config.reader.name.as_deref();
    let fits: Vec<&Slot> = slots.iter().filter(|slot| wanted.is_none_or(|name| slot.name.contains(name))).collect();
    let Some(first) = fits.first() else {
        let there: Vec<&str> = slots.iter().map(|slot| slot.name.as_str()).collect();
        let what = format!("no reader has reader.name in its name; there are: {}", there.join(", "));
        lines.push(Line::bad("reader", what, "Correct reader.name in the settings, or plug that reader in."));
        return None;
    };
    let slot = fits.iter().find(|slot| slot.holds != Holds::Nothing).unwrap_or(first);
    lines.push(Line::good("reader", slot.name.clone()));
    Some(slot)
}

/// Is a CPS in it that can be spoken to?
fn card_in(slot: &Slot, lines: &mut Vec<Line>) -> bool {
    let line = match &slot.holds {
        Holds::Nothing => Line::bad("card", "no card is in the reader", "Put a CPS in, chip first."),
        Holds::MuteCard => {
            let next = "Turn it over, wipe the chip, push it home; then try another card, then another reader.";
            Line::bad("card", "a card is in, and does not answer", next)
        }
        Holds::Card { is_held: true, .. } => Line::bad(
            "card",
            "another program holds the card, as a kiosk does for a whole visit",
            "End the visit on the screen, or stop the other program, and ask again.",
        ),
        Holds::Card { atr, .. } => match Generation::of(atr) {
            Generation::Contactless => Line::bad(
                "card",
                "the card was presented without contact",
                "Put it into the slot: without contact it proves possession only.",
            ),
            Generation::Unknown => {
                let what = format!("a card is in, and is no CPS (ATR {})", hex::encode_upper(atr));
                Line::bad("card", what, "Put a CPS in, not a Vitale or bank card.")
            }
            generation if generation.is_untried() => {
                let what = format!("a card of generation {}, not yet verified with a real card", generation.name());
                Line::good("card", what)
            }
            generation => Line::good("card", format!("a card of generation {}", generation.name())),
        },
    };
    let ok = line.ok;
    lines.push(line);
    ok
}

/// Does the card's application give an authentication certificate? Reads it, without the PIN.
fn application(desk: &Desk<'_>, lines: &mut Vec<Line>) -> Option<CardContents> {
    let why = match cli::card::contents(desk.config) {
        Ok(contents) => {
            say_of_polkit(lines, Line::good("polkit", "this user may use readers and cards"));
            lines.push(Line::good("application", "the CPS application gives an authentication certificate"));
            return Some(contents);
        }
        // Whoever may list readers may be refused their cards: only a connection tells.
        Err(card::Error::Forbidden) => {
            say_of_polkit(lines, Line::bad("polkit", card::Error::Forbidden.to_string(), ALLOW));
            return None;
        }
        Err(why) => why,
    };
    let next = match why {
        card::Error::Cps4 => "Use a CPS3, or read in the manual how CPS4 is switched on.",
        card::Error::NoApplication | card::Error::NoCertificate | card::Error::Unreadable { .. } => {
            "Try another card. If others work, this one is to be replaced."
        }
        _ => "Take the card out and put it in again; then try another card, then another reader.",
    };
    lines.push(Line::bad("application", why.to_string(), next));
    None
}

/// In the place of what was said of it before the card was connected.
fn say_of_polkit(lines: &mut [Line], line: Line) {
    if let Some(said) = lines.iter_mut().find(|said| said.layer == line.layer) {
        *said = line;
    }
}

/// Whom the card names, and whether that can be believed today.
pub(super) fn identity(desk: &Desk<'_>, contents: &CardContents, trusted: &Trusted, lines: &mut Vec<Line>) {
    let certificate = match Certificate::parse(&contents.certificate) {
        Ok(certificate) => certificate,
        Err(error) => {
            lines.push(Line::bad("certificate", error.to_string(), "This card is to be replaced."));
            return;
        }
    };
    let (crls, trust) = match trusted {
        Ok(whole) => whole,
        Err(error) => return lines.push(unreadable(error)),
    };
    // Judged on its own last day: whether today is within its dates is the next line.
    if let Err(error) = trust::verify_past(&certificate, &trust.anchors, Wall::Is(certificate.not_after())) {
        let next = "Compare its issuer (chevet card show) with the authorities (chevet trust list).";
        return lines.push(Line::bad("certificate", error.to_string(), next));
    }
    let verdict = trust::verify(&certificate, &trust.anchors, crls, desk.now);
    match verdict {
        Err(trust::Error::Revoked) => {
            let next = "The holder must use their new card.";
            return lines.push(Line::bad("certificate", trust::Error::Revoked.to_string(), next));
        }
        _ => lines.push(Line::good("certificate", "issued for authentication by an authority that is trusted here")),
    }
    let date = date(desk, Some(&certificate), &verdict);
    let dated = date.ok;
    lines.push(date);
    if dated {
        lines.push(revocations(&verdict, crls, trust, desk.now));
    }
}

/// Without a card: the device's own date, the authorities and their lists.
pub(super) fn standing(desk: &Desk<'_>, trusted: &Trusted, lines: &mut Vec<Line>) {
    match trusted {
        Err(error) => lines.push(unreadable(error)),
        Ok((crls, trust)) => {
            lines.push(Line::good(
                "certificate",
                format!("{} authorities are trusted", trust.anchors.authorities().len()),
            ));
            lines.push(date(desk, None, &Err(trust::Error::CrlMissing)));
            lines.push(newest(crls, trust, desk.now, "no revocation list is here yet"));
        }
    }
}

fn unreadable(error: &trusted::Error) -> Line {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    Line::bad("certificate", format!("{error}{cause}"), "Correct [trust] in the settings.")
}

fn date(desk: &Desk<'_>, certificate: Option<&Certificate>, verdict: &Result<trust::Verified, trust::Error>) -> Line {
    let now = desk.now.value();
    match (certificate, verdict) {
        _ if now < BUILT_AFTER => {
            let what = format!("the device's clock says {}, before this program was built", now.rfc3339());
            Line::bad("date", what, "Connect the network so that the clock is set; then replace the clock's battery.")
        }
        (Some(card), Err(trust::Error::Expired)) => {
            Line::bad("date", "the card has expired", "The holder must use their new card.").since(card.not_after())
        }
        (Some(card), Err(trust::Error::NotYetValid)) => {
            let what = format!(
                "the card is valid from {}, and the device's clock says {}",
                card.not_before().rfc3339(),
                now.rfc3339()
            );
            Line::bad("date", what, "If the clock is wrong, connect the network so that it is set.")
        }
        (Some(card), _) => Line::good("date", format!("the card is valid until {}", card.not_after().rfc3339())),
        (None, _) => Line::good("date", format!("the device's clock says {}", now.rfc3339())),
    }
}

fn revocations(verdict: &Result<trust::Verified, trust::Error>, crls: &Crls, trust: &Trust, now: Wall) -> Line {
    let age = |age_s: i64| UnixSeconds(now.value().0 - age_s);
    match verdict {
        Ok(verified) => {
            let line = aged(verified.crl_age_s, crls.policy()).since(age(verified.crl_age_s));
            Line { what: format!("{}{}", line.what, of_authorities(crls, trust)), ..line }
        }
        Err(trust::Error::CrlTooOld { .. }) => newest(crls, trust, now, "the revocation list is too old"),
        Err(error) => Line::bad("crl", error.to_string(), FETCH),
    }
}

/// Without a card it is not known whose list will be asked: the newest one says when the network was last of use.
fn newest(crls: &Crls, trust: &Trust, now: Wall, none: &str) -> Line {
    let newest = crls.signed(&trust.anchors).map(|(_, at, _)| at).max();
    match newest {
        None => Line::bad("crl", none, FETCH),
        Some(at) => aged((now.value().0 - at.0).max(0), crls.policy()).since(at),
    }
}

/// P9: whoever is not asked about is named.
fn of_authorities(crls: &Crls, trust: &Trust) -> String {
    match crls.unspoken_for(&trust.anchors).count() {
        0 => String::new(),
        count => format!("; whether {count} authorities were revoked is not known here (chevet trust list)"),
    }
}

fn aged(age_s: i64, policy: ListPolicy) -> Line {
    let days = age_s / 86_400;
    match policy.age(age_s) {
        Age::TooOld => Line::bad("crl", format!("the revocation list is {days} days old: no card is taken"), FETCH),
        Age::Tolerated => Line {
            next: Some(FETCH.to_owned()),
            ..Line::good(
                "crl",
                format!("the revocation list is {days} days old: tolerated up to {}", policy.tolerated_days),
            )
        },
        Age::Fresh => Line::good("crl", format!("the revocation list is {days} days old")),
    }
}

const ALLOW: &str = "Allow org.debian.pcsc-lite.access_pcsc and access_card for the kiosk's user in /etc/polkit-1/rules.d; \
                     journalctl -u pcscd says whether it was that.";
const FETCH: &str = "Connect the network and run chevet trust refresh; it names the address that does not answer.";
