//! Card readers as the kernel lists them: `*/bInterfaceClass`, where 0b is a smart-card device (CCID).

use std::fs;
use std::path::Path;

/// One reader on the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UsbReader {
    /// Vendor and product, as in `08e6:3437`.
    pub id: String,
    /// As the device calls itself; empty when it does not.
    pub product: String,
}

/// Every device that has a smart-card interface. An error means that the bus itself cannot be listed.
pub(super) fn readers(devices: &Path) -> std::io::Result<Vec<UsbReader>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(devices)? {
        let interface = entry?.path();
        if text(&interface, "bInterfaceClass") != SMART_CARD {
            continue;
        }
        // An interface `1-2:1.0` belongs to the device `1-2`.
        let name = interface.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let device = devices.join(name.split(':').next().unwrap_or_default());
        let id = format!("{}:{}", text(&device, "idVendor"), text(&device, "idProduct"));
        let reader = UsbReader { id, product: text(&device, "product") };
        if !found.contains(&reader) {
            found.push(reader);
        }
    }
    Ok(found)
}

fn text(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).map(|text| text.trim().to_owned()).unwrap_or_default()
}

const SMART_CARD: &str = "0b";
