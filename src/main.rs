//! The `pushforward` command line: exit 0 done, 2 bad input, 3 no such device, 4 diverged.

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    use std::io::Write;

    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // Without a desktop session Mesa's layer that chooses devices finds no display, and complains on standard error.
        // SAFETY: no other thread runs yet.
        unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    }
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
