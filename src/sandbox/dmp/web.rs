//! The patient's side: who opened my record, when, to do what. Plain pages without script, for a browser on this
//! machine only; invented people, so there is no door.

use crate::sandbox::dmp::routes::Answer;
use crate::sandbox::dmp::routes::Body;
use crate::sandbox::dmp::server::Shared;
use crate::sandbox::dmp::traces;
use crate::sandbox::dmp::traces::Seen;
use crate::sandbox::people::Person;
use crate::sandbox::people::Record;
use crate::time::UnixSeconds;

pub fn answer(shared: &Shared, method: &str, path: &str) -> Answer {
    if method != "GET" && method != "HEAD" {
        return page(405, "Méthode non permise", "<p>Ces pages se lisent seulement.</p>");
    }
    if path == "/" {
        return list(shared);
    }
    let number = path.strip_prefix("/patient/").and_then(|text| text.parse::<usize>().ok());
    match number.and_then(|number| shared.people.persons.get(number.checked_sub(1)?)) {
        Some(person) => record(shared, person),
        None => page(404, "Page introuvable", "<p><a href=\"/\">Retour à la liste des patients</a></p>"),
    }
}

fn list(shared: &Shared) -> Answer {
    let state = shared.state();
    let mut rows = String::new();
    for (number, person) in shared.people.persons.iter().enumerate() {
        let seen = traces::seen(&state, person);
        let notices = seen.iter().filter(|one| one.notice.is_some()).count();
        rows.push_str(&format!(
            "<tr><th scope=\"row\"><a href=\"/patient/{}\">{}</a></th><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
            number + 1,
            escape(&name(person)),
            escape(&birth(person)),
            record_words(person.record),
            seen.len(),
            notices
        ));
    }
    drop(state);
    let body = format!(
        "<p>Voici ce que chaque patient voit de son dossier, de son côté. Ces personnes sont <strong>inventées</strong> : \
         ce serveur est un bac à sable et ne parle qu’à cette machine.</p>\n\
         <p>Ouvrez un dossier sur la borne, puis actualisez cette page : votre passage y apparaît.</p>\n\
         <div class=\"wide\"><table><caption>Patients</caption><thead><tr><th scope=\"col\">Patient</th>\
         <th scope=\"col\">Naissance</th><th scope=\"col\">Dossier</th><th scope=\"col\">Accès</th>\
         <th scope=\"col\">Notifications</th></tr></thead><tbody>\n{rows}</tbody></table></div>"
    );
    page(200, "Dossiers du bac à sable", &body)
}

fn record(shared: &Shared, person: &Person) -> Answer {
    let seen = traces::seen(&shared.state(), person);
    let notices: String = seen
        .iter()
        .filter_map(|one| one.notice.as_ref().map(|text| (one, text)))
        .map(|(one, text)| format!("<li><strong>{}</strong> – {}</li>\n", escape(text), when(one.at)))
        .collect();
    let notices = if notices.is_empty() {
        "<p>Aucune notification.</p>".to_owned()
    } else {
        format!("<ul class=\"notices\">\n{notices}</ul>")
    };
    let history = if seen.is_empty() {
        "<p>Personne n’a encore ouvert ce dossier.</p>".to_owned()
    } else {
        let rows: String = seen.iter().map(row).collect();
        format!(
            "<div class=\"wide\"><table><caption>Du plus récent au plus ancien</caption><thead><tr>\
             <th scope=\"col\">Date</th><th scope=\"col\">Auteur</th><th scope=\"col\">Action</th>\
             <th scope=\"col\">Contexte</th></tr></thead><tbody>\n{rows}</tbody></table></div>"
        )
    };
    let body = format!(
        "<p><a href=\"/\">Tous les patients</a></p>\n\
         <p>Né(e) le {} – {} document(s) – dossier {}.<br><span class=\"soft\">{}</span></p>\n\
         <h2>Mes notifications</h2>\n\
         <p class=\"soft\">Vous êtes prévenu(e) la première fois qu’un professionnel ouvre votre dossier, et à chaque \
         accès en urgence.</p>\n{notices}\n\
         <h2>Historique des accès</h2>\n{history}",
        escape(&birth(person)),
        person.papers.len(),
        record_words(person.record),
        escape(person.about)
    );
    page(200, &name(person), &body)
}

fn row(seen: &Seen) -> String {
    format!(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        when(seen.at),
        escape(&seen.author),
        escape(&seen.action),
        escape(&seen.context)
    )
}

fn page(status: u16, title: &str, body: &str) -> Answer {
    let title = escape(title);
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"fr\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} – côté patient</title><style>{STYLE}</style></head>\n\
         <body><header><p>Mon dossier partagé <span>bac à sable, personnes inventées</span></p></header>\n\
         <main><h1>{title}</h1>\n{body}\n</main></body></html>\n"
    );
    Answer {
        status,
        content_type: "text/html; charset=utf-8".to_owned(),
        headers: vec![
            ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'".to_owned()),
            ("cache-control", "no-store".to_owned()),
        ],
        body: Body::Bytes(html.into_bytes()),
    }
}

fn name(person: &Person) -> String {
    format!("{} {}", person.patient.birth_given_names, person.patient.birth_name)
}

fn birth(person: &Person) -> String {
    let date = person.patient.birth_date;
    format!("{:02}/{:02}/{}", date.day, date.month, date.year)
}

fn record_words(record: Record) -> &'static str {
    match record {
        Record::Open => "ouvert",
        Record::Closed { .. } => "fermé",
        Record::NeverCreated => "jamais créé",
    }
}

/// In Paris, where the patients are: `23/11/2026 à 9 h 42`.
fn when(at: UnixSeconds) -> String {
    let paris = jiff::tz::TimeZone::get("Europe/Paris").unwrap_or(jiff::tz::TimeZone::UTC);
    let at = jiff::Timestamp::from_second(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_zoned(paris);
    format!("{:02}/{:02}/{} à {} h {:02}", at.day(), at.month(), at.year(), at.hour(), at.minute())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const STYLE: &str = "\
body{margin:0;background:#f6f4ef;color:#14232b;font:18px/1.45 system-ui,sans-serif}\
header{background:#0e4a5c;color:#fff;padding:12px 24px}header p{margin:0;font-weight:600}\
header span{font-weight:400;margin-left:12px}\
main{max-width:60rem;margin:0 auto;padding:16px 24px 48px}h1{font-size:28px;line-height:1.2}h2{font-size:22px;margin-top:32px}\
a{color:#0e4a5c}a:focus-visible{outline:3px solid #0e4a5c;outline-offset:2px}.soft{color:#46555d}\
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;background:#fff}caption{text-align:left;padding:8px 0}\
th,td{padding:10px 12px;text-align:left;vertical-align:top;border-bottom:1px solid #d8d3c8}thead th{background:#ddecef}\
tbody th{font-weight:600}.notices{list-style:none;padding:0}.notices li{background:#fcebcf;color:#6e3b00;padding:10px 12px;margin:8px 0}";
