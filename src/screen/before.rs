//! Pages before a record is open: idle, card, PIN, home, gate, and the page that asks for the card back.

use crate::identity::holder::Holder;
use crate::identity::holder::Means;
use crate::identity::holder::Situation;
use crate::identity::trust::Verified;
use crate::identity::trust::Warning;
use crate::journal::allowance::Allowance;
use crate::journal::allowance::Left;
use crate::patient::ins::Patient;
use crate::patient::ins::Sex;
use crate::say;
use crate::say::Both;
use crate::say::Lang;
use crate::say::both;
use crate::screen::labels;
use crate::screen::leaves;
use crate::screen::phone;
use crate::screen::reasons;
use crate::screen::tray;
use crate::screen::view::Bar;
use crate::screen::view::Choice;
use crate::screen::view::ChoiceLine;
use crate::screen::view::DeviceFacts;
use crate::screen::view::Duty;
use crate::screen::view::Home;
use crate::screen::view::Idle;
use crate::screen::view::Notice;
use crate::screen::view::Pill;
use crate::screen::view::Pin;
use crate::screen::view::RoundRow;
use crate::screen::view::Tone;
use crate::screen::view::Trouble as TroublePage;
use crate::screen::view::Wait;
use crate::screen::words;
use crate::screen::words::french;
use crate::time::Now;
use crate::time::UnixSeconds;
use crate::trouble::Trouble;
use crate::visit;
use crate::visit::Visit;
use crate::visit::event::CardRead;
use crate::visit::event::Disk;
use crate::visit::event::LinkState;
use crate::visit::event::ReaderState;
use crate::visit::event::RoundEntry;
use crate::visit::page;
use crate::visit::page::Standing;
use crate::visit::step;

pub(super) fn idle(visit: &Visit, now: Now, device: &DeviceFacts) -> Idle {
    let lang = visit.lang();
    let at = words::local(now.wall.value(), &device.time_zone);
    let mut pills = vec![tray::waiting(lang, visit.standing.waiting, now)];
    pills.extend(tray::set_aside(lang, visit.standing.waiting));
    pills.extend(allowance(lang, &visit.standing.allowance, now));
    pills.extend(disk(lang, visit.standing.disk, now));
    let (title, hint) = match visit.standing.reader {
        ReaderState::Ready => {
            pills.push(quiet(lang.pick("Lecteur prêt", "Reader ready")));
            (
                say!(lang, "Insérez votre carte CPS", "Insert your CPS card"),
                say!(lang, "puce vers le haut, jusqu'au bout", "chip up, all the way in"),
            )
        }
        ReaderState::Absent => {
            let words = Trouble::NoReader.words_in(lang);
            pills.push(care(words.name));
            (words.happened.to_owned(), words.next.to_owned())
        }
        ReaderState::InTrouble(trouble) => {
            let words = trouble.words_in(lang);
            pills.push(Pill { text: words.name.to_owned(), tone: Tone::Stopped });
            (words.happened.to_owned(), words.next.to_owned())
        }
    };
    pills.push(link(lang, visit.standing.link));
    if now.wall.is_lost() {
        pills.push(Pill { text: Trouble::TimeLost.words_in(lang).name.to_owned(), tone: Tone::Stopped });
    } else if !now.wall.is_trusted() {
        pills.push(care(lang.pick("Heure non vérifiée", "Time not verified")));
    }
    Idle {
        clock: words::clock(&at),
        date: words::long_date(lang, &at),
        pills,
        title,
        hint,
        by_phone: phone::offer(visit),
        help: say!(lang, "Aide", "Help"),
        site: format!("Chevet · {}", device.site_name),
        protection: french(device.key_provider.as_ref().within(lang)),
        version: version(lang, device),
        matrix: matrix(visit),
    }
}

pub(super) fn spent_of(lang: Lang, bytes: u64, budget_bytes: u64) -> String {
    say!(lang, "{} sur {}", "{} of {}", words::size(lang, bytes), words::size(lang, budget_bytes))
}

/// P9: never greener than the facts, and never more official.
pub(super) fn version(lang: Lang, device: &DeviceFacts) -> String {
    say!(lang, "Version {} · connecteur non homologué", "Version {} · connector not approved", device.software)
}

fn matrix(visit: &Visit) -> String {
    let lang = visit.lang();
    let matrix = &visit.rules().matrix;
    let in_force =
        say!(lang, "Matrice {}, {} connue", "Matrix {}, {} known", matrix.version, reasons::percent_known(visit));
    let aside = visit
        .rules()
        .left_aside
        .iter()
        .map(|aside| format!(" · {} : {}", leaves::aside_label(lang, aside.what), labels::aside(lang, aside.why)));
    french(&(in_force + &aside.collect::<String>()))
}

pub(super) fn quiet(text: &str) -> Pill {
    Pill { text: french(text), tone: Tone::Quiet }
}

pub(super) fn care(text: &str) -> Pill {
    Pill { text: french(text), tone: Tone::Care }
}

/// What remains before the device must see the network again; nothing while that is plenty.
fn allowance(lang: Lang, allowance: &Allowance, now: Now) -> Option<Pill> {
    match allowance.left(now.wall) {
        Left::Plenty => None,
        Left::Some { days, rows } => {
            let days = if days == 0 {
                say!(lang, "moins d’un jour", "less than a day")
            } else {
                words::count(lang, days, ["jour", "jours"], ["day", "days"])
            };
            let rows = words::count(lang, rows, ["consultation", "consultations"], ["consultation", "consultations"]);
            Some(care(&say!(lang, "Sans réseau : encore {days}, {rows}", "Without a network: {days}, {rows} left")))
        }
        Left::Nothing => {
            Some(Pill { text: Trouble::AllowanceSpent.words_in(lang).name.to_owned(), tone: Tone::Stopped })
        }
    }
}

/// What is missing here, for as long as somebody may have to look into it.
fn disk(lang: Lang, disk: Disk, now: Now) -> Vec<Pill> {
    let stopped = |text| Pill { text: french(text), tone: Tone::Stopped };
    let is_news = |since: UnixSeconds| now.wall.has_reached(since.plus(PUT_BACK_TOLD_S)) != Some(true);
    let put_back = disk.put_back.filter(|since| is_news(*since));
    let put_back = put_back.map(|_| {
        stopped(lang.pick("Borne remise en arrière : des traces manquent", "Device put back: traces are missing"))
    });
    let aside = disk
        .is_sealed_aside
        .then(|| stopped(lang.pick("Données illisibles mises de côté", "Unreadable data set aside")));
    put_back.into_iter().chain(aside).collect()
}

/// 30 days.
const PUT_BACK_TOLD_S: i64 = 30 * 86_400;

pub(super) fn link(lang: Lang, link: LinkState) -> Pill {
    match link {
        LinkState::Unknown => quiet(lang.pick("Réseau : inconnu", "Network: unknown")),
        LinkState::Online => quiet(lang.pick("En ligne", "Online")),
        LinkState::Offline => quiet(lang.pick("Hors ligne", "Offline")),
    }
}

pub(super) fn notice(lang: Lang, trouble: Trouble) -> Notice {
    let words = trouble.words_in(lang);
    Notice { happened: words.happened.to_owned(), next: words.next.to_owned(), code: code(lang, trouble) }
}

pub(super) fn code(lang: Lang, trouble: Trouble) -> String {
    let words = trouble.words_in(lang);
    format!("Code {} · {}", words.code, words.layer)
}

/// The same, with what the server said itself where that is what went wrong (PRE_ERR): its words stay as they are.
pub(super) fn code_and_words(visit: &Visit, trouble: Trouble) -> String {
    let code = code(visit.lang(), trouble);
    let is_servers = matches!(trouble, Trouble::ServerRefusedHolder | Trouble::ServerFailed);
    match visit.server_said.as_deref().filter(|_| is_servers) {
        Some(said) if said.text.is_empty() => format!("{code} · {}", said.code),
        Some(said) => format!("{code} · {}\u{a0}: «\u{a0}{}\u{a0}»", said.code, said.text),
        None => code,
    }
}

fn wait(title: &str, hint: &str) -> Wait {
    Wait { bar: Bar::default(), title: french(title), hint: french(hint) }
}

pub(super) fn reading_card(lang: Lang) -> Wait {
    wait(
        lang.pick("Lecture de la carte…", "Reading the card…"),
        lang.pick("Laissez la carte en place.", "Leave the card in."),
    )
}

pub(super) fn checking_pin(lang: Lang) -> Wait {
    wait(
        lang.pick("Vérification du code…", "Checking the PIN…"),
        lang.pick(
            "Laissez la carte en place. La carte vérifie le code elle-même.",
            "Leave the card in. It checks the PIN itself.",
        ),
    )
}

/// The digits are typed where this program never sees them.
pub(super) fn pin_on_reader(lang: Lang, card: &CardRead, was_wrong: bool) -> Wait {
    let wrong = if was_wrong { lang.pick("Code faux. ", "Wrong PIN. ") } else { "" };
    let tries = match card.tries_left {
        Some(1) => say!(lang, "C'est le dernier essai.", "This is the last try."),
        Some(left) => say!(lang, "{left} essais restants.", "{left} tries left."),
        None => String::new(),
    };
    let cancel = lang.pick(
        "Pour annuler, appuyez sur la touche d'annulation du lecteur ou retirez la carte.",
        "To cancel, press the reader’s cancel key or take the card out.",
    );
    wait(
        lang.pick("Tapez votre code sur le lecteur", "Type your PIN on the reader"),
        &format!("{wrong}{tries} {cancel}"),
    )
}

pub(super) fn opening(lang: Lang, means: Means) -> Wait {
    wait(lang.pick("Ouverture de votre espace…", "Opening your space…"), while_busy(lang, means))
}

pub(super) fn duty_recording(lang: Lang, means: Means) -> Wait {
    wait(lang.pick("Votre lecture est enregistrée…", "Recording that you read it…"), while_busy(lang, means))
}

fn while_busy(lang: Lang, means: Means) -> &'static str {
    match means {
        Means::Card => lang.pick("Laissez la carte en place.", "Leave the card in."),
        Means::ECps => phone::NOTHING_KEPT.within(lang),
    }
}

/// The two texts owed to professionals at the first login and from time to time, in their prescribed wording (ANS, Ségur
/// wave 2, SC.DMP/CONF, FAQ des industriels n° 10943).
pub(super) fn duty(lang: Lang, holder: &Holder) -> Duty {
    Duty {
        print: String::new(),
        name: labels::holder(lang, holder),
        role: labels::profession(lang, holder),
        title: say!(lang, "Avant de consulter un dossier", "Before you open a record"),
        body: duty_body(lang),
        act_label: say!(lang, "J'ai compris", "I understand"),
        foot: say!(lang, "Texte {}, version {}", "Text {}, version {}", step::DUTY_TEXT, step::DUTY_TEXT_VERSION),
    }
}

/// The prescribed wording binds: it stands in French under its English rendering.
fn duty_body(lang: Lang) -> String {
    let prescribed = french(
        "Le logiciel peut effectuer des requêtes de recherche de document au nom de l'utilisateur sur les DMP/MES et \
             permet d'en consulter, sur action manuelle, les documents d'intérêt. Ces interactions sont tracées avec \
             l'identifiant national de l'utilisateur et le patient est notifié de ces interactions.\n\nToute consultation de \
             ma part d'un DMP/MES pour lequel le patient (ou son représentant légal) n'a pas donné son consentement m'expose \
             à des poursuites.",
    );
    let rendering = "The software may search the DMP/MES for documents in the user’s name and, on the user’s own act, open those that \
                     matter. These acts are traced with the user’s national identifier, and the patient is told of them.\n\nAny \
                     reading of a DMP/MES to which the patient (or their legal representative) has not consented exposes me to \
                     prosecution.\n\nThe prescribed wording, in French:";
    match lang {
        Lang::French => prescribed,
        Lang::English => format!("{rendering}\n\n{prescribed}"),
    }
}

pub(super) fn pin(lang: Lang, ask: &page::AskPin, standing: &Standing) -> Pin {
    let holder = &ask.card.holder;
    let (fewest, most) = ask.card.pin_digits;
    let typed = ask.digits.count();
    let fewest = usize::from(fewest);
    let last = ask.card.tries_left == Some(1);
    // A card that does not say is treated as on its last try: a PIN try is never burnt by mistake (P7).
    let asks_last_try = !ask.last_try_agreed && ask.card.tries_left.is_none_or(|left| left <= 1);
    let tries = match ask.card.tries_left {
        Some(1) => say!(lang, "Dernier essai", "Last try"),
        Some(left) => say!(lang, "{left} essais restants", "{left} tries left"),
        None => {
            say!(lang, "La carte ne dit pas combien d'essais il reste", "The card does not say how many tries are left")
        }
    };
    let last_try_title = if last {
        lang.pick("C'est le dernier essai.", "This is the last try.")
    } else {
        lang.pick("C'est peut-être le dernier essai.", "This may be the last try.")
    };
    let last_try = if last {
        lang.pick(
            "Si ce code est faux, la carte se bloque. Il faudra alors son code de déblocage.",
            "If this PIN is wrong, the card is blocked. Its unblocking code is needed then.",
        )
    } else {
        lang.pick("La carte ne dit pas combien d'essais il reste. Si c'était le dernier et que le code est faux, elle se bloquerait.", "The card does not say how many tries are left. If it were the last and the PIN wrong, it would be blocked.")
    };
    Pin {
        // P9: what is known from papers alone is said to be so, where the holder looks before typing.
        card: if ask.card.is_untried {
            french(UNTRIED.within(lang))
        } else {
            labels::card(lang, holder.card_kind).to_owned()
        },
        name: labels::holder(lang, holder),
        role: labels::profession(lang, holder),
        typed,
        places: typed.max(fewest).min(usize::from(most).max(fewest)),
        tries,
        tries_tone: if ask.card.tries_left.is_some_and(|left| left > 1) { Tone::Quiet } else { Tone::Care },
        alert: if ask.was_wrong {
            say!(lang, "Code faux. Recommencez.", "Wrong PIN. Try again.")
        } else {
            String::new()
        },
        asks_last_try,
        last_try_title: french(last_try_title),
        last_try: french(last_try),
        may_confirm: typed >= fewest && typed > 0 && !asks_last_try,
        notice: if standing.other_card { french(OTHER_CARD.within(lang)) } else { tolerated(lang, &ask.card.verified) },
    }
}

/// Whose visit this is must not be in doubt; what was tolerated is said again at home.
const OTHER_CARD: Both = both(
    "Une autre carte est dans un autre lecteur : seule celle-ci est lue.",
    "Another card is in another reader: only this one is read.",
);

/// What the clock or the list of revoked cards could not tell, and what to do about it.
fn tolerated(lang: Lang, verified: &Verified) -> String {
    let days = verified.crl_age_s / 86_400;
    let aging = verified.warnings.iter().find_map(|warning| match warning {
        Warning::CrlAging { days_max } => Some(days_max),
        _ => None,
    });
    let sentence = if let Some(days_max) = aging {
        say!(
            lang,
            "La liste des cartes en opposition a {days} jours : à {days_max}, aucune carte n'ouvrira plus la borne.",
            "The list of revoked cards is {days} days old: at {days_max}, no card will open the device any more."
        )
    } else if verified.warnings.is_empty() {
        return String::new();
    } else {
        say!(
            lang,
            "L'heure n'est pas vérifiée : la borne ne sait pas si cette carte est encore valable.",
            "The time is not verified: the device does not know whether this card is still valid."
        )
    };
    say!(lang, "{sentence} Connectez la borne au réseau.", "{sentence} Connect the device to the network.")
}

/// Where the holder is now, of the places that their card names.
pub(super) fn situations(lang: Lang, choosing: &page::ChoosingSituation) -> Choice {
    let line = |place: &Situation| {
        let label = if place.name.is_empty() { place.structure.clone() } else { place.name.clone() };
        let sector = place.sector.as_ref().map(|sector| format!(" · {sector}")).unwrap_or_default();
        ChoiceLine { label, hint: format!("{}{sector}", place.structure), tone: Tone::Quiet }
    };
    let holder = &choosing.holder;
    Choice {
        bar: Bar { back: say!(lang, "Annuler", "Cancel"), name: labels::holder(lang, holder), ..Bar::default() },
        title: say!(lang, "Où exercez-vous en ce moment ?", "Where are you working now?"),
        sentence: say!(
            lang,
            "Votre choix est inscrit dans chaque trace de cette visite.",
            "Your choice is written in each trace of this visit."
        ),
        lines: choosing.situations.iter().map(line).collect(),
    }
}

const UNTRIED: Both =
    both("carte CPS4 : pas encore vérifié avec une vraie carte", "CPS4 card: not verified with a real card yet");

pub(super) fn home(home: &page::Home, visit: &Visit, now: Now, device: &DeviceFacts) -> Home {
    let lang = visit.lang();
    let standing = &visit.standing;
    let holder = &home.here.holder;
    let round = &home.here.round;
    let ready = round.iter().filter(|entry| entry.ready.is_some()).count();
    let prepare = match (visit::may_prepare(visit, home, now), ready) {
        (false, _) => "",
        (true, 0) => lang.pick("Préparer la tournée", "Prepare the round"),
        (true, some) if some < round.len() => lang.pick("Compléter la tournée", "Complete the round"),
        (true, _) => lang.pick("Actualiser la tournée", "Refresh the round"),
    };
    let summary = match round.len() {
        0 => String::new(),
        all => say!(
            lang,
            "{} sur {all}",
            "{} of {all}",
            words::count(lang, ready as u32, ["patient prêt", "patients prêts"], ["patient ready", "patients ready"])
        ),
    };
    let mut pills = vec![tray::waiting(lang, standing.waiting, now)];
    pills.extend(tray::set_aside(lang, standing.waiting));
    pills.extend(allowance(lang, &standing.allowance, now));
    pills.push(link(lang, standing.link));
    pills.extend(standing.other_card.then(|| care(lang.pick("Autre carte ignorée", "Other card ignored"))));
    let by_phone = holder.means == Means::ECps;
    Home {
        name: labels::holder(lang, holder),
        role: labels::profession(lang, holder),
        pills,
        summary,
        rows: round.iter().map(|entry| round_row(lang, entry, now, device)).collect(),
        recent: home.here.last_visits().into_iter().map(|one| recent_row(lang, one, now, device)).collect(),
        notice: home.notice.map(|trouble| notice(lang, trouble)),
        tray: tray::offer(lang, standing.waiting),
        compose: if visit::may_compose(home) {
            say!(lang, "Composer la tournée", "Make the round")
        } else {
            String::new()
        },
        prepare: french(prepare),
        national: home.national.map_or(String::new(), |made| national(lang, made)),
        hand_over: visit::hand_over_offered(&home.here, now)
            .map_or(String::new(), |ends| card_ends(lang, ends, now, device)),
        memory_only: if by_phone { french(phone::NOTHING_KEPT.within(lang)) } else { String::new() },
        scan: if device.has_scanner {
            say!(lang, "Ou lisez le code du bracelet.", "Or scan the wristband.")
        } else {
            String::new()
        },
        empty: if round.is_empty() && by_phone {
            say!(
                lang,
                "Lisez le code du bracelet, ou saisissez l'INS de votre patient.",
                "Scan the wristband, or type your patient’s INS."
            )
        } else if round.is_empty() {
            say!(
                lang,
                "Aucun patient n'est préparé pour aujourd'hui. Saisissez l'INS de votre patient.",
                "No patient is prepared for today. Type your patient’s INS."
            )
        } else {
            String::new()
        },
    }
}

/// What offline reading owed, and what became of it.
fn national(lang: Lang, national: page::National) -> String {
    let page::National { made, refused } = national;
    let patients = |count| words::count(lang, count, ["patient lu", "patients lus"], ["patient read", "patients read"]);
    let made = (made > 0).then(|| {
        say!(lang, "Trace nationale faite pour {} hors ligne.", "National trace made for {} offline.", patients(made))
    });
    let refused = (refused > 0).then(|| {
        say!(lang, "Le DMP l'a refusée pour {} hors ligne.", "The DMP refused it for {} offline.", patients(refused))
    });
    let both: Vec<String> = made.into_iter().chain(refused).collect();
    french(&both.join(" "))
}

/// Why the round should go to another card, and by when.
fn card_ends(lang: Lang, ends: UnixSeconds, now: Now, device: &DeviceFacts) -> String {
    let days = (ends.0 - now.wall.value().0) / 86_400;
    let left = match days {
        ..=0 => say!(lang, "aujourd'hui", "today"),
        days => say!(
            lang,
            "dans {}",
            "in {}",
            words::count(lang, u32::try_from(days).unwrap_or(u32::MAX), ["jour", "jours"], ["day", "days"])
        ),
    };
    let date = words::long_date(lang, &words::local(ends, &device.time_zone));
    say!(
        lang,
        "Votre carte expire {left} ({date}). Votre tournée ne s'ouvre qu'avec elle.",
        "Your card expires {left} ({date}). Your round opens with it alone."
    )
}

fn round_row(lang: Lang, entry: &RoundEntry, now: Now, device: &DeviceFacts) -> RoundRow {
    let patient = &entry.patient;
    let name = words::full_name(&patient.birth_name, &patient.birth_given_names);
    let age = patient.age_years(now.wall.value()).map(|years| say!(lang, "{years}\u{a0}ans", "{years} years"));
    let cached = match entry.cached {
        0 if entry.ready.is_some() => say!(lang, "aucun document pour vous", "no document for you"),
        0 => say!(lang, "rien sur la borne", "nothing on the device"),
        some => say!(
            lang,
            "{} sur la borne",
            "{} on the device",
            words::count(lang, some, ["document", "documents"], ["document", "documents"])
        ),
    };
    let born = format!("{} · {}", words::birth_date(lang, patient.birth_date), sex_letter(patient.sex));
    let details = match age {
        Some(age) => format!("{born} · {age} · {cached}"),
        None => format!("{born} · {cached}"),
    };
    let day = 86_400;
    let pill = match entry.as_of {
        Some(as_of) if entry.cached > 0 || entry.ready.is_some() => {
            let when = words::moment(lang, as_of, now, &device.time_zone);
            let old = now.wall.value().0 - as_of.0 > day || !now.wall.is_trusted();
            match (old, entry.ready.is_some()) {
                (true, _) => care(&say!(lang, "Du {when}", "From {when}")),
                (false, true) => quiet(&say!(lang, "Prêt · {when}", "Ready · {when}")),
                (false, false) => quiet(&say!(lang, "En partie · {when}", "In part · {when}")),
            }
        }
        _ => quiet(lang.pick("Non chargé", "Not loaded")),
    };
    let label = format!("{name}, {details}, {}", pill.text);
    RoundRow { name, details, pill, label }
}

/// Whose record this holder opened lately, and when.
fn recent_row(lang: Lang, (patient, at): &(Patient, UnixSeconds), now: Now, device: &DeviceFacts) -> RoundRow {
    let name = words::full_name(&patient.birth_name, &patient.birth_given_names);
    let details = format!("{} · {}", words::birth_date(lang, patient.birth_date), sex_letter(patient.sex));
    let when = words::moment(lang, *at, now, &device.time_zone);
    let pill = quiet(&say!(lang, "Ouvert · {when}", "Opened · {when}"));
    let label = format!("{name}, {details}, {}", pill.text);
    RoundRow { name, details, pill, label }
}

pub(super) fn take_card(lang: Lang, trouble: Trouble) -> TroublePage {
    let words = trouble.words_in(lang);
    let ended = matches!(trouble, Trouble::VisitEnded | Trouble::HandOverWaits | Trouble::RoundPrepared);
    TroublePage {
        pill: Pill { text: words.name.to_owned(), tone: if ended { Tone::Quiet } else { Tone::Stopped } },
        happened: words.happened.to_owned(),
        next: words.next.to_owned(),
        rest: say!(
            lang,
            "La borne attend que la carte soit retirée.",
            "The device waits for the card to be taken out."
        ),
        code: if ended { String::new() } else { code(lang, trouble) },
        act: String::new(),
    }
}

/// Whose record it is, in the same place on every page.
pub(super) fn bar(lang: Lang, back: &str, patient: &Patient, pill: Pill, may_quit: bool, now: Now) -> Bar {
    let born = format!("{} · {}", words::birth_date(lang, patient.birth_date), sex_letter(patient.sex));
    let traits = match patient.age_years(now.wall.value()) {
        Some(years) => say!(lang, "{born} · {years}\u{a0}ans", "{born} · {years} years"),
        None => born,
    };
    let name = words::full_name(&patient.birth_name, &patient.birth_given_names);
    Bar { back: back.to_owned(), name, traits, pill, may_quit, banner: Pill::default() }
}

pub(super) fn sex_letter(sex: Sex) -> &'static str {
    match sex {
        Sex::Male => "M",
        Sex::Female => "F",
        Sex::Indeterminate => "I",
    }
}
