//! Nothing: only the archive that `libfuzzer-sys` makes is used.
