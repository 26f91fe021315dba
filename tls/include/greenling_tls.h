/*
 * Greenling's TLS for C and C++: configured contexts and connections in memory.
 *
 * A connection does no I/O. You move the ciphertext: what you receive goes in by
 * feed(), or by in_space() and commit_in() without a copy; what out_data() shows
 * goes to the peer. Send it before you wait for anything: the peer may be waiting
 * for just that.
 *
 *      plaintext                        ciphertext
 *      read  <---+               +--- feed      | in_space, commit_in, close_in
 *      write --->| OpenSSL: rings|---> drain    | out_data, consume_out
 *                +---------------+
 *
 * All functions are in one table:
 *
 *      const struct greenling_tls_api *tls = greenling_tls_api(GREENLING_TLS_VERSION);
 *      if (tls == NULL || tls->struct_size < sizeof *tls)
 *          return -1;    (the library is older than this header)
 *
 * Rules for all of them:
 *
 *  - They return a status where nothing else is said. GREENLING_TLS_OK is zero,
 *    errors are negative, and positive ones mean "not now".
 *  - A connection is for one thread at a time. Contexts may be shared by threads.
 *  - A pointer to an error record may be null. Strings are UTF-8 and end with NUL;
 *    paths are what the system takes. Nothing that you pass is kept after the call.
 *  - A null pointer where none is allowed is answered with an error. A pointer to
 *    something that has been freed is not: that remains undefined.
 *  - None of them waits, and no panic or exception comes out of them.
 */
#ifndef GREENLING_TLS_H
#define GREENLING_TLS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GREENLING_TLS_VERSION 1

enum greenling_tls_status {
    GREENLING_TLS_OK = 0,
    /* Feed ciphertext of the peer and call again. */
    GREENLING_TLS_WANT_READ = 1,
    /* A callback has a question: see decide(). Yours, set through the pointer to SSL, asks
     * to be called again. */
    GREENLING_TLS_WANT_APP = 2,
    /* The peer has ended its side in an orderly way (close_notify). */
    GREENLING_TLS_CLOSED = 3,
    /* The buffer is too small; the length that is needed has been stored. */
    GREENLING_TLS_TOO_SMALL = 4,

    GREENLING_TLS_ERROR_NULL = -1,
    /* The call cannot work like that: the text says why. */
    GREENLING_TLS_ERROR_MISUSE = -2,
    /* Another call on the same connection is under way. */
    GREENLING_TLS_ERROR_BUSY = -3,
    /* A panic inside, or of a callback that is written in Rust. */
    GREENLING_TLS_ERROR_PANIC = -4,
    /* A file, key or option cannot be used. */
    GREENLING_TLS_ERROR_CONFIG = -5,
    /* The connection ended without close_notify: data may be missing. */
    GREENLING_TLS_ERROR_TRUNCATED = -6,
    GREENLING_TLS_ERROR_CLOSED_BEFORE_HELLO = -7,
    GREENLING_TLS_ERROR_PLAIN_HTTP = -8,
    /* The peer sent a fatal alert; its number is the detail. */
    GREENLING_TLS_ERROR_PEER_ALERT = -9,
    /* The peer's certificate was refused; the X509_V_ERR code is the detail. */
    GREENLING_TLS_ERROR_CERTIFICATE = -10,
    /* Any other failure of OpenSSL; its packed code is the detail. */
    GREENLING_TLS_ERROR_OPENSSL = -11,
    GREENLING_TLS_ERROR_UNSUPPORTED = -12,
    GREENLING_TLS_ERROR_OTHER = -13
};

enum greenling_tls_role { GREENLING_TLS_CLIENT = 0, GREENLING_TLS_SERVER = 1 };

enum greenling_tls_client_auth {
    GREENLING_TLS_CLIENT_AUTH_NONE = 0,
    GREENLING_TLS_CLIENT_AUTH_OPTIONAL = 1,
    GREENLING_TLS_CLIENT_AUTH_REQUIRED = 2
};

enum greenling_tls_protocol { GREENLING_TLS_1_2 = 0x0303, GREENLING_TLS_1_3 = 0x0304 };

/* Bits of state(). */
enum greenling_tls_state {
    GREENLING_TLS_STATE_ESTABLISHED = 1,
    /* The peer's close_notify has been read. */
    GREENLING_TLS_STATE_PEER_CLOSED = 2,
    /* Ours has been made. */
    GREENLING_TLS_STATE_CLOSED = 4,
    GREENLING_TLS_STATE_FAILED = 8,
    GREENLING_TLS_STATE_RESUMED = 16
};

/* What went wrong: the status, a number that belongs to it, and words for a log. */
struct greenling_tls_error {
    int status;
    int reserved;
    uint64_t detail;
    char text[240];
};

typedef struct greenling_tls_options greenling_tls_options;
typedef struct greenling_tls_context greenling_tls_context;
typedef struct greenling_tls_connection greenling_tls_connection;

/* OpenSSL's SSL and BIO. */
struct ssl_st;
struct bio_st;

/* Functions are only ever added, at the end. */
struct greenling_tls_api {
    size_t struct_size;
    uint32_t api_version;
    uint32_t reserved;

    /* A constant text for a status. */
    const char *(*status_text)(int status);
    /* OpenSSL_version_num() of the library in use. Pointers to SSL and BIO are of use
     * only to a program that is linked with the very same library. */
    uint64_t (*openssl_version)(void);

    /* -- Options: collected, then built into a context. An option that fails spoils
     *    them all. The defaults are those of the Rust API: TLS 1.2 and 1.3, and a
     *    client verifies its peer with the system's roots. */

    /* Null for another role than the two. */
    greenling_tls_options *(*options_new)(int role);
    void (*options_free)(greenling_tls_options *options);
    /* A certificate chain and its key, in PEM. The passphrase may be null. */
    int (*options_identity_files)(greenling_tls_options *options, const char *chain,
                                  const char *key, const char *passphrase,
                                  struct greenling_tls_error *error);
    int (*options_identity_pem)(greenling_tls_options *options, const uint8_t *chain,
                                size_t chain_len, const uint8_t *key, size_t key_len,
                                const char *passphrase, struct greenling_tls_error *error);
    /* The first of these replaces the system's roots. */
    int (*options_trust_file)(greenling_tls_options *options, const char *path,
                              struct greenling_tls_error *error);
    int (*options_trust_dir)(greenling_tls_options *options, const char *path,
                             struct greenling_tls_error *error);
    int (*options_trust_pem)(greenling_tls_options *options, const uint8_t *pem, size_t len,
                             struct greenling_tls_error *error);
    int (*options_trust_system)(greenling_tls_options *options,
                                struct greenling_tls_error *error);
    /* Servers: whether clients are asked for certificates. */
    int (*options_client_auth)(greenling_tls_options *options, int mode,
                               struct greenling_tls_error *error);
    int (*options_versions)(greenling_tls_options *options, int least, int most,
                            struct greenling_tls_error *error);
    /* Lists in OpenSSL's notation; null leaves the default. */
    int (*options_ciphers)(greenling_tls_options *options, const char *tls12,
                           const char *tls13, struct greenling_tls_error *error);
    int (*options_groups)(greenling_tls_options *options, const char *list,
                          struct greenling_tls_error *error);
    /* Each protocol is a length byte and its name, as in RFC 7301. */
    int (*options_alpn)(greenling_tls_options *options, const uint8_t *protocols, size_t len,
                        struct greenling_tls_error *error);
    /* Clients: accepts any certificate. For tests only. */
    int (*options_dangerous_no_verify)(greenling_tls_options *options,
                                       struct greenling_tls_error *error);

    /* -- Contexts: configured, immutable, counted. Whoever builds one or is handed one
     *    owns one reference. */

    /* Spends the options, which are still to be freed. */
    int (*context_build)(greenling_tls_options *options, greenling_tls_context **context,
                         struct greenling_tls_error *error);
    int (*context_retain)(greenling_tls_context *context);
    void (*context_release)(greenling_tls_context *context);
    /* A greenling_tls_role, or an error. */
    int (*context_role)(const greenling_tls_context *context);

    /* -- Connections. They keep what they need of the context. */

    /* The name is the server that a client wants to reach; null for a server. Sizes of
     * the rings in bytes; 0 for the usual one, a record. */
    int (*connection_new)(const greenling_tls_context *context, const char *name,
                          size_t incoming, size_t outgoing,
                          greenling_tls_connection **connection,
                          struct greenling_tls_error *error);
    /* Says nothing to the peer: see shutdown(). */
    int (*connection_free)(greenling_tls_connection *connection);

    /* Optional: the first read or write does it too. */
    int (*handshake)(greenling_tls_connection *connection);
    /* After GREENLING_TLS_WANT_APP: lets the callback of the Rust program answer, which
     * may take its time. Then the call that wanted it goes on. */
    int (*decide)(greenling_tls_connection *connection);
    /* Stores how many bytes there were, at least one unless the status is another. */
    int (*read)(greenling_tls_connection *connection, uint8_t *buf, size_t len, size_t *n);
    /* The same, of one record, and leaves it there. */
    int (*peek)(greenling_tls_connection *connection, uint8_t *buf, size_t len, size_t *n);
    /* Takes one record of up to 16 KiB and stores how much that was. It never fails for
     * want of room: send what out_data() shows between writes, or it grows. */
    int (*write)(greenling_tls_connection *connection, const uint8_t *data, size_t len,
                 size_t *n);
    /* Makes our close_notify, once. Reading goes on until the peer's. */
    int (*shutdown)(greenling_tls_connection *connection);
    /* Plaintext bytes of the current record. */
    size_t (*pending)(const greenling_tls_connection *connection);
    /* Bits of greenling_tls_state. */
    int (*state)(const greenling_tls_connection *connection);
    /* How a call last failed, that is, with a negative status, which is returned too;
     * GREENLING_TLS_OK if none has. */
    int (*last_error)(const greenling_tls_connection *connection,
                      struct greenling_tls_error *error);

    /* -- Ciphertext. A window that was lent is valid until the next call on the
     *    connection that returns a status. It may be shorter than all there is. */

    /* Stores how much fitted. */
    int (*feed)(greenling_tls_connection *connection, const uint8_t *data, size_t len,
                size_t *n);
    int (*in_space)(greenling_tls_connection *connection, uint8_t **start, size_t *len);
    int (*commit_in)(greenling_tls_connection *connection, size_t n);
    /* The transport has ended. */
    int (*close_in)(greenling_tls_connection *connection);
    /* Bytes that were fed and not looked at yet. */
    size_t (*in_pending)(const greenling_tls_connection *connection);
    int (*drain)(greenling_tls_connection *connection, uint8_t *buf, size_t len, size_t *n);
    int (*out_data)(greenling_tls_connection *connection, const uint8_t **start, size_t *len);
    int (*consume_out)(greenling_tls_connection *connection, size_t n);
    size_t (*out_pending)(const greenling_tls_connection *connection);
    /* Takes back what was fed and not read: the beginning of what follows TLS. */
    int (*take_unread)(greenling_tls_connection *connection, uint8_t *buf, size_t size,
                       size_t *len);

    /* -- Facts. */

    /* The protocol that was chosen, without a final NUL; none has length 0. */
    int (*alpn)(greenling_tls_connection *connection, uint8_t *buf, size_t size, size_t *len);
    /* A greenling_tls_protocol, or 0 before there is one. */
    int (*version)(const greenling_tls_connection *connection);
    /* OpenSSL's name of the cipher suite; a constant, empty before there is one. */
    const char *(*cipher)(const greenling_tls_connection *connection);
    /* In DER; none has length 0. */
    int (*peer_certificate)(greenling_tls_connection *connection, uint8_t *buf, size_t size,
                            size_t *len);

    /* -- OpenSSL's own objects. What Rust callbacks decide outside of OpenSSL, a context by
     *    name and the approval of a client, holds for the functions above only. */

    /* Borrowed: they stay the connection's, which keeps its rings from now on. Send
     * out_data() before bytes that you take from the BIO yourself: it may be older. */
    struct ssl_st *(*ssl_pointer)(greenling_tls_connection *connection);
    struct bio_st *(*network_bio_pointer)(greenling_tls_connection *connection);
    /* Takes the connection apart, and frees it. You own one reference to each: SSL_free()
     * and BIO_free(). All ciphertext is in the pair. */
    int (*connection_into_raw)(greenling_tls_connection *connection, struct ssl_st **ssl,
                               struct bio_st **network);
    /* The reverse, also for objects of your own: an SSL whose one BIO is half of a pair,
     * and the other half. They are still yours when it fails. */
    int (*connection_from_raw)(struct ssl_st *ssl, struct bio_st *network,
                               greenling_tls_connection **connection,
                               struct greenling_tls_error *error);
};

/* Null for a version that the library does not know. */
const struct greenling_tls_api *greenling_tls_api(uint32_t version);

#ifdef __cplusplus
}
#endif

#endif
