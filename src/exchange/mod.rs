//! To and fro. The [`upstream::Upstream`] trait hides which connector speaks; `outbox` decides, without sockets, what is
//! sent next.

pub mod upstream;
