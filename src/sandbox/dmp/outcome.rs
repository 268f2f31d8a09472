//! What is refused, and how it is said: an OperationOutcome with a code and one French sentence without a name.

use serde_json::Value;
use serde_json::json;

/// A refusal, by its name in `docs/pdsm.md` §1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    RequestInvalid,
    TokenMissing,
    TokenInvalid,
    TokenCertificate,
    TokenDevice,
    TokenExpired,
    ProfessionalBlocked,
    RecordClosed,
    AuthorizationMissing,
    DocumentDenied,
    NotFound,
    TooLarge,
    OtherEncoding,
    Refused,
    /// A test wanted it.
    Failed(u16),
}

impl Refusal {
    pub fn status(self) -> u16 {
        match self {
            Refusal::RequestInvalid => 400,
            Refusal::TokenMissing
            | Refusal::TokenInvalid
            | Refusal::TokenCertificate
            | Refusal::TokenDevice
            | Refusal::TokenExpired => 401,
            Refusal::ProfessionalBlocked
            | Refusal::RecordClosed
            | Refusal::AuthorizationMissing
            | Refusal::DocumentDenied => 403,
            Refusal::NotFound => 404,
            Refusal::TooLarge => 413,
            Refusal::OtherEncoding => 415,
            Refusal::Refused => 422,
            Refusal::Failed(status) => status,
        }
    }

    /// Code of `CHEVET/CodeSystem/outcome`, the issue's own code, and the sentence.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Refusal::RequestInvalid => ("request-invalid", "invalid", "La demande n’est pas comprise."),
            Refusal::TokenMissing => ("token-missing", "login", "Le professionnel ne s’est pas authentifié."),
            Refusal::TokenInvalid => ("token-invalid", "login", "Le jeton du professionnel n’est pas valable."),
            Refusal::TokenCertificate => ("token-certificate", "login", "Le certificat de la carte n’est pas accepté."),
            Refusal::TokenDevice => ("token-device", "login", "Le jeton a été établi pour une autre borne."),
            Refusal::TokenExpired => ("token-expired", "expired", "Le jeton du professionnel est périmé."),
            Refusal::ProfessionalBlocked => {
                ("professional-blocked", "forbidden", "Le patient a bloqué l’accès de ce professionnel à son dossier.")
            }
            Refusal::RecordClosed => ("record-closed", "forbidden", "Le dossier est fermé."),
            Refusal::AuthorizationMissing => {
                ("authorization-missing", "forbidden", "Aucune autorisation valide du patient pour ce professionnel.")
            }
            Refusal::DocumentDenied => {
                ("document-denied", "forbidden", "Ce document n’est pas accessible à ce professionnel.")
            }
            Refusal::NotFound => ("not-found", "not-found", "Cet élément n’existe pas."),
            Refusal::TooLarge => ("too-large", "too-long", "L’envoi est trop volumineux."),
            Refusal::OtherEncoding => ("request-invalid", "not-supported", "L’encodage de l’envoi n’est pas accepté."),
            Refusal::Refused => ("refused", "business-rule", "L’envoi est compris et refusé définitivement."),
            Refusal::Failed(_) => ("failed", "transient", "Le service est momentanément indisponible."),
        }
    }

    pub fn resource(self) -> Value {
        let (ours, code, text) = self.words();
        json!({
            "resourceType": "OperationOutcome",
            "issue": [{
                "severity": "error", "code": code,
                "details": {
                    "coding": [{"system": "https://chevet.invalid/fhir/CodeSystem/outcome", "code": ours}],
                    "text": text
                }
            }]
        })
    }
}
