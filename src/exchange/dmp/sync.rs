//! ANS's synchronisation in XDS: what was submitted since (FindSubmissionSets), what that was about (GetAssociations), and those
//! entries by twenties (GetDocumentsAndAssociations); beside them the ids of all that stands (FindDocuments).
//!
//! No query filters entries by when they were submitted: that is why there are three. What a set changes but for its status is a new
//! version, whose id is not known here; a status is changed by a link of the set. A record in which nothing happened costs two questions,
//! whose answers are ids.

use crate::exchange::dmp::Dmp;
use crate::exchange::dmp::ebrim::Element;
use crate::exchange::dmp::entry;
use crate::exchange::dmp::names::association;
use crate::exchange::dmp::query;
use crate::exchange::dmp::query::Returns;
use crate::exchange::search::Between;
use crate::exchange::search::Search;
use crate::exchange::upstream::AsHolder;
use crate::exchange::upstream::Error;
use crate::patient::ins::Ins;
use crate::record::document::Status;
use crate::record::sync;
use crate::record::sync::Changes;
use crate::record::sync::Kept;
use crate::record::sync::Standing;
use crate::time::UnixSeconds;

/// Sets in one question: their ids are short, and so is what is said of each.
const SETS: usize = 100;

impl Dmp {
    pub(super) async fn changed(
        &self,
        who: &AsHolder,
        patient: &Ins,
        kept: &Kept,
        since: UnixSeconds,
    ) -> Result<Changes, Error> {
        let cx = self.patient(patient);
        let last = kept.last.plus(-sync::OVERLAP_S);
        let sets = query::ids(&self.query_whole(who, patient, &query::submissions(&cx, last)).await?);
        let mut touched: Vec<String> = Vec::new();
        for some in sets.chunks(SETS) {
            let links = self.query_whole(who, patient, &query::associations(some)).await?;
            touched.extend(query::targets(&links, &[association::HAS_MEMBER, association::UPDATE_STATUS]));
        }
        let search = Search { statuses: vec![Status::Current], period: Between::since(since), ..Search::default() };
        let standing = query::find(&search, &cx, Returns::ObjectRef);
        let standing = query::ids(&self.query_whole(who, patient, &standing).await?);
        let standing: Vec<Standing> = standing
            .into_iter()
            .map(|entry_uuid| Standing { entry_uuid, unique_id: None, labels: Vec::new() })
            .collect();
        // What was touched is asked for anew, whether or not an older state of it is kept.
        let untouched: Vec<String> = kept.entries.iter().filter(|id| !touched.contains(id)).cloned().collect();
        let mut found: Vec<Element> = Vec::new();
        for some in sync::missing(&standing, &untouched, &[]).chunks(sync::BATCH) {
            found.extend(self.query_whole(who, patient, &query::with_associations(some)).await?);
        }
        let entries = entry::documents(&found);
        if entries.unreadable > 0 {
            tracing::warn!(unreadable = entries.unreadable, "synchronisation");
        }
        let replaced = query::targets(&found, &[association::REPLACES]);
        Ok(Changes { documents: entries.documents, standing, replaced })
    }
}
