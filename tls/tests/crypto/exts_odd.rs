//! Extensions that are damaged, or of a kind that nobody knows: they are shown as bytes
//! and stop nothing.

use greenling_tls::ConfigErrorKind;
use greenling_tls::crypto::{Ext, ExtContext, ExtKind, GeneralName, Oid, Policy};

use crate::exts::one_of_each;
use crate::support::kind;

#[test]
fn one_that_is_cut_short_or_followed_by_more_is_raw() {
    for ext in one_of_each() {
        let value = ext.value();
        for cut in 0..value.len() {
            let short = Ext::raw(ext.oid().clone(), true, &value[..cut]).unwrap();
            assert_eq!(short.kind(), ExtKind::Raw, "{cut} of {ext:?}");
            assert_eq!(short.value(), &value[..cut]);
        }
        let longer = [value, &[0]].concat();
        let longer = Ext::raw(ext.oid().clone(), false, &longer).unwrap();
        assert_eq!(longer.kind(), ExtKind::Raw, "{ext:?}");
        // OpenSSL has a text for it all the same.
        longer.to_text().unwrap();
    }
}

#[test]
fn an_odd_name_hides_no_other() {
    let names: [&[u8]; 8] = [
        b"\x82\x06a.test",
        b"\x82\x05a\0b.c",
        b"\x82\x02\xc3\xbc",
        b"\x87\x03\x01\x02\x03",
        b"\xa3\x02\x05\0",
        b"\xa0\x03\x06\x01\x2a",
        b"\xa4\x02\x30\x80",
        b"\x88\x01\x80",
    ];
    let mut value = vec![0x30, names.concat().len() as u8];
    value.extend(names.concat());
    let oid = Oid::by_name("subjectAltName").unwrap();
    let ext = Ext::raw(oid, false, &value).unwrap();
    let ExtKind::SubjectAltName(found) = ext.kind() else {
        panic!("{ext:?}");
    };
    assert_eq!(found[0], GeneralName::Dns("a.test".to_owned()));
    // Nobody compares it up to the NUL.
    assert_eq!(found[1], GeneralName::Dns("a\0b.c".to_owned()));
    assert_eq!(found[1].to_string(), "DNS:a\\0b.c");
    for (found, name) in found[2..].iter().zip(&names[2..]) {
        assert_eq!(*found, GeneralName::Raw(name.to_vec()));
    }
    assert_eq!(found[4].to_string(), "<a3020500>");
    // What is read as it is must not be written.
    let again = Ext::try_from(ext.kind());
    assert_eq!(kind(again), ConfigErrorKind::ServerName);
}

/// The same numbers in every run.
fn numbers() -> impl FnMut() -> usize {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize
    }
}

#[test]
fn changed_bytes_are_read_as_what_they_say_or_as_bytes() {
    let mut next = numbers();
    for ext in one_of_each() {
        for _ in 0..30 {
            let mut value = ext.value().to_vec();
            for _ in 0..1 + next() % 3 {
                let at = next() % value.len();
                value[at] = next() as u8;
            }
            let changed = Ext::raw(ext.oid().clone(), false, &value).unwrap();
            // Whatever it says can be said again, or is refused.
            if let Ok(again) = Ext::try_from(changed.kind()) {
                assert_eq!(again.kind(), changed.kind());
            }
            let _ = format!("{changed:?}");
        }
    }
}

#[test]
fn one_that_nobody_knows_goes_through_openssl_and_back() {
    for text in [
        "1.2.3",
        "2.999.1",
        "2.25.340282366920938463463374607431768211455",
    ] {
        let oid: Oid = text.parse().unwrap();
        for value in [&[][..], b"\0\xff no DER at all"] {
            let ext = Ext::raw(oid.clone(), true, value).unwrap();
            let theirs = ext.to_openssl().unwrap();
            let back = Ext::from_openssl(&theirs).unwrap();
            assert_eq!(back, ext);
            assert_eq!(
                (back.kind(), back.short_name()),
                (ExtKind::Raw, text.into())
            );
            back.to_text().unwrap();
        }
    }
}

#[test]
fn forms_that_are_not_der_are_raw() {
    for (name, value) in [
        // A length in too many octets, one that is not told, a truth that is neither.
        ("basicConstraints", &b"\x30\x81\x03\x01\x01\xff"[..]),
        ("basicConstraints", b"\x30\x80\x01\x01\xff\0\0"),
        ("basicConstraints", b"\x30\x03\x01\x01\x01"),
        ("basicConstraints", b"\x30\x07\x01\x01\xff\x02\x02\0\x01"),
        ("basicConstraints", b"\x30\x06\x01\x01\xff\x02\x01\xff"),
        // Bits that are not there, or that mean nothing.
        ("keyUsage", b"\x03\x01\x01"),
        ("keyUsage", b"\x03\x02\x08\x80"),
        ("keyUsage", b"\x03\x02\x07\xff"),
        ("keyUsage", b"\x03\x03\0\xff\x40"),
        // A mask with a hole; a subtree with a minimum.
        (
            "nameConstraints",
            b"\x30\x0f\xa0\x0d\x30\x0b\x82\x01a\x80\x01\0\x81\x03\x01\0\0",
        ),
    ] {
        let oid = Oid::by_name(name).unwrap();
        let ext = Ext::raw(oid, false, value).unwrap();
        assert_eq!(ext.kind(), ExtKind::Raw, "{value:x?}");
    }
    // What some authorities write though it is the default, or ends in zeros.
    for (name, value) in [
        ("basicConstraints", &b"\x30\x03\x01\x01\0"[..]),
        ("keyUsage", b"\x03\x02\0\x80"),
    ] {
        let oid = Oid::by_name(name).unwrap();
        let ext = Ext::raw(oid, false, value).unwrap();
        assert_ne!(ext.kind(), ExtKind::Raw, "{value:x?}");
    }
}

#[test]
fn parts_of_no_known_kind_are_kept() {
    for (name, text) in [
        (
            "nameConstraints",
            "permitted;RID:1.2.3,excluded;IP:10.0.0.0/255.0.255.0",
        ),
        (
            "nameConstraints",
            "excluded;email:a@b.test,permitted;URI:.a.test",
        ),
        ("authorityInfoAccess", "1.2.3;URI:http://a.test/"),
    ] {
        let context = ExtContext::new();
        let ext = Ext::parse_conf(name, false, text, &context).unwrap();
        assert_ne!(ext.kind(), ExtKind::Raw, "{text}");
        let critical = ext.clone().critical(name == "nameConstraints");
        assert_eq!(Ext::try_from(ext.kind()).unwrap(), critical);
    }
    let read = |name: &str, value: &[u8]| {
        let oid = Oid::by_name(name).unwrap();
        Ext::raw(oid, false, value).unwrap().kind()
    };
    // Some reasons only, and a qualifier that nobody knows.
    let some_reasons = b"\x30\x06\x30\x04\x81\x02\x07\x80";
    assert_eq!(read("crlDistributionPoints", some_reasons), ExtKind::Raw);
    let unknown = b"\x30\x0e\x30\x0c\x06\x01\x2a\x30\x07\x30\x05\x06\x01\x2a\x05\0";
    assert_eq!(read("certificatePolicies", unknown), ExtKind::Raw);
    // A notice in each kind of text that is ASCII or UTF-8, and in one that is neither.
    let notice = |tag: u8| {
        let before =
            b"\x30\x18\x30\x16\x06\x01\x2a\x30\x11\x30\x0f\x06\x08\x2b\x06\x01\x05\x05\x07\x02\x02";
        [&before[..], &[0x30, 3, tag, 1, b'x']].concat()
    };
    let mut policy = Policy::from("1.2".parse::<Oid>().unwrap());
    policy.notices.push("x".to_owned());
    for tag in [0x0c, 0x16, 0x1a] {
        let expected = ExtKind::CertificatePolicies(vec![policy.clone()]);
        assert_eq!(read("certificatePolicies", &notice(tag)), expected);
    }
    assert_eq!(read("certificatePolicies", &notice(0x1e)), ExtKind::Raw);
}
