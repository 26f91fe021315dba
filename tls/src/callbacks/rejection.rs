//! The answer of a callback that refuses.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::error::Alert;

/// Why a callback refuses a connection: the alert for the peer and, for one's own
/// log, the cause.
///
/// An [`Alert`] alone converts into one, and so does any error, with the alert
/// `internal_error`. The call that the refusal ends fails with
/// [`Error::Rejected`](crate::Error::Rejected), which carries it.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::{Alert, Rejection};
///
/// let plain = Rejection::from(Alert::UNRECOGNIZED_NAME);
/// assert_eq!(plain.alert(), Alert::UNRECOGNIZED_NAME);
/// let explained = Rejection::new(Alert::ACCESS_DENIED).because("not on the list");
/// assert_eq!(explained.to_string(), "refused with access_denied: not on the list");
/// ```
#[derive(Debug, Clone)]
pub struct Rejection {
    alert: Alert,
    cause: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Rejection {
    /// Refuses with `alert`.
    pub fn new(alert: Alert) -> Rejection {
        Rejection { alert, cause: None }
    }

    /// The same with a cause, which is not sent to the peer.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Rejection {
        self.cause = Some(Arc::from(cause.into()));
        self
    }

    /// The alert for the peer.
    pub fn alert(&self) -> Alert {
        self.alert
    }

    /// The cause, if one was given.
    pub fn cause(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.cause.as_deref()
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused with {}", self.alert)?;
        match &self.cause {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

impl From<Alert> for Rejection {
    fn from(alert: Alert) -> Rejection {
        Rejection::new(alert)
    }
}

/// Any error, so that `?` works in callbacks. This is why a `Rejection` is not
/// itself an [`Error`](StdError).
impl<E: StdError + Send + Sync + 'static> From<E> for Rejection {
    fn from(cause: E) -> Rejection {
        Rejection::new(Alert::INTERNAL_ERROR).because(cause)
    }
}
