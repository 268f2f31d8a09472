//! Where the log goes: standard error, which systemd's journal takes. Event names, layers and codes; never people.

use tracing_subscriber::EnvFilter;

/// Once, at start. `CHEVET_LOG` is for developers: `debug`, or a filter.
pub fn start() {
    let filter = EnvFilter::try_from_env("CHEVET_LOG").unwrap_or_else(|_| EnvFilter::new("chevet=info"));
    let made = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
    if made.is_err() {
        tracing::debug!("a log was there already");
    }
}
