//! A disk that forgets: what was synced is there, of the rest whatever the dice say.
//!
//! A file's bytes are on the disk once the file is synced, a name once its folder is: POSIX promises no more, and a disk that
//! does more loses less. A renamed name goes over as one.

use crate::Done;
use crate::dice::Dice;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

/// One thing that a process did.
#[derive(Clone)]
pub enum Op {
    Put {
        folder: usize,
        name: String,
        inode: usize,
        is_folder: bool,
    },
    Remove {
        folder: usize,
        name: String,
    },
    Rename {
        from: (usize, String),
        to: (usize, String),
    },
    Write {
        inode: usize,
        at: u64,
        bytes: Rc<[u8]>,
    },
    Size {
        inode: usize,
        size: u64,
    },
    Sync {
        inode: usize,
    },
    /// A line on standard output.
    Said(String),
}

#[derive(Clone)]
enum Node {
    File(Vec<u8>),
    Folder(BTreeMap<String, usize>),
}

/// A disk, whole. Inode 0 is the root.
#[derive(Clone)]
pub struct Disk {
    nodes: Vec<Node>,
}

/// What of the unsynced is there after the cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    Nothing,
    Everything,
    /// Each write and each name by itself.
    Subset,
    /// Each sector of each file as it was at some moment, each name by itself.
    Torn,
}

/// How a disk lies, for the controls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lies {
    No,
    /// It says that it has synced, and has not.
    AboutFlushes,
    /// Files are synced, names are not.
    AboutNames,
}

pub const CUTS: [Cut; 4] = [Cut::Nothing, Cut::Everything, Cut::Subset, Cut::Torn];
const SECTOR: u64 = 512;

impl Disk {
    pub fn empty() -> Disk {
        Disk { nodes: vec![Node::Folder(BTreeMap::new())] }
    }

    /// As it lies in that folder now, all of it synced.
    pub fn read(folder: &Path) -> Done<Disk> {
        let mut disk = Disk::empty();
        disk.read_into(0, folder)?;
        Ok(disk)
    }

    fn read_into(&mut self, inode: usize, folder: &Path) -> Done<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_folder = entry.file_type()?.is_dir();
            let made = self.nodes.len();
            self.take(&Op::Put { folder: inode, name, inode: made, is_folder });
            if is_folder {
                self.read_into(made, &entry.path())?;
            } else {
                self.nodes[made] = Node::File(std::fs::read(entry.path())?);
            }
        }
        Ok(())
    }

    /// The number of the next one.
    pub fn next_inode(&self) -> usize {
        self.nodes.len()
    }

    /// A node by itself costs nothing: what counts is its name.
    fn make_room(&mut self, inode: usize, is_folder: bool) {
        while self.nodes.len() <= inode {
            self.nodes.push(if is_folder { Node::Folder(BTreeMap::new()) } else { Node::File(Vec::new()) });
        }
    }

    pub fn is_folder(&self, inode: usize) -> bool {
        matches!(self.nodes[inode], Node::Folder(_))
    }

    pub fn find(&self, names: &[String]) -> Option<usize> {
        names.iter().try_fold(0, |inode, name| match &self.nodes[inode] {
            Node::Folder(names) => names.get(name).copied(),
            Node::File(_) => None,
        })
    }

    /// Puts it on the disk.
    pub fn take(&mut self, op: &Op) {
        match op {
            Op::Put { folder, name, inode, is_folder } => {
                self.make_room(*inode, *is_folder);
                self.names(*folder).insert(name.clone(), *inode);
            }
            Op::Remove { folder, name } => {
                self.names(*folder).remove(name);
            }
            Op::Rename { from, to } => {
                if let Some(inode) = self.names(from.0).remove(&from.1) {
                    self.names(to.0).insert(to.1.clone(), inode);
                }
            }
            Op::Write { inode, at, bytes } => self.write(*inode, *at, bytes),
            Op::Size { inode, size } => self.bytes(*inode).resize(*size as usize, 0),
            Op::Sync { .. } | Op::Said(_) => {}
        }
    }

    fn write(&mut self, inode: usize, at: u64, bytes: &[u8]) {
        let (from, to) = (at as usize, at as usize + bytes.len());
        let file = self.bytes(inode);
        if file.len() < to {
            file.resize(to, 0);
        }
        file[from..to].copy_from_slice(bytes);
    }

    fn names(&mut self, inode: usize) -> &mut BTreeMap<String, usize> {
        match &mut self.nodes[inode] {
            Node::Folder(names) => names,
            Node::File(_) => panic!("a file is used as a folder"),
        }
    }

    fn bytes(&mut self, inode: usize) -> &mut Vec<u8> {
        match &mut self.nodes[inode] {
            Node::File(bytes) => bytes,
            Node::Folder(_) => panic!("a folder is used as a file"),
        }
    }

    /// Writes it out. The index of a write-ahead log is memory that happens to lie in a file: after a cut it holds anything.
    pub fn lay_out(&self, folder: &Path, dice: &mut Dice) -> Done<()> {
        self.lay_out_node(0, folder, dice)
    }

    fn lay_out_node(&self, inode: usize, path: &Path, dice: &mut Dice) -> Done<()> {
        match &self.nodes[inode] {
            Node::Folder(names) => {
                std::fs::create_dir_all(path)?;
                names.iter().try_for_each(|(name, inode)| self.lay_out_node(*inode, &path.join(name), dice))
            }
            Node::File(bytes) => {
                let is_index = path.extension().is_some_and(|kind| kind == "db-shm");
                let anything = dice.next().to_le_bytes().repeat(bytes.len() / 8);
                std::fs::write(path, if is_index { &anything } else { bytes })?;
                // As it was made: a key that others can read is refused.
                let owner_only = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o600);
                Ok(std::fs::set_permissions(path, owner_only)?)
            }
        }
    }
}

/// The disk at one moment of a recording: what is on it for certain, and what is on its way.
pub struct Moment {
    synced: Disk,
    waiting: Vec<Op>,
    lies: Lies,
}

impl Moment {
    pub fn new(start: Disk, lies: Lies) -> Moment {
        Moment { synced: start, waiting: Vec::new(), lies }
    }

    pub fn goes_on(&mut self, op: &Op) {
        match op {
            Op::Said(_) => {}
            Op::Sync { .. } if self.lies == Lies::AboutFlushes => {}
            Op::Sync { inode } if self.lies == Lies::AboutNames && self.synced.is_folder(*inode) => {}
            Op::Sync { inode } => {
                let (reached, waiting) = self.waiting.drain(..).partition(|op| op.is_about(*inode));
                self.waiting = waiting;
                let reached: Vec<Op> = reached;
                reached.iter().for_each(|op| self.synced.take(op));
            }
            other => {
                if let Op::Put { inode, is_folder, .. } = other {
                    self.synced.make_room(*inode, *is_folder);
                }
                self.waiting.push(other.clone());
            }
        }
    }

    /// What is found when the power comes back.
    pub fn cut(&self, cut: Cut, dice: &mut Dice) -> Disk {
        let mut disk = self.synced.clone();
        let chance = *dice.one_of(&[10, 50, 90]);
        let mut sectors: BTreeMap<(usize, u64), usize> = BTreeMap::new();
        for (at, op) in self.waiting.iter().enumerate() {
            match (cut, op) {
                (Cut::Nothing, _) => {}
                (Cut::Everything, _) => disk.take(op),
                (Cut::Torn, Op::Write { inode, at: from, bytes }) => {
                    for (from, bytes) in in_sectors(*from, bytes) {
                        // A sector holds all that was written to it up to some moment, and nothing later.
                        let key = (*inode, from / SECTOR);
                        let until =
                            *sectors.entry(key).or_insert_with(|| dice.below(self.waiting.len() as u64 + 1) as usize);
                        if at < until {
                            disk.write(*inode, from, bytes);
                        } else if dice.happens(chance) {
                            // The size has reached the disk before the bytes.
                            let size = from as usize + bytes.len();
                            let file = disk.bytes(*inode);
                            file.resize(file.len().max(size), 0);
                        }
                    }
                }
                (Cut::Subset | Cut::Torn, _) if dice.happens(chance) => disk.take(op),
                (Cut::Subset | Cut::Torn, _) => {}
            }
        }
        disk
    }
}

impl Op {
    /// Whether syncing that file or folder puts it on the disk.
    fn is_about(&self, synced: usize) -> bool {
        match self {
            Op::Put { folder, .. } | Op::Remove { folder, .. } => *folder == synced,
            Op::Rename { from, to } => from.0 == synced || to.0 == synced,
            Op::Write { inode, .. } | Op::Size { inode, .. } => *inode == synced,
            Op::Sync { .. } | Op::Said(_) => false,
        }
    }
}

/// The same bytes, cut where sectors end.
fn in_sectors(at: u64, bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let mut from = at;
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let length = ((SECTOR - from % SECTOR) as usize).min(rest.len());
        let (head, tail) = rest.split_at(length);
        let found = (length > 0).then_some((from, head));
        (from, rest) = (from + length as u64, tail);
        found
    })
}
