//! Of names, extensions, serial numbers, times and digests.

use super::{Row, has_nul, only_ours_is, part};
use crate::value::{Value, tuple};

pub(super) const TABLE: &[Row] = &[
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
];
