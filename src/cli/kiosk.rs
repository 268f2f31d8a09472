//! `chevet kiosk`: the appliance's program. The window owns the main thread; everything else runs beside it.

use crate::cli;
use crate::cli::Common;
use crate::kiosk::start;
use crate::kiosk::start::Kiosk;
use crate::kiosk::start::Start;
use crate::kiosk::start::StartError;
use crate::kiosk::troubles;
use crate::screen::bridge;
use crate::screen::view;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::sync::watch;

#[derive(clap::Args)]
pub struct Arguments {
    /// Width and height of a window on a desk, for example 800x480; the whole screen without it
    #[arg(long, value_name = "WxH", value_parser = size)]
    window: Option<(u32, u32)>,
}

/// Runs until the window is closed.
pub fn run(arguments: Arguments, common: &Common) -> u8 {
    cli::log::start();
    cli::log::lock_memory();
    let config = match cli::settings(common) {
        Ok(config) => config,
        Err(code) => return code,
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
        Ok(Kiosk { views, touches, tasks }) => {
            let done = bridge::run(views, touches, options);
            drop(tasks);
            done
        }
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

/// A device that cannot start says so on its screen, with the next step.
fn show_why_not(error: &StartError, options: bridge::Options) -> Result<(), bridge::Error> {
    let (views_in, views) = watch::channel(view::of_trouble(troubles::of_start(error)));
    let (touches, _nobody_listens) = mpsc::channel(1);
    let done = bridge::run(views, touches, options);
    drop(views_in);
    done
}

/// Two threads: one may wait for the disk or the network while the other turns the loop.
pub(super) fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("chevet").enable_all().build()
}

pub(super) fn options(window: Option<(u32, u32)>) -> bridge::Options {
    let (width, height) = window.unwrap_or((800, 480));
    bridge::Options { width, height, fullscreen: window.is_none() }
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
