//! Refuses libraries that look like OpenSSL and are not the one this crate is
//! written for, with words instead of undefined symbols.

use std::env;

/// OpenSSL 3.0.0, as `OPENSSL_VERSION_NUMBER` has it.
const MINIMUM: u64 = 0x3000_0000;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if let Some(fault) = fault() {
        println!("cargo::error=greenling-tls needs OpenSSL 3.0 or later, and {fault}");
        println!("cargo::error=docs/building.md says how to name another one");
    }
}

/// What is wrong with the library that `openssl-sys` has found, by what it tells
/// the packages that depend on it.
fn fault() -> Option<String> {
    let told = |key: &str| env::var(format!("DEP_OPENSSL_{key}")).ok();
    for (key, name) in [
        ("LIBRESSL_VERSION_NUMBER", "LibreSSL"),
        ("BORINGSSL", "BoringSSL"),
        ("AWSLC", "AWS-LC"),
    ] {
        let chosen = key == "AWSLC" && env::var_os("CARGO_FEATURE_AWS_LC").is_some();
        if told(key).is_some() && !chosen {
            return Some(format!("{name} was found"));
        }
    }
    let number = told("VERSION_NUMBER")?;
    let version = u64::from_str_radix(&number, 16).ok()?;
    let (major, minor) = (version >> 28, version >> 20 & 0xff);
    (version < MINIMUM).then(|| format!("{major}.{minor} was found"))
}
