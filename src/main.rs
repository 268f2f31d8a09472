//! `chevet`: arguments → `cli`.

fn main() -> std::process::ExitCode {
    chevet::cli::run()
}
