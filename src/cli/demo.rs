//! `chevet demo`: the whole of it on a sandbox. A private pcscd with a virtual reader, a small DMP over TLS, and the very
//! same kiosk as on a device. With `--play` it plays one visit by itself and tells it.

use crate::cli;
use crate::cli::kiosk;
use crate::config::Config;
use crate::identity::holder::HolderId;
use crate::kiosk::start;
use crate::kiosk::start::Kiosk;
use crate::kiosk::start::Start;
use crate::sandbox::drawer::Drawer;
use crate::sandbox::panel;
use crate::sandbox::pcscd::Pcscd;
use crate::sandbox::people::round_for;
use crate::sandbox::play::Player;
use crate::sandbox::stage::Stage;
use crate::sandbox::vpcd::Slot;
use crate::screen::bridge;
use crate::screen::bridge::hand;
use crate::screen::bridge::hand::Hand;
use crate::time::UnixSeconds;
use std::error::Error;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use std::time::SystemTime;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

#[derive(clap::Args)]
pub struct Arguments {
    /// Play one visit alone, photograph every page, tell it in visit.md
    #[arg(long)]
    play: bool,
    /// Where everything of the demo lives
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// A card of the drawer that is in the reader from the start
    #[arg(long, value_name = "NAME")]
    card: Option<String>,
    /// In which language the record is spoken to
    #[arg(long, value_name = "pdsm|dmp", default_value = "pdsm", value_parser = ["pdsm", "dmp"])]
    connector: String,
    /// Width and height of the window
    #[arg(long, value_name = "WxH", default_value = "800x480", value_parser = kiosk::size)]
    window: (u32, u32),
    /// Where the virtual reader's first slot is; set by the demo itself
    #[arg(long, value_name = "PATH", hide = true)]
    slot: Option<PathBuf>,
}

type Failure = Box<dyn Error + Send + Sync>;

/// Ends when the window is closed, the play is over, or Ctrl-C is pressed; leaves no process behind.
pub fn run(arguments: Arguments) -> u8 {
    cli::log::start();
    cli::log::lock_memory();
    let done = match &arguments.slot {
        None => begin_again_beside_a_reader(),
        Some(slot) => perform(&arguments, slot).map(|()| cli::DONE),
    };
    done.unwrap_or_else(|error| {
        cli::complain(error.as_ref());
        cli::FAILED
    })
}

/// libpcsclite reads where its service listens from the environment, once: so this program begins again, as a child, with
/// that set. Ctrl-C reaches both; the service ends with its owner's pipe.
fn begin_again_beside_a_reader() -> Result<u8, Failure> {
    let mut service = Pcscd::start()?;
    let (name, value) = service.environment();
    let [slot, _second] = service.slots();
    let orders = service.listen()?;
    let mut child = Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .arg("--slot")
        .arg(slot.path())
        .env(name, value)
        .spawn()?;
    // Looked at in turn: nobody waits for either within a blink.
    orders.set_nonblocking(true)?;
    let code = loop {
        if let Some(status) = child.try_wait()? {
            break status.code();
        }
        match orders.accept() {
            Ok((line, _)) => {
                line.set_nonblocking(false)?;
                service.obey(line)?;
            }
            Err(_) => std::thread::sleep(LOOK),
        }
    };
    drop(service);
    Ok(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(cli::FAILED))
}

fn perform(arguments: &Arguments, slot: &Path) -> Result<(), Failure> {
    // Whatever ends the process that holds the reader ends this one too.
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))?;
    let out = std::path::absolute(&arguments.out)?;
    std::fs::create_dir_all(&out)?;
    let runtime = kiosk::runtime()?;
    let slot = Slot::at(slot);
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let today = UnixSeconds(i64::try_from(seconds)?);
    let mut stage = Stage::set(&out.join("sandbox"), today)?;
    if arguments.connector == "dmp" {
        stage.speak_dmp()?;
    }
    let config = Config::read(&stage.settings)?;
    if let Some(name) = arguments.card.as_deref().filter(|name| !Drawer::names().contains(name)) {
        return Err(format!("the drawer has no card « {name} », only: {}", Drawer::names().join(", ")).into());
    }
    let nurse = Drawer::profile("nurse").ok_or("the drawer has no nurse")?;
    let starter_round = round_for(&HolderId(nurse.holder_id.to_owned()));
    let begin = Start {
        config,
        state: stage.state.clone(),
        credentials: None,
        program: std::env::current_exe()?,
        starter_round,
    };
    let Kiosk { views, touches, tasks, aids: _neither_keys_nor_headset } = runtime.block_on(start::start(begin))?;

    let (width, height) = arguments.window;
    let (hand, asks) = hand::hand();
    runtime.spawn(close_on_signal(hand.clone()));
    let (story, panel) = if arguments.play {
        let player = Player::new(hand, views.clone(), stage, slot, &out);
        (Some(runtime.spawn(player.play())), None)
    } else {
        what_to_try(&stage);
        (None, Some(panel::open(slot, stage, arguments.card.as_deref())?))
    };
    hand::run_driven(views, touches, bridge::Options { width, height, fullscreen: false, drawn: || () }, asks)?;
    drop(panel);
    drop(tasks);
    let told = match story {
        Some(story) => runtime.block_on(story)?.map_err(Failure::from),
        None => Ok(()),
    };
    runtime.shutdown_background();
    told
}

const LOOK: Duration = Duration::from_millis(50);

/// Five lines for a newcomer.
fn what_to_try(stage: &Stage) {
    println!("1. Dans le tiroir de cartes, insérez « nurse », puis tapez le code 1234.");
    println!("2. Choisissez un patient de la tournée, demandez son accord, ouvrez un document.");
    println!("3. Retirez la carte n’importe quand : l’écran se vide.");
    println!("4. Le côté du patient : {}", stage.web_url());
    println!("5. Essayez les autres cartes : médecin, périmée, bloquée, dernier essai… Ctrl-C termine tout.");
}

async fn close_on_signal(hand: Hand) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    hand.close().await;
}
