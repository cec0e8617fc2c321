//! Links libFuzzer, which `fuzz/run` has built apart (see `engine/Cargo.toml`).

fn main() {
    println!("cargo:rerun-if-env-changed=TOUCHLINE_FUZZ_ENGINE");
    if let Ok(folder) = std::env::var("TOUCHLINE_FUZZ_ENGINE") {
        println!("cargo:rustc-link-search=native={folder}");
        println!("cargo:rustc-link-lib=static:+whole-archive=fuzzer");
        println!("cargo:rustc-link-lib=stdc++");
    }
}
