//! The child process: seals itself, then reads one document and ends.

/// What `chevet worker` runs.
pub fn worker_main() -> std::process::ExitCode {
    std::process::ExitCode::FAILURE
}
