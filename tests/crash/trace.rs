//! What `strace` wrote down, read back: every system call that changed something below one folder, in order.
//!
//! A call that is listed here and not understood ends the run: a write that is missed would make every state a lie.

use crate::Done;
use crate::disk::Disk;
use crate::disk::Op;
use std::collections::HashMap;
use std::path::Path;
use std::path::PathBuf;

/// Those that change files, or say which file a number means. `?`: not every machine has it.
pub const CALLS: &str = "trace=?open,openat,?creat,close,?dup,?dup2,dup3,lseek,write,pwrite64,writev,pwritev,pwritev2,\
ftruncate,truncate,fallocate,fsync,fdatasync,sync_file_range,?rename,renameat,renameat2,?unlink,unlinkat,?mkdir,mkdirat,\
?rmdir,?link,linkat,?symlink,symlinkat,copy_file_range,sendfile";

/// An open file.
struct Opened {
    path: PathBuf,
    /// `None`: a folder, or nothing of ours.
    inode: Option<usize>,
    at: u64,
    appends: bool,
}

pub struct Reader<'a> {
    root: &'a Path,
    disk: Disk,
    opened: HashMap<i64, Opened>,
    /// Calls that another thread's line came between, by thread.
    unfinished: HashMap<String, String>,
    ops: Vec<Op>,
}

/// A finished call: its name, what stands between the brackets, and what it gave.
struct Call<'a> {
    name: &'a str,
    args: Vec<&'a str>,
    gave: i64,
}

impl<'a> Reader<'a> {
    /// `start`: the disk as it was before, as far as it lies below `root`.
    pub fn new(root: &'a Path, start: Disk) -> Reader<'a> {
        Reader { root, disk: start, opened: HashMap::new(), unfinished: HashMap::new(), ops: Vec::new() }
    }

    pub fn read(mut self, text: &str) -> Done<Vec<Op>> {
        for line in text.lines() {
            let (thread, rest) = line.split_once(' ').ok_or("a line without its thread")?;
            let rest = rest.trim_start();
            if rest.starts_with("+++") || rest.starts_with("---") {
                continue;
            }
            if let Some(begun) = rest.strip_suffix(" <unfinished ...>") {
                self.unfinished.insert(thread.to_owned(), begun.to_owned());
                continue;
            }
            let whole = match rest.strip_prefix("<... ") {
                Some(resumed) => {
                    let begun = self.unfinished.remove(thread).ok_or("a call resumed that was not begun")?;
                    begun + resumed.split_once(" resumed>").ok_or("a call resumed without its end")?.1
                }
                None => rest.to_owned(),
            };
            let call = Call::read(&whole).ok_or_else(|| format!("not understood: {:.200}", whole))?;
            if call.gave >= 0 {
                self.call(&call).map_err(|why| format!("{why}: {:.200}", whole))?;
            }
        }
        Ok(self.ops)
    }

    fn call(&mut self, call: &Call<'_>) -> Done<()> {
        match call.name {
            "open" => self.open(call.path(0)?, call.arg(1)?, call.gave),
            "openat" => self.open(self.at(call, 0)?, call.arg(2)?, call.gave),
            "close" => {
                self.opened.remove(&call.number(0)?);
                Ok(())
            }
            "lseek" => {
                if let Some(file) = self.opened.get_mut(&call.number(0)?) {
                    file.at = call.gave as u64;
                }
                Ok(())
            }
            "write" if call.number(0)? == 1 => {
                let said = String::from_utf8(call.bytes(1)?)?;
                self.ops.extend(said.lines().map(|line| Op::Said(line.to_owned())));
                Ok(())
            }
            "write" | "writev" => self.write(call, None),
            "pwrite64" => self.write(call, Some(call.number(3)? as u64)),
            "ftruncate" => {
                let inode = self.opened.get(&call.number(0)?).and_then(|file| file.inode);
                self.ops.extend(inode.map(|inode| Op::Size { inode, size: call.number(1).unwrap_or(0) as u64 }));
                Ok(())
            }
            "fsync" | "fdatasync" => {
                let Some(file) = self.opened.get(&call.number(0)?) else { return Ok(()) };
                let folder = || self.disk.find(&self.below(&file.path)?);
                self.ops.extend(file.inode.or_else(folder).map(|inode| Op::Sync { inode }));
                Ok(())
            }
            "mkdir" => self.make_folder(call.path(0)?),
            "mkdirat" => self.make_folder(self.at(call, 0)?),
            "unlink" | "rmdir" => self.remove(call.path(0)?),
            "unlinkat" => self.remove(self.at(call, 0)?),
            "rename" => self.rename(call.path(0)?, call.path(1)?),
            "renameat" | "renameat2" => self.rename(self.at(call, 0)?, self.at(call, 2)?),
            "link" => self.link(call.path(0)?, call.path(1)?),
            "linkat" => self.link(self.at(call, 0)?, self.at(call, 2)?),
            other if self.is_ours(call) => Err(format!("{other} is not understood here").into()),
            _ => Ok(()),
        }
    }

    fn is_ours(&self, call: &Call<'_>) -> bool {
        let named = (0..call.args.len()).any(|at| call.path(at).is_ok_and(|path| self.below(&path).is_some()));
        let opened = |at| call.number(at).ok().and_then(|number| self.opened.get(&number));
        named || (0..3).any(|at| opened(at).is_some())
    }

    /// A path that is given with the folder that it is relative to.
    fn at(&self, call: &Call<'_>, first: usize) -> Done<PathBuf> {
        let path = call.path(first + 1)?;
        if path.is_absolute() || call.arg(first)? == "AT_FDCWD" {
            return Ok(path);
        }
        Ok(match self.opened.get(&call.number(first)?) {
            Some(folder) => folder.path.join(path),
            // Nothing of ours: files below the root are opened with their whole path.
            None => path,
        })
    }

    /// The names from the root to it; `None`: it lies elsewhere.
    fn below(&self, path: &Path) -> Option<Vec<String>> {
        let names = path.strip_prefix(self.root).ok()?;
        Some(names.iter().map(|name| name.to_string_lossy().into_owned()).collect())
    }

    fn open(&mut self, path: PathBuf, flags: &str, number: i64) -> Done<()> {
        let Some(names) = self.below(&path) else {
            self.opened.remove(&number);
            return Ok(());
        };
        let is_new = flags.contains("O_CREAT") && self.disk.find(&names).is_none();
        if is_new {
            let (folder, name) = self.place(&names)?;
            let inode = self.disk.next_inode();
            self.change(Op::Put { folder, name, inode, is_folder: false });
        }
        let inode = self.disk.find(&names).filter(|inode| !self.disk.is_folder(*inode));
        if let Some(inode) = inode.filter(|_| flags.contains("O_TRUNC") && !is_new) {
            self.ops.push(Op::Size { inode, size: 0 });
        }
        let appends = flags.contains("O_APPEND");
        self.opened.insert(number, Opened { path, inode, at: 0, appends });
        Ok(())
    }

    fn write(&mut self, call: &Call<'_>, at: Option<u64>) -> Done<()> {
        let Some(file) = self.opened.get_mut(&call.number(0)?) else { return Ok(()) };
        let inode = file.inode.ok_or("a folder was written")?;
        if file.appends {
            return Err("a file is appended to: its size must be known".into());
        }
        let mut bytes = call.bytes(1)?;
        bytes.truncate(call.gave as usize);
        if bytes.len() as i64 != call.gave {
            return Err("the recording cut off what was written".into());
        }
        let start = at.unwrap_or(file.at);
        if at.is_none() {
            file.at += bytes.len() as u64;
        }
        self.ops.push(Op::Write { inode, at: start, bytes: bytes.into() });
        Ok(())
    }

    fn make_folder(&mut self, path: PathBuf) -> Done<()> {
        let Some(names) = self.below(&path) else { return Ok(()) };
        let (folder, name) = self.place(&names)?;
        let inode = self.disk.next_inode();
        self.change(Op::Put { folder, name, inode, is_folder: true });
        Ok(())
    }

    fn remove(&mut self, path: PathBuf) -> Done<()> {
        let Some(names) = self.below(&path) else { return Ok(()) };
        let (folder, name) = self.place(&names)?;
        self.change(Op::Remove { folder, name });
        Ok(())
    }

    fn rename(&mut self, from: PathBuf, to: PathBuf) -> Done<()> {
        let (Some(from), Some(to)) = (self.below(&from), self.below(&to)) else { return Ok(()) };
        let (from, to) = (self.place(&from)?, self.place(&to)?);
        self.change(Op::Rename { from, to });
        Ok(())
    }

    fn link(&mut self, from: PathBuf, to: PathBuf) -> Done<()> {
        let (Some(from), Some(to)) = (self.below(&from), self.below(&to)) else { return Ok(()) };
        let inode = self.disk.find(&from).ok_or("a name of nothing")?;
        let (folder, name) = self.place(&to)?;
        self.change(Op::Put { folder, name, inode, is_folder: false });
        Ok(())
    }

    fn place(&self, names: &[String]) -> Done<(usize, String)> {
        let (name, folder) = names.split_last().ok_or("the root itself")?;
        Ok((self.disk.find(folder).ok_or("a folder that was never made")?, name.clone()))
    }

    fn change(&mut self, op: Op) {
        self.disk.take(&op);
        self.ops.push(op);
    }
}

impl<'a> Call<'a> {
    /// `name(args) = gave …`
    fn read(line: &'a str) -> Option<Call<'a>> {
        let (name, rest) = line.split_once('(')?;
        let (args, gave) = rest.rsplit_once(" = ")?;
        let args = args.trim_end().strip_suffix(')')?;
        let gave = gave.split_whitespace().next()?;
        // `?`: the process ended in it.
        let gave = if gave == "?" { -1 } else { gave.parse().ok()? };
        Some(Call { name, args: args.split(", ").collect(), gave })
    }

    fn arg(&self, at: usize) -> Done<&'a str> {
        self.args.get(at).copied().ok_or_else(|| "an argument is missing".into())
    }

    fn number(&self, at: usize) -> Done<i64> {
        Ok(self.arg(at)?.parse()?)
    }

    /// All that stands in quotes from there on: with `-xx` every byte is `\xNN`.
    fn bytes(&self, at: usize) -> Done<Vec<u8>> {
        let quoted = self.args[at..].join(", ");
        let mut bytes = Vec::new();
        for text in quoted.split('"').skip(1).step_by(2) {
            bytes.extend(hex::decode(text.replace("\\x", ""))?);
        }
        Ok(bytes)
    }

    fn path(&self, at: usize) -> Done<PathBuf> {
        let arg = self.arg(at)?;
        if !arg.starts_with('"') {
            return Err("not a path".into());
        }
        let bytes = hex::decode(arg.trim_matches('"').replace("\\x", ""))?;
        Ok(PathBuf::from(String::from_utf8(bytes)?))
    }
}
