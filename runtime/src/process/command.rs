//! What to start, and how.

use super::{Child, ExitStatus, Output, Stdio};
use crate::system_stack::on_system_stack;
use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{self, CommandArgs, CommandEnvs};

/// A process to be started, as [`std::process::Command`].
///
/// # Examples
///
/// ```
/// use greenling::process::{Command, Stdio};
/// use std::io::{Read, Write};
/// # fn main() -> std::io::Result<()> {
/// let mut child = Command::new("cat")
///     .stdin(Stdio::piped())
///     .stdout(Stdio::piped())
///     .spawn()?;
/// let mut stdin = child.stdin.take().unwrap();
/// greenling::spawn(move || stdin.write_all(b"hello").unwrap());
/// let mut text = String::new();
/// child.stdout.take().unwrap().read_to_string(&mut text)?;
/// assert_eq!(text, "hello");
/// assert!(child.wait()?.success());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Command {
    inner: process::Command,
    /// Which of the standard streams the program has decided about.
    set: [bool; 3],
    kill_on_drop: bool,
}

impl Command {
    /// The program with this name, with no arguments, the parent's environment,
    /// working directory and standard streams.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn new(program: impl AsRef<OsStr>) -> Command {
        process::Command::new(program).into()
    }

    /// Adds an argument.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn arg(&mut self, argument: impl AsRef<OsStr>) -> &mut Command {
        self.inner.arg(argument);
        self
    }

    /// Adds arguments.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn args(&mut self, arguments: impl IntoIterator<Item: AsRef<OsStr>>) -> &mut Command {
        self.inner.args(arguments);
        self
    }

    /// Sets a variable of the environment.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Command {
        self.inner.env(name, value);
        self
    }

    /// Sets variables of the environment.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn envs<N, V>(&mut self, variables: impl IntoIterator<Item = (N, V)>) -> &mut Command
    where
        N: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.inner.envs(variables);
        self
    }

    /// Removes a variable of the environment.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn env_remove(&mut self, name: impl AsRef<OsStr>) -> &mut Command {
        self.inner.env_remove(name);
        self
    }

    /// Removes all variables of the environment.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn env_clear(&mut self) -> &mut Command {
        self.inner.env_clear();
        self
    }

    /// Sets the working directory.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn current_dir(&mut self, directory: impl AsRef<Path>) -> &mut Command {
        self.inner.current_dir(directory);
        self
    }

    /// Sets the first argument, by which many programs know themselves; else
    /// that is the program's name.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn arg0(&mut self, argument: impl AsRef<OsStr>) -> &mut Command {
        self.inner.arg0(argument);
        self
    }

    /// Sets the user that the process runs as, by number.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn uid(&mut self, user: u32) -> &mut Command {
        self.inner.uid(user);
        self
    }

    /// Sets the group that the process runs as, by number.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn gid(&mut self, group: u32) -> &mut Command {
        self.inner.gid(group);
        self
    }

    /// Sets the process group, to which a terminal and `kill(2)` send signals;
    /// 0 is a new one, with the process' own number.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn process_group(&mut self, group: i32) -> &mut Command {
        self.inner.process_group(group);
        self
    }

    /// Sets the standard input; inherited unless set, and empty for
    /// [`output`](Command::output).
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn stdin(&mut self, stream: impl Into<Stdio>) -> &mut Command {
        self.inner.stdin(stream);
        self.set[0] = true;
        self
    }

    /// Sets the standard output; inherited unless set, and piped for
    /// [`output`](Command::output).
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn stdout(&mut self, stream: impl Into<Stdio>) -> &mut Command {
        self.inner.stdout(stream);
        self.set[1] = true;
        self
    }

    /// Sets the standard error; inherited unless set, and piped for
    /// [`output`](Command::output).
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn stderr(&mut self, stream: impl Into<Stdio>) -> &mut Command {
        self.inner.stderr(stream);
        self.set[2] = true;
        self
    }

    /// Whether a child that is dropped before its end is killed, which it is
    /// not by default.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn kill_on_drop(&mut self, on: bool) -> &mut Command {
        self.kill_on_drop = on;
        self
    }

    /// The command underneath, for [`CommandExt`](std::os::unix::process::CommandExt)
    /// and the like. Standard streams that are set through it count as not set
    /// for [`output`](Command::output), and are inherited after it.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn as_std_mut(&mut self) -> &mut process::Command {
        &mut self.inner
    }

    /// The command underneath.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn as_std(&self) -> &process::Command {
        &self.inner
    }

    /// The name of the program.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn get_program(&self) -> &OsStr {
        self.inner.get_program()
    }

    /// The arguments so far.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn get_args(&self) -> CommandArgs<'_> {
        self.inner.get_args()
    }

    /// The variables that were set, and those that were removed, without a
    /// value.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn get_envs(&self) -> CommandEnvs<'_> {
        self.inner.get_envs()
    }

    /// The working directory, if it was set.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn get_current_dir(&self) -> Option<&Path> {
        self.inner.get_current_dir()
    }

    /// Starts the process.
    ///
    /// # Scheduling
    ///
    /// Never switches: the thread is held until the program has been loaded. A
    /// thread of the pool would not do, since it ends, and children can be told
    /// to end with the thread that made them (`PR_SET_PDEATHSIG`).
    ///
    /// # Errors
    ///
    /// As [`std::process::Command::spawn`]. When a pipe can't be watched, the
    /// process is killed.
    pub fn spawn(&mut self) -> io::Result<Child> {
        let inner = &mut self.inner;
        let process = on_system_stack(|| inner.spawn())?;
        Child::new(process, self.kill_on_drop)
    }

    /// Starts the process and waits until it has ended.
    ///
    /// # Scheduling
    ///
    /// Switches until the process has ended.
    ///
    /// # Cancellation
    ///
    /// The child is dropped: it goes on, or is killed if
    /// [`kill_on_drop`](Command::kill_on_drop) was asked for.
    ///
    /// # Errors
    ///
    /// As [`spawn`](Command::spawn) and [`Child::wait`].
    #[track_caller]
    pub fn status(&mut self) -> io::Result<ExitStatus> {
        let mut child = self.spawn()?;
        child.wait()
    }

    /// Starts the process, and gathers its output until it has ended.
    ///
    /// # Scheduling
    ///
    /// Switches until the process has ended.
    ///
    /// # Cancellation
    ///
    /// What was gathered is lost. The child is dropped: it goes on, or is
    /// killed if [`kill_on_drop`](Command::kill_on_drop) was asked for.
    ///
    /// # Errors
    ///
    /// As [`spawn`](Command::spawn) and [`Child::wait_with_output`].
    #[track_caller]
    pub fn output(&mut self) -> io::Result<Output> {
        self.set_others(Stdio::null, Stdio::piped);
        let child = self.spawn();
        // As good as not set.
        self.set_others(Stdio::inherit, Stdio::inherit);
        child?.wait_with_output()
    }

    /// Sets the streams that the program has not decided about.
    fn set_others(&mut self, input: fn() -> Stdio, output: fn() -> Stdio) {
        if !self.set[0] {
            self.inner.stdin(input());
        }
        if !self.set[1] {
            self.inner.stdout(output());
        }
        if !self.set[2] {
            self.inner.stderr(output());
        }
    }
}

impl From<process::Command> for Command {
    /// Standard streams that were set count as not set for
    /// [`output`](Command::output), after which they are inherited: std does
    /// not tell that they were set, nor give them back.
    fn from(inner: process::Command) -> Command {
        Command {
            inner,
            set: [false; 3],
            kill_on_drop: false,
        }
    }
}
