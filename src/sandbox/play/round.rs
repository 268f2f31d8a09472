//! The round: who is in it, then all that may be read of them, fetched before it is needed.

use crate::sandbox::play::Error;
use crate::sandbox::play::Player;
use crate::screen::view::AheadAct;
use crate::screen::view::Body;
use crate::screen::view::View;

impl Player {
    /// Begins at home, and ends there.
    pub(super) async fn make_the_round(&mut self) -> Result<(), Error> {
        self.press("Composer la tournée").await?;
        let told = |view: &View| {
            let Body::Compose(page) = &view.body else { return false };
            page.may_keep && page.rows.iter().any(|row| row.details.contains("accès"))
        };
        self.until("patients who are proposed", told).await?;
        self.picture("composer", "Qui est dans la tournée : vus récemment, agenda, accès donnés, code lu.").await?;
        let act = self.view_of(|body| match body {
            Body::Compose(page) => Some(page.act_label.clone()),
            _ => None,
        })?;
        self.press(&act).await?;
        self.until("home page", |view| matches!(view.body, Body::Home(_))).await?;

        let prepare = self.view_of(|body| match body {
            Body::Home(home) => Some(home.prepare.clone()),
            _ => None,
        })?;
        self.press(&prepare).await?;
        let proposed = |view: &View| matches!(&view.body, Body::Ahead(page) if page.act == AheadAct::Start);
        self.until("what there is to fetch", proposed).await?;
        self.picture("preparer", "Avant de charger : combien, de qui, et pourquoi pas les autres.").await?;
        self.press("Préparer").await?;
        let over =
            |view: &View| matches!(&view.body, Body::Ahead(page) if page.act == AheadAct::None && page.percent > 0);
        self.until("round that is ready", over).await?;
        self.picture("tournee-prete", "Ce qui est prêt se lira sans réseau ; inscrit comme préparé, jamais comme lu.")
            .await?;
        self.press("Tournée").await?;
        self.until("home page", |view| matches!(view.body, Body::Home(_))).await
    }
}
