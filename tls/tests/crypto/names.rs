//! Distinguished names: what OpenSSL makes of ours and we of its, and which values are
//! refused.

use std::collections::HashSet;
use std::time::Duration;

use greenling_tls::crypto::{
    Attr, Cert, Csr, Curve, Digest, Encoding, KeyAlg, Name, PrivateKey, Timestamp,
};
use greenling_tls::{ConfigErrorKind, Error};

use crate::support::{openssl_text, unhex};

fn name(text: &str) -> Name {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn key() -> PrivateKey {
    PrivateKey::generate(KeyAlg::Ec(Curve::P256)).unwrap()
}

/// What `openssl x509` says of the subject, for these options.
fn seen_by_openssl(subject: &Name, options: &[&str]) -> String {
    let cert = Cert::builder()
        .subject(subject.clone())
        .issuer(name("/CN=issuer"))
        .valid_for(Timestamp::from_unix(0), Duration::from_secs(1));
    let key = key();
    let cert = cert
        .public_key(&key.public_key())
        .sign(&key, Digest::Sha256)
        .unwrap();
    let arguments = [&["x509", "-noout"], options].concat();
    openssl_text(&arguments, &cert.encode(Encoding::Pem).unwrap())
}

fn fault(result: Result<Name, Error>) -> (ConfigErrorKind, String) {
    match result {
        Err(Error::Config(error)) => (error.kind(), error.to_string()),
        other => panic!("{other:?}"),
    }
}

/// A name of one attribute in DER form: the object identifier and the value with their
/// tags and lengths, in hexadecimal digits.
fn of_one(oid: &str, value: &str) -> Vec<u8> {
    let wrap = |tag: &str, content: &str| format!("{tag}{:02x}{content}", content.len() / 2);
    let pair = wrap("30", &[oid, value].concat());
    unhex(&wrap("30", &wrap("31", &pair)))
}

#[test]
fn the_form_with_slashes_is_read_as_openssl_req_reads_it() {
    let pem = key().encode(Encoding::Pem, None).unwrap();
    for text in [
        "/C=DE/ST=Bavaria/L=München/O=Example, Inc./OU=a\\/b/CN=x\\+y\\\\z/emailAddress=a@b.test",
        "/DC=org/DC=example/OU=one+CN=two+UID=three/2.5.4.12=Dr./O= padded ",
        "/",
    ] {
        let arguments = ["req", "-new", "-key", "/dev/stdin", "-utf8", "-subj", text];
        let request = openssl_text(&arguments, &pem);
        let request = Csr::decode(Encoding::Pem, request.as_bytes()).unwrap();
        let theirs = Name::from(request.as_x509_req().subject_name());
        assert_eq!(theirs.to_der(), name(text).to_der(), "{text}");
    }
}

#[test]
fn what_is_not_of_that_form_is_refused() {
    for (text, reason) in [
        ("", "slash"),
        ("CN=x", "slash"),
        ("/CN", "no `=`"),
        ("/CN=x/", ""),
        ("/CN=x+", "plus"),
        ("/CN=x\\", "backslash"),
        ("/CN=", "empty"),
        ("/O=a//CN=b", ""),
        ("/wrong=x", "attribute"),
        ("/CN\0=x", "attribute"),
        ("/CN=a\0b", "NUL"),
        ("/3.1.1=x", "attribute"),
    ] {
        let parsed: Result<Name, Error> = text.parse();
        if reason.is_empty() {
            // A slash at the end or twice is a relative name without anything.
            assert!(parsed.is_err() || text == "/CN=x/", "{text}");
            continue;
        }
        let (kind, message) = fault(parsed);
        assert_eq!(kind, ConfigErrorKind::BadValue, "{text}");
        assert!(message.contains(reason), "{message}");
    }
}

#[test]
fn names_are_shown_as_openssl_shows_them_by_rfc_2253() {
    let hard = Name::builder()
        .add(Attr::Country, "DE")
        .add(Attr::Organization, "#1 \"A\" <b>; c\\d, e+f ")
        .add(Attr::OrganizationalUnit, " München\tline\u{1}")
        .add_to_last(Attr::Title, "Dr.")
        .add("1.2.3.4".parse().unwrap(), "unknown")
        .add(Attr::Pseudonym, "=")
        .build()
        .unwrap();
    let options = ["-subject", "-nameopt", "RFC2253,-esc_msb"];
    let theirs = seen_by_openssl(&hard, &options);
    assert_eq!(theirs.trim_end_matches('\n'), format!("subject={hard}"));

    let long = Name::builder().add("1.2.3.4".parse().unwrap(), &"x".repeat(300));
    let long = long.build().unwrap();
    let theirs = seen_by_openssl(&long, &options);
    assert_eq!(theirs.trim_end_matches('\n'), format!("subject={long}"));
}

#[test]
fn both_hashes_are_those_of_openssl() {
    for text in ["/C=DE/O=  Some  Thing/CN=ÄÖ", "/", "/DC=a+DC=b"] {
        let subject = name(text);
        let theirs = seen_by_openssl(&subject, &["-subject_hash", "-subject_hash_old"]);
        let ours = format!("{:08x}\n{:08x}\n", subject.hash(), subject.hash_md5());
        assert_eq!(ours, theirs, "{text}");
    }
}

#[test]
fn values_that_an_attribute_cannot_hold_are_refused() {
    let long = "ä".repeat(65);
    let longer = "x".repeat(40_000);
    for (attr, value) in [
        (Attr::CommonName, ""),
        (Attr::CommonName, &long),
        (Attr::CommonName, "a\0b"),
        (Attr::Organization, &long),
        (Attr::Country, "D"),
        (Attr::Country, "DEU"),
        (Attr::Country, "Ü"),
        (Attr::SerialNumber, "@"),
        (Attr::EmailAddress, "ü@x"),
        (Attr::DomainComponent, "ü"),
        (Attr::DomainComponent, &longer),
        ("1.2.3".parse().unwrap(), ""),
    ] {
        let (kind, message) = fault(Name::builder().add(attr.clone(), value).build());
        assert_eq!(kind, ConfigErrorKind::BadValue);
        assert!(message.contains(&*attr.long_name()), "{message}");
        assert!(message.len() < 400, "{message}");
    }
    // 64 characters are counted, not bytes.
    let most = "ä".repeat(64);
    let built = Name::builder()
        .add(Attr::CommonName, &most)
        .build()
        .unwrap();
    assert_eq!(built.common_name().as_deref(), Some(&*most));
}

#[test]
fn names_are_equal_as_openssl_takes_them() {
    let one = name("/O=Some  Thing/CN=ABC");
    let same = name("/O= some thing /CN=abc");
    assert_eq!(one, same);
    assert_ne!(one.to_der(), same.to_der());
    assert_eq!(one.hash(), same.hash());
    let set = HashSet::from([one.clone(), same, name("/CN=other")]);
    assert_eq!(set.len(), 2);
    assert_ne!(one, name("/CN=ABC/O=Some  Thing"));
    let mut sorted = [name("/CN=b"), name("/CN=longer"), name("/CN=a")];
    sorted.sort();
    assert_eq!(sorted, [name("/CN=a"), name("/CN=b"), name("/CN=longer")]);
}

#[test]
fn editing_replaces_appends_and_takes_out() {
    let start = name("/C=DE/O=x+OU=y/CN=a/CN=b/ST=z");
    let edited = start
        .edit()
        .set(Attr::CommonName, "c")
        .set(Attr::Title, "t");
    let edited = edited.build().unwrap();
    assert_eq!(
        edited.to_der(),
        name("/C=DE/O=x+OU=y/CN=c/ST=z/title=t").to_der()
    );
    let without = start.edit().remove(Attr::Organization).build().unwrap();
    assert_eq!(without.to_der(), name("/C=DE/OU=y/CN=a/CN=b/ST=z").to_der());
    assert_eq!(start.edit().build().unwrap().to_der(), start.to_der());
    assert_eq!(start.get_all(Attr::CommonName), ["a", "b"]);
    assert_eq!(start.get(Attr::Title), None);
    let first = Name::builder().add_to_last(Attr::CommonName, "x").build();
    assert_eq!(first.unwrap().to_der(), name("/CN=x").to_der());
}

#[test]
fn values_of_every_type_are_read() {
    for (value, text, shown) in [
        // UTF8String with a NUL; PrintableString; T61String, which is Latin-1 here;
        // IA5String; BMPString; UniversalString.
        ("0c03610062", Some("a\0b"), "CN=a\\00b"),
        ("13026162", Some("ab"), "CN=ab"),
        ("1401fc", Some("ü"), "CN=ü"),
        ("16026162", Some("ab"), "CN=ab"),
        ("1e0400fc0062", Some("üb"), "CN=üb"),
        ("1c04000000fc", Some("ü"), "CN=ü"),
        // Nothing; a BIT STRING; a SEQUENCE.
        ("0c00", Some(""), "CN="),
        ("030204f0", None, "CN=#030204F0"),
        ("3003020107", None, "CN=#3003020107"),
    ] {
        let read = Name::from_der(&of_one("0603550403", value)).unwrap();
        assert_eq!(read.common_name().as_deref(), text, "{value}");
        assert_eq!(read.to_string(), shown);
        let theirs = seen_by_openssl(&read, &["-subject", "-nameopt", "RFC2253,-esc_msb"]);
        assert_eq!(theirs, format!("subject={shown}\n"));
        assert_eq!(read.edit().build().unwrap().to_der(), read.to_der());
    }
}

#[test]
fn components_of_unknown_attributes_have_their_number() {
    let read = Name::from_der(&of_one("060388370a", "0c0178")).unwrap();
    assert_eq!(read.components(), [("2.999.10".to_owned(), b"x".to_vec())]);
    assert_eq!(read.get("2.999.10".parse().unwrap()).as_deref(), Some("x"));
}

#[test]
fn damaged_names_are_refused() {
    let whole = name("/C=DE/O=Example/CN=localhost").to_der();
    for length in 0..whole.len() {
        let (kind, _) = fault(Name::from_der(&whole[..length]));
        assert_eq!(kind, ConfigErrorKind::Malformed, "{length}");
    }
    let followed = [&whole[..], &[0]].concat();
    assert_eq!(
        fault(Name::from_der(&followed)).0,
        ConfigErrorKind::Malformed
    );
    // A BMPString of half a character.
    let odd = of_one("0603550403", "1e0100");
    assert_eq!(fault(Name::from_der(&odd)).0, ConfigErrorKind::Malformed);
}
