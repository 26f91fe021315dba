//! What the kernel says about a process, and which core it runs on.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal};

/// The cores that this process may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Core {
    /// The first one; it serves most interrupts.
    First,
    /// The last one; the same as the first where there is only one.
    Last,
    /// All that the process began with.
    All,
}

/// Pins the calling thread, and the processes it starts later, to `core`.
///
/// Returns false when the platform has no affinity.
pub fn pin(core: Core) -> bool {
    let chosen = cores_of(core);
    !chosen.is_empty() && set_cores(None, &chosen)
}

fn cores_of(core: Core) -> Vec<usize> {
    let all = initial_cores();
    match core {
        Core::First => all.first().copied().into_iter().collect(),
        Core::Last => all.last().copied().into_iter().collect(),
        Core::All => all.to_vec(),
    }
}

/// How many cores this process may use when it is not pinned.
pub fn cores() -> usize {
    initial_cores().len()
}

/// Those that this process began with: a thread that is pinned sees no others.
fn initial_cores() -> &'static [usize] {
    static CORES: OnceLock<Vec<usize>> = OnceLock::new();
    CORES.get_or_init(allowed_cores)
}

#[cfg(target_os = "linux")]
fn allowed_cores() -> Vec<usize> {
    let Ok(set) = rustix::thread::sched_getaffinity(None) else {
        return Vec::new();
    };
    (0..rustix::thread::CpuSet::MAX_CPU)
        .filter(|&core| set.is_set(core))
        .collect()
}

#[cfg(not(target_os = "linux"))]
fn allowed_cores() -> Vec<usize> {
    Vec::new()
}

#[cfg(target_os = "linux")]
fn set_cores(thread: Option<Pid>, cores: &[usize]) -> bool {
    let mut set = rustix::thread::CpuSet::new();
    for &core in cores {
        set.set(core);
    }
    rustix::thread::sched_setaffinity(thread, &set).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn set_cores(_: Option<Pid>, _: &[usize]) -> bool {
    false
}

/// The program and arguments of `command`, killed by the kernel when the thread
/// that starts it ends.
///
/// By `setpriv`, which any Linux distribution has, since it becomes the program:
/// to ask the kernel between fork and exec would take unsafe code here.
pub fn tethered(command: &Command) -> Command {
    let setpriv = Path::new("/usr/bin/setpriv");
    let mut tethered = if setpriv.exists() {
        let mut tethered = Command::new(setpriv);
        tethered
            .args(["--pdeathsig", "KILL", "--"])
            .arg(command.get_program());
        tethered
    } else {
        Command::new(command.get_program())
    };
    tethered.args(command.get_args());
    tethered
}

/// How much memory a process holds and in how many mappings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    /// Resident pages, in bytes (`VmRSS`).
    pub resident: u64,
    /// Page tables, in bytes (`VmPTE`); the kernel does not count them as resident.
    pub page_tables: u64,
    /// Lines of `/proc/PID/maps`: what `vm.max_map_count` limits.
    pub mappings: u64,
}

impl Footprint {
    /// The footprint of process `pid` ("self" for the caller), by proc(5).
    ///
    /// # Errors
    ///
    /// When `/proc` cannot be read or lacks the fields.
    pub fn of(pid: &str) -> io::Result<Footprint> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
        Ok(Footprint {
            resident: kilobytes(&status, "VmRSS:")? * 1024,
            page_tables: kilobytes(&status, "VmPTE:")? * 1024,
            mappings: maps.lines().count() as u64,
        })
    }

    /// Resident pages and page tables together.
    pub fn bytes(&self) -> u64 {
        self.resident + self.page_tables
    }
}

fn kilobytes(status: &str, field: &str) -> io::Result<u64> {
    status
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .and_then(|rest| rest.trim().strip_suffix(" kB"))
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| io::Error::other(format!("no {field} in /proc/PID/status")))
}

/// Memory that can still be had without swapping, in bytes (`MemAvailable`).
///
/// # Errors
///
/// When `/proc/meminfo` cannot be read or lacks the field.
pub fn available_memory() -> io::Result<u64> {
    Ok(kilobytes(&fs::read_to_string("/proc/meminfo")?, "MemAvailable:")? * 1024)
}

/// Memory of the machine, in bytes (`MemTotal`).
///
/// # Errors
///
/// When `/proc/meminfo` cannot be read or lacks the field.
pub fn total_memory() -> io::Result<u64> {
    Ok(kilobytes(&fs::read_to_string("/proc/meminfo")?, "MemTotal:")? * 1024)
}

/// CPU time that the threads of process `pid` have taken, user and system.
///
/// It is what utime and stime of proc(5) add up to, but counted in nanoseconds and
/// not in ticks of ten milliseconds, and without threads that have ended: the
/// programs here keep theirs.
///
/// # Errors
///
/// When `/proc` cannot be read or its lines have another form.
pub fn cpu_time(pid: &str) -> io::Result<Duration> {
    Ok(threads(pid)?.into_iter().map(|(_, time)| time).sum())
}

/// A thread of whatever process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// Its folder in `/proc`.
    folder: PathBuf,
}

/// The threads of process `pid`, and the CPU time that each has taken.
///
/// # Errors
///
/// As [`cpu_time`].
pub fn threads(pid: &str) -> io::Result<Vec<(Thread, Duration)>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
        let thread = Thread {
            folder: entry?.path(),
        };
        let time = thread.cpu_time()?;
        all.push((thread, time));
    }
    Ok(all)
}

impl Thread {
    /// CPU time that it has taken, user and system.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub fn cpu_time(&self) -> io::Result<Duration> {
        let text = fs::read_to_string(self.folder.join("schedstat"))?;
        on_cpu(&text).ok_or_else(|| io::Error::other(format!("no times in {text:?}")))
    }

    /// How often it has gone to sleep in the kernel.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub fn sleeps(&self) -> io::Result<u64> {
        let status = fs::read_to_string(self.folder.join("status"))?;
        status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))
            .and_then(|rest| rest.trim().parse().ok())
            .ok_or_else(|| io::Error::other("no count of switches in /proc/PID/task/TID/status"))
    }

    /// Pins it to `core`; false when that is not possible.
    pub fn pin(&self, core: Core) -> bool {
        let number = self.folder.file_name().and_then(OsStr::to_str);
        let number = number.and_then(|number| number.parse().ok());
        number.and_then(Pid::from_raw).is_some_and(|number| {
            let cores = cores_of(core);
            !cores.is_empty() && set_cores(Some(number), &cores)
        })
    }
}

/// The first field of a thread's `schedstat`: nanoseconds on a CPU.
fn on_cpu(schedstat: &str) -> Option<Duration> {
    let field = schedstat.split_ascii_whitespace().next()?;
    Some(Duration::from_nanos(field.parse().ok()?))
}

/// CPU time that the calling thread has taken, user and system.
pub fn thread_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    // A CPU clock begins at zero and only goes up.
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// How often the threads of process `pid` have gone to sleep in the kernel.
///
/// # Errors
///
/// When `/proc` cannot be read or lacks the field.
pub fn voluntary_switches(pid: &str) -> io::Result<u64> {
    let all = threads(pid)?;
    all.iter().map(|(thread, _)| thread.sleeps()).sum()
}

/// How many descriptors process `pid` has open.
///
/// # Errors
///
/// When `/proc` cannot be read.
pub fn open_descriptors(pid: &str) -> io::Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}

/// Raises the soft limit on descriptors to the hard one, for this process and
/// those it starts.
pub fn raise_descriptor_limit() {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Where that is refused, the first connection too many says so.
    let _ = rustix::process::setrlimit(Resource::Nofile, raised);
}

/// Asks process `pid` to stop, with SIGTERM.
///
/// # Errors
///
/// When there is no such process.
pub fn terminate(pid: u32) -> io::Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or(io::ErrorKind::InvalidInput)?;
    Ok(rustix::process::kill_process(pid, Signal::TERM)?)
}

/// Lets other processes run for a while.
#[allow(
    clippy::disallowed_methods,
    reason = "these programs have no tasklets to block"
)]
pub fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_field_is_found_by_its_name() {
        let status = "Name:\tx\nVmRSS:\t    1234 kB\nVmPTE:\t      56 kB\n";
        assert_eq!(kilobytes(status, "VmRSS:").unwrap(), 1234);
        assert_eq!(kilobytes(status, "VmPTE:").unwrap(), 56);
        assert!(kilobytes(status, "VmSwap:").is_err());
    }

    #[test]
    fn the_time_on_a_cpu_is_the_first_field() {
        assert_eq!(on_cpu("1500 20 3\n"), Some(Duration::from_nanos(1500)));
        assert_eq!(on_cpu(""), None);
        assert!(cpu_time("self").unwrap() > Duration::ZERO);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_pinned_thread_finds_the_other_cores_again() {
        let all = allowed_cores();
        assert_eq!(cores(), all.len());
        assert!(pin(Core::Last));
        assert_eq!(allowed_cores(), all[all.len() - 1..]);
        assert!(pin(Core::First));
        assert_eq!(allowed_cores(), all[..1]);
        assert!(pin(Core::All));
        assert_eq!(allowed_cores(), all);
    }

    #[test]
    fn this_process_has_a_footprint() {
        let footprint = Footprint::of("self").unwrap();
        assert!(footprint.resident > 0 && footprint.mappings > 0);
        assert!(footprint.bytes() >= footprint.resident);
        assert!(voluntary_switches("self").is_ok());
    }
}
