//! `chevet kiosk`: the appliance's program. The window owns the main thread; everything else runs beside it.

use crate::cli;
use crate::cli::Common;
use crate::kiosk::start;
use crate::kiosk::start::Kiosk;
use crate::kiosk::start::Start;
use crate::kiosk::start::StartError;
use crate::kiosk::troubles;
#[cfg(feature = "sandbox")]
use crate::sandbox::remote;
use crate::screen::bridge;
#[cfg(feature = "sandbox")]
use crate::screen::bridge::hand;
use crate::screen::view;
use crate::trouble::Trouble;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::sync::watch;

#[derive(clap::Args)]
pub struct Arguments {
    /// Width and height of a window on a desk, for example 800x480; the whole screen without it
    #[arg(long, value_name = "WxH", value_parser = size)]
    window: Option<(u32, u32)>,
    /// Where a test moves a hand on the window
    #[cfg(feature = "sandbox")]
    #[arg(long, value_name = "SOCKET", hide = true)]
    hand: Option<std::path::PathBuf>,
}

/// Runs until the window is closed.
pub fn run(arguments: Arguments, common: &Common) -> u8 {
    cli::log::start();
    cli::log::lock_memory();
    let config = match cli::settings(common) {
        Ok(config) => config,
        Err(code) => {
            // On a whole screen nobody sees what is written on a terminal.
            if arguments.window.is_none()
                && let Err(error) = show_trouble(Trouble::Settings, options(None))
            {
                cli::complain(&error);
            }
            return code;
        }
    };
    let (runtime, program) = match (runtime(), std::env::current_exe()) {
        (Ok(runtime), Ok(program)) => (runtime, program),
        (Err(error), _) | (_, Err(error)) => {
            cli::complain(&error);
            return cli::FAILED;
        }
    };
    let (state, credentials) = (common.state.clone(), cli::credentials());
    let begin = Start { config, state, credentials, program, starter_round: Vec::new() };
    let options = options(arguments.window);
    let done = match runtime.block_on(start::start(begin)) {
        Ok(kiosk) => run_window(&arguments, &runtime, kiosk),
        Err(error) => {
            cli::complain(&error);
            show_why_not(&error, options)
        }
    };
    runtime.shutdown_background();
    match done {
        Ok(()) => cli::DONE,
        Err(error) => {
            cli::complain(&error);
            cli::FAILED
        }
    }
}

#[cfg(not(feature = "sandbox"))]
fn run_window(arguments: &Arguments, _runtime: &Runtime, kiosk: Kiosk) -> Result<(), bridge::Error> {
    let Kiosk { views, touches, aids, tasks: _until_the_window_closes } = kiosk;
    bridge::run(views, touches, options(arguments.window), Some(aids))
}

/// The same, but that a test may put a hand on it.
#[cfg(feature = "sandbox")]
fn run_window(arguments: &Arguments, runtime: &Runtime, kiosk: Kiosk) -> Result<(), bridge::Error> {
    let Kiosk { views, touches, aids, tasks: _until_the_window_closes } = kiosk;
    let options = options(arguments.window);
    let Some(socket) = &arguments.hand else { return bridge::run(views, touches, options, Some(aids)) };
    let (hand, asks) = hand::hand();
    let _inside = runtime.enter();
    match remote::listen(socket) {
        Ok(listener) => drop(runtime.spawn(remote::obey(listener, hand))),
        Err(error) => cli::complain(&error),
    }
    hand::run_driven(views, touches, options, asks)
}

/// A device that cannot start says so on its screen, with the next step.
fn show_why_not(error: &StartError, options: bridge::Options) -> Result<(), bridge::Error> {
    // A system that cannot start is not good, however well it says so.
    show_trouble(troubles::of_start(error), bridge::Options { drawn: || (), ..options })
}

fn show_trouble(trouble: Trouble, options: bridge::Options) -> Result<(), bridge::Error> {
    let (views_in, views) = watch::channel(view::of_trouble(trouble));
    let (touches, _nobody_listens) = mpsc::channel(1);
    let done = bridge::run(views, touches, options, None);
    drop(views_in);
    done
}

/// Two threads: one may wait for the disk or the network while the other turns the loop.
pub(super) fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("chevet").enable_all().build()
}

pub(super) fn options(window: Option<(u32, u32)>) -> bridge::Options {
    let (width, height) = window.unwrap_or((800, 480));
    bridge::Options { width, height, fullscreen: window.is_none(), drawn: say_ready }
}

/// To systemd, where it started us: a new system is good when its page is on the screen (`chevet-good.service`).
fn say_ready() {
    if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Ready]) {
        tracing::warn!(%error, "systemd is not told that the page is drawn");
    }
}

/// `800x480`.
pub(super) fn size(text: &str) -> Result<(u32, u32), String> {
    let (width, height) = text.split_once('x').ok_or("write it as 800x480")?;
    match (width.parse(), height.parse()) {
        (Ok(width), Ok(height)) if (320..=7680).contains(&width) && (240..=4320).contains(&height) => {
            Ok((width, height))
        }
        _ => Err("write it as 800x480".to_owned()),
    }
}
