//! The rings of an engine: taken, exchanged for a pair of OpenSSL's, given back.

use super::Engine;
use crate::bio::{BioPair, Rings};
use crate::error::Error;
use crate::ring;

impl Engine {
    /// Empties the out-ring into the spill; says whether there was anything.
    pub(super) fn spill_out(&mut self) -> bool {
        let before = self.spill.len();
        if let Some(rings) = &mut self.rings {
            loop {
                let data = rings.out_data();
                let n = data.len();
                if n == 0 {
                    break;
                }
                self.spill.extend(data);
                rings.consume_out(n);
            }
        }
        self.spill.len() > before
    }

    /// The rings, plugged in if they were not: OpenSSL fails for good without.
    #[inline]
    pub(super) fn plug(&mut self) -> Result<&mut Rings, Error> {
        if self.rings.is_none() {
            self.take_rings()?;
        }
        Ok(self.rings.as_mut().expect("plugged just now"))
    }

    #[cold]
    #[inline(never)]
    pub(super) fn take_rings(&mut self) -> Result<(), Error> {
        self.connect_rings(Rings::Memory(ring::take(self.sizes)?));
        Ok(())
    }

    pub(super) fn connect_rings(&mut self, rings: Rings) {
        self.connection.set_rings(Some(&rings));
        self.rings = Some(rings);
    }

    /// The rings as a pair of OpenSSL's, for foreign code, and for life from now on.
    pub(super) fn pin(&mut self) -> Result<&mut BioPair, Error> {
        self.state.pinned = true;
        self.plug()?;
        if let Some(Rings::Memory(_)) = &self.rings
            && let Some(rings) = self.rings.take()
        {
            match rings.into_pair(self.state.received_any) {
                Ok(pair) => self.connect_rings(Rings::Pair(pair)),
                Err((rings, error)) => {
                    self.rings = Some(rings);
                    return Err(error.into());
                }
            }
        }
        match &mut self.rings {
            Some(Rings::Pair(pair)) => Ok(pair),
            _ => unreachable!("plugged and exchanged just now"),
        }
    }

    /// Gives the rings to the pool if nothing would be lost.
    pub(super) fn unplug(&mut self) -> bool {
        let clean = self.spill.is_empty() && !self.state.pinned && !self.state.in_closed;
        match self.rings.take() {
            Some(Rings::Memory(rings)) if clean && rings.is_reusable() => {
                self.connection.set_rings(None);
                ring::give(rings);
                true
            }
            other => {
                self.rings = other;
                false
            }
        }
    }
}
