//! What a kiosk does in its quiet moments gives way to whoever touches it.

use super::*;

/// The card signs the journal's head, slowly, and a receipt is asked for meanwhile: it is there at once, what the card was asked
/// is dropped, and asked again when nobody wants anything.
#[test]
fn a_touch_during_a_countersignature_is_answered_and_the_card_is_asked_again() {
    const WHO: &str = "kiosk::quiet::a_touch_during_a_countersignature_is_answered_and_the_card_is_asked_again";
    with_card(WHO, "nurse", |hands: &Hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.log_in().await;
            kiosk.open_record_of(0).await;
            let look = Look::open(&stage.state, None).expect("a look");
            attested(&look).await;
            let read = |body: &Body| matches!(body, Body::Reader(page) if page.reading.is_some());
            let listed = |body: &Body| matches!(body, Body::Documents(_));
            // What one costs, with nobody in its way.
            let before = hands.apdus();
            kiosk.touch(Touch::OpenDocument(0)).await;
            kiosk.until("a document", read).await;
            attested(&look).await;
            let one = hands.apdus() - before;
            assert!(one > 0, "the card signed");
            kiosk.touch(Touch::Back).await;
            kiosk.until("the list", listed).await;

            let before = hands.apdus();
            hands.set_faults(Faults { slow: Duration::from_secs(2), ..Faults::default() });
            kiosk.touch(Touch::OpenDocument(1)).await;
            kiosk.until("another document", read).await;
            kiosk.touch(Touch::Back).await;
            kiosk.until("the list", listed).await;
            let until = Instant::now() + Duration::from_secs(10);
            while hands.apdus() == before {
                assert!(Instant::now() < until, "the card is not asked");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            kiosk.touch(Touch::ShowReceipt).await;
            kiosk.until("a receipt", |body| matches!(body, Body::Receipt(_))).await;
            let status = look.status().expect("read");
            assert!(status.countersigned < status.rows, "the receipt waited for the card: {status:?}");
            hands.set_faults(Faults::default());
            attested(&look).await;
            let asked = hands.apdus() - before;
            assert!(asked > one, "it was not dropped: {asked} commands, and one signature costs {one}");
        });
    });
}
