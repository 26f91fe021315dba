//! Between OS threads: channels, and handles of other threads' schedulers.

mod channel;
mod error;
#[cfg(all(loom, test))]
mod models;
mod remote;
mod shutdown;
mod tasklet;
mod waiter;
mod workers;

pub use channel::{Receiver, Sender, channel};
pub use error::{ReceiveError, SendError, TryReceiveError, TrySendError};
pub use remote::{Remote, RemoteJoin, remote, threads};
pub use shutdown::Shutdown;
pub use tasklet::{RemoteTasklet, ThreadInfo};
pub use workers::{Worker, Workers, workers};
