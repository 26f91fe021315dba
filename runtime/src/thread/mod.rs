//! Between OS threads: channels, and handles of other threads' schedulers.

mod channel;
mod remote;
mod shutdown;
mod waiter;
mod workers;

pub use channel::{
    ReceiveError, Receiver, SendError, Sender, TryReceiveError, TrySendError, channel,
};
pub use remote::{Remote, RemoteJoin, remote};
pub use shutdown::Shutdown;
pub use workers::{Worker, Workers, workers};
