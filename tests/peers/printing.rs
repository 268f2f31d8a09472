//! A printer that nobody here wrote: OpenPrinting's `ippeveprinter`, which behaves as an IPP Everywhere printer does, and its
//! `ippeveps`, which reads PWG raster. It starts only beside a message bus and Avahi; `scripts/peers` runs this in a network
//! namespace of its own, so that nothing of it is heard outside.

use chevet::device::printer::Error;
use chevet::device::printer::Format;
use chevet::device::printer::Job;
use chevet::device::printer::Options;
use chevet::device::printer::Printer;
use chevet::paper::Picture;
use chevet::paper::Sheet;
use chevet::paper::press;
use chevet::paper::raster::Raster;
use chevet::record::reading::Page;
use chevet::record::reading::Reading;
use chevet::record::reading::Row;
use chevet::record::reading::RowKind;
use chevet::record::reading::Run;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;
use tempfile::TempDir;

/// The printer and what it needs; all of it ends with this.
struct Stand {
    folder: TempDir,
    children: Vec<Child>,
    client: Printer,
}

impl Stand {
    fn start(port: u16, formats: &str) -> Stand {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let bus = format!("unix:path={}", at("bus").display());
        std::fs::write(at("bus.conf"), BUS.replace("@BUS@", &bus)).expect("written");
        std::fs::write(at("avahi.conf"), AVAHI).expect("written");
        std::fs::create_dir(at("spool")).expect("a folder");
        let mut children = vec![run(
            Command::new("dbus-daemon").arg("--config-file").arg(at("bus.conf")).args(["--nofork", "--nopidfile"]),
            &bus,
        )];
        until("a message bus", || at("bus").exists());
        let options = ["--no-drop-root", "--no-chroot", "--no-rlimits"];
        children.push(run(Command::new("avahi-daemon").arg("-f").arg(at("avahi.conf")).args(options), &bus));
        let client = Printer::new(&Options { uri: format!("ipp://127.0.0.1:{port}/ipp/print"), certificate_pem: None });
        let mut stand = Stand { client: client.expect("an address"), children, folder };
        // It does not start before Avahi has: it is started again until it stays.
        until("a printer", || {
            if let Some(printer) = stand.children.get_mut(2)
                && printer.try_wait().expect("a process").is_none()
            {
                return block_on(stand.client.state()).is_ok();
            }
            stand.children.truncate(2);
            let mut printer = Command::new("ippeveprinter");
            printer.args(["-r", "off", "-n", "localhost", "-k", "-2", "-f", formats, "-p", &port.to_string(), "-d"]);
            printer.arg(stand.folder.path().join("spool")).arg("Borne");
            stand.children.push(run(&mut printer, &bus));
            false
        });
        stand
    }

    /// What it was sent, whole.
    fn spooled(&self) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.folder.path().join("spool")).expect("a folder");
        let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
        files.sort();
        files
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        for child in self.children.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn run(command: &mut Command, bus: &str) -> Child {
    let command = command.env("DBUS_SYSTEM_BUS_ADDRESS", bus).stdin(Stdio::null());
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    child.expect("Debian's dbus, avahi-daemon and cups-ipp-utils")
}

fn until(what: &str, mut there: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !there() {
        assert!(Instant::now() < until, "no {what} within half a minute");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn block_on<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(what)
}

fn sheet() -> Sheet {
    let row = |number: usize| Row {
        kind: RowKind::Paragraph,
        level: 0,
        text: vec![Run::plain(format!("ligne numéro {number}, à 38,5 °C"))],
        cells: vec![],
    };
    let reading = Reading { rows: (0..80).map(row).collect(), ..Reading::default() };
    Sheet { title: "Compte rendu".into(), reading, code: None, foot: "imprimé".into() }
}

/// Half dark, half coloured.
fn page() -> Page {
    let (width, height) = (2480, 3508);
    let pixels: Vec<u8> = (0..height)
        .flat_map(|y: u32| (0..width).map(move |x: u32| (x, y)))
        .flat_map(|(x, y)| if y < 1000 { [0, 0, 0, 255] } else { [(x % 7 * 30) as u8, 200, 10, 255] })
        .collect();
    Page { width, height, pixels: Arc::from(pixels) }
}

async fn done(client: &Printer, job: i32) -> Job {
    for _ in 0..400 {
        match client.job(job).await.expect("its state") {
            Job::Waiting => tokio::time::sleep(Duration::from_millis(100)).await,
            state => return state,
        }
    }
    panic!("the job is never done")
}

#[test]
fn printing_a_pdf_arrives_byte_for_byte() {
    let stand = Stand::start(8631, "application/pdf,image/pwg-raster");
    block_on(async {
        let state = stand.client.state().await.expect("a state");
        assert!(state.pdf && state.raster && state.hindrance.is_none(), "{state:?}");
        let pictures = vec![Picture::new(&page(), 0).expect("a picture")];
        let made = press(&sheet(), pictures, None).expect("pressed");
        let job = stand.client.print(made.bytes.clone(), Format::Pdf).await.expect("a job");
        assert_eq!(done(&stand.client, job).await, Job::Done);
        let spooled = stand.spooled();
        assert_eq!(spooled.len(), 1, "{spooled:?}");
        assert!(std::fs::read(&spooled[0]).expect("a file") == made.bytes);
        let name = spooled[0].to_string_lossy().to_lowercase();
        assert!(name.contains("chevet") && name.ends_with(".pdf"), "the job's name, and nobody's: {name}");
        let job = stand.client.print(made.bytes, Format::Pdf).await.expect("a job");
        stand.client.cancel(job).await.expect("its owner takes it back");
        assert_eq!(done(&stand.client, job).await, Job::Failed);
    });
}

#[test]
fn printing_a_raster_is_read_by_a_foreign_reader() {
    let stand = Stand::start(8632, "image/pwg-raster");
    block_on(async {
        let state = stand.client.state().await.expect("a state");
        assert!(!state.pdf && state.raster, "{state:?}");
        let refused = stand.client.print(b"%PDF-1.7".to_vec(), Format::Pdf).await.expect_err("it takes no PDF");
        // client-error-attributes-or-values-not-supported (RFC 8011 Appendix B).
        assert!(matches!(refused, Error::Refused { status: 0x040b }), "{refused:?}");
        let mut raster = Raster::new(2, true);
        let white = Page { width: 2480, height: 3508, pixels: vec![255; 2480 * 3508 * 4].into() };
        raster.page(&page());
        raster.page(&white);
        let job = stand.client.print(raster.finish(), Format::PwgRaster).await.expect("a job");
        assert_eq!(done(&stand.client, job).await, Job::Done);
        let spooled = stand.spooled();
        let script = postscript(spooled.last().expect("a file"));
        assert_eq!(script.matches("%%Page: (").count(), 2);
        // 72 points of 300 dots; lines are counted down from the top.
        for said in ["0.240000 0.240000 scale", "/Width 2480/", "\n3507 L\n", "/DeviceRGB", "/DeviceGray"] {
            assert!(script.contains(said), "{said}");
        }
    });
}

/// As `ippeveprinter` would have it printed on a PostScript printer.
fn postscript(raster: &Path) -> String {
    let read = Command::new("ippeveps").env("CONTENT_TYPE", "image/pwg-raster").arg(raster).output().expect("it runs");
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    String::from_utf8_lossy(&read.stdout).into_owned()
}

const BUS: &str = r#"<busconfig>
  <type>system</type>
  <listen>@BUS@</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
  </policy>
</busconfig>
"#;
const AVAHI: &str =
    "[server]\nuse-ipv6=no\nallow-interfaces=lo\n[wide-area]\nenable-wide-area=no\n[publish]\npublish-workstation=no\n";
