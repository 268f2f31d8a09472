//! A visit, a time, a device: what the window shows. Pure, compared, and rebuilt from nothing each time.

use crate::time::Now;
use crate::visit::Page;
use crate::visit::Visit;

/// What of the device a person must be able to read on the screen (P9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceFacts {
    pub site_name: String,
    pub software: String,
    /// The key provider in force, as a French sentence.
    pub key_provider: String,
    /// IANA name, for example `Europe/Paris`.
    pub time_zone: String,
}

/// All that the window shows. French text is ready to draw: the markup decides nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct View {
    /// The page's name, for the markup to choose by.
    pub page: &'static str,
}

/// Draws a visit in words.
pub fn view(visit: &Visit, _now: Now, _device: &DeviceFacts) -> View {
    View { page: page_name(&visit.page) }
}

fn page_name(page: &Page) -> &'static str {
    page.name()
}
