//! The `touchline` program: parse, call the command, map the error to an exit code.

fn main() {}
