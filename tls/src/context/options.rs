//! Bits for [`raw_options`](crate::ContextBuilder::raw_options),
//! [`raw_mode`](crate::ContextBuilder::raw_mode) and
//! [`raw_verify_flags`](crate::ContextBuilder::raw_verify_flags), by OpenSSL's names
//! without their prefixes (`SSL_CTX_set_options(3)`, `SSL_CTX_set_mode(3)`,
//! `X509_VERIFY_PARAM_set_flags(3)`).
//!
//! Those that are 0 have no effect: OpenSSL has removed what they were about, and
//! keeps the names so that programs go on compiling. So do we.

/// Always in force: keys for Diffie-Hellman are never used twice. No effect.
#[doc(alias = "OP_SINGLE_DH_USE")]
#[doc(alias = "SSL_OP_SINGLE_DH_USE")]
pub const SINGLE_DH_USE: u64 = 0;
/// Always in force, as [`SINGLE_DH_USE`]. No effect.
#[doc(alias = "OP_SINGLE_ECDH_USE")]
#[doc(alias = "SSL_OP_SINGLE_ECDH_USE")]
pub const SINGLE_ECDH_USE: u64 = 0;
/// Temporary RSA keys no longer exist. No effect.
#[doc(alias = "OP_EPHEMERAL_RSA")]
#[doc(alias = "SSL_OP_EPHEMERAL_RSA")]
pub const EPHEMERAL_RSA: u64 = 0;
/// SSL 2 no longer exists. No effect.
#[doc(alias = "OP_NO_SSLv2")]
#[doc(alias = "SSL_OP_NO_SSLv2")]
pub const NO_SSLV2: u64 = 0;

/// No SSL 3, which is never spoken anyway.
#[doc(alias = "OP_NO_SSLv3")]
#[doc(alias = "SSL_OP_NO_SSLv3")]
pub const NO_SSLV3: u64 = 1 << 25;
/// No TLS 1.0. Prefer [`versions`](crate::ContextBuilder::versions).
#[doc(alias = "OP_NO_TLSv1")]
#[doc(alias = "SSL_OP_NO_TLSv1")]
pub const NO_TLSV1: u64 = 1 << 26;
/// No TLS 1.1. Prefer [`versions`](crate::ContextBuilder::versions).
#[doc(alias = "OP_NO_TLSv1_1")]
#[doc(alias = "SSL_OP_NO_TLSv1_1")]
pub const NO_TLSV1_1: u64 = 1 << 28;
/// No TLS 1.2. Prefer [`versions`](crate::ContextBuilder::versions).
#[doc(alias = "OP_NO_TLSv1_2")]
#[doc(alias = "SSL_OP_NO_TLSv1_2")]
pub const NO_TLSV1_2: u64 = 1 << 27;
/// No TLS 1.3. Prefer [`versions`](crate::ContextBuilder::versions).
#[doc(alias = "OP_NO_TLSv1_3")]
#[doc(alias = "SSL_OP_NO_TLSv1_3")]
pub const NO_TLSV1_3: u64 = 1 << 29;

/// No extended master secret in TLS 1.2 (RFC 7627).
#[doc(alias = "SSL_OP_NO_EXTENDED_MASTER_SECRET")]
pub const NO_EXTENDED_MASTER_SECRET: u64 = 1 << 0;
/// OpenSSL wipes plaintext from its buffers once it was read.
#[doc(alias = "SSL_OP_CLEANSE_PLAINTEXT")]
pub const CLEANSE_PLAINTEXT: u64 = 1 << 1;
/// The kernel encrypts. No effect: OpenSSL never sees the socket here.
#[doc(alias = "OP_ENABLE_KTLS")]
#[doc(alias = "SSL_OP_ENABLE_KTLS")]
pub const ENABLE_KTLS: u64 = 1 << 3;
/// Pads ClientHellos whose length upsets some old servers (RFC 7685).
#[doc(alias = "SSL_OP_TLSEXT_PADDING")]
pub const TLSEXT_PADDING: u64 = 1 << 4;
/// Takes a cut for the end. Prefer
/// [`ignore_truncation`](crate::TlsStream::ignore_truncation).
#[doc(alias = "OP_IGNORE_UNEXPECTED_EOF")]
#[doc(alias = "SSL_OP_IGNORE_UNEXPECTED_EOF")]
pub const IGNORE_UNEXPECTED_EOF: u64 = 1 << 7;
/// TLS 1.3: resumption without a new key exchange, and so without forward
/// secrecy, where the peer wants that.
#[doc(alias = "SSL_OP_ALLOW_NO_DHE_KEX")]
pub const ALLOW_NO_DHE_KEX: u64 = 1 << 10;
/// No session tickets. Prefer [`tickets`](crate::ContextBuilder::tickets).
#[doc(alias = "OP_NO_TICKET")]
#[doc(alias = "SSL_OP_NO_TICKET")]
pub const NO_TICKET: u64 = 1 << 14;
/// Every renegotiation is a full handshake.
#[doc(alias = "SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION")]
pub const NO_SESSION_RESUMPTION_ON_RENEGOTIATION: u64 = 1 << 16;
/// No compression, which is the default.
#[doc(alias = "OP_NO_COMPRESSION")]
#[doc(alias = "SSL_OP_NO_COMPRESSION")]
pub const NO_COMPRESSION: u64 = 1 << 17;
/// TLS 1.2 with CBC suites: no encrypt-then-MAC (RFC 7366).
#[doc(alias = "SSL_OP_NO_ENCRYPT_THEN_MAC")]
pub const NO_ENCRYPT_THEN_MAC: u64 = 1 << 19;
/// TLS 1.3 looks like 1.2 to boxes on the way, which is the default (RFC 8446,
/// appendix D.4).
#[doc(alias = "OP_ENABLE_MIDDLEBOX_COMPAT")]
#[doc(alias = "SSL_OP_ENABLE_MIDDLEBOX_COMPAT")]
pub const ENABLE_MIDDLEBOX_COMPAT: u64 = 1 << 20;
/// With the server's order: ChaCha20 first for clients that have it first.
#[doc(alias = "SSL_OP_PRIORITIZE_CHACHA")]
pub const PRIORITIZE_CHACHA: u64 = 1 << 21;
/// The server's order decides. Prefer
/// [`server_order`](crate::ContextBuilder::server_order).
#[doc(alias = "OP_CIPHER_SERVER_PREFERENCE")]
#[doc(alias = "SSL_OP_CIPHER_SERVER_PREFERENCE")]
pub const CIPHER_SERVER_PREFERENCE: u64 = 1 << 22;
/// No renegotiation, which is the default. Prefer
/// [`allow_renegotiation`](crate::ContextBuilder::allow_renegotiation).
#[doc(alias = "OP_NO_RENEGOTIATION")]
#[doc(alias = "SSL_OP_NO_RENEGOTIATION")]
pub const NO_RENEGOTIATION: u64 = 1 << 30;
/// Workarounds for old peers' mistakes that do no harm.
#[doc(alias = "OP_ALL")]
#[doc(alias = "SSL_OP_ALL")]
pub const ALL: u64 = (1 << 31) | (1 << 11) | (1 << 4) | (1 << 6);

/// A mode, which is the default: sends the chain of the identity as it is, instead
/// of completing it from the trust anchors.
#[doc(alias = "SSL_MODE_NO_AUTO_CHAIN")]
pub const MODE_NO_AUTO_CHAIN: u32 = 0x8;
/// A mode: gives record buffers back whenever they are empty. Idle connections do
/// so anyway.
#[doc(alias = "SSL_MODE_RELEASE_BUFFERS")]
pub const MODE_RELEASE_BUFFERS: u32 = 0x10;
/// A mode: tells the server that this is a second try with a lower version, so
/// that it can refuse one which an attacker has provoked (RFC 7507).
#[doc(alias = "SSL_MODE_SEND_FALLBACK_SCSV")]
pub const MODE_SEND_FALLBACK_SCSV: u32 = 0x80;

/// Looks the leaf up in a revocation list. Prefer
/// [`crl_file`](crate::ContextBuilder::crl_file).
#[doc(alias = "X509_V_FLAG_CRL_CHECK")]
#[doc(alias = "VERIFY_CRL_CHECK_LEAF")]
pub const VERIFY_CRL_CHECK: u32 = 0x4;
/// Looks every certificate of the chain up, in one list for each issuer.
#[doc(alias = "X509_V_FLAG_CRL_CHECK_ALL")]
#[doc(alias = "VERIFY_CRL_CHECK_CHAIN")]
pub const VERIFY_CRL_CHECK_ALL: u32 = 0x8;
/// Refuses what RFC 5280 forbids and peers tolerate. Prefer
/// [`strict`](crate::ContextBuilder::strict).
#[doc(alias = "X509_V_FLAG_X509_STRICT")]
pub const VERIFY_X509_STRICT: u32 = 0x20;
/// Also judges the signature that a root makes on itself.
#[doc(alias = "X509_V_FLAG_CHECK_SS_SIGNATURE")]
pub const VERIFY_CHECK_SS_SIGNATURE: u32 = 0x4000;
/// Builds chains from anchors first, which is OpenSSL's default.
#[doc(alias = "X509_V_FLAG_TRUSTED_FIRST")]
#[doc(alias = "VERIFY_X509_TRUSTED_FIRST")]
pub const VERIFY_TRUSTED_FIRST: u32 = 0x8000;
/// Any trusted certificate ends a chain, which is the default here.
#[doc(alias = "X509_V_FLAG_PARTIAL_CHAIN")]
#[doc(alias = "VERIFY_X509_PARTIAL_CHAIN")]
pub const VERIFY_PARTIAL_CHAIN: u32 = 0x8_0000;
/// Does not look at the clock.
#[doc(alias = "X509_V_FLAG_NO_CHECK_TIME")]
pub const VERIFY_NO_CHECK_TIME: u32 = 0x20_0000;
