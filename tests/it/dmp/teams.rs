//! Care teams that the DMP knows, and what stands for them.

use super::*;
use chevet::record::state::RecordState;

/// The server's own care team, and the words about it and about the site's; each holder hears of their own alone.
#[tokio::test]
async fn care_teams_and_what_was_said_about_them() {
    let server = start(0, None);
    let device = client(pki().device());
    let pdsm = Pdsm::new(device.clone(), &server.base_url, device.clone(), &server.base_url, Profile::Put)
        .expect("a connector");
    let (nurse, physiotherapist) =
        (holder("nurse", &device, &server, 1), holder("physiotherapist", &device, &server, 2));
    let patient = ins(Case::Unasked(2));
    let of_team = pdsm.state(&physiotherapist, &patient, None).await.expect("a state");
    assert_eq!(of_team.care_team.as_deref(), Some("Rééducation du Val"));
    let words = |state: &RecordState| -> Vec<(String, bool)> {
        state.team_words.iter().map(|word| (word.team.clone(), word.agreed)).collect()
    };
    assert_eq!(words(&of_team), [("Rééducation du Val".to_owned(), true)]);
    let site = "Cabinet, de la Gare";
    let other = pdsm.state(&nurse, &patient, Some(site)).await.expect("a state");
    assert_eq!((other.care_team.as_deref(), words(&other)), (None, vec![]), "the nurse is not of it");

    // A colleague's refusal about the site's team, on another device, reaches this one.
    let no = json!({
        "resourceType": "Consent", "status": "active",
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": "urn:uuid:0193a0c0-0000-7000-8000-000000000001"}],
        "category": [{"coding": [{"system": "https://chevet.invalid/fhir/CodeSystem/consent-category", "code": "team"}]}],
        "patient": {"identifier": {"system": format!("urn:oid:{}", patient.kind.oid()), "value": patient.matricule}},
        "dateTime": now().rfc3339(),
        "provision": {"type": "deny", "actor": [{"reference": {"identifier": {
            "system": "https://chevet.invalid/fhir/identifier/team", "value": site}}}]}
    });
    let url = format!("{}/Consent", server.base_url);
    let said = ask(&device, link::Method::Post, url, Some(&physiotherapist.token), Some(&no)).await.expect("an answer");
    assert_eq!(said.status, 201);
    let heard = pdsm.state(&nurse, &patient, Some(site)).await.expect("a state");
    assert_eq!(words(&heard), [(site.to_owned(), false)]);
    let unasked = pdsm.state(&nurse, &patient, None).await.expect("a state");
    assert_eq!(words(&unasked), []);
}
