//! Whether the scanner that the settings name is there and may be listened to. It is not opened: the kiosk may hold it.

use crate::cli::doctor::Line;
use crate::device::scanner::Options;
use rustix::fs::Access;
use std::os::unix::fs::FileTypeExt;

/// `None`: the settings name none.
pub(super) fn line(options: Option<&Options>) -> Option<Line> {
    let device = &options?.device;
    let named = device.display();
    Some(match std::fs::metadata(device) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Line::bad(LAYER, format!("{named} is not there"), PLUG)
        }
        Err(error) => Line::bad(LAYER, format!("{named} cannot be looked at: {error}"), ALLOW),
        Ok(found) if !found.file_type().is_char_device() => Line::bad(LAYER, format!("{named} is no device"), PLUG),
        Ok(_) if rustix::fs::access(device, Access::READ_OK).is_err() => {
            Line::bad(LAYER, format!("{named} may not be read by this user"), ALLOW)
        }
        Ok(_) => Line::good(LAYER, format!("{named} is there and may be read")),
    })
}

const LAYER: &str = "scanner";
const PLUG: &str =
    "plug the scanner in, or name it as it stands in /dev/input/by-id or /dev/serial/by-id ([scanner] device)";
const ALLOW: &str = "give the kiosk's user the group input (a keyboard) or dialout (serial)";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::scanner::Kind;
    use std::path::PathBuf;

    #[test]
    fn a_scanner_is_there_or_what_to_do_is_said() {
        let line =
            |path: &str| line(Some(&Options { device: PathBuf::from(path), kind: Kind::Serial })).expect("a line");
        assert!(super::line(None).is_none());
        assert!(line("/dev/null").ok);
        for (path, what) in [("/dev/no-scanner", "is not there"), ("/etc/passwd", "is no device")] {
            let line = line(path);
            assert!(!line.ok && line.what.contains(what) && line.next.is_some(), "{}", line.what);
        }
    }
}
