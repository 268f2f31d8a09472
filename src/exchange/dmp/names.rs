//! Identifiers of the DMP, of IHE XDS.b and of ebXML, each named once (IHE ITI TF Vol 3 §4.2; CI-SIS).

/// `urn:uuid:` classification schemes of a DocumentEntry.
pub mod entry {
    pub const OBJECT: &str = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1";
    pub const UNIQUE_ID: &str = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab";
    pub const PATIENT_ID: &str = "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427";
    pub const AUTHOR: &str = "urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d";
    pub const CLASS: &str = "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a";
    pub const TYPE: &str = "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983";
    pub const FORMAT: &str = "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d";
    pub const CONFIDENTIALITY: &str = "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f";
    pub const FACILITY: &str = "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1";
    pub const PRACTICE: &str = "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead";
    pub const EVENT: &str = "urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4";
}

/// The same of a SubmissionSet.
pub mod set {
    pub const NODE: &str = "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd";
    pub const AUTHOR: &str = "urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d";
    pub const CONTENT: &str = "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500";
    pub const PATIENT_ID: &str = "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446";
    pub const SOURCE_ID: &str = "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832";
    pub const UNIQUE_ID: &str = "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8";
    /// JDV_J59
    pub const CONTENT_SCHEME: &str = "1.2.250.1.213.2.2";
}

pub mod status {
    pub const APPROVED: &str = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved";
    pub const DEPRECATED: &str = "urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated";
    /// The two that France added.
    pub const ARCHIVED: &str = "urn:asip:ci-sis:2010:StatusType:Archived";
    pub const DELETED: &str = "urn:asip:ci-sis:2010:StatusType:Deleted";
}

/// Stored queries (ITI-18).
pub mod query {
    pub const FIND_DOCUMENTS: &str = "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d";
    pub const GET_DOCUMENTS: &str = "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4";
    pub const FIND_SUBMISSION_SETS: &str = "urn:uuid:f26abbcb-ac74-4422-8a30-edb644bbc1a9";
    pub const GET_ASSOCIATIONS: &str = "urn:uuid:a7ae438b-4bc2-4642-93e9-be891f7bb155";
    pub const GET_DOCUMENTS_AND_ASSOCIATIONS: &str = "urn:uuid:bab9529a-4a10-40b3-a01f-f68a615d247a";
}

pub mod association {
    pub const OBJECT: &str = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Association";
    pub const HAS_MEMBER: &str = "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember";
    pub const UPDATE_STATUS: &str = "urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus";
    pub const SIGNS: &str = "urn:ihe:iti:2007:AssociationType:signs";
    pub const REPLACES: &str = "urn:ihe:iti:2007:AssociationType:RPLC";
}

/// The class of a deposit's signature (IHE DSG §5.1).
pub const SIGNATURE_CLASS: &str = "urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1";
pub const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
pub const XADES: &str = "http://uri.etsi.org/01903/v1.1.1#";
pub const XOP: &str = "http://www.w3.org/2004/08/xop/include";
pub const RIM: &str = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0";
pub const RS: &str = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0";
pub const LCM: &str = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0";
pub const QUERY: &str = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0";
pub const XDS: &str = "urn:ihe:iti:xds-b:2007";
pub const HL7: &str = "urn:hl7-org:v3";
pub const HABILITATIONS: &str = "urn:si-dmp-habilitations";
pub const PATIENTS: &str = "urn:si-dmp-patients";

/// TRE_G15; a professional in training is of another system.
pub const PROFESSION: &str = "1.2.250.1.71.1.2.7";
pub const IN_TRAINING: &str = "1.2.250.1.71.1.2.8";
/// TRE_R38 and the like: « savoir-faire ».
pub const SPECIALTY: &str = "1.2.250.1.71.4.2.5";
/// TRE_G05
pub const SECTION: &str = "1.2.250.1.71.4.2.6";
/// TRE_R02
pub const SECTOR: &str = "1.2.250.1.71.4.2.4";
/// PS_IdNat
pub const PROFESSIONAL: &str = "1.2.250.1.71.4.2.1";
/// Struct_IdNat
pub const STRUCTURE: &str = "1.2.250.1.71.4.2.2";
/// TRE_R248
pub const ACCESS_MODE: &str = "1.2.250.1.213.1.1.4.248";
/// JDV_J01: professions and specialties as authors have them.
pub const SPECIALTIES: &str = "1.2.250.1.213.1.1.4.5";
/// TRE_A01: « cadre d'exercice ».
pub const PRACTICE: &str = "1.2.250.1.213.1.1.4.9";
/// IHE's formats.
pub const FORMAT: &str = "1.3.6.1.4.1.19376.1.2.3";
/// Purposes of a signature (ASTM E1762), and « source » among them.
pub const PURPOSES: &str = "1.2.840.10065.1.12";
pub const PURPOSE_SOURCE: &str = "1.2.840.10065.1.12.1.14";
/// HL7 Confidentiality: N, R, V.
pub const CONFIDENTIALITY: &str = "2.16.840.1.113883.5.25";
/// MASQUE_PS and the two INVISIBLE_ of JDV_J08.
pub const VISIBILITY: &str = "1.2.250.1.213.1.1.4.13";
/// TRE_A03 as the DMP names it.
pub const CLASS: &str = "1.2.250.1.213.1.1.4.1";
pub const LOINC: &str = "2.16.840.1.113883.6.1";
/// TRE_A05: types without a LOINC code.
pub const TYPE: &str = "1.2.250.1.213.1.1.4.12";
/// The DMP itself, as a receiver.
pub const DMP: &str = "1.2.250.1.213.4.1.1.1";
