//! Between OS threads: channels, and handles of other threads' schedulers.

mod answer;
mod channel;
mod drain;
mod error;
mod info;
#[cfg(all(loom, test))]
mod models;
mod remote;
mod shutdown;
mod tasklet;
mod waiter;
mod workers;

pub use channel::{Receiver, Receiving, Sender, Sending, channel};
pub use drain::DrainReport;
pub(crate) use drain::{report_left, wait_by};
pub use error::{ReceiveError, SendError, TryReceiveError, TrySendError};
pub use info::ThreadInfo;
pub use remote::{Remote, RemoteJoin, remote, threads};
pub use shutdown::{Shutdown, Triggering};
pub use tasklet::RemoteTasklet;
pub use workers::{Worker, Workers, workers};
