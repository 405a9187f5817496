//! The `pushforward` command line.
fn main() {}
