//! Where we differ from pyOpenSSL 23, and why.

use crate::families::crls;
use crate::trial::Difference;
use crate::value::{Value, tuple};

/// A difference that is meant.
pub(crate) struct Row {
    pub(crate) family: &'static str,
    /// What of the result may differ; the example shows the first.
    pub(crate) what: &'static [&'static str],
    pub(crate) because: &'static str,
    /// Whether a difference of that is this one.
    pub(crate) is_it: fn(&Difference) -> bool,
    /// An input that shows it.
    pub(crate) example: fn() -> Value,
}

/// The part of an input at the end of a path.
fn part<'a>(difference: &'a Difference, path: &[usize]) -> &'a Value {
    let step = |value: &'a Value, at: &usize| value.parts().get(*at).unwrap_or(&Value::Nothing);
    path.iter().fold(&difference.input, step)
}

fn has_nul(value: &Value) -> bool {
    value.bytes().contains(&0)
}

/// Whether we have refused it as a fault of this kind, and Python has not refused it.
fn only_ours_is(difference: &Difference, kind: &str) -> bool {
    let is_ours = difference
        .ours
        .as_ref()
        .is_err_and(|why| why.starts_with(kind));
    is_ours && difference.theirs.is_ok()
}

pub(crate) const TABLE: &[Row] = &[
    Row {
        family: "names",
        what: &["the result"],
        because: "pyOpenSSL cuts a value off at a NUL (CVE-2026-40475)",
        is_it: |it| {
            let attributes = part(it, &[0]).parts().iter();
            let values = attributes.filter_map(|attribute| attribute.parts().get(1));
            values.into_iter().any(has_nul) && only_ours_is(it, "BadValue")
        },
        example: || {
            tuple![
                vec![tuple!["CN", "good.example\0.bad.example"]],
                Value::List(vec![])
            ]
        },
    },
    Row {
        family: "names",
        what: &["the result"],
        because: "OpenSSL takes a dot after the last number of an identifier",
        is_it: |it| {
            let mut attributes = part(it, &[0]).parts().iter();
            attributes.any(|attribute| attribute.parts()[0].bytes().ends_with(b"."))
        },
        example: || tuple![vec![tuple!["2.5.4.", "a"]], Value::List(vec![])],
    },
    Row {
        family: "names",
        what: &["the result"],
        because: "OpenSSL bounds the length of some attributes only; none may be empty here",
        is_it: |it| {
            let attributes = part(it, &[0]).parts().iter();
            let mut values = attributes.filter_map(|attribute| attribute.parts().get(1));
            values.any(|value| value.bytes().is_empty()) && only_ours_is(it, "BadValue")
        },
        example: || tuple![vec![tuple!["businessCategory", ""]], Value::List(vec![])],
    },
    Row {
        family: "names",
        what: &["the result"],
        because: "attributes that OpenSSL has no name for are given by their identifiers here",
        is_it: |it| {
            let is_theirs = it
                .theirs
                .as_ref()
                .is_err_and(|why| why.contains("No such attribute"));
            is_theirs && it.ours.is_ok()
        },
        example: || tuple![vec![tuple!["1.2.3.4.5.6", "a"]], Value::List(vec![])],
    },
    Row {
        family: "exts",
        what: &["the result"],
        because: "there is no list without names (RFC 5280, section 4.2.1.6), and OpenSSL makes one",
        is_it: |it| {
            let value = it.theirs.as_ref().map(|fields| fields.parts()[2].bytes());
            only_ours_is(it, "Missing") && value == Ok(&[0x30, 0])
        },
        example: || {
            let copied = tuple!["issuerAltName", false, "issuer:copy"];
            tuple![copied, Value::Nothing, 0_i64]
        },
    },
    Row {
        family: "exts",
        what: &["name"],
        because: "pyOpenSSL calls all UNDEF that OpenSSL has no name for; ours shows the identifier",
        is_it: |it| it.theirs == Ok("UNDEF".into()),
        example: || {
            tuple![
                tuple!["1.2.3.4.5", false, "DER:0500"],
                Value::Nothing,
                Value::Nothing
            ]
        },
    },
    Row {
        family: "exts",
        what: &["text"],
        because: "pyOpenSSL raises an empty error when OpenSSL has no text for one; bytes are shown",
        is_it: |it| it.theirs == Ok(Value::Nothing),
        example: || {
            tuple![
                tuple!["1.2.3.4.5", false, "DER:0500"],
                Value::Nothing,
                Value::Nothing
            ]
        },
    },
    Row {
        family: "exts",
        what: &["text"],
        because: "pyOpenSSL shows a damaged list of names as an empty one; bytes are shown",
        is_it: |it| it.theirs == Ok("".into()),
        example: || {
            let damaged = tuple!["subjectAltName", false, "DER:0500"];
            tuple![damaged, Value::Nothing, Value::Nothing]
        },
    },
    Row {
        family: "exts",
        what: &["text"],
        because: "white space at the end is left out of what is for people",
        is_it: |it| {
            let [ours, theirs] = [&it.ours, &it.theirs].map(|it| it.as_ref().map(Value::text));
            ours == theirs.map(str::trim_end) && ours.is_ok()
        },
        example: || {
            tuple![
                tuple!["nsComment", false, "a "],
                Value::Nothing,
                Value::Nothing
            ]
        },
    },
    Row {
        family: "exts",
        what: &["text"],
        because: "pyOpenSSL prints each name by itself, which tells less of those of other kinds",
        is_it: |it| {
            let theirs = it.theirs.as_ref().map(Value::bytes).unwrap_or_default();
            theirs.windows(13).any(|part| part == b"<unsupported>")
        },
        example: || {
            let ext = tuple!["subjectAltName", false, "otherName:1.2.3;UTF8:a"];
            tuple![ext, Value::Nothing, Value::Nothing]
        },
    },
    Row {
        family: "serials",
        what: &["the result"],
        because: "RFC 5280, section 4.1.2.2: they are positive",
        is_it: |it| only_ours_is(it, "BadValue") && part(it, &[1]).bytes().iter().all(|o| *o == 0),
        example: || tuple![false, Value::Bytes(vec![0])],
    },
    Row {
        family: "serials",
        what: &["the result"],
        because: "RFC 5280, section 4.1.2.2: they have no more than 20 octets",
        is_it: |it| only_ours_is(it, "BadValue") && part(it, &[1]).bytes().len() >= 20,
        example: || tuple![false, Value::Bytes(vec![1; 21])],
    },
    Row {
        family: "times",
        what: &["text"],
        because: "pyOpenSSL keeps the difference to UTC, which RFC 5280 forbids; it is turned into UTC",
        is_it: |it| {
            it.theirs
                .as_ref()
                .is_ok_and(|text| text.bytes().len() == 19)
        },
        example: || "20260101120000+0130".into(),
    },
    Row {
        family: "times",
        what: &["the result"],
        because: "OpenSSL takes years of two digits, which the manual does not have",
        is_it: |it| {
            let digits = it
                .input
                .bytes()
                .iter()
                .take_while(|byte| byte.is_ascii_digit());
            only_ours_is(it, "BadValue") && digits.count() <= 12
        },
        example: || "260101120000Z".into(),
    },
    Row {
        family: "times",
        what: &["the result"],
        because: "a time that UTC has in a year before 0 or after 9999 cannot be written in UTC",
        is_it: |it| {
            let is_edge = ["0000", "9999"]
                .iter()
                .any(|y| it.input.text().starts_with(y));
            is_edge && only_ours_is(it, "BadValue")
        },
        example: || "00000101000000+0100".into(),
    },
    Row {
        family: "digests",
        what: &["fingerprint"],
        because: "digests that nothing else here has a use for",
        is_it: |it| {
            let others = ["ripemd160", "blake2b512", "sha512-256", "sm3", "shake128"];
            it.ours.is_err() && others.contains(&part(it, &[0]).text())
        },
        example: || tuple!["ripemd160", 0_i64, "", false],
    },
    Row {
        family: "digests",
        what: &["signature"],
        because: "MD5 and SHA-1 sign with the feature `legacy` only",
        is_it: |it| only_ours_is(it, "Rejected"),
        example: || tuple!["sha1", 0_i64, "", false],
    },
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
        because: "a vertical tab at the end is white space here, and not in OpenSSL",
        is_it: |it| {
            let is_tab = part(it, &[4, 2]).number() & 0x7f == 0x0b;
            let is_theirs = it.theirs.as_ref().is_err_and(|why| why.contains("base64"));
            is_tab && is_theirs && it.ours.is_ok()
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
        because: "it must be DER, with nothing behind it; OpenSSL takes more (BER)",
        is_it: |it| only_ours_is(it, "Malformed"),
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
        is_it: |it| part(it, &[6, 0]).number() > 2 && only_ours_is(it, "Malformed"),
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
        is_it: |it| {
            let is_longer = part(it, &[3, 0]).number() > 2;
            is_longer && only_ours_is(it, "Malformed")
        },
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

/// The row of a difference.
pub(crate) fn row(difference: &Difference) -> Option<&'static Row> {
    TABLE.iter().find(|row| {
        let is_of = row.family == difference.family && row.what.contains(&difference.what);
        is_of && (row.is_it)(difference)
    })
}
