//! Each entry of pyOpenSSL's manual has its line in docs/pyopenssl.md, and can be
//! found by its name in the API's documentation.

use crate::Finding;
use crate::tree::File;

/// The document.
pub(crate) const DOCUMENT: &str = "docs/pyopenssl.md";

/// The manual of version 0.7. The module `SSL`: constants, types, exceptions, the
/// methods of contexts, and those of connections.
const SSL: &[&str] = &[
    "SSLv2_METHOD",
    "SSLv3_METHOD",
    "SSLv23_METHOD",
    "TLSv1_METHOD",
    "VERIFY_NONE",
    "VERIFY_PEER",
    "VERIFY_FAIL_IF_NO_PEER_CERT",
    "FILETYPE_PEM",
    "FILETYPE_ASN1",
    "OP_SINGLE_DH_USE",
    "OP_EPHEMERAL_RSA",
    "OP_NO_SSLv2",
    "OP_NO_SSLv3",
    "OP_NO_TLSv1",
    "ContextType",
    "Context",
    "ConnectionType",
    "Connection",
    "Error",
    "ZeroReturnError",
    "WantReadError",
    "WantWriteError",
    "WantX509LookupError",
    "SysCallError",
    "check_privatekey",
    "get_app_data",
    "get_cert_store",
    "get_timeout",
    "get_verify_depth",
    "get_verify_mode",
    "load_client_ca",
    "load_verify_locations",
    "set_default_verify_paths",
    "load_tmp_dh",
    "set_app_data",
    "set_cipher_list",
    "set_info_callback",
    "set_options",
    "set_passwd_cb",
    "set_session_id",
    "set_timeout",
    "set_verify",
    "set_verify_depth",
    "use_certificate",
    "add_extra_chain_cert",
    "use_certificate_chain_file",
    "use_privatekey",
    "use_certificate_file",
    "use_privatekey_file",
    "accept",
    "bind",
    "close",
    "connect",
    "connect_ex",
    "do_handshake",
    "fileno",
    "listen",
    "get_cipher_list",
    "get_context",
    "get_peer_certificate",
    "getpeername",
    "getsockname",
    "getsockopt",
    "pending",
    "recv",
    "renegotiate",
    "send",
    "sendall",
    "set_accept_state",
    "set_connect_state",
    "setblocking",
    "setsockopt",
    "shutdown",
    "get_shutdown",
    "set_shutdown",
    "sock_shutdown",
    "state_string",
    "want_read",
    "want_write",
];

/// The module `crypto`: types, constants, functions, and the methods of each type
/// behind its name. What the module shares with `SSL` stands there.
const CRYPTO: &[&str] = &[
    "X509Type",
    "X509",
    "X509NameType",
    "X509Name",
    "X509ReqType",
    "X509Req",
    "X509StoreType",
    "PKeyType",
    "PKey",
    "PKCS7Type",
    "PKCS12Type",
    "X509ExtensionType",
    "X509Extension",
    "NetscapeSPKIType",
    "NetscapeSPKI",
    "TYPE_RSA",
    "TYPE_DSA",
    "dump_certificate",
    "dump_certificate_request",
    "dump_privatekey",
    "load_certificate",
    "load_certificate_request",
    "load_privatekey",
    "load_pkcs7_data",
    "load_pkcs12",
    "X509.get_issuer",
    "X509.get_pubkey",
    "X509.get_serial_number",
    "X509.get_subject",
    "X509.get_version",
    "X509.get_notBefore",
    "X509.get_notAfter",
    "X509.set_notBefore",
    "X509.set_notAfter",
    "X509.gmtime_adj_notBefore",
    "X509.gmtime_adj_notAfter",
    "X509.has_expired",
    "X509.set_issuer",
    "X509.set_pubkey",
    "X509.set_serial_number",
    "X509.set_subject",
    "X509.set_version",
    "X509.sign",
    "X509.subject_name_hash",
    "X509.digest",
    "X509.add_extensions",
    "X509Name.hash",
    "X509Name.der",
    "X509Name.get_components",
    "X509Name.countryName",
    "X509Name.C",
    "X509Name.stateOrProvinceName",
    "X509Name.ST",
    "X509Name.localityName",
    "X509Name.L",
    "X509Name.organizationName",
    "X509Name.O",
    "X509Name.organizationalUnitName",
    "X509Name.OU",
    "X509Name.commonName",
    "X509Name.CN",
    "X509Name.emailAddress",
    "X509Req.get_pubkey",
    "X509Req.get_subject",
    "X509Req.set_pubkey",
    "X509Req.sign",
    "X509Req.verify",
    "X509Store.add_cert",
    "PKey.bits",
    "PKey.generate_key",
    "PKey.type",
    "PKCS7.type_is_enveloped",
    "PKCS7.type_is_signed",
    "PKCS7.type_is_signedAndEnveloped",
    "PKCS7.type_is_data",
    "PKCS7.get_type_name",
    "PKCS12.get_certificate",
    "PKCS12.get_privatekey",
    "PKCS12.get_ca_certificates",
    "X509Extension.get_critical",
    "NetscapeSPKI.b64_encode",
    "NetscapeSPKI.get_pubkey",
    "NetscapeSPKI.set_pubkey",
    "NetscapeSPKI.sign",
    "NetscapeSPKI.verify",
];

/// The module `rand`.
const RAND: &[&str] = &[
    "rand.add",
    "rand.egd",
    "rand.load_file",
    "rand.screen",
    "rand.seed",
    "rand.status",
    "rand.write_file",
];

/// Entries without a line of compiled code that names them in its comment, and
/// entries by whose name nothing public can be found.
pub(crate) fn check(document: &File, sources: &[&File]) -> Vec<Finding> {
    let shown = shown(document);
    let mut findings = Vec::new();
    for entry in [SSL, CRYPTO, RAND].concat() {
        if !shown.contains(&entry) {
            let rule = format!("no line of code stands for the manual's {entry}");
            findings.push(Finding::new(&document.path, 1, rule));
        }
        if !sources.iter().any(|file| names(file, entry)) {
            let rule = format!("nothing has the name or the alias {entry}");
            findings.push(Finding::new(&document.path, 1, rule));
        }
    }
    findings
}

/// The entries that comments behind code begin with, in the blocks of Rust.
fn shown(document: &File) -> Vec<&str> {
    let mut shown = Vec::new();
    let mut in_rust = false;
    for (_, line) in document.lines() {
        if line.starts_with("```") {
            in_rust = line == "```rust";
        } else if in_rust && let Some((code, comment)) = line.split_once("// ") {
            let word = comment.split([':', ',', ' ']).next().unwrap_or_default();
            if !code.trim().is_empty() {
                shown.push(word);
            }
        }
    }
    shown
}

/// Whether something public in `file` is called `entry`, or also known as it.
fn names(file: &File, entry: &str) -> bool {
    let alias = |name: &str| format!("#[doc(alias = \"{name}\")]");
    // A method of the module `crypto` is found by its own name, too.
    let bare = entry.rsplit('.').next().unwrap_or(entry);
    let known = [alias(entry), alias(bare), alias(&format!("SSL.{entry}"))];
    file.lines().map(|(_, line)| line.trim()).any(|line| {
        known.iter().any(|alias| line == alias)
            || ["pub fn ", "pub struct ", "pub enum "]
                .iter()
                .filter_map(|kind| line.strip_prefix(kind))
                .filter_map(|rest| rest.strip_prefix(bare))
                .any(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_shown_or_cannot_be_found_is_told() {
        let document = File::new(DOCUMENT, "```rust\n// Context\nx(); // Context: so\n```\n");
        assert_eq!(shown(&document), ["Context"]);
        let source = File::new(
            "tls/src/a.rs",
            "    #[doc(alias = \"Context\")]\npub fn acceptor()\n",
        );
        assert!(names(&source, "Context"));
        assert!(!names(&source, "accept"));
        let findings = check(&document, &[&source]);
        assert_eq!(
            findings.len(),
            2 * (SSL.len() + CRYPTO.len() + RAND.len() - 1)
        );
    }
}
