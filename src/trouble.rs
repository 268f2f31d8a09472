//! All that a person can be told when something went wrong: a closed list, each in two French sentences.
//!
//! Every error of every room is mapped to one of these by `kiosk`; the chain of causes goes to the log, in English,
//! without personal data. The screen says what happened and what to do next. Pure.

/// What went wrong, in words a person can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trouble {
    // Reader and card
    NoReader,
    ReaderServiceDown,
    ReaderBusy,
    CardMute,
    CardUnknown,
    CardCps4,
    CardContactless,
    CardNoApplication,
    CardPulledWhileReading,
    CardBlocked,
    CardDialogue,
    PinNotTyped,
    // Who it is
    CertificateExpired,
    CertificateNotYetValid,
    CertificateRevoked,
    CertificateOtherIssuer,
    CertificateUnreadable,
    RevocationListTooOld,
    SignatureRefused,
    // The visit
    /// The holder left by a button: nothing is wrong, the card is still in.
    VisitEnded,
    TookTooLong,
    PatientMismatch,
    InsWrongKey,
    InsUnreadable,
    // Upstream
    Offline,
    ServerTimedOut,
    ServerCertificate,
    ServerRefusedDevice,
    ServerRefusedHolder,
    ServerFailed,
    AnswerUnreadable,
    RecordNeverCreated,
    RecordClosed,
    Denied,
    // Documents
    DocumentTooLarge,
    DocumentDamaged,
    DocumentUnreadable,
    DocumentUnknownFormat,
    // The device
    DiskFull,
    StoreUnreadable,
    StoreFromTheFuture,
    StoreOtherDevice,
    TraceNotWritten,
    AllowanceSpent,
    Settings,
    Internal,
}

/// How it looks and what it is called for support.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// Small and last on the page, for example `3-07`. The digit before the dash is the layer.
    pub code: &'static str,
    /// For the log and the foot of the page: `lecteur`, `carte`, `réseau` …
    pub layer: &'static str,
    /// A few words, on a pill.
    pub name: &'static str,
    /// What happened.
    pub happened: &'static str,
    /// What to do next; says that nothing was lost only where that is so.
    pub next: &'static str,
}

impl Trouble {
    /// Every trouble, so that a test can read each.
    pub const ALL: &'static [Trouble] = &[
        Trouble::NoReader,
        Trouble::ReaderServiceDown,
        Trouble::ReaderBusy,
        Trouble::CardMute,
        Trouble::CardUnknown,
        Trouble::CardCps4,
        Trouble::CardContactless,
        Trouble::CardNoApplication,
        Trouble::CardPulledWhileReading,
        Trouble::CardBlocked,
        Trouble::CardDialogue,
        Trouble::PinNotTyped,
        Trouble::CertificateExpired,
        Trouble::CertificateNotYetValid,
        Trouble::CertificateRevoked,
        Trouble::CertificateOtherIssuer,
        Trouble::CertificateUnreadable,
        Trouble::RevocationListTooOld,
        Trouble::SignatureRefused,
        Trouble::VisitEnded,
        Trouble::TookTooLong,
        Trouble::PatientMismatch,
        Trouble::InsWrongKey,
        Trouble::InsUnreadable,
        Trouble::Offline,
        Trouble::ServerTimedOut,
        Trouble::ServerCertificate,
        Trouble::ServerRefusedDevice,
        Trouble::ServerRefusedHolder,
        Trouble::ServerFailed,
        Trouble::AnswerUnreadable,
        Trouble::RecordNeverCreated,
        Trouble::RecordClosed,
        Trouble::Denied,
        Trouble::DocumentTooLarge,
        Trouble::DocumentDamaged,
        Trouble::DocumentUnreadable,
        Trouble::DocumentUnknownFormat,
        Trouble::DiskFull,
        Trouble::StoreUnreadable,
        Trouble::StoreFromTheFuture,
        Trouble::StoreOtherDevice,
        Trouble::TraceNotWritten,
        Trouble::AllowanceSpent,
        Trouble::Settings,
        Trouble::Internal,
    ];

    /// The server cannot be used now, whatever the reason: what is already on the device may be read. A refusal is not one.
    pub fn leaves_the_compartment(self) -> bool {
        matches!(
            self,
            Trouble::Offline
                | Trouble::ServerTimedOut
                | Trouble::ServerCertificate
                | Trouble::ServerFailed
                | Trouble::AnswerUnreadable
        )
    }

    /// The words of each.
    #[rustfmt::skip]
    pub fn words(self) -> Words {
        let words = |code, layer, name, happened, next| Words { code, layer, name, happened, next };
        match self {
            Trouble::NoReader => words("1-01", "lecteur", "Lecteur absent",
                "Aucun lecteur de carte n’est branché.",
                "Branchez le lecteur sur un port USB de la borne : elle le reconnaît toute seule."),
            Trouble::ReaderServiceDown => words("1-02", "lecteur", "Lecteur arrêté",
                "Le service des lecteurs de carte ne répond pas.",
                "La borne le relance. Si cela dure plus d’une minute, redémarrez la borne."),
            Trouble::ReaderBusy => words("1-03", "lecteur", "Lecteur occupé",
                "Un autre programme utilise la carte.",
                "Retirez la carte, attendez deux secondes, puis remettez-la."),
            Trouble::CardMute => words("2-01", "carte", "Carte muette",
                "La carte ne répond pas.",
                "Essuyez la puce, puis remettez la carte, puce vers le haut, jusqu’au bout."),
            Trouble::CardUnknown => words("2-02", "carte", "Carte inconnue",
                "Cette carte n’est pas une carte de professionnel de santé.",
                "Insérez votre carte CPS. Une carte Vitale ne peut pas ouvrir la borne."),
            Trouble::CardCps4 => words("2-03", "carte", "Carte CPS4",
                "Cette carte CPS est d’une génération que cette borne ne lit pas : aucune vraie carte n’a encore pu être essayée.",
                "Utilisez une carte CPS3, et signalez-le à votre service informatique."),
            Trouble::CardContactless => words("2-04", "carte", "Sans contact",
                "Sans contact, la carte prouve sa présence, mais pas votre code.",
                "Insérez la carte dans la fente du lecteur, puce vers le haut."),
            Trouble::CardNoApplication => words("2-05", "carte", "Carte incomplète",
                "La borne n’a pas trouvé votre certificat sur cette carte.",
                "Essayez de nouveau. Si cela se répète, demandez le remplacement de la carte."),
            Trouble::CardPulledWhileReading => words("2-06", "carte", "Carte retirée",
                "La carte a été retirée pendant la lecture.",
                "Aucun essai n’a été compté par la borne. Remettez la carte, puce vers le haut, et attendez le signal."),
            Trouble::CardBlocked => words("2-07", "carte", "Carte bloquée",
                "Le code de cette carte est bloqué, après trois codes faux.",
                "Débloquez-la avec le code de déblocage reçu par courrier, ou appelez l’assistance de l’ANS."),
            Trouble::CardDialogue => words("2-08", "carte", "Carte en défaut",
                "La carte a donné une réponse que la borne ne comprend pas.",
                "Retirez la carte, puis remettez-la. Si cela se répète, notez le code en bas de la page."),
            Trouble::PinNotTyped => words("2-09", "carte", "Code non saisi",
                "Aucun code n’a été tapé sur le lecteur : la saisie a été annulée, ou a trop duré.",
                "Rien n’a été compté. Retirez la carte, puis remettez-la pour recommencer."),
            Trouble::CertificateExpired => words("3-01", "identité", "Carte périmée",
                "Cette carte a dépassé sa date de validité.",
                "Utilisez votre nouvelle carte. Si vous ne l’avez pas reçue, appelez l’assistance de l’ANS."),
            Trouble::CertificateNotYetValid => words("3-02", "identité", "Carte pas encore valable",
                "Cette carte n’est pas encore valable, ou l’heure de la borne est fausse.",
                "Vérifiez la date affichée à l’accueil, et connectez la borne au réseau."),
            Trouble::CertificateRevoked => words("3-03", "identité", "Carte révoquée",
                "Cette carte a été mise en opposition : elle n’ouvre plus rien.",
                "Utilisez votre nouvelle carte, ou appelez l’assistance de l’ANS."),
            Trouble::CertificateOtherIssuer => words("3-04", "identité", "Émetteur inconnu",
                "Cette carte n’a pas été émise par une autorité que la borne reconnaît.",
                "Vérifiez que ce n’est pas une carte de test, et signalez-le à votre service informatique."),
            Trouble::CertificateUnreadable => words("3-05", "identité", "Certificat illisible",
                "Le certificat de cette carte est illisible.",
                "Remettez la carte. Si cela se répète, demandez son remplacement."),
            Trouble::RevocationListTooOld => words("3-06", "identité", "Liste périmée",
                "La borne ne sait plus quelles cartes sont en opposition : sa liste est trop ancienne.",
                "Connectez la borne au réseau pendant une minute, puis remettez la carte."),
            Trouble::SignatureRefused => words("3-07", "identité", "Preuve refusée",
                "La carte n’a pas prouvé qu’elle est bien celle de son certificat.",
                "Retirez cette carte, et signalez-la à votre service informatique."),
            Trouble::VisitEnded => words("4-00", "visite", "Terminé",
                "Votre visite est terminée.",
                "Retirez votre carte."),
            Trouble::TookTooLong => words("4-01", "visite", "Temps dépassé",
                "La borne a attendu trop longtemps.",
                "Retirez la carte, puis recommencez. Rien de ce qui était enregistré n’est perdu."),
            Trouble::PatientMismatch => words("4-02", "patient", "Identité différente",
                "Le nom ou la date de naissance ne correspond pas à ce numéro.",
                "Relisez la pièce d’identité du patient, puis saisissez de nouveau."),
            Trouble::InsUnreadable => words("4-04", "patient", "Code illisible",
                "Ce que le lecteur a lu, ou ce qui a été saisi, n’est pas un numéro INS.",
                "Recommencez, ou choisissez le patient dans la tournée."),
            Trouble::InsWrongKey => words("4-03", "patient", "Numéro faux",
                "Ce numéro INS a une clé fausse : il y a une erreur de frappe.",
                "Comparez chaque chiffre, clé comprise, puis saisissez de nouveau."),
            Trouble::Offline => words("5-01", "réseau", "Hors ligne",
                "La borne n’atteint pas le serveur.",
                "Vous pouvez lire ce qui est déjà sur la borne. Tout ce que vous enregistrez partira plus tard."),
            Trouble::ServerTimedOut => words("5-02", "réseau", "Réponse trop lente",
                "Le serveur n’a pas répondu à temps.",
                "Essayez de nouveau. Rien n’est perdu."),
            Trouble::ServerCertificate => words("5-03", "réseau", "Serveur non reconnu",
                "Le serveur n’a pas prouvé qui il est : la borne a coupé la liaison.",
                "Ne continuez pas sur ce réseau, et signalez-le à votre service informatique."),
            Trouble::ServerRefusedDevice => words("5-04", "serveur", "Borne refusée",
                "Le serveur ne reconnaît pas cette borne.",
                "Signalez-le à votre service informatique. Ce qui attend est gardé."),
            Trouble::ServerRefusedHolder => words("5-05", "serveur", "Accès refusé",
                "Le serveur a refusé votre accès à ce dossier.",
                "Ouvrez « Pourquoi ? », ou parlez-en au patient."),
            Trouble::ServerFailed => words("5-06", "serveur", "Serveur en panne",
                "Le serveur a répondu par une erreur.",
                "Essayez plus tard. Rien n’est perdu : ce qui attend est gardé."),
            Trouble::AnswerUnreadable => words("5-07", "serveur", "Réponse illisible",
                "Le serveur a donné une réponse que la borne ne comprend pas.",
                "Essayez de nouveau. Si cela se répète, notez le code en bas de la page."),
            Trouble::RecordNeverCreated => words("6-01", "dossier", "Pas de dossier",
                "Ce patient n’a pas de dossier médical partagé.",
                "Il peut l’ouvrir lui-même sur Mon espace santé. Vous pouvez continuer les soins sans lui."),
            Trouble::RecordClosed => words("6-02", "dossier", "Dossier fermé",
                "Le dossier de ce patient est fermé.",
                "Seul le patient peut le rouvrir, sur Mon espace santé."),
            Trouble::Denied => words("6-03", "dossier", "Accès refusé",
                "La loi ne permet pas cet accès.",
                "Ouvrez « Pourquoi ? » pour lire la règle et ce que vous pouvez faire."),
            Trouble::DocumentTooLarge => words("7-01", "document", "Document trop gros",
                "Ce document est trop gros pour la borne.",
                "Lisez-le sur un autre poste. Les autres documents restent lisibles."),
            Trouble::DocumentDamaged => words("7-02", "document", "Document abîmé",
                "Ce document est arrivé abîmé : il n’est pas celui que l’auteur a déposé.",
                "Essayez de nouveau. La borne ne montre jamais un document abîmé."),
            Trouble::DocumentUnreadable => words("7-03", "document", "Document illisible",
                "La borne n’a pas pu lire ce document.",
                "Les autres documents restent lisibles. Lisez celui-ci sur un autre poste."),
            Trouble::DocumentUnknownFormat => words("7-04", "document", "Format inconnu",
                "La borne ne connaît pas le format de ce document.",
                "Lisez-le sur un autre poste."),
            Trouble::DiskFull => words("8-01", "stockage", "Borne pleine",
                "La borne n’a plus de place : elle ne peut plus enregistrer de trace.",
                "Sans trace, rien ne s’ouvre. Connectez la borne au réseau, ou prévenez votre service informatique."),
            Trouble::StoreUnreadable => words("8-02", "stockage", "Données illisibles",
                "Une partie des données de la borne est illisible. Elle a été mise de côté, rien n’a été effacé.",
                "Prévenez votre service informatique : il peut l’envoyer à l’assistance."),
            Trouble::StoreFromTheFuture => words("8-03", "stockage", "Version plus récente",
                "Les données ont été écrites par une version plus récente de la borne.",
                "Mettez la borne à jour. Rien n’a été changé ni effacé."),
            Trouble::StoreOtherDevice => words("8-04", "stockage", "Autre borne",
                "Ces données viennent d’une autre borne, ou sa clé a changé.",
                "Prévenez votre service informatique. Rien n’a été effacé."),
            Trouble::TraceNotWritten => words("8-05", "stockage", "Trace impossible",
                "La trace de cet accès n’a pas pu être écrite : la borne ne montre donc rien.",
                "Essayez de nouveau. Si cela se répète, prévenez votre service informatique."),
            Trouble::AllowanceSpent => words("8-06", "stockage", "Trop longtemps hors ligne",
                "La borne n’a pas transmis ses traces depuis trop longtemps.",
                "Connectez la borne au réseau."),
            Trouble::Settings => words("9-01", "réglages", "Réglage à corriger",
                "Un réglage de la borne est faux.",
                "Prévenez votre service informatique."),
            Trouble::Internal => words("9-02", "borne", "Erreur de la borne",
                "La borne a rencontré une erreur qu’elle n’attendait pas.",
                "Retirez la carte, puis recommencez. Ce qui était enregistré est gardé."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_trouble_has_its_own_code_and_two_sentences() {
        let mut codes = HashSet::new();
        for trouble in Trouble::ALL {
            let words = trouble.words();
            assert!(codes.insert(words.code), "{} is used twice", words.code);
            for sentence in [words.happened, words.next] {
                assert!(sentence.ends_with('.') && sentence.len() > 10, "{trouble:?}: {sentence}");
                let typed = sentence.contains('\'') || sentence.contains(" :") || sentence.contains(" ?");
                assert!(!typed, "{trouble:?}: French typography in « {sentence} »");
            }
        }
    }

    #[test]
    fn the_list_is_whole() {
        // `Internal` is the last variant: a new one must be added to `ALL` too.
        assert_eq!(Trouble::ALL.len(), Trouble::Internal as usize + 1);
    }
}
