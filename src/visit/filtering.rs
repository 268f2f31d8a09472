//! What the list is narrowed by: first what, then to what. The choice stays for as long as the record is open.

use crate::record::filter::Facet;
use crate::record::filter::Filter;
use crate::record::filter::Period;
use crate::time::Now;
use crate::visit::effect::Effect;
use crate::visit::page::Record;
use crate::visit::page::Room;
use crate::visit::page::Visit;

impl Visit {
    /// A line of the page, in the order in which the page shows them.
    pub(super) fn choose_filter(
        self,
        mut record: Record,
        facet: Option<Facet>,
        line: usize,
        now: Now,
    ) -> (Visit, Vec<Effect>) {
        record.room = match facet {
            None => match Facet::ALL.get(line) {
                Some(facet) => Room::Filtering { facet: Some(*facet) },
                // Behind them: all of it again.
                None => {
                    record.filter = Filter::default();
                    Room::Documents
                }
            },
            Some(facet) => {
                // The first line opens this facet again.
                let chosen = line.checked_sub(1);
                let mut filter = record.filter.without(facet);
                let value = |at: usize| record.choices(facet).into_iter().nth(at).map(|(value, _)| value);
                match facet {
                    Facet::Kind => filter.kind = chosen.and_then(value),
                    Facet::Author => filter.author = chosen.and_then(value),
                    Facet::Setting => filter.setting = chosen.and_then(value),
                    Facet::Period => {
                        let period = chosen.and_then(|at| Period::ALL.get(at).copied());
                        filter.period = period.map(|period| (period, period.since(now.wall.value())));
                    }
                }
                record.filter = filter;
                Room::Documents
            }
        };
        self.record(record, vec![])
    }
}
