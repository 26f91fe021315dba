//! What a request has beside name and key (RFC 2985): the extensions that are asked
//! for, and a password.

use super::{Csr, malformed};
use crate::crypto::der::{self, Reader};
use crate::crypto::encoding::Encoding;
use crate::crypto::ext::{Ext, Oid};
use crate::error::Error;
use crate::secret::Secret;

const EXTENSION_REQUEST: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e";
/// What Microsoft's programs use in its place.
const EXTENSION_REQUEST_OF_MICROSOFT: &[u8] = b"\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0e";
const CHALLENGE_PASSWORD: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07";

const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const TELETEX_STRING: u8 = 0x14;
const IA5_STRING: u8 = 0x16;

/// One attribute of a [`Csr`], in DER form.
#[doc(alias = "X509_ATTRIBUTE")]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CsrAttribute {
    /// Which attribute.
    pub kind: Oid,
    /// Its values, of which most kinds have one.
    pub values: Vec<Vec<u8>>,
}

impl Csr {
    /// The extensions that are asked for, in their order; none when none are.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind `Malformed` when the list is damaged or there are two,
    /// so that nothing that is asked for is passed over.
    #[doc(alias = "get_extensions")]
    #[doc(alias = "X509_REQ_get_extensions")]
    pub fn extensions(&self) -> Result<Vec<Ext>, Error> {
        let kinds = [EXTENSION_REQUEST, EXTENSION_REQUEST_OF_MICROSOFT];
        let Some(list) = self.the_one(&kinds)? else {
            return Ok(Vec::new());
        };
        Reader::only(&list, der::SEQUENCE)
            .and_then(|list| list.all(Ext::read))
            .ok_or_else(|| malformed("asks for extensions in a damaged list").into())
    }

    /// The password that its sender wants to be asked for when the certificate is to be
    /// revoked; everybody who sees the request can read it.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind `Malformed` when it is damaged or there are two.
    #[doc(alias = "challengePassword")]
    pub fn challenge_password(&self) -> Result<Option<Secret>, Error> {
        let Some(value) = self.the_one(&[CHALLENGE_PASSWORD])? else {
            return Ok(None);
        };
        let text = || {
            let mut reader = Reader::new(&value);
            let item = reader.next()?;
            reader.end()?;
            let known = [UTF8_STRING, PRINTABLE_STRING, TELETEX_STRING, IA5_STRING];
            known.contains(&item.tag).then(|| item.content.to_vec())
        };
        let text = text().ok_or_else(|| malformed("has a damaged password"))?;
        Ok(Some(Secret::new(text)))
    }

    /// All its attributes; the extensions and the password are among them.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind `Malformed` when they are damaged.
    #[doc(alias = "X509_REQ_get_attr")]
    #[doc(alias = "X509_REQ_get_attr_count")]
    pub fn attributes(&self) -> Result<Vec<CsrAttribute>, Error> {
        let der = self.encode(Encoding::Der)?;
        read(&der).ok_or_else(|| malformed("has damaged attributes").into())
    }

    /// The one value of the one attribute of these kinds.
    fn the_one(&self, kinds: &[&[u8]]) -> Result<Option<Vec<u8>>, Error> {
        let attributes = self.attributes()?.into_iter();
        let mut values = attributes
            .filter(|attribute| kinds.contains(&attribute.kind.content()))
            .flat_map(|attribute| attribute.values);
        let value = values.next();
        if values.next().is_some() {
            return Err(malformed("has two values where one may be").into());
        }
        Ok(value)
    }
}

/// The attributes of a whole request (RFC 2986, section 4).
fn read(der: &[u8]) -> Option<Vec<CsrAttribute>> {
    let mut info = Reader::only(der, der::SEQUENCE)?.sequence()?;
    info.take(der::INTEGER)?;
    let _subject = info.sequence()?;
    let _key = info.sequence()?;
    // Some leave the empty list out.
    let attributes = info.maybe(der::context_of_parts(0))?;
    info.end()?;
    Reader::new(attributes.unwrap_or(&[])).all(|list| {
        let mut parts = list.sequence()?;
        let kind = Oid::from_content(parts.take(der::OID)?)?;
        let values = Reader::new(parts.take(der::SET)?);
        parts.end()?;
        let value = |reader: &mut Reader<'_>| Some(reader.next()?.whole.to_vec());
        let values = values.all(value)?;
        Some(CsrAttribute { kind, values })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{KeyAlg, PrivateKey};

    const NO_DER: &[u8] = &[0x31, 0x80];

    /// An attribute with these values.
    fn attribute(kind: &'static [u8], values: &[&[u8]]) -> Vec<u8> {
        let values = der::parts(der::SET, values);
        der::parts(der::SEQUENCE, [Oid::known(kind).to_der(), values])
    }

    /// A request with these attributes and a signature of nobody.
    fn request(attributes: &[Vec<u8>]) -> Csr {
        let key = PrivateKey::generate(KeyAlg::Ed25519).unwrap();
        let key = key.public_key().encode(Encoding::Der).unwrap();
        let attributes = match attributes {
            [] => Vec::new(),
            some => der::parts(der::context_of_parts(0), some),
        };
        let name = der::value(der::SEQUENCE, []);
        let info = [der::integer(&[]), name, key, attributes];
        let info = der::parts(der::SEQUENCE, info);
        let algorithm = Oid::by_name("ecdsa-with-SHA256").unwrap().to_der();
        let algorithm = der::value(der::SEQUENCE, algorithm);
        let signature = der::value(der::BIT_STRING, [0, 1]);
        let whole = der::parts(der::SEQUENCE, [info, algorithm, signature]);
        Csr::decode(Encoding::Der, &whole).unwrap()
    }

    fn extensions() -> Vec<u8> {
        let key_usage = b"\x30\x0b\x06\x03\x55\x1d\x0f\x04\x04\x03\x02\x07\x80";
        der::value(der::SEQUENCE, key_usage)
    }

    #[test]
    fn extensions_are_found_under_either_name_and_once() {
        let list = extensions();
        for kind in [EXTENSION_REQUEST, EXTENSION_REQUEST_OF_MICROSOFT] {
            let found = request(&[attribute(kind, &[&list])]).extensions().unwrap();
            assert_eq!(found[0].short_name(), "keyUsage");
            assert!(
                request(&[attribute(kind, &[&list, &list])])
                    .extensions()
                    .is_err()
            );
            assert!(
                request(&[attribute(kind, &[&[5, 0]])])
                    .extensions()
                    .is_err()
            );
            let trailing = [&list[..], &[0]].concat();
            let damaged = der::value(der::SEQUENCE, &trailing[2..]);
            assert!(
                request(&[attribute(kind, &[&damaged])])
                    .extensions()
                    .is_err()
            );
        }
        let mut longer = list.clone();
        longer[1] += 2;
        longer[3] += 2;
        longer.extend([5, 0]);
        assert!(
            request(&[attribute(EXTENSION_REQUEST, &[&longer])])
                .extensions()
                .is_err()
        );
        let one = attribute(EXTENSION_REQUEST, &[&list]);
        let other = attribute(EXTENSION_REQUEST_OF_MICROSOFT, &[&list]);
        assert!(request(&[one, other]).extensions().is_err());
        assert!(request(&[]).extensions().unwrap().is_empty());
        assert!(
            request(&[attribute(EXTENSION_REQUEST, &[])])
                .extensions()
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn a_password_is_a_text_of_a_kind_that_has_bytes() {
        for tag in [UTF8_STRING, PRINTABLE_STRING, TELETEX_STRING, IA5_STRING] {
            let value = der::value(tag, "secret");
            let request = request(&[attribute(CHALLENGE_PASSWORD, &[&value])]);
            let found = request.challenge_password().unwrap().unwrap();
            assert_eq!(&*found, b"secret");
            assert_eq!(request.attributes().unwrap()[0].values, [value]);
        }
        for odd in [&[5, 0][..], &[0x0c, 1, b'x', 0x0c, 0]] {
            let request = request(&[attribute(CHALLENGE_PASSWORD, &[odd])]);
            assert!(request.challenge_password().is_err());
        }
    }

    #[test]
    fn what_is_no_request_has_no_attributes() {
        assert!(read(NO_DER).is_none());
        assert!(read(&[]).is_none());
    }
}
