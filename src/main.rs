//! The `pushforward` command line: exit 0 done, 2 bad input, 3 no such device, 4 diverged.

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    use std::io::Write;

    match pushforward::cli::run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            // Without a place to complain to, the exit code has to do.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            pushforward::cli::exit_code(&error).into()
        }
    }
}

#[cfg(target_arch = "wasm32")]
fn main() {}
