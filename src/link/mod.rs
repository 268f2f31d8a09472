//! The one place with TLS and HTTP: rustls configuration, clients, time-outs by phase, server time.
