//! Which processor a thread runs on.

use std::io;

/// Ties the calling thread to the `index`-th (modulo their number) of the
/// processors that it may use.
#[cfg(target_os = "linux")]
pub(crate) fn pin_to_processor(index: usize) -> io::Result<()> {
    let size = size_of::<libc::cpu_set_t>();
    // SAFETY: an all-zero set is a valid, empty one.
    let mut allowed: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is writable and its size is given.
    if unsafe { libc::sched_getaffinity(0, size, &raw mut allowed) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let usable: Vec<usize> = (0..libc::CPU_SETSIZE as usize)
        // SAFETY: the number is below the size of the set.
        .filter(|&cpu| unsafe { libc::CPU_ISSET(cpu, &allowed) })
        .collect();
    let Some(&chosen) = usable.get(index % usable.len().max(1)) else {
        return Err(io::Error::other("no processor may be used"));
    };
    // SAFETY: as above.
    let mut one: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the number came out of a set of the same size.
    unsafe { libc::CPU_SET(chosen, &mut one) };
    // SAFETY: the set is initialised and its size is given.
    if unsafe { libc::sched_setaffinity(0, size, &raw const one) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// macOS has no such call.
#[cfg(not(target_os = "linux"))]
pub(crate) fn pin_to_processor(_: usize) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
