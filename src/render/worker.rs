//! The handle on the sealed children: one ready, one per document, all ended at once when the card leaves.
//!
//! One thread, made at start, makes and buries the children. It must outlive them: the kernel sends the parent's
//! death signal when the *thread* that made a child ends (prctl(2)), and a pool's thread ends when it is idle.

use std::collections::HashMap;
use std::io::Read;
use std::io::Write;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use rustix::fs::MemfdFlags;
use rustix::fs::SealFlags;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;

use crate::record::reading::Reading;
use crate::render::Error;
use crate::render::Fault;
use crate::render::Limits;
use crate::render::seal::Allowance;
use crate::render::wire;
use crate::render::wire::Request;
use crate::secret::SecretBytes;
use crate::secret::Unseen;
use crate::secret::UnseenWords;

/// How long a new child may take to seal itself; on a loaded board, a start takes some 0.1 s.
const SEAL_S_MAX: u64 = 10;

/// Cloned freely; the last one dropped ends every child.
#[derive(Clone)]
pub struct Worker {
    inner: Arc<Inner>,
}

struct Inner {
    limits: Limits,
    orders: std::sync::mpsc::Sender<Order>,
    /// At most one child ready, sealed and without a document; or why there is none.
    ready: tokio::sync::Mutex<tokio::sync::mpsc::UnboundedReceiver<Result<Ready, Error>>>,
    /// Those that have a document. Who is not in here any more was ended.
    running: Mutex<Running>,
}

#[derive(Default)]
struct Running {
    next: u64,
    children: HashMap<u64, Child>,
}

/// What the keeper's thread is told.
enum Order {
    Make,
    Bury(Child),
}

/// A sealed child that waits for a document.
struct Ready {
    child: Child,
    document: std::fs::File,
    voice: UnixStream,
}

impl Worker {
    /// Starts the first child and waits until it has sealed itself. `program` is this very binary.
    pub fn start(program: PathBuf, limits: Limits) -> Result<Worker, Error> {
        let (orders, received) = std::sync::mpsc::channel();
        let (hand_over, ready) = tokio::sync::mpsc::unbounded_channel();
        let (first, first_made) = std::sync::mpsc::sync_channel(1);
        let kept = limits.clone();
        let keep = move || {
            let made = Ready::make(&program, &kept);
            let _ = first.send(made.as_ref().map(|_| ()).map_err(copy));
            let Ok(made) = made else { return };
            let _ = hand_over.send(Ok(made));
            while let Ok(order) = received.recv() {
                match order {
                    Order::Make => {
                        if let Err(unsent) = hand_over.send(Ready::make(&program, &kept)) {
                            end(unsent.0);
                        }
                    }
                    // Killed before it comes here: the wait is short, and nobody else waits.
                    Order::Bury(mut child) => {
                        let _ = child.wait();
                    }
                }
            }
        };
        std::thread::Builder::new().name("render".into()).spawn(keep).map_err(|source| Error::Spawn { source })?;
        match first_made.recv() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(error),
            Err(_) => return Err(Error::NotSealed { what: "its keeper ended" }),
        }
        let ready = tokio::sync::Mutex::new(ready);
        Ok(Worker { inner: Arc::new(Inner { limits, orders, ready, running: Mutex::default() }) })
    }

    /// Reads one document in a child of its own. `pages` are drawn, the others only counted.
    pub async fn read(
        &self,
        content: &SecretBytes,
        content_type: &str,
        format_code: &str,
        pages: Range<u32>,
    ) -> Result<Reading, Error> {
        self.read_wide(content, content_type, format_code, pages, self.inner.limits.page_width_px).await
    }

    /// The same, its pages as wide as asked: paper is finer than a screen.
    pub async fn read_wide(
        &self,
        content: &SecretBytes,
        content_type: &str,
        format_code: &str,
        pages: Range<u32>,
        page_width_px: u32,
    ) -> Result<Reading, Error> {
        let limits = &self.inner.limits;
        let content_bytes = content.show_bytes().len() as u64;
        if content_bytes > limits.content_bytes_max {
            return Err(Error::TooLarge { bytes: content_bytes });
        }
        let request = Request {
            content_type: content_type.to_owned(),
            format_code: format_code.to_owned(),
            content_bytes,
            first_page: pages.start,
            end_page: pages.end.min(pages.start.saturating_add(wire::PAGES_AT_ONCE_MAX)),
            page_width_px,
        };
        let allowed = Duration::from_secs(limits.wall_s_max);
        let Ready { child, document, voice } = self.next_ready().await?;
        // From here to the end of this call, whatever ends it ends the child.
        let running = self.inner.run(child);
        let read = match tokio::time::timeout(allowed, ask(content, &document, voice, &request)).await {
            Ok(read) => read,
            Err(_) => Err(Error::TimedOut { wall_s_max: limits.wall_s_max }),
        };
        // An answer that crossed the end of the visit is not given.
        if running.end() { read } else { Err(Error::Killed) }
    }

    /// The words of a document that nobody has seen: no page is drawn, and who asks cannot look into the answer.
    pub async fn words(&self, unseen: &Unseen) -> Result<UnseenWords, Error> {
        let (content, content_type, format_code) = unseen.show_to_worker();
        let reading = self.read(content, content_type, format_code, 0..0).await?;
        Ok(UnseenWords::new(reading.words()))
    }

    /// Ends every child that has seen a document, now, and waits for none. What they read is answered [`Error::Killed`].
    pub fn kill(&self) {
        for (_, child) in self.inner.running().children.drain() {
            self.inner.end(child);
        }
    }

    async fn next_ready(&self) -> Result<Ready, Error> {
        let mut ready = self.inner.ready.lock().await;
        let mut next = ready.recv().await;
        let _ = self.inner.orders.send(Order::Make);
        // One that died while it waited (the kernel was short of memory) is nobody's document's fault.
        if let Some(Ok(waiting)) = &mut next
            && !matches!(waiting.child.try_wait(), Ok(None))
        {
            next = ready.recv().await;
            let _ = self.inner.orders.send(Order::Make);
        }
        next.unwrap_or(Err(Error::NotSealed { what: "its keeper ended" }))
    }
}

impl Inner {
    fn running(&self) -> MutexGuard<'_, Running> {
        // A panic elsewhere changes nothing about what must be ended.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, child: Child) -> Guard<'_> {
        let mut running = self.running();
        running.next += 1;
        let number = running.next;
        running.children.insert(number, child);
        Guard { inner: self, number }
    }

    /// Not buried yet, its process number belongs to nobody else: a kill by number cannot hit another process.
    fn end(&self, mut child: Child) {
        let _ = child.kill();
        let _ = self.orders.send(Order::Bury(child));
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        for (_, child) in std::mem::take(&mut *self.running()).children.drain() {
            self.end(child);
        }
        self.ready.get_mut().close();
        while let Ok(made) = self.ready.get_mut().try_recv() {
            end(made);
        }
    }
}

/// Ends its child when it goes, also when the caller gave up waiting.
struct Guard<'a> {
    inner: &'a Inner,
    number: u64,
}

impl Guard<'_> {
    /// False: somebody else ended it before.
    fn end(&self) -> bool {
        let child = self.inner.running().children.remove(&self.number);
        let ours = child.is_some();
        child.into_iter().for_each(|child| self.inner.end(child));
        ours
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

impl Ready {
    fn make(program: &Path, limits: &Limits) -> Result<Ready, Error> {
        let spawn = |source: std::io::Error| Error::Spawn { source };
        let memory = rustix::fs::memfd_create("document", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING);
        let document = memory.map_err(|errno| spawn(errno.into()))?;
        let (voice, theirs) = UnixStream::pair().map_err(spawn)?;
        let child = Command::new(program)
            .arg("worker")
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(document.try_clone().map_err(spawn)?))
            .stdout(Stdio::from(OwnedFd::from(theirs)))
            .stderr(Stdio::null())
            .spawn()
            .map_err(spawn)?;
        let mut ready = Ready { child, document: document.into(), voice };
        match ready.hear_sealed(limits) {
            Ok(()) => Ok(ready),
            Err(error) => {
                end(Ok(ready));
                Err(error)
            }
        }
    }

    fn hear_sealed(&mut self, limits: &Limits) -> Result<(), Error> {
        let silent = |_| Error::NotSealed { what: "it said nothing" };
        // Only a second brake behind the clock: a limit of 0 ends a child at its first tick (setrlimit(2)).
        let cpu_s_max = limits.wall_s_max.saturating_mul(2).saturating_add(2);
        let allowance = Allowance { memory_bytes_max: limits.memory_bytes_max, cpu_s_max };
        self.voice.write_all(&wire::setup_bytes(allowance)).map_err(silent)?;
        self.voice.set_read_timeout(Some(Duration::from_secs(SEAL_S_MAX))).map_err(silent)?;
        let mut said = [0];
        self.voice.read_exact(&mut said).map_err(silent)?;
        match said[0] {
            wire::SEALED => Ok(()),
            wire::SEALED_WITHOUT_LANDLOCK if limits.allow_unsealed => Ok(()),
            wire::SEALED_WITHOUT_LANDLOCK => Err(Error::NotSealed { what: "this kernel does not enforce Landlock" }),
            _ => Err(Error::NotSealed { what: "it said something else" }),
        }
    }
}

async fn ask(
    content: &SecretBytes,
    document: &std::fs::File,
    voice: UnixStream,
    request: &Request,
) -> Result<Reading, Error> {
    let died = |_: std::io::Error| Error::Unreadable { what: Fault::WorkerDied };
    let asked = request.to_bytes().ok_or(Error::Unreadable { what: Fault::Answer })?;
    document.write_all_at(content.show_bytes(), 0).map_err(|source| Error::Spawn { source })?;
    let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(document, seals).map_err(|errno| Error::Spawn { source: errno.into() })?;

    voice.set_nonblocking(true).map_err(died)?;
    let mut voice = tokio::net::UnixStream::from_std(voice).map_err(died)?;
    voice.write_all(&asked).await.map_err(died)?;
    let length = voice.read_u32_le().await.map_err(died)? as usize;
    if length > wire::ANSWER_BYTES_MAX {
        return Err(Error::Unreadable { what: Fault::Answer });
    }
    let mut words = vec![0; length];
    voice.read_exact(&mut words).await.map_err(died)?;
    let heard = wire::answer_from(&words)?;
    let mut pages = Vec::new();
    for bytes in heard.page_bytes(&(request.first_page..request.end_page), request.page_width_px)? {
        let mut pixels = vec![0; bytes];
        voice.read_exact(&mut pixels).await.map_err(died)?;
        pages.push(pixels);
    }
    Ok(heard.with_pixels(pages))
}

/// For a child that never got a document: ended and buried at once.
fn end(made: Result<Ready, Error>) {
    if let Ok(mut ready) = made {
        let _ = ready.child.kill();
        let _ = ready.child.wait();
    }
}

/// Why the first child failed goes two ways: to who starts it, and nowhere else.
fn copy(error: &Error) -> Error {
    match error {
        Error::NotSealed { what } => Error::NotSealed { what },
        Error::Spawn { source } => Error::Spawn { source: source.kind().into() },
        _ => Error::NotSealed { what: "it could not be made" },
    }
}
