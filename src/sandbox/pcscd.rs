//! A private PC/SC service: a real pcscd with two virtual slots, in mount and network name spaces of its own.
//!
//! It never touches the desk's: its socket lies in a folder of ours, bound over `/run/pcscd` inside; it has no drivers for
//! real readers; and vpcd, which listens on every interface, finds only a loopback that nobody shares. As root the name
//! spaces are made directly, otherwise inside a user name space.
//!
//! Clients find it by the environment variable `PCSCLITE_CSOCK_NAME`, which libpcsclite (1.9.9 here) reads at each
//! connection. A Rust program cannot safely set a variable of its own process, so a program that wants this service is a
//! child started with [`Pcscd::environment`]: `chevet kiosk` under the demo, OpenSC's tools, or the test binary itself
//! (see `tests/it/desk.rs`).
//!
//! The processes inside end with their standard input, so none outlives its owner, however that ends.
//! Needs the Debian packages pcscd, vsmartcard-vpcd, util-linux, mount and perl-base.

use crate::sandbox::vpcd::Slot;
use std::ffi::OsString;
use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixListener;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::ChildStdin;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

/// A running service. Dropping it ends its processes and removes its folder.
pub struct Pcscd {
    folder: PathBuf,
    inside: Child,
    orders: Option<ChildStdin>,
    replies: BufReader<ChildStdout>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path} is missing: install the Debian package {package}")]
    Missing { path: &'static str, package: &'static str },
    #[error("the private PC/SC service's folder {path} cannot be prepared")]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("the private name spaces cannot be entered")]
    Unshare { source: std::io::Error },
    #[error("the private PC/SC service did not start: {last_words}")]
    Start { last_words: String },
}

impl Pcscd {
    /// Starts one, and returns when it answers.
    pub fn start() -> Result<Pcscd, Error> {
        Pcscd::start_with(None)
    }

    /// Two readers of one slot each, both behind `switch`, a driver that can play a reader that was unplugged or that is
    /// stuck (`tests/it/plug.c`). Cards go into [`Pcscd::slots`] all the same.
    pub fn start_with_switches(switch: &Path) -> Result<Pcscd, Error> {
        Pcscd::start_with(Some(switch))
    }

    fn start_with(switch: Option<&Path>) -> Result<Pcscd, Error> {
        for (path, package) in
            [(PCSCD, "pcscd"), (DRIVER, "vsmartcard-vpcd"), (UNSHARE, "util-linux"), (PERL, "perl-base")]
        {
            if !Path::new(path).exists() {
                return Err(Error::Missing { path, package });
            }
        }
        let folder = new_folder()?;
        let failed = |source| Error::Folder { path: folder.clone(), source };
        fs::create_dir(folder.join("run")).map_err(failed)?;
        fs::create_dir(folder.join("readers")).map_err(failed)?;
        // Copies of its own: the folder of drivers is covered inside, and a driver is not loaded twice from one file.
        let copy = |from: &Path, name: &str| fs::copy(from, folder.join(name)).map_err(failed);
        let reader = |name: &str, port: u16, library: &str| {
            let library = folder.join(library);
            let library = library.display();
            format!("FRIENDLYNAME \"{name}\"\nDEVICENAME /dev/null:{port}\nLIBPATH {library}\nCHANNELID {port}\n\n")
        };
        let mut readers = String::new();
        match switch {
            None => {
                copy(Path::new(DRIVER), "libifdvpcd.so")?;
                readers += &reader(READER, PORT, "libifdvpcd.so");
            }
            Some(switch) => {
                for (number, name) in [READER, SECOND_READER].into_iter().enumerate() {
                    let library = switch_name(number);
                    copy(switch, &library)?;
                    copy(Path::new(DRIVER), &format!("{library}.driver"))?;
                    readers += &reader(name, PORT + 2 * number as u16, &library);
                }
            }
        }
        fs::write(folder.join("readers/chevet"), readers).map_err(failed)?;
        fs::write(folder.join("inside.pl"), INSIDE).map_err(failed)?;
        let mut pcscd = Pcscd::enter(&folder)?;
        pcscd.wait_until_it_answers()?;
        Ok(pcscd)
    }

    /// What a client's environment must hold.
    pub fn environment(&self) -> (&'static str, OsString) {
        ("PCSCLITE_CSOCK_NAME", self.folder.join("run/pcscd.comm").into_os_string())
    }

    /// The first and the second slot: readers [`READER`] `00 00` and `00 01`.
    pub fn slots(&self) -> [Slot; 2] {
        let second = if self.folder.join(switch_name(1)).exists() { "slot-2" } else { "slot-1" };
        [Slot::at(&self.folder.join("slot-0")), Slot::at(&self.folder.join(second))]
    }

    /// Unplugs the reader of this number, or plugs it in again, and has the living service look.
    pub fn plug(&mut self, number: usize, is_in: bool) -> Result<(), Error> {
        self.switch(number, "gone", !is_in)?;
        self.order("rescan", "rescanned")
    }

    /// Makes the reader's driver swallow commands, or let them through.
    pub fn stick(&mut self, number: usize, is_stuck: bool) -> Result<(), Error> {
        self.switch(number, "stuck", is_stuck)
    }

    /// Gives the reader keys of its own, and has somebody type there, in the words of the switch (`tests/it/plug.c`); `None`
    /// takes them away.
    pub fn give_keys(&mut self, number: usize, words: Option<&str>) -> Result<(), Error> {
        let path = self.folder.join(format!("{}.keys", switch_name(number)));
        let given = match words {
            // Whole or not at all: the driver may be reading it.
            Some(words) => {
                let new = path.with_extension("new");
                fs::write(&new, words).and_then(|()| fs::rename(&new, &path))
            }
            None => fs::remove_file(&path),
        };
        given.map_err(|source| Error::Folder { path, source })
    }

    fn switch(&self, number: usize, what: &str, on: bool) -> Result<(), Error> {
        let path = self.folder.join(format!("{}.{what}", switch_name(number)));
        let turned = if on { fs::write(&path, b"") } else { fs::remove_file(&path) };
        turned.map_err(|source| Error::Folder { path, source })
    }

    /// Stops the service alone, as if it had crashed or were being updated.
    pub fn stop(&mut self) -> Result<(), Error> {
        self.order("stop", "stopped")
    }

    /// Starts it again after [`Pcscd::stop`]. A card that was left in its slot is seen again.
    pub fn start_again(&mut self) -> Result<(), Error> {
        self.order("start", "started")?;
        self.wait_until_it_answers()
    }

    /// Starts it again as if nothing were plugged in, until the next [`Pcscd::start_again`].
    pub fn start_without_readers(&mut self) -> Result<(), Error> {
        let (list, aside) = (self.folder.join("readers/chevet"), self.folder.join("unplugged"));
        let failed = |source| Error::Folder { path: list.clone(), source };
        fs::rename(&list, &aside).map_err(failed)?;
        let started = self.start_again();
        fs::rename(&aside, &list).map_err(failed)?;
        started
    }

    fn enter(folder: &Path) -> Result<Pcscd, Error> {
        let mut command = Command::new(UNSHARE);
        command.args(["--mount", "--net"]);
        // A chroot whose folder is no mount has no propagation of its own to change: unshare would refuse. What is mounted
        // inside stays inside there too, unless the mount that the folder lies on is shared.
        if !root_is_a_mount() {
            command.args(["--propagation", "unchanged"]);
        }
        if !rustix::process::geteuid().is_root() {
            command.arg("--map-root-user");
        }
        command.arg(PERL).arg(folder.join("inside.pl")).arg(folder).args([&PORT.to_string(), "3"]);
        command.arg(PCSCD).args(["--foreground", "--config"]).arg(folder.join("readers"));
        // Debian 13's asks polkit, which has no word to say about a private service.
        if knows_option("disable-polkit") {
            command.arg("--disable-polkit");
        }
        let log = fs::File::create(folder.join("inside.log"))
            .map_err(|source| Error::Folder { path: folder.to_path_buf(), source })?;
        // In a process group of its own: Ctrl-C must reach it only by way of its owner's end.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).process_group(0);
        let mut inside = command.spawn().map_err(|source| Error::Unshare { source })?;
        let (orders, replies) = (inside.stdin.take(), inside.stdout.take());
        let replies = BufReader::new(replies.expect("standard output was asked for as a pipe"));
        let mut pcscd = Pcscd { folder: folder.to_path_buf(), inside, orders, replies };
        pcscd.expect_reply("started")?;
        Ok(pcscd)
    }

    fn wait_until_it_answers(&mut self) -> Result<(), Error> {
        let until = Instant::now() + Duration::from_secs(START_S_MAX);
        let socket = self.folder.join("run/pcscd.comm");
        while UnixStream::connect(&socket).is_err() {
            if Instant::now() > until {
                return Err(self.did_not_start());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn order(&mut self, order: &str, reply: &str) -> Result<(), Error> {
        if let Some(orders) = &mut self.orders {
            let sent = orders.write_all(format!("{order}\n").as_bytes());
            sent.map_err(|source| Error::Unshare { source })?;
        }
        self.expect_reply(reply)
    }

    fn expect_reply(&mut self, reply: &str) -> Result<(), Error> {
        let mut line = String::new();
        match self.replies.read_line(&mut line) {
            Ok(_) if line.starts_with(reply) => Ok(()),
            _ => Err(self.did_not_start()),
        }
    }

    fn did_not_start(&self) -> Error {
        let words =
            ["inside.log", "pcscd.log"].map(|name| fs::read_to_string(self.folder.join(name)).unwrap_or_default());
        Error::Start { last_words: words.concat().trim().to_owned() }
    }
}

impl Drop for Pcscd {
    fn drop(&mut self) {
        // The end of its input is the order to end; it ends pcscd first.
        drop(self.orders.take());
        let until = Instant::now() + Duration::from_secs(STOP_S_MAX);
        while let Ok(None) = self.inside.try_wait() {
            if Instant::now() > until {
                let _ = self.inside.kill();
                let _ = self.inside.wait();
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Where another process may have the reader unplugged and plugged in again.
impl Pcscd {
    /// Must be asked for before that process is started.
    pub fn listen(&self) -> Result<UnixListener, Error> {
        let path = self.folder.join(ORDERS);
        UnixListener::bind(&path).map_err(|source| Error::Folder { path, source })
    }

    /// One order: `unplug` or `plug`. Answers once the service answers again.
    pub fn obey(&mut self, line: UnixStream) -> Result<(), Error> {
        let mut asked = String::new();
        let unheard = |source| Error::Unshare { source };
        let mut line = BufReader::new(line);
        line.read_line(&mut asked).map_err(unheard)?;
        self.stop()?;
        match asked.trim() {
            "unplug" => self.start_without_readers()?,
            _ => self.start_again()?,
        }
        line.get_mut().write_all(b"done\n").map_err(unheard)
    }
}

/// Has the service of this slot's reader obey.
pub fn order(slot: &Slot, what: &str) -> std::io::Result<()> {
    let mut line = UnixStream::connect(slot.path().with_file_name(ORDERS))?;
    line.write_all(format!("{what}\n").as_bytes())?;
    let mut answer = String::new();
    match BufReader::new(line).read_line(&mut answer)? {
        0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

const ORDERS: &str = "orders";

/// Short, because a Unix socket's path has at most 107 bytes; open to this user alone.
fn new_folder() -> Result<PathBuf, Error> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("chevet-pcscd-{}-{count}", std::process::id()));
    // What a killed process of the same number left behind.
    let _ = fs::remove_dir_all(&path);
    let made = fs::DirBuilder::new().mode(0o700).create(&path);
    made.map_err(|source| Error::Folder { path: path.clone(), source })?;
    Ok(path)
}

/// The fifth field of a line is where it is mounted (proc_pid_mountinfo(5)).
fn root_is_a_mount() -> bool {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    mounts.lines().any(|line| line.split(' ').nth(4) == Some("/"))
}

fn knows_option(option: &str) -> bool {
    let help = Command::new(PCSCD).arg("--help").output();
    help.is_ok_and(|help| String::from_utf8_lossy(&[help.stdout, help.stderr].concat()).contains(option))
}

/// The readers' name, before ` 00 00` and ` 00 01`.
pub const READER: &str = "Chevet bac a sable";

/// With switches: the second reader's, before ` 01 00`.
pub const SECOND_READER: &str = "Chevet autre lecteur";

fn switch_name(number: usize) -> String {
    format!("switch-{number}.so")
}

/// vpcd's own default; in a network name space of its own, every port is free.
const PORT: u16 = 0x8c7b;
const START_S_MAX: u64 = 10;
const STOP_S_MAX: u64 = 4;
const PCSCD: &str = "/usr/sbin/pcscd";
const DRIVER: &str = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so";
const UNSHARE: &str = "/usr/bin/unshare";
const PERL: &str = "/usr/bin/perl";
const INSIDE: &str = include_str!("pcscd/inside.pl");
