//! Of keys, certificates, lists, containers, chains and files.

use super::{Row, has_nul, only_ours_is, part};
use crate::families::crls;
use crate::trial::Difference;
use crate::value::{Value, tuple};

pub(super) const TABLE: &[Row] = &[
    Row {
        family: "keys",
        what: &["writing"],
        because: "a key encrypted with an empty passphrase looks protected and is not",
        is_it: |it| only_ours_is(it, "BadPassphrase") && part(it, &[5]).bytes().is_empty(),
        example: || tuple![1_i64, false, false, 0_i64, 0_i64, "", ""],
    },
    Row {
        family: "keys",
        what: &[
            "theirs with its passphrase",
            "writing",
            "theirs with another passphrase",
            "ours with another passphrase",
        ],
        because: "a NUL ends passphrases in most of OpenSSL's interfaces, so none takes it here",
        is_it: |it| {
            let is_ours = it
                .ours
                .as_ref()
                .is_err_and(|why| why.starts_with("BadPassphrase"));
            is_ours && (has_nul(part(it, &[5])) || has_nul(part(it, &[6])))
        },
        example: || tuple![1_i64, false, false, 0_i64, 0_i64, "a\0b", "a\0b"],
    },
    Row {
        family: "certs",
        what: &["the certificate"],
        because: "there are versions 1 to 3, and pyOpenSSL writes any",
        is_it: |it| only_ours_is(it, "BadValue") && !(0..3).contains(&part(it, &[0]).number()),
        example: || cert_example(3),
    },
    Row {
        family: "certs",
        what: &["the certificate"],
        because: "extensions are of version 3 (RFC 5280, section 4.1.2.1)",
        is_it: |it| only_ours_is(it, "BadValue") && (0..2).contains(&part(it, &[0]).number()),
        example: || cert_example(0),
    },
    Row {
        family: "pkcs12",
        what: &["name"],
        because: "pyOpenSSL finds the name of a certificate only, and here that of a key counts too",
        is_it: |it| it.theirs == Ok(Value::Nothing) && !part(it, &[1]).is_true(),
        example: || pkcs12_example(false, vec![], "name", "a"),
    },
    Row {
        family: "pkcs12",
        what: &["others"],
        because: "those of the key's own chain are first here, whatever their order in the file",
        is_it: |it| {
            let [ours, theirs] = [&it.ours, &it.theirs].map(|outcome| {
                let found = outcome.iter().flat_map(|value| value.parts());
                let mut found: Vec<&[u8]> = found.map(Value::bytes).collect();
                found.sort_unstable();
                found
            });
            ours == theirs
        },
        example: || pkcs12_example(true, vec![0_i64.into(), 1_i64.into()], "name", "a"),
    },
    Row {
        family: "pkcs12",
        what: &["packing", "theirs", "ours otherwise", "theirs otherwise"],
        because: "pyOpenSSL cuts a passphrase off at a NUL, and takes any length",
        is_it: |it| {
            let is_odd = |at: usize| {
                let passphrase = part(it, &[at]);
                has_nul(passphrase) || passphrase.bytes().len() > 1024
            };
            let is_ours = it
                .ours
                .as_ref()
                .is_err_and(|why| why.starts_with("BadPassphrase"));
            is_ours && (is_odd(5) || is_odd(7))
        },
        example: || pkcs12_example(true, vec![], "name", "a\0b"),
    },
    Row {
        family: "pkcs12",
        what: &["packing"],
        because: "without a key OpenSSL leaves out a name that it cannot write; here that is an error",
        is_it: |it| !part(it, &[2]).is_true() && only_ours_is(it, "BadValue"),
        example: || {
            let chain = vec![Value::from(0_i64)];
            tuple![0_i64, false, false, chain, "\u{1f600}", "", 1_i64, ""]
        },
    },
    Row {
        family: "spkac",
        what: &["the result"],
        because: "a vertical tab and a form feed at the end are white space here only",
        is_it: |it| {
            let is_white = [0x0b, 0x0c].contains(&(part(it, &[4, 2]).number() & 0x7f));
            let is_theirs = it.theirs.as_ref().is_err_and(|why| why.contains("base64"));
            is_white && is_theirs && it.ours.is_ok()
        },
        example: || tuple![1_i64, "sha256", "", 1_i64, tuple![3_i64, 0_i64, 0x0b_i64]],
    },
    Row {
        family: "spkac",
        what: &["the result"],
        because: "the challenge is ASCII, which OpenSSL does not look at",
        is_it: |it| !part(it, &[2]).bytes().is_empty() && only_ours_is(it, "Malformed"),
        example: || {
            tuple![
                5_i64,
                "",
                " 9=0Z 0/9a0 aZ",
                0_i64,
                tuple![1_i64, 6649_i64, 205_i64]
            ]
        },
    },
    Row {
        family: "spkac",
        what: &["another form"],
        because: "it must be DER, with nothing behind it, and stays as it is; OpenSSL takes more",
        is_it: |it| match (&it.ours, &it.theirs) {
            (Ok(ours), Ok(theirs)) => ours.parts()[0] == theirs.parts()[0],
            _ => only_ours_is(it, "Malformed"),
        },
        example: || tuple![5_i64, "", "", 0_i64, tuple![1_i64, 8296_i64, 3_i64]],
    },
    Row {
        family: "crls",
        what: &["the list", "what is signed"],
        because: "the entries of a list keep their order, and pyOpenSSL sorts them",
        is_it: |it| {
            let entries = part(it, &[3]).parts().iter();
            !entries.is_sorted_by_key(|entry| crls::place(&entry.parts()[0]))
        },
        example: || {
            let entries = [2, 1].map(|n| tuple![Value::Bytes(vec![n]), 0_i64, Value::Nothing]);
            tuple![1_i64, 0_i64, 1_i64, entries.to_vec(), "sha256"]
        },
    },
    Row {
        family: "pkcs7",
        what: &["the result"],
        because: "pyOpenSSL reads the first object only, and here nothing may follow it",
        is_it: |it| only_ours_is(it, "Malformed") && says_followed(it),
        example: || pkcs7_example(1, tuple![3_i64, 0_i64, 0_i64]),
    },
    Row {
        family: "pkcs7",
        what: &["type"],
        because: "pyOpenSSL calls all UNDEF that OpenSSL has no name for; ours shows the identifier",
        is_it: |it| it.theirs == Ok("UNDEF".into()),
        example: || pkcs7_example(3, Value::Nothing),
    },
    Row {
        family: "rand",
        what: &["loading"],
        because: "OpenSSL does not look for a file of which nothing is to be loaded",
        is_it: |it| it.theirs == Ok(0_i64.into()) && part(it, &[2]) == &Value::from(0_i64),
        example: || tuple!["", 0_i64, 0_i64],
    },
    Row {
        family: "stores",
        what: &["code", "path or place"],
        because: "lists of revoked certificates are looked at once there are some",
        is_it: |it| part(it, &[4]).number() & 4 == 0 && !part(it, &[1]).parts().is_empty(),
        example: || {
            let cert = tuple![0_i64, 0_i64, 0_i64, 0_i64, Value::List(vec![]), 1_i64];
            let lists = Value::Tuple(vec![Value::Nothing, tuple![true, 0_i64, false]]);
            tuple![vec![cert.clone(), cert], lists, 2_i64, 3_i64, 0_i64]
        },
    },
    Row {
        family: "loading",
        what: &["cert", "request", "key", "public_key"],
        because: "pyOpenSSL reads the first object only, and here nothing may follow it",
        is_it: |it| only_ours_is(it, "Malformed") && says_followed(it),
        example: || tuple![0_i64, 1_i64, 1_i64, tuple![3_i64, 0_i64, 0_i64]],
    },
    Row {
        family: "loading",
        what: &["cert"],
        because: "pyOpenSSL has no algorithm without a name; here its identifier is told",
        is_it: |it| {
            let is_theirs = it
                .theirs
                .as_ref()
                .is_err_and(|why| why.contains("Undefined signature"));
            is_theirs && it.ours.is_ok()
        },
        example: || tuple![0_i64, 0_i64, 1_i64, tuple![1_i64, 14_196_i64, 0_i64]],
    },
    Row {
        family: "loading",
        what: &["cert"],
        because: "a certificate names its algorithm twice; here it is the one that is verified by",
        is_it: |it| match (&it.ours, &it.theirs) {
            (Ok(ours), Ok(theirs)) => {
                let fields = ours.parts().iter().zip(theirs.parts()).enumerate();
                fields
                    .filter(|(_, (ours, theirs))| ours != theirs)
                    .all(|(at, _)| at == 7)
            }
            _ => false,
        },
        example: || tuple![0_i64, 0_i64, 1_i64, tuple![1_i64, 52_385_i64, 0_i64]],
    },
    Row {
        family: "loading",
        what: &["cert"],
        because: "pyOpenSSL has an internal error when a time is damaged; here it is never valid",
        is_it: |it| {
            it.theirs
                .as_ref()
                .is_err_and(|why| why.contains("ASN1_TIME_to_generalizedtime"))
        },
        example: || tuple![0_i64, 1_i64, 0_i64, tuple![1_i64, 22_946_i64, 155_i64]],
    },
];

/// Whether that is why we refuse it: something follows.
fn says_followed(it: &Difference) -> bool {
    it.ours
        .as_ref()
        .is_err_and(|why| why.contains("is followed by"))
}

fn pkcs12_example(has_cert: bool, chain: Vec<Value>, name: &str, passphrase: &str) -> Value {
    tuple![
        1_i64, has_cert, true, chain, name, passphrase, 1_i64, passphrase,
    ]
}

/// One of the least structures of each kind.
fn pkcs7_example(kind: i64, damage: Value) -> Value {
    tuple![5_i64, kind, Value::List(vec![]), "", 0_i64, 0_i64, damage]
}

/// A certificate with an extension.
fn cert_example(version: i64) -> Value {
    let name = vec![tuple!["CN", "a"]];
    let ext = vec![tuple!["nsComment", false, "a"]];
    tuple![
        version,
        Value::Bytes(vec![1]),
        name.clone(),
        name,
        0_i64,
        1_i64,
        1_i64,
        ext,
        1_i64,
        "sha256",
    ]
}
