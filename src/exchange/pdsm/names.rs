//! Systems and URLs, as docs/pdsm.md writes them. Nothing else in this room spells one.

pub const URI: &str = "urn:ietf:rfc:3986";
/// PS_IdNat.
pub const PROFESSIONAL: &str = "urn:oid:1.2.250.1.71.4.2.1";
pub const LOINC: &str = "http://loinc.org";
/// Types that LOINC does not know.
pub const TYPE: &str =
    "https://mos.esante.gouv.fr/NOS/TRE_A05-TypeDocComplementaire/FHIR/TRE-A05-TypeDocComplementaire";
/// FINESS, SIRET, practice: with the prefix that the card gives.
pub const STRUCTURE: &str = "urn:oid:1.2.250.1.71.4.2.2";
pub const SECTOR: &str = "https://mos.esante.gouv.fr/NOS/TRE_R02-SecteurActivite/FHIR/TRE-R02-SecteurActivite";
pub const VISIBILITY: &str =
    "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument";
pub const CLASS: &str = "https://mos.esante.gouv.fr/NOS/TRE_A03-ClasseDocument/FHIR/TRE-A03-ClasseDocument";
pub const PROFESSION: &str = "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante";
pub const ACCESS_MODE: &str = "https://mos.esante.gouv.fr/NOS/TRE_R248_ModeAcces/FHIR/TRE-R248-ModeAcces";
pub const FORMAT: &str = "https://mos.esante.gouv.fr/NOS/TRE_A11-IheFormatCode/FHIR/TRE-A11-IheFormatCode";

pub const IS_ARCHIVED: &str = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived";
pub const CLOSURE: &str = "https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-fermeture";
pub const ATTENDING_DOCTOR: &str =
    "https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-medecin-traitant";

pub const CONSENT_SCOPE: &str = "http://terminology.hl7.org/CodeSystem/consentscope";
pub const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
pub const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
pub const LIST_TYPE: &str = "https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes";

pub const EVENT_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-event-type";
pub const INTERACTION: &str = "http://hl7.org/fhir/restful-interaction";
pub const DICOM: &str = "http://dicom.nema.org/resources/ontology/DCM";
pub const SOURCE_TYPE: &str = "http://terminology.hl7.org/CodeSystem/security-source-type";
pub const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
pub const ENTITY_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
pub const BALP_ENTITY: &str = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType";

/// `.invalid` never resolves and can never become somebody's (RFC 6761 §6.4).
macro_rules! ours {
    ($($name:ident = $path:literal;)+) => {
        $(pub const $name: &str = concat!("https://chevet.invalid/fhir/", $path);)+
    };
}

ours! {
    CONSENT_CATEGORY = "CodeSystem/consent-category";
    REGIME = "CodeSystem/regime";
    OUTCOME = "CodeSystem/outcome";
    TRACE_CLASS = "CodeSystem/trace-class";
    MODE = "CodeSystem/mode";
    TEAM = "identifier/team";
    DEVICE = "identifier/device";
    ADMINISTRATOR = "StructureDefinition/administrator";
    MINOR = "StructureDefinition/minor";
    EMERGENCY_SWITCHES = "StructureDefinition/emergency-switches";
    SHOWN = "StructureDefinition/shown";
    ASKED_BY = "StructureDefinition/asked-by";
    COLLECTED_BY = "StructureDefinition/collected-by";
    GROUND = "StructureDefinition/ground";
    CLOCK = "StructureDefinition/clock";
    REPRESENTATIVE = "StructureDefinition/representative";
    CHECKPOINT = "StructureDefinition/checkpoint";
    LOG_ENTRY = "StructureDefinition/log-entry";
}
