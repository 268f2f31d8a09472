//! The child process: takes its allowance, seals itself, then reads one document, answers and ends.
//!
//! It is started before there is a document, so that nobody waits for it. It never writes to the log.

use std::process::ExitCode;

use rustix::fd::AsFd;

use crate::record::reading::Reading;
use crate::render::Error;
use crate::render::Fault;
use crate::render::Limits;
use crate::render::format;
use crate::render::seal;
use crate::render::wire;
use crate::render::wire::Request;

/// What `chevet worker` runs.
pub fn worker_main() -> ExitCode {
    // A panic's message could quote the document.
    std::panic::set_hook(Box::new(|_| ()));
    #[cfg(any(debug_assertions, feature = "sandbox"))]
    if let Some(probe) = probe_asked() {
        return probes::run(&probe);
    }
    match serve() {
        Some(()) => ExitCode::SUCCESS,
        None => ExitCode::FAILURE,
    }
}

fn serve() -> Option<()> {
    let mut setup = [0; wire::SETUP_BYTES];
    hear(&mut setup)?;
    let sealed = seal::seal(wire::allowance(&setup)).ok()?;
    say(&[if sealed { wire::SEALED } else { wire::SEALED_WITHOUT_LANDLOCK }])?;

    let mut length = [0; 4];
    hear(&mut length)?;
    let mut request = vec![0; usize::try_from(u32::from_le_bytes(length)).ok()?];
    hear(&mut request)?;
    let request = Request::from_bytes(&request)?;
    answer(read(&request))
}

fn read(request: &Request) -> Result<Reading, Error> {
    let content = document(request.content_bytes).ok_or(Error::Unreadable { what: Fault::Answer })?;
    let limits = Limits { page_width_px: request.page_width_px, ..Limits::default() };
    let pages = request.first_page..request.end_page;
    format::read_here(&content, &request.content_type, &request.format_code, pages, &limits)
}

/// The whole of standard input, which is a sealed memory file: it can neither shrink nor change while it is read.
fn document(content_bytes: u64) -> Option<Vec<u8>> {
    let mut content = vec![0; usize::try_from(content_bytes).ok()?];
    let stdin = std::io::stdin();
    let mut done = 0;
    while done < content.len() {
        match rustix::io::pread(stdin.as_fd(), &mut content[done..], done as u64) {
            Ok(0) | Err(_) => return None,
            Ok(count) => done += count,
        }
    }
    Some(content)
}

fn answer(read: Result<Reading, Error>) -> Option<()> {
    let words = wire::answer_bytes(&read)?;
    say(&u32::try_from(words.len()).ok()?.to_le_bytes())?;
    say(&words)?;
    for page in read.iter().flat_map(|reading| &reading.pages) {
        say(&page.pixels)?;
    }
    Some(())
}

fn hear(buffer: &mut [u8]) -> Option<()> {
    let parent = std::io::stdout();
    let mut done = 0;
    while done < buffer.len() {
        match rustix::io::read(parent.as_fd(), &mut buffer[done..]) {
            Ok(0) | Err(_) => return None,
            Ok(count) => done += count,
        }
    }
    Some(())
}

fn say(mut bytes: &[u8]) -> Option<()> {
    let parent = std::io::stdout();
    while !bytes.is_empty() {
        match rustix::io::write(parent.as_fd(), bytes) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes = &bytes[count..],
        }
    }
    Some(())
}

#[cfg(any(debug_assertions, feature = "sandbox"))]
fn probe_asked() -> Option<String> {
    std::env::args().skip_while(|word| word != "--probe").nth(1)
}

/// Escapes tried on purpose, so that a test sees the kernel refuse them. Not in an appliance's build.
#[cfg(any(debug_assertions, feature = "sandbox"))]
mod probes {
    use super::*;
    use crate::render::seal::Allowance;

    /// Survived: exit code 0. Refused by an error: 1. The test expects a signal instead.
    pub fn run(probe: &str) -> ExitCode {
        let allowance = Allowance { memory_bytes_max: Limits::default().memory_bytes_max, cpu_s_max: 10 };
        let ready = match probe {
            "landlock" => seal::landlock(),
            "unsealed" => Ok(true),
            _ => seal::seal(allowance),
        };
        if ready != Ok(true) {
            return ExitCode::from(3);
        }
        let done = match probe {
            "open" | "landlock" | "unsealed" => std::fs::File::open("/etc/passwd").is_ok(),
            "exec" => std::process::Command::new("/bin/true").status().is_ok(),
            "socket" => std::net::TcpStream::connect(("127.0.0.1", 9)).is_ok(),
            "stdin" => std::io::Read::read(&mut std::io::stdin(), &mut [0]).is_ok(),
            "memory" => grow() > 0,
            "nothing" => true,
            _ => return ExitCode::from(2),
        };
        if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn grow() -> usize {
        let mut held: Vec<Vec<u8>> = Vec::new();
        for _ in 0..4096 {
            held.push(vec![1; 1024 * 1024]);
        }
        held.len()
    }
}
