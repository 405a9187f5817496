//! Build, test, bench and serve commands of the project.
fn main() {}
