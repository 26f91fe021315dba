/*
 * program CASE ROLE PORT FOLDER: a client or server of TLS on a connection to
 * 127.0.0.1:PORT, with the certificates in FOLDER. Ends with 0 if all was as expected.
 */
#include "pump.h"

#include <unistd.h>

static greenling_tls_options *options_of(int role, const char *folder)
{
    struct greenling_tls_error error;
    char chain[500], key[500];
    const uint8_t protocols[] = "\x05other\x04" "echo";
    greenling_tls_options *options = tls->options_new(role);
    if (role == GREENLING_TLS_SERVER) {
        snprintf(chain, sizeof chain, "%s/server.pem", folder);
        snprintf(key, sizeof key, "%s/server.key", folder);
        EXPECT_CALL(NULL, tls->options_identity_files(options, chain, key, "a passphrase", &error));
    } else {
        snprintf(chain, sizeof chain, "%s/ca.pem", folder);
        EXPECT_CALL(NULL, tls->options_trust_file(options, chain, &error));
    }
    EXPECT_CALL(NULL, tls->options_alpn(options, protocols, sizeof protocols - 1, &error));
    EXPECT(error.status, GREENLING_TLS_OK);
    return options;
}

static greenling_tls_context *build(greenling_tls_options *options)
{
    struct greenling_tls_error error;
    greenling_tls_context *context = NULL;
    int status = tls->context_build(options, &context, &error);
    if (status != GREENLING_TLS_OK) {
        fprintf(stderr, "context: %s\n", error.text);
        exit(1);
    }
    tls->options_free(options);
    return context;
}

static greenling_tls_connection *connection_of(greenling_tls_context *context)
{
    struct greenling_tls_error error;
    greenling_tls_connection *connection = NULL;
    int role = tls->context_role(context);
    const char *name = role == GREENLING_TLS_CLIENT ? "localhost" : NULL;
    EXPECT_CALL(NULL, tls->connection_new(context, name, 0, 0, &connection, &error));
    /* The connection keeps what it needs. */
    tls->context_release(context);
    return connection;
}

/* Says what the connection is, for the test to compare with what the peer sees. */
static void print_facts(greenling_tls_connection *connection)
{
    uint8_t der[4000], protocol[20];
    size_t der_len, len, i;
    uint64_t sum = 0;
    EXPECT(tls->alpn(connection, protocol, 3, &len), GREENLING_TLS_TOO_SMALL);
    EXPECT(len, 4);
    EXPECT_CALL(connection, tls->alpn(connection, protocol, sizeof protocol, &len));
    EXPECT_CALL(connection, tls->peer_certificate(connection, der, sizeof der, &der_len));
    for (i = 0; i < der_len; i++)
        sum = sum * 31 + der[i];
    printf("%x %s %.*s %lu %llx\n", (unsigned)tls->version(connection), tls->cipher(connection),
           (int)len, (const char *)protocol, (unsigned long)der_len, (unsigned long long)sum);
}

/* All that is refused without a peer. */
static void misuse(const char *folder)
{
    struct greenling_tls_error error;
    greenling_tls_options *options;
    greenling_tls_context *context;
    greenling_tls_connection *connection = NULL, *other = NULL;
    struct ssl_st *ssl;
    struct bio_st *network;
    const uint8_t *data;
    uint8_t *space, buf[10];
    size_t len, n;

    EXPECT(greenling_tls_api(0) == NULL, 1);
    EXPECT(greenling_tls_api(GREENLING_TLS_VERSION + 1) == NULL, 1);
    EXPECT(tls->struct_size, sizeof *tls);
    EXPECT(tls->api_version, GREENLING_TLS_VERSION);
    EXPECT(strcmp(tls->status_text(GREENLING_TLS_CLOSED), "the peer has closed its side"), 0);
    EXPECT(strcmp(tls->status_text(77), "no code of this API"), 0);

    EXPECT(tls->options_new(7) == NULL, 1);
    tls->options_free(NULL);
    EXPECT(tls->options_trust_system(NULL, &error), GREENLING_TLS_ERROR_NULL);
    EXPECT(error.status, GREENLING_TLS_ERROR_NULL);
    options = tls->options_new(GREENLING_TLS_SERVER);
    EXPECT(tls->options_identity_files(options, "no such file", "nor this", NULL, &error),
           GREENLING_TLS_ERROR_CONFIG);
    EXPECT(strstr(error.text, "no such file") != NULL, 1);
    EXPECT(tls->options_versions(options, GREENLING_TLS_1_2, GREENLING_TLS_1_3, &error),
           GREENLING_TLS_ERROR_MISUSE);
    EXPECT(tls->context_build(options, &context, NULL), GREENLING_TLS_ERROR_MISUSE);
    tls->options_free(options);

    options = tls->options_new(GREENLING_TLS_CLIENT);
    EXPECT(tls->options_alpn(options, (const uint8_t *)"\x05" "abc", 4, &error),
           GREENLING_TLS_ERROR_MISUSE);
    tls->options_free(options);
    options = tls->options_new(GREENLING_TLS_CLIENT);
    EXPECT(tls->options_versions(options, 0x0301, GREENLING_TLS_1_3, NULL),
           GREENLING_TLS_ERROR_MISUSE);
    tls->options_free(options);
    options = tls->options_new(GREENLING_TLS_CLIENT);
    EXPECT(tls->options_groups(options, "no such group", NULL), GREENLING_TLS_OK);
    EXPECT(tls->context_build(options, &context, &error), GREENLING_TLS_ERROR_CONFIG);
    EXPECT(context == NULL, 1);
    tls->options_free(options);
    options = tls->options_new(GREENLING_TLS_CLIENT);
    EXPECT(tls->options_ciphers(options, NULL, "\xff", NULL), GREENLING_TLS_ERROR_MISUSE);
    tls->options_free(options);

    context = build(options_of(GREENLING_TLS_CLIENT, folder));
    EXPECT(tls->context_retain(context), GREENLING_TLS_OK);
    EXPECT(tls->context_retain(NULL), GREENLING_TLS_ERROR_NULL);
    tls->context_release(NULL);
    EXPECT(tls->context_role(NULL), GREENLING_TLS_ERROR_NULL);
    EXPECT(tls->connection_new(NULL, "localhost", 0, 0, &connection, NULL),
           GREENLING_TLS_ERROR_NULL);
    EXPECT(tls->connection_new(context, "localhost", 0, 0, NULL, NULL), GREENLING_TLS_ERROR_NULL);
    EXPECT(tls->connection_new(context, NULL, 0, 0, &connection, &error),
           GREENLING_TLS_ERROR_CONFIG);
    EXPECT(tls->connection_new(context, "localhost", (size_t)-1, 0, &connection, &error),
           GREENLING_TLS_ERROR_MISUSE);
    EXPECT(connection == NULL, 1);
    connection = connection_of(context);

    EXPECT(tls->handshake(NULL), GREENLING_TLS_ERROR_NULL);
    EXPECT(tls->decide(connection), GREENLING_TLS_ERROR_MISUSE);
    EXPECT(tls->last_error(NULL, &error), GREENLING_TLS_ERROR_NULL);
    EXPECT(tls->pending(NULL), 0);
    EXPECT(tls->state(NULL), 0);
    EXPECT(tls->connection_free(NULL), GREENLING_TLS_ERROR_NULL);
    EXPECT(tls->connection_into_raw(connection, NULL, &network), GREENLING_TLS_ERROR_NULL);
    EXPECT(tls->ssl_pointer(NULL) == NULL, 1);
    EXPECT(tls->version(connection), 0);
    EXPECT(tls->cipher(connection)[0], 0);
    EXPECT(tls->peer_certificate(connection, NULL, 0, &len), GREENLING_TLS_OK);
    EXPECT(len, 0);

    EXPECT(tls->read(connection, NULL, 0, &n), GREENLING_TLS_OK);
    EXPECT(tls->read(connection, NULL, 10, &n), GREENLING_TLS_ERROR_NULL);
    EXPECT(tls->read(connection, buf, 10, NULL), GREENLING_TLS_ERROR_NULL);
    EXPECT(tls->last_error(connection, &error), GREENLING_TLS_ERROR_NULL);
    EXPECT(tls->write(connection, buf, (size_t)-1, &n), GREENLING_TLS_ERROR_MISUSE);
    EXPECT(tls->shutdown(connection), GREENLING_TLS_ERROR_MISUSE);
    EXPECT(tls->write(connection, (const uint8_t *)"early", 5, &n), GREENLING_TLS_WANT_READ);
    EXPECT(n, 0);

    EXPECT_CALL(connection, tls->out_data(connection, &data, &len));
    EXPECT(len > 100, 1);
    EXPECT(data[0], 22);
    EXPECT(tls->consume_out(connection, len + 1), GREENLING_TLS_ERROR_MISUSE);
    EXPECT(tls->out_pending(connection), len);
    EXPECT_CALL(connection, tls->drain(connection, buf, 10, &n));
    EXPECT(n, 10);
    EXPECT_CALL(connection, tls->consume_out(connection, len - 10));
    EXPECT_CALL(connection, tls->in_space(connection, &space, &len));
    EXPECT(tls->commit_in(connection, len + 1), GREENLING_TLS_ERROR_MISUSE);
    EXPECT_CALL(connection, tls->feed(connection, (const uint8_t *)"HTTP/1.0 400 Bad", 16, &n));
    EXPECT(n, 16);
    EXPECT(tls->in_pending(connection), 16);
    EXPECT(tls->take_unread(connection, buf, 10, &len), GREENLING_TLS_TOO_SMALL);
    EXPECT(len, 16);

    /* The pieces that do not belong together stay the caller's. */
    EXPECT_CALL(NULL, tls->connection_into_raw(connection, &ssl, &network));
    EXPECT(tls->connection_from_raw(NULL, network, &other, &error), GREENLING_TLS_ERROR_NULL);
    EXPECT(tls->connection_from_raw(ssl, NULL, &other, &error), GREENLING_TLS_ERROR_NULL);
    EXPECT_CALL(NULL, tls->connection_from_raw(ssl, network, &connection, NULL));
    EXPECT(tls->handshake(connection), GREENLING_TLS_ERROR_OPENSSL);
    EXPECT(tls->last_error(connection, &error), GREENLING_TLS_ERROR_OPENSSL);
    EXPECT(error.detail != 0 && error.text[0] != 0, 1);
    EXPECT(tls->state(connection), GREENLING_TLS_STATE_FAILED);
    EXPECT(tls->read(connection, buf, 10, &n), GREENLING_TLS_ERROR_OPENSSL);
    EXPECT_CALL(NULL, tls->connection_free(connection));

    /* The first reference, which no connection has released. */
    connection = connection_of(context);
    EXPECT_CALL(connection, tls->close_in(connection));
    EXPECT(tls->handshake(connection), GREENLING_TLS_ERROR_CLOSED_BEFORE_HELLO);
    EXPECT_CALL(NULL, tls->connection_free(connection));
}

int main(int argc, char **argv)
{
    greenling_tls_connection *connection;
    struct greenling_tls_error error;
    const char *name;
    uint8_t buf[10];
    size_t n;
    int fd, role, status;

    EXPECT(argc, 5);
    tls = greenling_tls_api(GREENLING_TLS_VERSION);
    name = argv[1];
    if (strcmp(name, "misuse") == 0) {
        misuse(argv[4]);
        return 0;
    }
    role = strcmp(argv[2], "server") == 0 ? GREENLING_TLS_SERVER : GREENLING_TLS_CLIENT;
    fd = connect_to(argv[3]);
    connection = connection_of(build(options_of(role, argv[4])));
    status = shake_hands(connection, fd);

    if (strcmp(name, "refused") == 0) {
        EXPECT(status, GREENLING_TLS_ERROR_CERTIFICATE);
        EXPECT(tls->last_error(connection, &error), GREENLING_TLS_ERROR_CERTIFICATE);
        /* X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY */
        EXPECT(error.detail, 20);
    } else if (strcmp(name, "alert") == 0) {
        /* The peer is the one who refuses; in TLS 1.3 a client learns it late. */
        while (status == GREENLING_TLS_OK || status == GREENLING_TLS_WANT_READ) {
            if (!transfer(connection, fd))
                wait_for(fd, 0);
            status = tls->read(connection, buf, sizeof buf, &n);
        }
        EXPECT(status, GREENLING_TLS_ERROR_PEER_ALERT);
        EXPECT(tls->last_error(connection, &error), GREENLING_TLS_ERROR_PEER_ALERT);
        printf("%d %s\n", (int)error.detail, error.text);
    } else {
        EXPECT_CALL(connection, status);
        print_facts(connection);
        if (strcmp(name, "cut") == 0) {
            while ((status = tls->read(connection, buf, sizeof buf, &n))
                   == GREENLING_TLS_WANT_READ)
                if (!transfer(connection, fd))
                    wait_for(fd, 0);
            EXPECT(status, GREENLING_TLS_ERROR_TRUNCATED);
        } else if (strcmp(name, "table") == 0) {
            echo_through_table(connection, fd);
        } else {
#ifdef WITH_OPENSSL
            EXPECT(strcmp(name, "openssl"), 0);
            echo_by_openssl(connection, fd);
            connection = NULL;
#else
            fprintf(stderr, "no such case: %s\n", name);
            return 1;
#endif
        }
    }
    if (connection != NULL)
        EXPECT_CALL(NULL, tls->connection_free(connection));
    close(fd);
    return 0;
}
