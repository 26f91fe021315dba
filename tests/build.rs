//! Compiles the C side of the tests.

fn main() {
    println!("cargo::rerun-if-changed=native/frames.c");
    cc::Build::new()
        .file("native/frames.c")
        // A probe would touch every page of a frame, which is just what plain
        // C does not do.
        .flag_if_supported("-fno-stack-clash-protection")
        .flag_if_supported("-fno-stack-protector")
        .opt_level(1)
        .compile("frames");
}
