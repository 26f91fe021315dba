//! Extensions: made from values and from text, read from what others make.

use greenling_tls::crypto::{BasicConstraints, Ext, ExtContext, ExtKind, GeneralName, KeyUsage};

#[test]
fn typed_ones_have_the_bytes_of_the_text_form() {
    let names = ["a.test", "::1", "127.0.0.1", "a@b.test", "http://a.test/"];
    let names = names.map(|name| GeneralName::parse(name).unwrap());
    let typed = Ext::subject_alt_name(names).unwrap();
    let text = "DNS:a.test, IP:::1, IP:127.0.0.1, email:a@b.test, URI:http://a.test/";
    let parsed = Ext::parse_conf("subjectAltName", false, text, &ExtContext::new()).unwrap();
    assert_eq!(typed, parsed);
    let usage = Ext::key_usage(KeyUsage::CRL_SIGN | KeyUsage::DECIPHER_ONLY).unwrap();
    let text = "cRLSign, decipherOnly";
    let parsed = Ext::parse_conf("keyUsage", true, text, &ExtContext::new()).unwrap();
    assert_eq!(usage, parsed);
    let constraints = BasicConstraints {
        ca: true,
        path_len: Some(300),
    };
    assert_eq!(
        Ext::basic_constraints(constraints).unwrap().kind(),
        ExtKind::BasicConstraints(constraints)
    );
}
