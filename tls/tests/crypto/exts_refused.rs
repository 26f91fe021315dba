//! Extensions that must not stand in a certificate: they are refused before anything is
//! signed.

use greenling_tls::ConfigErrorKind;
use greenling_tls::crypto::{
    AuthorityKeyId, BasicConstraints, DistributionPoint, Ext, ExtKind, GeneralName, KeyUsage,
    NameConstraints, NameRange, Oid, Policy, Serial,
};

use crate::support::kind;

fn oid(text: &str) -> Oid {
    text.parse().unwrap()
}

#[test]
fn values_that_others_could_misread_are_refused() {
    use ConfigErrorKind::{BadValue, Missing, ServerName};
    let alt = |name: GeneralName| Ext::subject_alt_name([name]);
    let dns = |text: &str| alt(GeneralName::Dns(text.to_owned()));
    for text in [
        "",
        "a\0b",
        "a\nb",
        "a,DNS:b",
        "a b",
        "b\u{fc}cher.test",
        "a.",
        "1.2.3",
    ] {
        assert_eq!(kind(dns(text)), ServerName, "{text:?}");
    }
    for text in ["", "a", "a@b\0", "a\n@b", "@b", "b\u{fc}@c"] {
        let email = GeneralName::Email(text.to_owned());
        assert_eq!(kind(alt(email)), BadValue, "{text:?}");
    }
    for text in ["", "a", "http://a\0", "http://a\r\nb", "http://b\u{fc}cher"] {
        let uri = GeneralName::Uri(text.to_owned());
        assert_eq!(kind(alt(uri)), BadValue, "{text:?}");
    }
    for bytes in [&[][..], &[1], &[5, 0, 0], &[4, 0x80]] {
        let other = GeneralName::Other {
            kind: oid("1.2.3"),
            value: bytes.to_vec(),
        };
        assert_eq!(kind(alt(other)), BadValue, "{bytes:?}");
        assert_eq!(kind(alt(GeneralName::Raw(bytes.to_vec()))), BadValue);
    }
    assert_eq!(kind(Ext::subject_alt_name([])), Missing);
    assert_eq!(kind(Ext::issuer_alt_name([])), Missing);
    assert_eq!(kind(Ext::extended_key_usage([])), Missing);
    assert_eq!(kind(Ext::authority_info_access([])), Missing);
    assert_eq!(kind(Ext::certificate_policies::<Policy>([])), Missing);
    let no_points: [DistributionPoint; 0] = [];
    assert_eq!(kind(Ext::crl_distribution_points(no_points)), Missing);
    let no_name = DistributionPoint::default();
    assert_eq!(kind(Ext::crl_distribution_points([no_name])), BadValue);
    let nothing = NameConstraints::default();
    assert_eq!(kind(Ext::name_constraints(nothing)), Missing);
    for range in [
        NameRange::Ip("10.0.0.0".parse().unwrap(), 33),
        NameRange::Dns("*.a".to_owned()),
        NameRange::Dns("a\0b".to_owned()),
        NameRange::Email(String::new()),
        NameRange::Email("a\0@b".to_owned()),
        NameRange::Uri("http://a".to_owned()),
    ] {
        let constraints = NameConstraints {
            permitted: vec![range],
            excluded: Vec::new(),
        };
        kind(Ext::name_constraints(constraints));
    }
    assert_eq!(kind(Ext::key_usage(KeyUsage::default())), BadValue);
    let leaf = BasicConstraints {
        ca: false,
        path_len: Some(0),
    };
    assert_eq!(kind(Ext::basic_constraints(leaf)), BadValue);
    for (practice, notice) in [("no uri", "x"), ("urn:x", ""), ("urn:x", "a\nb")] {
        let mut policy = Policy::from(oid("1.2.3"));
        policy.practices.push(practice.to_owned());
        policy.notices.push(notice.to_owned());
        assert_eq!(kind(Ext::certificate_policies([policy])), BadValue);
    }
    let half = AuthorityKeyId {
        serial: Some(Serial::from(1)),
        ..AuthorityKeyId::default()
    };
    assert_eq!(kind(Ext::try_from(ExtKind::AuthorityKeyId(half))), BadValue);
    assert_eq!(kind(Ext::try_from(ExtKind::Raw)), BadValue);
    assert_eq!(
        kind(Ext::try_from(ExtKind::SubjectKeyId(Vec::new()))),
        Missing
    );
}
