//! Bytes that must not be shown, nor stay in memory.

use std::fmt;
use std::ops::Deref;

use zeroize::Zeroizing;

/// Key material, from one of the functions whose names begin with `export`.
///
/// Dereferences to the bytes, is wiped when it is dropped, and shows only its
/// length in debug output.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    pub(crate) fn new(bytes: Vec<u8>) -> Secret {
        Secret(Zeroizing::new(bytes))
    }
}

impl Deref for Secret {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Secret {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_no_byte() {
        assert_eq!(format!("{:?}", Secret::new(vec![7; 3])), "Secret(3 bytes)");
    }
}
