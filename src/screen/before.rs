//! Pages before a record is open: idle, card, PIN, home, gate, and the page that asks for the card back.

use crate::identity::holder::Holder;
use crate::identity::holder::Means;
use crate::identity::holder::Situation;
use crate::identity::trust::CRL_TOLERATED_S;
use crate::identity::trust::Verified;
use crate::identity::trust::Warning;
use crate::journal::allowance::Allowance;
use crate::journal::allowance::Left;
use crate::journal::words::Regime;
use crate::patient::ins::Patient;
use crate::patient::ins::Sex;
use crate::screen::labels;
use crate::screen::phone;
use crate::screen::reasons;
use crate::screen::tray;
use crate::screen::view::About;
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
use crate::visit::page::AsideKind;
use crate::visit::page::Standing;
use crate::visit::step;

pub(super) fn idle(visit: &Visit, now: Now, device: &DeviceFacts) -> Idle {
    let at = words::local(now.wall.value(), &device.time_zone);
    let mut pills = vec![tray::waiting(visit.standing.waiting, now)];
    pills.extend(tray::set_aside(visit.standing.waiting));
    pills.extend(allowance(&visit.standing.allowance, now));
    pills.extend(disk(visit.standing.disk, now));
    let (title, hint) = match visit.standing.reader {
        ReaderState::Ready => {
            pills.push(quiet("Lecteur prêt"));
            ("Insérez votre carte CPS".to_owned(), french("puce vers le haut, jusqu'au bout"))
        }
        ReaderState::Absent => {
            let words = Trouble::NoReader.words();
            pills.push(care(words.name));
            (words.happened.to_owned(), words.next.to_owned())
        }
        ReaderState::InTrouble(trouble) => {
            let words = trouble.words();
            pills.push(Pill { text: words.name.to_owned(), tone: Tone::Stopped });
            (words.happened.to_owned(), words.next.to_owned())
        }
    };
    pills.push(link(visit.standing.link));
    if now.wall.is_lost() {
        pills.push(Pill { text: Trouble::TimeLost.words().name.to_owned(), tone: Tone::Stopped });
    } else if !now.wall.is_trusted() {
        pills.push(care("Heure non vérifiée"));
    }
    Idle {
        clock: words::clock(&at),
        date: words::long_date(&at),
        pills,
        title,
        hint,
        by_phone: phone::offer(visit),
        about: french("À propos"),
        site: format!("Chevet · {}", device.site_name),
        protection: french(&device.key_provider),
        version: version(device),
        matrix: matrix(visit),
    }
}

/// What this device is, and by which rules it decides.
pub(super) fn about(visit: &Visit, device: &DeviceFacts) -> About {
    let rules = visit.rules();
    let (known, cells) = rules.matrix.known();
    let matrix = format!(
        "{}, {} connue ({} sur {cells}) ; l'inconnu vaut refus",
        rules.matrix.version,
        reasons::percent_known(visit),
        words::count(u32::try_from(known).unwrap_or(u32::MAX), "case", "cases"),
    );
    let regime = match rules.regime {
        Regime::Arrete2023 => {
            "Arrêté du 26 octobre 2023 : l'équipe de soins est présumée d'accord, le patient est prévenu"
        }
        Regime::ConseilEtat2025 => "Conseil d'État, 2025 : accord initial pour l'équipe, puis le patient est prévenu",
    };
    let framework =
        rules.framework.as_ref().map_or("Aucun cadre signé : tout accès est refusé", |signed| signed.reference());
    let mut rows = vec![
        ("Établissement", device.site_name.clone()),
        ("Programme", version(device)),
        ("Clé de la borne", device.key_provider.clone()),
        ("Matrice d'habilitation", matrix),
        ("Accord du patient", regime.to_owned()),
        ("Équipe de soins", words::count(rules.team.count(), "professionnel inscrit", "professionnels inscrits")),
        ("Mort encéphalique", framework.to_owned()),
    ];
    rows.extend(rules.left_aside.iter().map(|aside| (aside_label(aside.what), aside.why.to_owned())));
    let rows = rows.into_iter().map(|(what, how)| (french(what), french(&how))).collect();
    About { title: french("À propos de cette borne"), rows, back: french("Retour") }
}

fn aside_label(what: AsideKind) -> &'static str {
    match what {
        AsideKind::Update => "Mise à jour écartée",
        AsideKind::Framework => "Cadre de mort encéphalique écarté",
        AsideKind::Team => "Liste de l'équipe écartée",
    }
}

/// P9: never greener than the facts, and never more official.
pub(super) fn version(device: &DeviceFacts) -> String {
    format!("Version {} · connecteur non homologué", device.software)
}

fn matrix(visit: &Visit) -> String {
    let matrix = &visit.rules().matrix;
    let in_force = format!("Matrice {}, {} connue", matrix.version, reasons::percent_known(visit));
    let aside = visit.rules().left_aside.iter().map(|aside| format!(" · {} : {}", aside_label(aside.what), aside.why));
    french(&(in_force + &aside.collect::<String>()))
}

pub(super) fn quiet(text: &str) -> Pill {
    Pill { text: french(text), tone: Tone::Quiet }
}

pub(super) fn care(text: &str) -> Pill {
    Pill { text: french(text), tone: Tone::Care }
}

/// What remains before the device must see the network again; nothing while that is plenty.
fn allowance(allowance: &Allowance, now: Now) -> Option<Pill> {
    match allowance.left(now.wall) {
        Left::Plenty => None,
        Left::Some { days, rows } => {
            let days = if days == 0 { "moins d’un jour".to_owned() } else { words::count(days, "jour", "jours") };
            let rows = words::count(rows, "consultation", "consultations");
            Some(care(&format!("Sans réseau : encore {days}, {rows}")))
        }
        Left::Nothing => Some(Pill { text: Trouble::AllowanceSpent.words().name.to_owned(), tone: Tone::Stopped }),
    }
}

/// What is missing here, for as long as somebody may have to look into it.
fn disk(disk: Disk, now: Now) -> Vec<Pill> {
    let stopped = |text| Pill { text: french(text), tone: Tone::Stopped };
    let is_news = |since: UnixSeconds| now.wall.has_reached(since.plus(PUT_BACK_TOLD_S)) != Some(true);
    let put_back = disk.put_back.filter(|since| is_news(*since));
    let put_back = put_back.map(|_| stopped("Borne remise en arrière : des traces manquent"));
    let aside = disk.is_sealed_aside.then(|| stopped("Données illisibles mises de côté"));
    put_back.into_iter().chain(aside).collect()
}

/// 30 days.
const PUT_BACK_TOLD_S: i64 = 30 * 86_400;

pub(super) fn link(link: LinkState) -> Pill {
    match link {
        LinkState::Unknown => quiet("Réseau : inconnu"),
        LinkState::Online => quiet("En ligne"),
        LinkState::Offline => quiet("Hors ligne"),
    }
}

pub(super) fn notice(trouble: Trouble) -> Notice {
    let words = trouble.words();
    Notice { happened: words.happened.to_owned(), next: words.next.to_owned(), code: code(trouble) }
}

pub(super) fn code(trouble: Trouble) -> String {
    let words = trouble.words();
    format!("Code {} · {}", words.code, words.layer)
}

fn wait(title: &str, hint: &str) -> Wait {
    Wait { bar: Bar::default(), title: french(title), hint: french(hint) }
}

pub(super) fn reading_card() -> Wait {
    wait("Lecture de la carte…", "Laissez la carte en place.")
}

pub(super) fn checking_pin() -> Wait {
    wait("Vérification du code…", "Laissez la carte en place. La carte vérifie le code elle-même.")
}

/// The digits are typed where this program never sees them.
pub(super) fn pin_on_reader(card: &CardRead, was_wrong: bool) -> Wait {
    let wrong = if was_wrong { "Code faux. " } else { "" };
    let tries = match card.tries_left {
        Some(1) => "C'est le dernier essai.".to_owned(),
        Some(left) => format!("{left} essais restants."),
        None => String::new(),
    };
    let cancel = "Pour annuler, appuyez sur la touche d'annulation du lecteur ou retirez la carte.";
    wait("Tapez votre code sur le lecteur", &format!("{wrong}{tries} {cancel}"))
}

pub(super) fn opening(means: Means) -> Wait {
    wait("Ouverture de votre espace…", while_busy(means))
}

pub(super) fn duty_recording(means: Means) -> Wait {
    wait("Votre lecture est enregistrée…", while_busy(means))
}

fn while_busy(means: Means) -> &'static str {
    match means {
        Means::Card => "Laissez la carte en place.",
        Means::ECps => phone::NOTHING_KEPT,
    }
}

/// The two texts owed to professionals at the first login and from time to time, in their prescribed wording (ANS, Ségur
/// wave 2, SC.DMP/CONF, FAQ des industriels n° 10943).
pub(super) fn duty(holder: &Holder) -> Duty {
    Duty {
        name: words::full_name(&holder.family_name, &holder.given_name),
        role: labels::profession(holder),
        title: french("Avant de consulter un dossier"),
        body: french(
            "Le logiciel peut effectuer des requêtes de recherche de document au nom de l'utilisateur sur les DMP/MES et \
             permet d'en consulter, sur action manuelle, les documents d'intérêt. Ces interactions sont tracées avec \
             l'identifiant national de l'utilisateur et le patient est notifié de ces interactions.\n\nToute consultation de \
             ma part d'un DMP/MES pour lequel le patient (ou son représentant légal) n'a pas donné son consentement m'expose \
             à des poursuites.",
        ),
        act_label: french("J'ai compris"),
        foot: format!("Texte {}, version {}", step::DUTY_TEXT, step::DUTY_TEXT_VERSION),
    }
}

pub(super) fn pin(ask: &page::AskPin, standing: &Standing) -> Pin {
    let holder = &ask.card.holder;
    let (fewest, most) = ask.card.pin_digits;
    let typed = ask.digits.count();
    let fewest = usize::from(fewest);
    let last = ask.card.tries_left == Some(1);
    // A card that does not say is treated as on its last try: a PIN try is never burnt by mistake (P7).
    let asks_last_try = !ask.last_try_agreed && ask.card.tries_left.is_none_or(|left| left <= 1);
    let tries = match ask.card.tries_left {
        Some(1) => "Dernier essai".to_owned(),
        Some(left) => french(&format!("{left} essais restants")),
        None => french("La carte ne dit pas combien d'essais il reste"),
    };
    let last_try_title = if last { "C'est le dernier essai." } else { "C'est peut-être le dernier essai." };
    let last_try = if last {
        "Si ce code est faux, la carte se bloque. Il faudra alors son code de déblocage."
    } else {
        "La carte ne dit pas combien d'essais il reste. Si c'était le dernier et que le code est faux, elle se bloquerait."
    };
    Pin {
        // P9: what is known from papers alone is said to be so, where the holder looks before typing.
        card: if ask.card.is_untried { french(UNTRIED) } else { labels::card(holder.card_kind).to_owned() },
        name: words::full_name(&holder.family_name, &holder.given_name),
        role: labels::profession(holder),
        typed,
        places: typed.max(fewest).min(usize::from(most).max(fewest)),
        tries,
        tries_tone: if ask.card.tries_left.is_some_and(|left| left > 1) { Tone::Quiet } else { Tone::Care },
        alert: if ask.was_wrong { french("Code faux. Recommencez.") } else { String::new() },
        asks_last_try,
        last_try_title: french(last_try_title),
        last_try: french(last_try),
        may_confirm: typed >= fewest && typed > 0 && !asks_last_try,
        notice: if standing.other_card { french(OTHER_CARD) } else { tolerated(&ask.card.verified) },
    }
}

/// Whose visit this is must not be in doubt; what was tolerated is said again at home.
const OTHER_CARD: &str = "Une autre carte est dans un autre lecteur : seule celle-ci est lue.";

/// What the clock or the list of revoked cards could not tell, and what to do about it.
fn tolerated(verified: &Verified) -> String {
    let days = verified.crl_age_s / 86_400;
    let sentence = if verified.warnings.contains(&Warning::CrlAging) {
        format!(
            "La liste des cartes en opposition a {days} jours : à {DAYS_MAX}, aucune carte n'ouvrira plus la borne."
        )
    } else if verified.warnings.is_empty() {
        return String::new();
    } else {
        "L'heure n'est pas vérifiée : la borne ne sait pas si cette carte est encore valable.".to_owned()
    };
    french(&format!("{sentence} Connectez la borne au réseau."))
}

const DAYS_MAX: i64 = CRL_TOLERATED_S / 86_400;

/// Where the holder is now, of the places that their card names.
pub(super) fn situations(choosing: &page::ChoosingSituation) -> Choice {
    let line = |place: &Situation| {
        let label = if place.name.is_empty() { place.structure.clone() } else { place.name.clone() };
        let sector = place.sector.as_ref().map(|sector| format!(" · {sector}")).unwrap_or_default();
        ChoiceLine { label, hint: format!("{}{sector}", place.structure), tone: Tone::Quiet }
    };
    let holder = &choosing.holder;
    Choice {
        bar: Bar {
            back: "Annuler".to_owned(),
            name: words::full_name(&holder.family_name, &holder.given_name),
            ..Bar::default()
        },
        title: french("Où exercez-vous en ce moment ?"),
        sentence: french("Votre choix est inscrit dans chaque trace de cette visite."),
        lines: choosing.situations.iter().map(line).collect(),
    }
}

const UNTRIED: &str = "carte CPS4 : pas encore vérifié avec une vraie carte";

pub(super) fn home(home: &page::Home, visit: &Visit, now: Now, device: &DeviceFacts) -> Home {
    let standing = &visit.standing;
    let holder = &home.here.holder;
    let round = &home.here.round;
    let ready = round.iter().filter(|entry| entry.ready.is_some()).count();
    let prepare = match (visit::may_prepare(visit, home, now), ready) {
        (false, _) => "",
        (true, 0) => "Préparer la tournée",
        (true, some) if some < round.len() => "Compléter la tournée",
        (true, _) => "Actualiser la tournée",
    };
    let summary = match round.len() {
        0 => String::new(),
        all => french(&format!("{} sur {all}", words::count(ready as u32, "patient prêt", "patients prêts"))),
    };
    let mut pills = vec![tray::waiting(standing.waiting, now)];
    pills.extend(tray::set_aside(standing.waiting));
    pills.extend(allowance(&standing.allowance, now));
    pills.push(link(standing.link));
    pills.extend(standing.other_card.then(|| care("Autre carte ignorée")));
    let by_phone = holder.means == Means::ECps;
    Home {
        name: words::full_name(&holder.family_name, &holder.given_name),
        role: labels::profession(holder),
        pills,
        summary,
        rows: round.iter().map(|entry| round_row(entry, now, device)).collect(),
        notice: home.notice.map(notice),
        tray: tray::offer(standing.waiting),
        compose: if visit::may_compose(home) { french("Composer la tournée") } else { String::new() },
        prepare: french(prepare),
        national: home.national.map_or(String::new(), national),
        hand_over: visit::hand_over_offered(&home.here, now).map_or(String::new(), |ends| card_ends(ends, now, device)),
        memory_only: if by_phone { french(phone::NOTHING_KEPT) } else { String::new() },
        scan: if device.has_scanner { french("Ou lisez le code du bracelet.") } else { String::new() },
        empty: if round.is_empty() && by_phone {
            french("Lisez le code du bracelet, ou saisissez l'INS de votre patient.")
        } else if round.is_empty() {
            french("Aucun patient n'est préparé pour aujourd'hui. Saisissez l'INS de votre patient.")
        } else {
            String::new()
        },
    }
}

/// What offline reading owed, and what became of it.
fn national(national: page::National) -> String {
    let page::National { made, refused } = national;
    let patients = |count| words::count(count, "patient lu", "patients lus");
    let made = (made > 0).then(|| format!("Trace nationale faite pour {} hors ligne.", patients(made)));
    let refused = (refused > 0).then(|| format!("Le DMP l'a refusée pour {} hors ligne.", patients(refused)));
    let both: Vec<String> = made.into_iter().chain(refused).collect();
    french(&both.join(" "))
}

/// Why the round should go to another card, and by when.
fn card_ends(ends: UnixSeconds, now: Now, device: &DeviceFacts) -> String {
    let days = (ends.0 - now.wall.value().0) / 86_400;
    let left = match days {
        ..=0 => "aujourd'hui".to_owned(),
        days => format!("dans {}", words::count(u32::try_from(days).unwrap_or(u32::MAX), "jour", "jours")),
    };
    let date = words::long_date(&words::local(ends, &device.time_zone));
    french(&format!("Votre carte expire {left} ({date}). Votre tournée ne s'ouvre qu'avec elle."))
}

fn round_row(entry: &RoundEntry, now: Now, device: &DeviceFacts) -> RoundRow {
    let patient = &entry.patient;
    let name = words::full_name(&patient.birth_name, &patient.birth_given_names);
    let age = patient.age_years(now.wall.value()).map(|years| format!("{years}\u{a0}ans"));
    let cached = match entry.cached {
        0 if entry.ready.is_some() => french("aucun document pour vous"),
        0 => french("rien sur la borne"),
        some => format!("{} sur la borne", words::count(some, "document", "documents")),
    };
    let born = format!("{} · {}", words::birth_date(patient.birth_date), sex_letter(patient.sex));
    let details = match age {
        Some(age) => format!("{born} · {age} · {cached}"),
        None => format!("{born} · {cached}"),
    };
    let day = 86_400;
    let pill = match entry.as_of {
        Some(as_of) if entry.cached > 0 || entry.ready.is_some() => {
            let when = words::moment(as_of, now, &device.time_zone);
            let old = now.wall.value().0 - as_of.0 > day || !now.wall.is_trusted();
            match (old, entry.ready.is_some()) {
                (true, _) => care(&format!("Du {when}")),
                (false, true) => quiet(&format!("Prêt · {when}")),
                (false, false) => quiet(&format!("En partie · {when}")),
            }
        }
        _ => quiet("Non chargé"),
    };
    let label = format!("{name}, {details}, {}", pill.text);
    RoundRow { name, details, pill, label }
}

pub(super) fn take_card(trouble: Trouble) -> TroublePage {
    let words = trouble.words();
    let ended = matches!(trouble, Trouble::VisitEnded | Trouble::HandOverWaits | Trouble::RoundPrepared);
    TroublePage {
        pill: Pill { text: words.name.to_owned(), tone: if ended { Tone::Quiet } else { Tone::Stopped } },
        happened: words.happened.to_owned(),
        next: words.next.to_owned(),
        rest: french("La borne attend que la carte soit retirée."),
        code: if ended { String::new() } else { code(trouble) },
        act: String::new(),
    }
}

/// Whose record it is, in the same place on every page.
pub(super) fn bar(back: &str, patient: &Patient, pill: Pill, may_quit: bool, now: Now) -> Bar {
    let born = format!("{} · {}", words::birth_date(patient.birth_date), sex_letter(patient.sex));
    let traits = match patient.age_years(now.wall.value()) {
        Some(years) => format!("{born} · {years}\u{a0}ans"),
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
