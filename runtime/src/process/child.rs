//! A process that was started, and its pipes.

use super::{ExitStatus, Output, Stdio, exit, orphans, output};
use crate::io::Fd;
use crate::io::source::Waiting;
use crate::wait::reason;
use rustix::process::Pid;
use std::cell::{OnceCell, RefCell};
use std::io;
use std::os::fd::OwnedFd;
use std::panic::Location;
use std::process;

/// The writing end of a child's standard input.
pub type ChildStdin = Fd<process::ChildStdin>;

/// The reading end of a child's standard output.
pub type ChildStdout = Fd<process::ChildStdout>;

/// The reading end of a child's standard error.
pub type ChildStderr = Fd<process::ChildStderr>;

/// A child process, as [`std::process::Child`]; made by
/// [`Command::spawn`](super::Command::spawn).
///
/// A child whose object is dropped lives on, unless
/// [`kill_on_drop`](super::Command::kill_on_drop) was asked for, and is reaped
/// by a thread when it ends: it leaves no zombie. That holds for a tasklet that
/// is killed with the object in its frame, too. An object that others share
/// (by `Rc`) is as usable as before when one that waits for it is killed.
#[derive(Debug)]
pub struct Child {
    /// Writes to the child's standard input, if that was piped.
    pub stdin: Option<ChildStdin>,
    /// Reads the child's standard output, if that was piped.
    pub stdout: Option<ChildStdout>,
    /// Reads the child's standard error, if that was piped.
    pub stderr: Option<ChildStderr>,
    /// There until the drop.
    process: RefCell<Option<process::Child>>,
    /// Readable when the process has ended; made by the first who waits.
    end: OnceCell<Fd<OwnedFd>>,
    kill_on_drop: bool,
}

impl Child {
    pub(super) fn new(mut process: process::Child, kill_on_drop: bool) -> io::Result<Child> {
        let (stdin, stdout) = (process.stdin.take(), process.stdout.take());
        let stderr = process.stderr.take();
        let mut child = Child {
            stdin: None,
            stdout: None,
            stderr: None,
            process: RefCell::new(Some(process)),
            end: OnceCell::new(),
            // Nobody can talk to it without its pipes.
            kill_on_drop: true,
        };
        child.stdin = stdin.map(Fd::new).transpose()?;
        child.stdout = stdout.map(Fd::new).transpose()?;
        child.stderr = stderr.map(Fd::new).transpose()?;
        child.kill_on_drop = kill_on_drop;
        Ok(child)
    }

    /// The process' number.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn id(&self) -> u32 {
        self.with(|process| process.id())
    }

    /// Ends the process by `SIGKILL`; it remains to be waited for. Nothing
    /// happens if it has been waited for already.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `kill(2)`.
    pub fn kill(&self) -> io::Result<()> {
        self.with(|process| process.kill())
    }

    /// How the process has ended, or `None` if it has not.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// Those of `waitpid(2)`.
    pub fn try_wait(&self) -> io::Result<Option<ExitStatus>> {
        self.with(|process| process.try_wait())
    }

    /// Closes the child's standard input and waits until it has ended, as
    /// [`std::process::Child::wait`].
    ///
    /// # Scheduling
    ///
    /// Switches unless the process has ended.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: the child goes on, and can be waited for again.
    ///
    /// # Errors
    ///
    /// Those of `waitpid(2)`, of making a pidfd, and of the wait.
    #[track_caller]
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        drop(self.stdin.take());
        self.wait_shared()
    }

    /// Waits until the child has ended, and leaves its standard input open.
    /// Several tasklets may wait; each gets the status.
    ///
    /// # Scheduling
    ///
    /// Switches unless the process has ended.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: the child goes on, and can be waited for again.
    ///
    /// # Errors
    ///
    /// Those of `waitpid(2)`, of making a pidfd, and of the wait.
    #[track_caller]
    pub fn wait_shared(&self) -> io::Result<ExitStatus> {
        let location = Location::caller();
        if let Some(status) = self.try_wait()? {
            return Ok(status);
        }
        let wait = Waiting::new(&reason::CHILD, location, None);
        self.end()?.source().read_op(wait, |_| {
            let status = self.try_wait()?;
            status.ok_or_else(|| io::ErrorKind::WouldBlock.into())
        })
    }

    /// Closes the child's standard input, reads both outputs at once to their
    /// ends, and waits until it has ended.
    ///
    /// # Scheduling
    ///
    /// Switches while the child says nothing and lives.
    ///
    /// # Cancellation
    ///
    /// What was read is lost, and the child's object with it, which is dropped.
    /// Read the pipes and [`wait`](Child::wait) where that matters.
    ///
    /// # Errors
    ///
    /// Those of reading the pipes and of [`wait`](Child::wait).
    #[track_caller]
    pub fn wait_with_output(mut self) -> io::Result<Output> {
        let location = Location::caller();
        drop(self.stdin.take());
        let (stdout, stderr) = (self.stdout.take(), self.stderr.take());
        let (stdout, stderr) = output::read_both(stdout, stderr, location)?;
        let status = self.wait_shared()?;
        Ok(Output {
            status,
            stdout,
            stderr,
        })
    }

    fn end(&self) -> io::Result<&Fd<OwnedFd>> {
        if self.end.get().is_none() {
            // Not reaped yet, so the number is still this child's.
            let pid = self.with(|process| Pid::from_child(process));
            let _ = self.end.set(Fd::new(exit::watch(pid)?)?);
        }
        Ok(self.end.get().expect("it was set above"))
    }

    /// `f` makes a system call that does not block; nothing else runs.
    fn with<R>(&self, f: impl FnOnce(&mut process::Child) -> R) -> R {
        let mut process = self.process.borrow_mut();
        f(process.as_mut().expect("only the drop takes it"))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let Some(mut process) = self.process.get_mut().take() else {
            return;
        };
        if self.kill_on_drop {
            // Fails only if it has ended.
            let _ = process.kill();
        }
        if let Ok(None) = process.try_wait() {
            orphans::adopt(process);
        }
    }
}

impl From<ChildStdin> for Stdio {
    /// The pipe in blocking mode, for another child to write to.
    fn from(pipe: ChildStdin) -> Stdio {
        pipe.into_inner().into()
    }
}

impl From<ChildStdout> for Stdio {
    /// The pipe in blocking mode, for another child to read.
    fn from(pipe: ChildStdout) -> Stdio {
        pipe.into_inner().into()
    }
}

impl From<ChildStderr> for Stdio {
    /// The pipe in blocking mode, for another child to read.
    fn from(pipe: ChildStderr) -> Stdio {
        pipe.into_inner().into()
    }
}
