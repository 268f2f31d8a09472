//! The panel's backlight, by the kernel's class `backlight` (sysfs): full, or a quarter of it. Where there is none, or it is not
//! ours to write, nothing happens: the page darkens by itself as well.

use std::path::Path;
use std::path::PathBuf;

/// Where the kernel lists them.
pub const CLASS: &str = "/sys/class/backlight";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backlight {
    /// Takes a whole number, up to `most`.
    brightness: PathBuf,
    most: u32,
}

impl Backlight {
    /// The first one in that folder, by name.
    pub fn find(class: &Path) -> Option<Backlight> {
        let mut names: Vec<PathBuf> = std::fs::read_dir(class).ok()?.flatten().map(|entry| entry.path()).collect();
        names.sort();
        names.iter().find_map(|panel| {
            let most = std::fs::read_to_string(panel.join("max_brightness")).ok()?.trim().parse().ok()?;
            (most > 0).then(|| Backlight { brightness: panel.join("brightness"), most })
        })
    }

    /// A few bytes into the kernel: it does not wait.
    pub fn set(&self, dim: bool) -> std::io::Result<()> {
        // 0 turns some panels off, and a page that asks something must be seen.
        let level = if dim { (self.most / DIM).max(1) } else { self.most };
        std::fs::write(&self.brightness, level.to_string())
    }
}

/// One part in so many.
const DIM: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(folder: &Path, name: &str, most: &str) -> PathBuf {
        let panel = folder.join(name);
        std::fs::create_dir(&panel).expect("a folder");
        std::fs::write(panel.join("max_brightness"), most).expect("written");
        std::fs::write(panel.join("brightness"), "7\n").expect("written");
        panel.join("brightness")
    }

    #[test]
    fn a_panel_is_dimmed_never_put_out_and_bright_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = panel(folder.path(), "a-panel", "255\n");
        let second = panel(folder.path(), "b-panel", "31\n");
        let light = Backlight::find(folder.path()).expect("a panel");
        let level = |path: &Path| std::fs::read_to_string(path).expect("a number");
        light.set(true).expect("dimmed");
        assert_eq!((level(&first).as_str(), level(&second).as_str()), ("63", "7\n"));
        light.set(false).expect("bright");
        assert_eq!(level(&first), "255");
        let dark = Backlight { brightness: first.clone(), most: 2 };
        dark.set(true).expect("dimmed");
        assert_eq!(level(&first), "1");
    }

    #[test]
    fn what_is_no_panel_is_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(Backlight::find(&folder.path().join("nothing")), None);
        panel(folder.path(), "a-broken", "bright\n");
        panel(folder.path(), "b-dead", "0\n");
        assert_eq!(Backlight::find(folder.path()), None);
        panel(folder.path(), "c-panel", "15\n");
        assert!(Backlight::find(folder.path()).is_some_and(|light| light.most == 15));
    }
}
