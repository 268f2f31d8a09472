//! Types of documents: the national code, its class, who writes it, and which story tells it.
//!
//! Codes and names are facts of the French nomenclature (JDV_J07, ASS_X16, TRE_A03).

/// Who writes a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pen {
    Patient,
    Doctor,
    Hospital,
    Laboratory,
    Imaging,
    Pharmacist,
    Nurse,
    Therapist,
    Midwife,
    Office,
}

/// Which story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tale {
    Consultation,
    Biology,
    Imaging,
    Operation,
    Anaesthesia,
    Emergency,
    Stay,
    Letter,
    Vitals,
    Function,
    Birth,
    Eyes,
    Synthesis,
    Mind,
    Child,
    Pharmacy,
    Prescription,
    Plan,
    Given,
    Vaccines,
    Certificate,
    Costs,
    Wishes,
    Office,
}

/// How the bytes are laid out, most often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    Narrative,
    Pdf,
    Text,
}

pub struct Kind {
    pub code: &'static str,
    pub class: &'static str,
    pub label: &'static str,
    pub pen: Pen,
    pub tale: Tale,
    pub layout: Layout,
    /// For everybody, for a birth, or for a child.
    pub fits: Fits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fits {
    Anybody,
    Adult,
    Mother,
    Child,
}

/// Of which format such a document is.
pub fn format_code(kind: &Kind, layout: Layout) -> &'static str {
    match (layout, kind.code) {
        (Layout::Pdf, _) => "urn:ihe:iti:xds-sd:pdf:2008",
        (Layout::Text, _) => "urn:ihe:iti:xds-sd:text:2008",
        (Layout::Narrative, "11502-2") => "urn:ihe:lab:xd-lab:2008",
        (Layout::Narrative, "18748-4") => "urn:ihe:rad:CDA:ImagingReportStructuredHeadings:2013",
        (Layout::Narrative, "11526-1" | "60568-3") => "urn:ihe:palm:apsr:2016",
        (Layout::Narrative, "57833-6") => "urn:ihe:pharm:pre:2010",
        (Layout::Narrative, "60593-1") => "urn:ihe:pharm:dis:2010",
        (Layout::Narrative, "60591-5") => "urn:asip:ci-sis:vsm:2012",
        (Layout::Narrative, "11369-6") => "urn:asip:ci-sis:vac:2019",
        (Layout::Narrative, "87273-9") => "urn:asip:ci-sis:vac-note:2021",
        (Layout::Narrative, "74207-2") => "urn:asip:ci-sis:dlu:2024",
        (Layout::Narrative, "34749-2") => "urn:asip:ci-sis:cr-cpa:2020",
        (Layout::Narrative, "77436-4") => "urn:asip:ci-sis:cr-anest:2020",
        (Layout::Narrative, "34794-8") => "urn:asip:ci-sis:frcp:2011",
        (Layout::Narrative, "REMB") => "urn:asip:ci-sis:hr:2019",
        (Layout::Narrative, _) => "urn:asipSante:modelesHorsProfils:2011",
    }
}

/// Compactly, one line a type.
#[rustfmt::skip]
pub const KINDS: &[Kind] = &[
    // What the matrix extract lets a nurse read.
    kind("DOCPAT03", "10", "CR déposé par le patient", Pen::Patient, Tale::Letter, Layout::Pdf, Fits::Adult),
    kind("DOCPAT05", "10", "CR de biologie déposé par le patient", Pen::Patient, Tale::Biology, Layout::Pdf, Fits::Adult),
    kind("DOCPAT06", "10", "CR de prévention déposé par le patient", Pen::Patient, Tale::Consultation, Layout::Pdf, Fits::Adult),
    kind("15508-5", "10", "CR d’accouchement", Pen::Midwife, Tale::Birth, Layout::Narrative, Fits::Mother),
    kind("70004-7", "10", "CR d’acte diagnostique (autre)", Pen::Hospital, Tale::Operation, Layout::Narrative, Fits::Anybody),
    kind("75492-9", "10", "CR d’acte diagnostique à visée préventive ou de dépistage", Pen::Doctor, Tale::Consultation, Layout::Narrative, Fits::Adult),
    kind("11505-5", "10", "CR d’acte thérapeutique (autre)", Pen::Hospital, Tale::Operation, Layout::Narrative, Fits::Anybody),
    kind("75482-0", "10", "CR d’acte thérapeutique à visée préventive", Pen::Doctor, Tale::Operation, Layout::Pdf, Fits::Adult),
    kind("67851-6", "10", "CR d’admission", Pen::Hospital, Tale::Emergency, Layout::Narrative, Fits::Anybody),
    kind("11526-1", "10", "CR d’anatomie et de cytologie pathologiques", Pen::Laboratory, Tale::Biology, Layout::Narrative, Fits::Adult),
    kind("77436-4", "10", "CR d’anesthésie", Pen::Hospital, Tale::Anaesthesia, Layout::Narrative, Fits::Anybody),
    kind("BIL_AUTO", "10", "CR de bilan d’évaluation de la perte d’autonomie", Pen::Therapist, Tale::Function, Layout::Narrative, Fits::Adult),
    kind("47420-5", "10", "CR de bilan fonctionnel", Pen::Therapist, Tale::Function, Layout::Narrative, Fits::Anybody),
    kind("34749-2", "10", "CR de consultation pré-anesthésique", Pen::Hospital, Tale::Anaesthesia, Layout::Narrative, Fits::Anybody),
    kind("78513-9", "10", "CR de consultation en ophtalmologie", Pen::Doctor, Tale::Eyes, Layout::Narrative, Fits::Anybody),
    kind("11502-2", "10", "CR d’examens biologiques", Pen::Laboratory, Tale::Biology, Layout::Narrative, Fits::Anybody),
    kind("15507-7", "10", "CR de passage aux urgences", Pen::Hospital, Tale::Emergency, Layout::Narrative, Fits::Anybody),
    kind("83981-1", "10", "Lettre de liaison à la sortie d’une structure sociale ou médico-sociale", Pen::Hospital, Tale::Letter, Layout::Pdf, Fits::Adult),
    kind("56445-0", "11", "Bilan médicamenteux (Officine)", Pen::Pharmacist, Tale::Pharmacy, Layout::Narrative, Fits::Adult),
    kind("PROT_ALD", "44", "Protocole de soins ALD", Pen::Doctor, Tale::Plan, Layout::Pdf, Fits::Adult),
    // The rest: denied to her, or not known.
    kind("11488-4", "10", "CR ou fiche de consultation ou de visite", Pen::Doctor, Tale::Consultation, Layout::Narrative, Fits::Anybody),
    kind("11490-0", "10", "Lettre de liaison à la sortie d’un établissement de soins", Pen::Hospital, Tale::Letter, Layout::Pdf, Fits::Anybody),
    kind("11506-3", "10", "CR ou fiche de suivi de soins par auxiliaire médical", Pen::Nurse, Tale::Vitals, Layout::Narrative, Fits::Anybody),
    kind("29274-8", "10", "Mesures de signes vitaux", Pen::Nurse, Tale::Vitals, Layout::Narrative, Fits::Anybody),
    kind("34112-3", "10", "CR hospitalier (séjour)", Pen::Hospital, Tale::Stay, Layout::Narrative, Fits::Anybody),
    kind("34794-8", "10", "CR de réunion de concertation pluridisciplinaire", Pen::Hospital, Tale::Synthesis, Layout::Pdf, Fits::Adult),
    kind("34874-8", "10", "CR opératoire", Pen::Hospital, Tale::Operation, Layout::Narrative, Fits::Anybody),
    kind("59283-2", "10", "CR d’examen de l’enfant", Pen::Doctor, Tale::Child, Layout::Narrative, Fits::Child),
    kind("75496-0", "10", "Demande d’acte de télémédecine", Pen::Doctor, Tale::Letter, Layout::Text, Fits::Adult),
    kind("85208-7", "10", "CR de télémédecine", Pen::Doctor, Tale::Consultation, Layout::Text, Fits::Adult),
    kind("96349-6", "10", "Lettre d’adressage", Pen::Doctor, Tale::Letter, Layout::Text, Fits::Anybody),
    kind("18761-7", "11", "Note de transfert", Pen::Hospital, Tale::Stay, Layout::Text, Fits::Adult),
    kind("34133-9", "11", "Synthèse d’épisode de soins", Pen::Hospital, Tale::Synthesis, Layout::Narrative, Fits::Anybody),
    kind("60591-5", "11", "Synthèse médicale", Pen::Doctor, Tale::Synthesis, Layout::Narrative, Fits::Anybody),
    kind("68599-0", "11", "Synthèse psychiatrique", Pen::Hospital, Tale::Mind, Layout::Narrative, Fits::Adult),
    kind("68817-6", "11", "Bilan de santé et de prévention de l’enfant", Pen::Doctor, Tale::Child, Layout::Narrative, Fits::Child),
    kind("74207-2", "11", "Document de liaison d’urgence", Pen::Office, Tale::Synthesis, Layout::Narrative, Fits::Adult),
    kind("83901-9", "11", "Bilan psychologique", Pen::Therapist, Tale::Mind, Layout::Pdf, Fits::Anybody),
    kind("89235-6", "11", "Synthèse Suites de Couches Mère", Pen::Midwife, Tale::Birth, Layout::Narrative, Fits::Mother),
    kind("DOCPAT01", "11", "Synthèse déposée par le patient", Pen::Patient, Tale::Synthesis, Layout::Pdf, Fits::Adult),
    kind("18748-4", "31", "CR d’imagerie médicale", Pen::Imaging, Tale::Imaging, Layout::Narrative, Fits::Anybody),
    kind("DOCPAT04", "31", "Imagerie déposée par le patient", Pen::Patient, Tale::Imaging, Layout::Pdf, Fits::Adult),
    kind("55115-0", "42", "Demande d’actes d’imagerie", Pen::Doctor, Tale::Prescription, Layout::Text, Fits::Anybody),
    kind("57833-6", "42", "Prescription de produits de santé", Pen::Doctor, Tale::Prescription, Layout::Narrative, Fits::Anybody),
    kind("57832-8", "42", "Prescription de soins", Pen::Doctor, Tale::Prescription, Layout::Narrative, Fits::Anybody),
    kind("PRESC-BIO", "42", "Prescription d’actes de biologie médicale", Pen::Doctor, Tale::Prescription, Layout::Pdf, Fits::Anybody),
    kind("PRESC-INF", "42", "Prescription d’actes infirmiers", Pen::Doctor, Tale::Prescription, Layout::Pdf, Fits::Adult),
    kind("PRESC-KINE", "42", "Prescription d’actes de kinésithérapie", Pen::Doctor, Tale::Prescription, Layout::Pdf, Fits::Adult),
    kind("60593-1", "43", "Dispensation médicamenteuse", Pen::Pharmacist, Tale::Pharmacy, Layout::Narrative, Fits::Anybody),
    kind("DISP_AUT", "43", "Dispensation (autre)", Pen::Pharmacist, Tale::Pharmacy, Layout::Text, Fits::Anybody),
    kind("18776-5", "44", "Plan personnalisé de soins", Pen::Doctor, Tale::Plan, Layout::Narrative, Fits::Adult),
    kind("80771-9", "44", "Projet d’accueil individualisé", Pen::Doctor, Tale::Plan, Layout::Pdf, Fits::Child),
    kind("80788-3", "44", "Projet personnalisé d’accompagnement", Pen::Office, Tale::Plan, Layout::Pdf, Fits::Adult),
    kind("80565-5", "45", "CR d’administration de médicaments", Pen::Nurse, Tale::Given, Layout::Narrative, Fits::Anybody),
    kind("11369-6", "52", "Historique des vaccinations", Pen::Doctor, Tale::Vaccines, Layout::Narrative, Fits::Anybody),
    kind("87273-9", "52", "Note de vaccination", Pen::Nurse, Tale::Vaccines, Layout::Narrative, Fits::Anybody),
    kind("89601-9", "52", "Certificat médical", Pen::Doctor, Tale::Certificate, Layout::Pdf, Fits::Anybody),
    kind("96173-0", "52", "Test rapide d’orientation diagnostique", Pen::Pharmacist, Tale::Certificate, Layout::Narrative, Fits::Anybody),
    kind("REMB", "60", "Données de remboursement", Pen::Office, Tale::Costs, Layout::Narrative, Fits::Anybody),
    kind("74465-6", "90", "Questionnaire patient", Pen::Patient, Tale::Wishes, Layout::Text, Fits::Adult),
    kind("EXPPAT_1", "90", "Volontés et droits du patient", Pen::Patient, Tale::Wishes, Layout::Text, Fits::Adult),
    kind("EXPPAT_3", "90", "Directives anticipées", Pen::Patient, Tale::Wishes, Layout::Pdf, Fits::Adult),
    kind("59284-0", "95", "Attestation de consentement", Pen::Office, Tale::Office, Layout::Pdf, Fits::Anybody),
    kind("86531-1", "95", "Attestation de sortie", Pen::Office, Tale::Office, Layout::Pdf, Fits::Anybody),
    kind("ATTEST-RESID", "95", "Attestation de résidence", Pen::Office, Tale::Office, Layout::Text, Fits::Adult),
    kind("ATTEST-DROITS-AM", "95", "Attestation de droits à l’assurance maladie", Pen::Office, Tale::Office, Layout::Pdf, Fits::Anybody),
];

/// How many of the first kinds a nurse may read.
pub const FIRST_FOR_NURSES: usize = 20;

const fn kind(
    code: &'static str,
    class: &'static str,
    label: &'static str,
    pen: Pen,
    tale: Tale,
    layout: Layout,
    fits: Fits,
) -> Kind {
    Kind { code, class, label, pen, tale, layout, fits }
}
