/* The same pump with OpenSSL's own functions on the pointers of a connection. */
#define _POSIX_C_SOURCE 200809L

#include "pump.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

/* Moves ciphertext between the network half and the socket. Whether any moved. */
static int transfer_bio(BIO *network, int fd)
{
    char *start;
    ssize_t n;
    int len, moved = 0;
    while (BIO_ctrl_pending(network) > 0) {
        len = BIO_nread0(network, &start);
        n = send(fd, start, (size_t)len, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        EXPECT(BIO_nread(network, &start, (int)n), n);
        moved = 1;
    }
    if (BIO_ctrl_get_write_guarantee(network) > 0) {
        len = BIO_nwrite0(network, &start);
        n = recv(fd, start, (size_t)len, 0);
        if (n > 0)
            EXPECT(BIO_nwrite(network, &start, (int)n), n);
        if (n == 0)
            BIO_shutdown_wr(network);
        moved |= n >= 0;
    }
    return moved;
}

static void check(SSL *ssl, int result, int line)
{
    if (result <= 0) {
        fprintf(stderr, "%s:%d: SSL_get_error is %d\n", __FILE__, line,
                SSL_get_error(ssl, result));
        ERR_print_errors_fp(stderr);
        exit(1);
    }
}

void echo_by_openssl(greenling_tls_connection *connection, int fd)
{
    unsigned char block[5000];
    size_t sent = 0, received = 0, i;
    int n, ended = 0;
    SSL *ssl;
    BIO *network;
    EXPECT(tls->openssl_version(), OpenSSL_version_num());
    /* The pointers are borrowed first, and owned then. */
    ssl = tls->ssl_pointer(connection);
    EXPECT(SSL_is_init_finished(ssl), 1);
    EXPECT_CALL(connection, tls->connection_into_raw(connection, &ssl, &network));

    while (!ended) {
        if (sent < AMOUNT && BIO_ctrl_pending(network) == 0) {
            size_t len = AMOUNT - sent < sizeof block ? AMOUNT - sent : sizeof block;
            for (i = 0; i < len; i++)
                block[i] = pattern(sent + i);
            n = SSL_write(ssl, block, (int)len);
            check(ssl, n, __LINE__);
            sent += (size_t)n;
        }
        n = SSL_read(ssl, block, (int)sizeof block);
        if (n > 0) {
            for (i = 0; i < (size_t)n; i++)
                EXPECT(block[i], pattern(received + i));
            received += (size_t)n;
            if (received == AMOUNT)
                EXPECT(SSL_shutdown(ssl), 0);
        } else if (SSL_get_error(ssl, n) == SSL_ERROR_ZERO_RETURN) {
            ended = 1;
        } else if (SSL_get_error(ssl, n) != SSL_ERROR_WANT_READ) {
            check(ssl, n, __LINE__);
        } else if (!transfer_bio(network, fd)) {
            wait_for(fd, BIO_ctrl_pending(network) > 0);
        }
    }
    EXPECT(received, AMOUNT);

    /* And back, which finds the state of both directions. */
    EXPECT_CALL(NULL, tls->connection_from_raw(ssl, network, &connection, NULL));
    EXPECT(tls->state(connection) & ~GREENLING_TLS_STATE_RESUMED,
           GREENLING_TLS_STATE_ESTABLISHED | GREENLING_TLS_STATE_PEER_CLOSED
               | GREENLING_TLS_STATE_CLOSED);
    EXPECT(tls->connection_free(connection), GREENLING_TLS_OK);
}
