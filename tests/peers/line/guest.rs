//! A line whose badness nobody here wrote: a machine of QEMU's between two network namespaces, Debian's kernel in it, netem on the
//! way out of both of its network cards (`init`). It is told what to be over its serial line.
//!
//! Emulated, not virtualised: where the host is a virtual machine itself, its KVM can take minutes to start what TCG starts in four
//! seconds. `scripts/peers` makes the kernel and what it starts (`scripts/lib/line.sh`). Needs root.

use crate::wire;
use std::fs::File;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Child;
use std::process::ChildStdin;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::PoisonError;

pub struct Line {
    near: File,
    far: File,
    machine: Child,
    talk: Mutex<Talk>,
}

/// Its serial line.
struct Talk {
    orders: ChildStdin,
    heard: BufReader<ChildStdout>,
}

/// As the issue has it: there and back takes twice the delay. The queue is what netem holds, what is merely late included: three seconds
/// of whole packets.
pub const BAD: &str = "rate 200kbit delay 300ms loss 5% limit 50";

impl Line {
    /// One that is as good as the machine: [`Line::be`] makes it bad. The calling thread must outlive it.
    pub fn lay() -> Line {
        Line::try_to_lay()
            .unwrap_or_else(|error| panic!("the line cannot be laid: {error} (is this root, under scripts/peers?)"))
    }

    fn try_to_lay() -> io::Result<Line> {
        let (near, near_end) = end(wire::NEAR, NEAR_CARD, wire::FAR, FAR_CARD)?;
        let (far, far_end) = end(wire::FAR, FAR_CARD, wire::NEAR, NEAR_CARD)?;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/line");
        let mut machine = Command::new("setpriv");
        // Whatever becomes of this test, its machine ends.
        machine.args([
            "--pdeathsig",
            "KILL",
            "--",
            "qemu-system-x86_64",
            "-accel",
            "tcg",
            "-machine",
            "pc",
            "-m",
            "128",
        ]);
        machine.args(["-nodefaults", "-nographic", "-no-reboot", "-serial", "stdio"]);
        machine.arg("-kernel").arg(folder.join("kernel")).arg("-initrd").arg(folder.join("initrd"));
        machine.args(["-append", "console=ttyS0 quiet panic=-1"]);
        for (name, end) in [("near", &near_end), ("far", &far_end)] {
            // It inherits them.
            rustix::io::fcntl_setfd(end, rustix::io::FdFlags::empty())?;
            machine.arg("-netdev").arg(format!("tap,id={name},fd={}", end.as_raw_fd()));
            machine.arg("-device").arg(format!("virtio-net-pci,netdev={name},romfile="));
        }
        let mut machine = machine.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(orders), Some(heard)) = (machine.stdin.take(), machine.stdout.take()) else {
            return Err(io::Error::other("two pipes were asked for"));
        };
        let talk = Mutex::new(Talk { orders, heard: BufReader::new(heard) });
        let line = Line { near, far, machine, talk };
        line.until("here")?;
        Ok(line)
    }

    /// From now on, both ways, in netem's own words.
    pub fn be(&self, quality: &str) {
        self.tell("be", quality);
    }

    /// Nothing passes, until it is mended; what was on its way is lost.
    pub fn cut(&self) {
        self.tell("cut", "");
    }

    pub fn mend(&self) {
        self.tell("mend", "");
    }

    /// Sockets that `work` makes, and threads that it starts, are the client's.
    pub fn near<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        wire::within(&self.near, work)
    }

    /// And here the server's.
    pub fn far<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        wire::within(&self.far, work)
    }

    /// Says it, and returns when it is done.
    fn tell(&self, word: &str, rest: &str) {
        let said = self.say(&format!("{word} {rest}")).and_then(|()| self.until(&format!("{word} done")));
        said.unwrap_or_else(|error| panic!("the line was told to {word} {rest}: {error}"));
    }

    fn say(&self, what: &str) -> io::Result<()> {
        writeln!(self.talk().orders, "{what}")
    }

    fn until(&self, wanted: &str) -> io::Result<()> {
        let (mut talk, mut all) = (self.talk(), String::new());
        loop {
            let mut said = Vec::new();
            if talk.heard.read_until(b'\n', &mut said)? == 0 {
                return Err(io::Error::other(format!("its machine ended and never said \"{wanted}\":\n{all}")));
            }
            let said = String::from_utf8_lossy(&said);
            if said.trim().ends_with(&format!("line: {wanted}")) {
                return Ok(());
            }
            all.push_str(&said);
        }
    }

    fn talk(&self) -> std::sync::MutexGuard<'_, Talk> {
        self.talk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _ended = self.machine.kill();
        let _reaped = self.machine.wait();
    }
}

/// A namespace with one end in it. Each end knows the other's card for good: a line that is gone is silent, and no router says so.
fn end(
    address: &'static str,
    card: &'static str,
    other: &'static str,
    others_card: &'static str,
) -> io::Result<(File, File)> {
    wire::apart(move || {
        let tap = wire::device(IFF_TAP)?;
        let other = other.split('/').next().unwrap_or(other);
        wire::ip(&["address", "add", address, "dev", wire::DEVICE])?;
        wire::ip(&["link", "set", wire::DEVICE, "address", card, "up"])?;
        wire::ip(&["neighbor", "add", other, "lladdr", others_card, "dev", wire::DEVICE, "nud", "permanent"])?;
        Ok(tap)
    })
}

const IFF_TAP: u16 = 0x0002;
const NEAR_CARD: &str = "02:00:c0:00:02:02";
const FAR_CARD: &str = "02:00:c0:00:02:01";
