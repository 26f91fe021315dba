//! What names must look like to be put into a certificate.
//!
//! Whoever reads the certificate may be less careful than we are: a NUL, a line break
//! or a comma in a name has made others take one name for another or for two.

use crate::peer_name::host_fault;

/// What is wrong with `name` as a DNS name of a certificate (RFC 5280, section 4.2.1.6):
/// a host, of which the first label may be `*`.
pub(super) fn dns_fault(name: &str) -> Option<&'static str> {
    host_fault(name.strip_prefix("*.").unwrap_or(name))
}

/// What is wrong with `domain` as a limit for names: it may be empty, or begin with a
/// dot (RFC 5280, section 4.2.1.10).
pub(super) fn domain_fault(domain: &str) -> Option<&'static str> {
    match domain {
        "" => None,
        _ => host_fault(domain.strip_prefix('.').unwrap_or(domain)),
    }
}

/// What is wrong with `mailbox` (RFC 5280, section 4.2.1.6). The part before the `@` is
/// the business of the other side, as long as it can be printed.
pub(super) fn email_fault(mailbox: &str) -> Option<&'static str> {
    let Some((local, host)) = mailbox.rsplit_once('@') else {
        return Some("is no mailbox: there is no @");
    };
    if local.is_empty() || local.len() > 64 {
        return Some("has nothing or more than 64 bytes before the @");
    }
    if !local.bytes().all(|b| b.is_ascii_graphic() && b != b'@') {
        return Some("has something other than printable ASCII before the @");
    }
    host_fault(host)
}

/// What is wrong with `uri` (RFC 5280, section 4.2.1.6): it must be absolute, and
/// RFC 3986 leaves only some of ASCII.
pub(super) fn uri_fault(uri: &str) -> Option<&'static str> {
    let Some((scheme, rest)) = uri.split_once(':') else {
        return Some("is no absolute URI: it has no scheme");
    };
    let in_scheme = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
    let begins_well = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    if !begins_well || !scheme.bytes().all(in_scheme) || rest.is_empty() {
        return Some("is no absolute URI");
    }
    let allowed = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b);
    if !rest.bytes().all(allowed) {
        return Some("has a character that is not allowed in a URI; percent-encode it");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for good in [
            "a",
            "localhost",
            "*.a.b",
            "_x.a-b.c1",
            "xn--bcher-kva.example",
        ] {
            assert_eq!(dns_fault(good), None, "{good:?}");
        }
        let long = format!("{}.example", "a".repeat(64));
        let longer = "a.".repeat(127) + "example";
        for bad in [
            "",
            "*.",
            "*",
            "a.*",
            "*.*.a",
            ".a",
            "a.",
            "a..b",
            "a b",
            "a\0b",
            "a\nb",
            "a,DNS:b",
            "a:1",
            "-a",
            "a-",
            "127.1",
            "1.2.3.4.5",
            "b\u{fc}cher.example",
            &long,
            &longer,
        ] {
            assert!(dns_fault(bad).is_some(), "{bad:?}");
        }
    }

    #[test]
    fn mailboxes() {
        for good in ["a@b.c", "a,b:c@host", "\"x\"@a-b.c", "o'neil+tag@x"] {
            assert_eq!(email_fault(good), None, "{good:?}");
        }
        let long = format!("{}@a", "x".repeat(65));
        for bad in [
            "", "a", "@a", "a@", "a@b@c", "a b@c", "a\0@b", "a\n@b", "\u{fc}@b", "a@*.b", "a@b,c",
            &long,
        ] {
            assert!(email_fault(bad).is_some(), "{bad:?}");
        }
    }

    #[test]
    fn uris() {
        for good in [
            "http://a/b,c;d?e=f:g",
            "urn:uuid:1",
            "ldap://[::1]/cn=x",
            "s:x",
        ] {
            assert_eq!(uri_fault(good), None, "{good:?}");
        }
        for bad in [
            "",
            "a",
            ":x",
            "1:x",
            "s:",
            "h ttp://a",
            "http://a b",
            "http://a\n",
            "http://\0",
            "http://\u{fc}",
            "http://a/{}",
        ] {
            assert!(uri_fault(bad).is_some(), "{bad:?}");
        }
    }
}
