//! Where the log goes: standard error, which systemd's journal takes. Event names, layers and codes; never people.

use crate::device::memory;
use crate::device::memory::Locked;
use tracing_subscriber::EnvFilter;

/// Once, at start. `CHEVET_LOG` is for developers: `debug`, or a filter.
pub fn start() {
    let filter = EnvFilter::try_from_env("CHEVET_LOG").unwrap_or_else(|_| EnvFilter::new("chevet=info"));
    let made = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
    if made.is_err() {
        tracing::debug!("a log was there already");
    }
}

/// Locks the memory of a kiosk, and says so when it cannot.
pub fn lock_memory() {
    match memory::lock() {
        Locked::Yes => tracing::info!("no page of this process can reach the swap"),
        Locked::LimitTooLow => tracing::warn!(
            "pages may reach the swap: the limit on locked memory is too low; give LimitMEMLOCK=infinity, or no swap"
        ),
        Locked::Refused => tracing::warn!("pages may reach the swap: the kernel refused to lock them; have no swap"),
    }
}
