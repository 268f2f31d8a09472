//! A minor's secret connection (CSP R.1111-50; L.1111-5, L.1111-5-1, L.2212-4, L.2212-7, L.6211-3-1): care that a minor asked
//! to keep from their legal representatives. What forbids it; on every act that it covers, the trace says so.

use crate::policy::decision::Rule;
use crate::policy::facts::Known;
use crate::policy::looked;
use crate::policy::rules::Article;
use crate::policy::rules::Verdict::Forbid;
use crate::policy::rules::Verdict::Lack;
use crate::policy::rules::is_emergency;
use crate::policy::rules::is_prefetch;
use crate::policy::rules::nothing;

pub const FORBIDS: &[Article] = &[
    Article {
        rule: Rule {
            id: "S-01",
            law: "CSP R.1111-50\u{a0}; EX_0.1-1100",
            sentence: "La connexion secrète n’existe que pour un patient mineur.",
        },
        verdict: Forbid,
        when: |f| f.record.minor == Some(false),
        owes: nothing,
        looks_at: &[looked::SECRET, looked::MINOR],
        next: "Ouvrez le dossier sans connexion secrète.",
    },
    Article {
        rule: Rule {
            id: "S-02",
            law: "précaution\u{a0}: l’inconnu vaut refus (CSP R.1111-50)",
            sentence: "On ne sait pas si le patient est mineur\u{a0}: pas de connexion secrète.",
        },
        verdict: Lack,
        when: |f| f.record.minor.is_none(),
        owes: nothing,
        looks_at: &[looked::SECRET, looked::MINOR],
        next: "Réessayez quand la borne est reliée au réseau.",
    },
    Article {
        rule: Rule {
            id: "S-03",
            law: "précaution\u{a0}: CSP R.1111-50, rien de secret n’est gardé d’avance",
            sentence: "Rien n’est chargé à l’avance sous connexion secrète.",
        },
        verdict: Forbid,
        when: is_prefetch,
        owes: nothing,
        looks_at: &[looked::SECRET, looked::ASK, looked::MODE],
        next: "Ouvrez le dossier en présence du patient.",
    },
    Article {
        rule: Rule {
            id: "S-04",
            law: "CSP R.1111-50, L.1111-17 I",
            sentence: "Une connexion secrète, c’est le mineur lui-même qui la demande\u{a0}: jamais en bris de glace.",
        },
        verdict: Forbid,
        // Who is brain-dead asks for nothing either.
        when: |f| is_emergency(f) || f.site.brain_death,
        owes: nothing,
        looks_at: &[looked::SECRET, looked::MODE, looked::GROUND, looked::BRAIN_DEATH],
        next: "S’il ne peut pas la demander, ouvrez le dossier sans connexion secrète.",
    },
    Article {
        rule: Rule {
            id: "S-05",
            law: "CSP R.1111-50, L.1111-5",
            sentence: "Un représentant légal parle pour le patient\u{a0}: la connexion ne peut pas être secrète.",
        },
        verdict: Forbid,
        when: |f| f.consent.by_representative == Known::Yes,
        owes: nothing,
        looks_at: &[looked::SECRET, looked::REPRESENTATIVE],
        next: "Recevez le mineur seul, ou avec le majeur de son choix.",
    },
    Article {
        rule: Rule {
            id: "S-06",
            law: "précaution\u{a0}: l’inconnu vaut refus (CSP R.1111-50)",
            sentence: "On ne sait pas si un représentant légal parle pour le patient\u{a0}: pas de connexion secrète.",
        },
        verdict: Lack,
        when: |f| f.consent.by_representative != Known::No,
        owes: nothing,
        looks_at: &[looked::SECRET, looked::REPRESENTATIVE],
        next: "Revenez à l’entrée du dossier et dites qui parle pour le patient.",
    },
];
