//! The `mainstay` command line: a file per subcommand, and the wiring between shell crates.

fn main() {}
