//! The messages of a connection, as they go over the wire.

use std::fmt;
use std::sync::Arc;

use super::{ConnectionView, Direction};

/// Is shown the messages of a connection.
pub(crate) type OnMessage = Arc<dyn Fn(&ConnectionView<'_>, &Message<'_>) + Send + Sync>;

/// A message that a connection has sent or received, before its encryption or
/// after its decryption; see
/// [`ContextBuilder::on_message`](crate::ContextBuilder::on_message).
///
/// Application data is not shown. The rest holds secrets all the same: session
/// tickets, client certificates, and with old key exchanges the key itself. So
/// `Debug` shows the kind and the length, not the bytes.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "SSL_CTX_set_msg_callback")]
#[derive(Clone, Copy)]
pub struct Message<'a> {
    direction: Direction,
    version: u16,
    content: ContentType,
    bytes: &'a [u8],
}

impl<'a> Message<'a> {
    pub(super) fn new(
        direction: Direction,
        version: i32,
        content: i32,
        bytes: &'a [u8],
    ) -> Message<'a> {
        Message {
            direction,
            version: u16::try_from(version).unwrap_or(0),
            content: ContentType::from_openssl(content),
            bytes,
        }
    }

    /// Which way it went.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The version on the wire, such as 0x0303 for TLS 1.2; 0 where OpenSSL does
    /// not say. The header of a record says TLS 1.2 with TLS 1.3 too.
    pub fn wire_version(&self) -> u16 {
        self.version
    }

    /// What it is.
    pub fn content(&self) -> ContentType {
        self.content
    }

    /// Which handshake message it is, if it is one.
    pub fn handshake(&self) -> Option<HandshakeType> {
        match (self.content, self.bytes) {
            (ContentType::Handshake, [kind, ..]) => Some(HandshakeType(*kind)),
            _ => None,
        }
    }

    /// The whole message. May hold secrets.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

/// Hides the bytes.
impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("direction", &self.direction)
            .field("content", &self.content)
            .field("handshake", &self.handshake())
            .field("length", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// What a [`Message`] is: a content type of RFC 8446, section 5.1, or a part of a
/// record that OpenSSL shows by itself.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "TLSContentType")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContentType {
    /// `change_cipher_spec`, one byte; a placeholder in TLS 1.3.
    #[doc(alias = "SSL3_RT_CHANGE_CIPHER_SPEC")]
    ChangeCipherSpec,
    /// An alert: its level and its code.
    #[doc(alias = "SSL3_RT_ALERT")]
    Alert,
    /// A handshake message with its header.
    #[doc(alias = "SSL3_RT_HANDSHAKE")]
    Handshake,
    /// The five bytes before a record.
    #[doc(alias = "SSL3_RT_HEADER")]
    RecordHeader,
    /// The one byte at the end of a record of TLS 1.3 that says what is in it.
    #[doc(alias = "SSL3_RT_INNER_CONTENT_TYPE")]
    InnerContentType,
    /// Anything else, by OpenSSL's number.
    Other(i32),
}

impl ContentType {
    fn from_openssl(code: i32) -> ContentType {
        match code {
            20 => ContentType::ChangeCipherSpec,
            21 => ContentType::Alert,
            22 => ContentType::Handshake,
            0x100 => ContentType::RecordHeader,
            0x101 => ContentType::InnerContentType,
            other => ContentType::Other(other),
        }
    }
}

/// The type of a handshake message (RFC 8446, section 4, and RFC 5246, section 7.4).
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "TLSMessageType")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HandshakeType(u8);

macro_rules! handshake_types {
    ($($name:ident = $code:literal, $text:literal;)*) => {
        impl HandshakeType {
            $(
                #[doc = concat!("`", $text, "`, type ", $code, ".")]
                pub const $name: HandshakeType = HandshakeType($code);
            )*

            /// The name in the RFCs, or `None` for a type they do not define.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

handshake_types! {
    HELLO_REQUEST = 0, "hello_request";
    CLIENT_HELLO = 1, "client_hello";
    SERVER_HELLO = 2, "server_hello";
    NEW_SESSION_TICKET = 4, "new_session_ticket";
    END_OF_EARLY_DATA = 5, "end_of_early_data";
    ENCRYPTED_EXTENSIONS = 8, "encrypted_extensions";
    CERTIFICATE = 11, "certificate";
    SERVER_KEY_EXCHANGE = 12, "server_key_exchange";
    CERTIFICATE_REQUEST = 13, "certificate_request";
    SERVER_HELLO_DONE = 14, "server_hello_done";
    CERTIFICATE_VERIFY = 15, "certificate_verify";
    CLIENT_KEY_EXCHANGE = 16, "client_key_exchange";
    FINISHED = 20, "finished";
    CERTIFICATE_STATUS = 22, "certificate_status";
    KEY_UPDATE = 24, "key_update";
}

impl HandshakeType {
    /// A type by its code.
    pub const fn from_code(code: u8) -> HandshakeType {
        HandshakeType(code)
    }

    /// The code on the wire.
    pub const fn code(self) -> u8 {
        self.0
    }
}

impl fmt::Display for HandshakeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "type {}", self.0),
        }
    }
}
