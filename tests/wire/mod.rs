//! A wire of one's own: two network namespaces, a TUN device in each, and threads that carry packets from one to the other:
//! late, at a rate, not all of them, and for a while none.
//!
//! The rate is the kernel's (`tc tbf`, a queue of one second); delay, loss and cuts are here, because not every kernel has netem.
//! What speaks over it is the kernel's own TCP. Nothing leaves the two namespaces, and all of it ends with the value.
//! Needs root, or to be root of a user namespace (`unshare --user --map-root-user`), and Debian's iproute2.

use rustix::thread::LinkNameSpaceType;
use rustix::thread::UnshareFlags;
use rustix::thread::move_into_link_name_space;
use rustix::thread::unshare_unsafe;
use std::collections::VecDeque;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Read;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::fd::AsRawFd;
use std::process::Command;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

/// How bad it is, the same both ways.
#[derive(Debug, Clone, Copy)]
pub struct Quality {
    /// `None`: as fast as it goes.
    pub bits_per_second: Option<u32>,
    /// One way.
    pub delay: Duration,
    /// Of a thousand packets, how many are lost.
    pub lost_per_mille: u32,
}

pub struct Wire {
    near: File,
    far: File,
    shared: Arc<Shared>,
    carriers: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    is_cut: AtomicBool,
    is_over: AtomicBool,
    up: AtomicU64,
    down: AtomicU64,
    packets: AtomicU64,
    lost: AtomicU64,
}

/// Where the near end stands; the far end is the sandbox's own address.
pub const NEAR: &str = "192.0.2.2/24";
pub const FAR: &str = "192.0.2.1/24";

impl Wire {
    /// Whether this process may make a network namespace. Asked in a thread of its own, which alone moves into it.
    pub fn may_be_laid() -> bool {
        // SAFETY: it is the table of files that must not be unshared; this is the network.
        std::thread::spawn(|| unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.is_ok()).join().unwrap_or(false)
    }

    /// From a client's place to a server's. The calling thread stays where it is.
    pub fn lay(quality: Quality) -> io::Result<Wire> {
        let (near, near_end) = end(NEAR, quality)?;
        let (far, far_end) = end(FAR, quality)?;
        let shared = Arc::new(Shared::default());
        let mut carriers = Vec::new();
        for (from, to, is_up) in [(&near_end, &far_end, true), (&far_end, &near_end, false)] {
            carriers.extend(carry(from.try_clone()?, to.try_clone()?, quality, is_up, &shared)?);
        }
        Ok(Wire { near, far, shared, carriers })
    }

    /// Sockets that `work` makes, and threads that it starts, are the client's.
    pub fn near<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        within(&self.near, work)
    }

    /// And here the server's.
    pub fn far<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        within(&self.far, work)
    }

    /// Nothing passes, until it is mended.
    pub fn cut(&self) {
        self.shared.is_cut.store(true, Ordering::SeqCst);
    }

    pub fn mend(&self) {
        self.shared.is_cut.store(false, Ordering::SeqCst);
    }

    /// IP packets' bytes that were put on it, towards the server and back; lost ones too.
    pub fn bytes(&self) -> (u64, u64) {
        (self.shared.up.load(Ordering::SeqCst), self.shared.down.load(Ordering::SeqCst))
    }

    /// How many packets there were, and how many were lost.
    pub fn packets(&self) -> (u64, u64) {
        (self.shared.packets.load(Ordering::SeqCst), self.shared.lost.load(Ordering::SeqCst))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        for carrier in self.carriers.drain(..) {
            drop(carrier.join());
        }
    }
}

/// A namespace with one end in it: the namespace, and the end.
fn end(address: &'static str, quality: Quality) -> io::Result<(File, File)> {
    apart(move || {
        let tun = device(IFF_TUN)?;
        ip(&["address", "add", address, "dev", DEVICE])?;
        ip(&["link", "set", DEVICE, "up"])?;
        if let Some(rate) = quality.bits_per_second {
            let (rate, queue) = (format!("{rate}bit"), (rate / 8).max(8_000).to_string());
            run(
                "tc",
                &["qdisc", "add", "dev", DEVICE, "root", "tbf", "rate", &rate, "burst", "3000", "limit", &queue],
            )?;
        }
        Ok(tun)
    })
}

/// A new network namespace, and what `make` made in it.
pub fn apart<T: Send + 'static>(make: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<(File, T)> {
    let made = std::thread::spawn(move || {
        // SAFETY: it is the table of files that must not be unshared; this is the network.
        unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.map_err(|errno| {
            io::Error::other(format!("a network namespace, for root or in a user namespace: {errno}"))
        })?;
        ip(&["link", "set", "lo", "up"])?;
        let made = make()?;
        Ok((File::open("/proc/thread-self/ns/net")?, made))
    });
    made.join().map_err(|_| io::Error::other("the namespace's thread fell"))?
}

/// Runs `work` in a thread of that namespace.
pub fn within<T: Send>(namespace: &File, work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let inside = scope.spawn(|| {
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).expect("it exists");
            work()
        });
        inside.join().unwrap_or_else(|fall| std::panic::resume_unwind(fall))
    })
}

pub const DEVICE: &str = "wire0";

/// The namespace's TUN or TAP device: each read is a packet that was sent, each write one that arrives.
pub fn device(kind: u16) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).open("/dev/net/tun");
    let file = file.map_err(|error| io::Error::new(error.kind(), format!("/dev/net/tun: {error}")))?;
    // struct ifreq (linux/if.h): the name, then the flags; the rest is not looked at.
    let mut request = [0u8; 40];
    request[..DEVICE.len()].copy_from_slice(DEVICE.as_bytes());
    request[16..18].copy_from_slice(&(kind | IFF_NO_PI).to_ne_bytes());
    // SAFETY: the kernel reads and writes one ifreq, for which there is room, and keeps no pointer to it.
    let done = unsafe { libc::ioctl(file.as_raw_fd(), TUNSETIFF, request.as_mut_ptr()) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(file) }
}

const TUNSETIFF: libc::c_ulong = 0x4004_54ca;
const IFF_TUN: u16 = 0x0001;
const IFF_NO_PI: u16 = 0x1000;

pub fn ip(arguments: &[&str]) -> io::Result<()> {
    run("ip", arguments)
}

/// A child is born in its parent thread's namespace.
fn run(program: &str, arguments: &[&str]) -> io::Result<()> {
    let done = Command::new(program).args(arguments).status()?;
    if done.success() { Ok(()) } else { Err(io::Error::other(format!("{program} {arguments:?}: {done}"))) }
}

/// What is on its way, with the time at which it arrives.
#[derive(Default)]
struct Way {
    queue: Mutex<VecDeque<(Instant, Vec<u8>)>>,
    came: Condvar,
}

/// One direction: one thread takes packets off, one puts them down when it is time.
fn carry(
    mut from: File,
    mut to: File,
    quality: Quality,
    is_up: bool,
    shared: &Arc<Shared>,
) -> io::Result<[JoinHandle<()>; 2]> {
    let way = Arc::new(Way::default());
    let (there, seen) = (way.clone(), shared.clone());
    let takes = move || {
        let mut dice = if is_up { 0x9E37_79B9_7F4A_7C15 } else { 0xD1B5_4A32_D192_ED03 };
        let mut packet = vec![0; 2048];
        while !seen.is_over.load(Ordering::SeqCst) {
            if !readable(&from) {
                continue;
            }
            let Ok(length) = from.read(&mut packet) else { continue };
            let total = if is_up { &seen.up } else { &seen.down };
            total.fetch_add(length as u64, Ordering::SeqCst);
            seen.packets.fetch_add(1, Ordering::SeqCst);
            if seen.is_cut.load(Ordering::SeqCst) || roll(&mut dice) % 1000 < u64::from(quality.lost_per_mille) {
                seen.lost.fetch_add(1, Ordering::SeqCst);
                continue;
            }
            let mut queue = there.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.push_back((Instant::now() + quality.delay, packet[..length].to_vec()));
            there.came.notify_one();
        }
    };
    let seen = shared.clone();
    let puts = move || {
        while !seen.is_over.load(Ordering::SeqCst) {
            let mut queue = way.queue.lock().unwrap_or_else(PoisonError::into_inner);
            let Some((due, packet)) = queue.pop_front() else {
                drop(way.came.wait_timeout(queue, Duration::from_millis(100)));
                continue;
            };
            drop(queue);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            // An end that is gone takes nothing any more.
            drop(to.write(&packet));
        }
    };
    let thread = |name: &str| std::thread::Builder::new().name(name.to_owned());
    Ok([thread("wire-takes").spawn(takes)?, thread("wire-puts").spawn(puts)?])
}

/// Whether there is something to read within a tenth of a second.
fn readable(file: &File) -> bool {
    let mut polled = libc::pollfd { fd: file.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one pollfd, which lives here until the call returns.
    unsafe { libc::poll(&mut polled, 1, 100) > 0 }
}

/// xorshift64: the same losses in each run.
fn roll(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state >> 11
}
