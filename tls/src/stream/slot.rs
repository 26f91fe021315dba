//! Where the engine of a stream is: at hand, or resting while nobody needs it.
//!
//! ```text
//!              waits for its peer           used
//!   Here ----------------------------> ... ------> Here
//!         the wait stays on its thread: Kept, with the idle ones there
//!         it may end on another one:    Resting with leave, or Here without rings
//! ```

use crate::engine::Engine;
use crate::error::Error;
use crate::idle::{self, Leave};

pub(super) enum Slot {
    Here(Box<Engine>),
    /// With the idle ones of the thread that waits to receive.
    Kept(idle::Key),
    /// Waits with leave to keep its rings, which is over when the engine is used.
    Resting(
        Box<Engine>,
        #[expect(dead_code, reason = "held, to be given back when it is dropped")] Leave,
    ),
    /// There is none, for this reason.
    None(Error),
}

impl Slot {
    /// The engine, back from where it was kept.
    #[inline]
    pub(super) fn engine(&mut self) -> Result<&mut Engine, Error> {
        if !matches!(self, Slot::Here(_)) {
            self.find()?;
        }
        match self {
            Slot::Here(engine) => Ok(engine),
            _ => unreachable!("found just now"),
        }
    }

    /// Makes it `Here`, or says why there is none.
    #[inline(never)]
    fn find(&mut self) -> Result<(), Error> {
        if let Slot::Kept(key) = *self {
            *self = idle::take(key).map_or_else(Slot::lost, Slot::Here);
        } else if let Slot::Resting(..) = self
            && let Slot::Resting(engine, _) = std::mem::replace(self, Slot::lost())
        {
            *self = Slot::Here(engine);
        }
        match self {
            Slot::None(error) => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// Ends its rest, if there is an engine.
    pub(super) fn take_back(&mut self) {
        if matches!(self, Slot::Kept(_) | Slot::Resting(..)) {
            let _ = self.engine();
        }
    }

    fn lost() -> Slot {
        Slot::None(Error::local(
            "the thread that kept the connection has ended",
        ))
    }

    /// Lets the engine rest if `worth_it`, while a wait that `may_migrate` to another
    /// thread or not goes on.
    pub(super) fn rest_if(&mut self, may_migrate: bool, worth_it: impl FnOnce(&Engine) -> bool) {
        if !matches!(self, Slot::Here(engine) if worth_it(engine)) {
            return;
        }
        if let Slot::Here(engine) = std::mem::replace(self, Slot::lost()) {
            *self = if may_migrate {
                Slot::at_rest(engine)
            } else {
                idle::keep(engine).map_or_else(Slot::Here, Slot::Kept)
            };
        }
    }

    /// With its rings if not too many others have theirs.
    fn at_rest(mut engine: Box<Engine>) -> Slot {
        if engine.is_parked() {
            return Slot::Here(engine);
        }
        match Leave::ask_for(&mut engine) {
            Some(leave) => Slot::Resting(engine, leave),
            None => {
                engine.park();
                Slot::Here(engine)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use openssl::ssl::{Ssl, SslContext, SslMethod};

    use super::*;
    use crate::bio::RingSizes;
    use crate::engine::Role;

    fn waiting(context: &SslContext) -> Slot {
        let ssl = Ssl::new(context).expect("memory");
        let mut engine = Engine::from_ssl(ssl, Role::Server, None, RingSizes::RECORD);
        assert!(!engine.in_space().is_empty());
        let mut slot = Slot::Here(Box::new(engine));
        slot.rest_if(true, |_| true);
        slot
    }

    #[test]
    fn few_keep_their_rings_in_waits_that_may_migrate() {
        let builder = SslContext::builder(SslMethod::tls());
        let context = builder.expect("context").build();
        let mut slots: Vec<Slot> = (0..200).map(|_| waiting(&context)).collect();
        let resting = |slot: &&Slot| matches!(slot, Slot::Resting(..));
        let few = slots.iter().filter(resting).count();
        assert!(0 < few && few < 100, "{few}");
        let engines = slots.iter_mut().filter_map(|slot| slot.engine().ok());
        assert_eq!(engines.filter(|engine| !engine.is_parked()).count(), few);
        // All of them have been used since, so there is leave for others.
        assert!(matches!(waiting(&context), Slot::Resting(..)));
        // One that comes back often is not among those that have waited once or twice.
        let slot = &mut slots[0];
        for _ in 0..10 {
            slot.engine().expect("there");
            slot.rest_if(true, |_| true);
        }
        let new: Vec<Slot> = (0..few).map(|_| waiting(&context)).collect();
        assert_eq!(new.iter().filter(resting).count(), few);
        assert!(matches!(slot, Slot::Resting(..)));
    }
}
