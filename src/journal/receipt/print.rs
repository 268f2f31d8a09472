//! The receipt's words on paper. French, with the typography of the screen; no patient is named.

use crate::identity::holder::HolderId;
use crate::journal::note::Head;
use crate::journal::receipt::Receipt;
use crate::journal::words::Class;
use crate::journal::words::Ground;

/// Lines for a sheet; the QR code comes under them.
pub(super) fn sheet(receipt: &Receipt, head: &Head) -> String {
    let claims = &receipt.claims;
    let time = claims.at.value().rfc3339();
    let when = if claims.at.is_trusted() {
        time
    } else {
        format!("{time} au plus tôt\u{a0}: l’heure n’était pas vérifiée")
    };
    let ground = claims.ground.map_or("sans objet", ground);
    format!(
        "REÇU D’ACCÈS\n\
         Cet accès à un dossier est inscrit dans le journal de la borne, qui ne peut plus l’effacer sans que cela se voie.\n\
         \n\
         Acte\u{a0}: {}\n\
         Quand (UTC)\u{a0}: {when}\n\
         Motif\u{a0}: {ground}\n\
         Professionnel\u{a0}: {}\n\
         Borne\u{a0}: {}\n\
         Inscrit à la ligne {} d’un journal de {} lignes.\n\
         \n\
         Le code ci-dessous est la preuve. Il se vérifie sans réseau, avec la clé publique de la borne.\n\
         Il ne contient ni nom de patient, ni numéro de sécurité sociale, ni contenu de document.\n",
        act(claims.class),
        who(&claims.holder),
        head.origin,
        receipt.place.index,
        head.size,
    )
}

fn act(class: Class) -> &'static str {
    match class {
        Class::Login => "identification par carte",
        Class::Gate => "demande d’ouverture du dossier",
        Class::Prefetched => "préparation sur la borne, sans lecture",
        Class::Listed => "liste des documents affichée",
        Class::Searched => "recherche dans le dossier",
        Class::Summary => "résumé du dossier affiché",
        Class::Opened => "document lu",
        Class::Printed => "document imprimé",
        Class::Contributed => "document ajouté au dossier",
        Class::Consent => "accord recueilli",
        Class::Refused => "refus enregistré",
        Class::Withdrawn => "retrait d’accord enregistré",
        Class::BreakGlass => "ouverture en bris de glace",
        Class::Maintenance => "entretien de la borne",
    }
}

fn ground(ground: Ground) -> &'static str {
    match ground {
        Ground::Authorization => "autorisation en cours",
        Ground::Team => "équipe de soins",
        Ground::Explicit => "accord donné ce jour",
        Ground::BreakGlass => "urgence, patient hors d’état de s’exprimer",
        Ground::Refused => "refus du patient",
    }
}

/// `8` and eleven digits are an RPPS number; anything else is shown as it is.
fn who(holder: &HolderId) -> String {
    match holder.0.strip_prefix('8').filter(|rpps| rpps.len() == 11) {
        Some(rpps) => format!("RPPS {rpps}"),
        None => format!("identifiant {}", holder.0),
    }
}
