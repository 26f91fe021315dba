//! Small files that ask for much, and large ones that hold little.
//!
//! A decoder that did what they ask would need hours, or the stack would overflow;
//! nothing here is measured otherwise. `GREENLING_TEST_MIB` makes those whose size is
//! free as large as that.

use greenling_tls::crypto::{Encoding, Pkcs12, PrivateKey};
use greenling_tls::{ConfigErrorKind, Error};

use crate::damage::{element, with_number};
use crate::files::{File, Form, files};
use crate::walk::{KINDS, Kind, PASSPHRASE, look};
use crate::{as_file, setting};

fn size() -> usize {
    match setting("GREENLING_TEST_MIB", 0) {
        0 => 8 << 10,
        mib => mib << 20,
    }
}

/// Has it read as everything, in both forms.
fn as_everything(bytes: &[u8]) {
    for kind in KINDS {
        for encoding in [Encoding::Pem, Encoding::Der] {
            look(kind, encoding, bytes, true);
        }
    }
}

/// Elements that hold one another, as deep as the size allows.
fn nested(tag: u8, size: usize) -> Vec<u8> {
    const HEADER: usize = 6;
    let depth = size / HEADER;
    let header = |level: usize| {
        let length = ((depth - 1 - level) * HEADER) as u32;
        let [a, b, c, d] = length.to_be_bytes();
        [tag, 0x84, a, b, c, d]
    };
    (0..depth).flat_map(header).collect()
}

#[test]
fn nesting_without_end() {
    for tag in [0x30, 0x31, 0xa0, 0x24] {
        as_everything(&nested(tag, size()));
        as_everything(&[tag, 0x80].repeat(size() / 2));
    }
    let shortest = (0..200).fold(Vec::new(), |inner, _| element(0x30, &inner));
    as_everything(&shortest);
}

#[test]
fn nesting_in_the_middle_of_good_files() {
    for file in files().iter().filter(|file| !file.der.is_empty()) {
        let bomb = nested(0x30, 6 * 200);
        for changed in crate::damage::with_each_replaced(&file.der, &bomb).step_by(41) {
            as_file(file, &file.dress(&changed), true);
        }
    }
}

#[test]
fn lines_that_begin_something_and_never_end_it() {
    for label in [
        "CERTIFICATE",
        "PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
        "X509 CRL",
        "PKCS7",
    ] {
        let line = format!("-----BEGIN {label}-----\n");
        as_everything(line.repeat(size() / line.len()).as_bytes());
        let both = format!("{line}-----END {label}-----\n");
        as_everything(both.repeat(size() / both.len()).as_bytes());
        let header = format!("{line}Proc-Type: 4,ENCRYPTED\nDEK-Info: ");
        as_everything(header.repeat(size() / header.len()).as_bytes());
        let unended = [line.as_bytes(), &vec![b'A'; size()]].concat();
        as_everything(&unended);
    }
}

#[test]
fn one_letter_again_and_again() {
    for letter in [b'A', 0, b'\n', b'-', 0xff, b'0'] {
        as_everything(&vec![letter; size()]);
    }
}

#[test]
fn more_than_is_looked_at() {
    let huge = vec![b'A'; (64 << 20) + 1];
    let kind = |result: Result<(), Error>| match result {
        Err(Error::Config(error)) => error.kind(),
        other => panic!("{other:?}"),
    };
    let key = PrivateKey::decode(Encoding::Pem, &huge, PASSPHRASE);
    assert_eq!(kind(key.map(drop)), ConfigErrorKind::TooLarge);
    let archive = Pkcs12::open(&huge, PASSPHRASE);
    assert_eq!(kind(archive.map(drop)), ConfigErrorKind::TooLarge);
    for kind in KINDS {
        for encoding in [Encoding::Pem, Encoding::Der] {
            look(kind, encoding, &huge, false);
        }
    }
}

/// Derivations that would take hours are refused before they begin, whatever number
/// of the file asks for them and whatever else calls the same content its own.
#[test]
fn iterations_without_end() {
    let counted = |file: &&File| {
        let (kind, name) = (file.kind, file.name);
        kind == Kind::Pkcs12 || kind == Kind::PrivateKey && name.starts_with("pkcs8-")
    };
    for file in files().iter().filter(counted) {
        for huge in [
            &[0x7f, 0xff, 0xff, 0xff][..],
            &[0x40, 0, 0, 0, 0],
            &[0x7f; 16],
        ] {
            for number in [1, 2] {
                for changed in with_number(&file.der, number, huge) {
                    as_file(file, &file.dress(&changed), true);
                    if file.form == Form::Der {
                        relabelled(&changed);
                    }
                }
            }
        }
    }
}

/// The same as what it is not, by its label or by lengths that are not DER.
fn relabelled(der: &[u8]) {
    for file in files()
        .iter()
        .filter(|file| matches!(file.form, Form::Pem(..)))
    {
        if matches!(
            file.kind,
            Kind::PrivateKey | Kind::Certificate | Kind::PublicKey
        ) {
            as_file(file, &file.dress(der), false);
        }
    }
    let indefinite = [&[0x30, 0x80], &der[4..], &[0, 0]].concat();
    let long = [&[0x30, 0x83, 0], &der[2..]].concat();
    for changed in [indefinite, long] {
        look(Kind::PrivateKey, Encoding::Der, &changed, true);
        look(Kind::Pkcs12, Encoding::Der, &changed, true);
    }
}
