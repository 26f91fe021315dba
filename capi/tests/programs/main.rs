//! C programs that use the library as anybody would: compiled against the header,
//! linked with the shared object, and talking to a stream of ours.

mod build;
mod echo;
#[allow(unsafe_code, reason = "calls C code")]
mod handed_over;
mod refusals;
