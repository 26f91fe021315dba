/* A pump on the table of functions alone: sockets, poll, and zero-copy windows. */
#define _POSIX_C_SOURCE 200809L

#include "pump.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

const struct greenling_tls_api *tls;

void fail(const char *file, int line, const greenling_tls_connection *connection, int status)
{
    struct greenling_tls_error error;
    memset(&error, 0, sizeof error);
    tls->last_error(connection, &error);
    fprintf(stderr, "%s:%d: status %d (%s): %s\n", file, line, status, tls->status_text(status),
            error.text);
    exit(1);
}

int connect_to(const char *port)
{
    struct sockaddr_in address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)atoi(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    EXPECT(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

void wait_for(int fd, int to_write)
{
    struct pollfd entry;
    entry.fd = fd;
    entry.events = (short)(POLLIN | (to_write ? POLLOUT : 0));
    EXPECT(poll(&entry, 1, 60000), 1);
}

unsigned char pattern(size_t i)
{
    return (unsigned char)((i * 31) ^ (i >> 8));
}

/* Sends a part; whether there was one that the socket took. */
static int send_some(greenling_tls_connection *connection, int fd)
{
    const uint8_t *data;
    size_t len;
    ssize_t n;
    EXPECT_CALL(connection, tls->out_data(connection, &data, &len));
    if (len == 0)
        return 0;
    n = send(fd, data, len, MSG_NOSIGNAL);
    if (n < 0) {
        /* A peer that is gone is for the reader to find. */
        if (errno == EPIPE || errno == ECONNRESET)
            EXPECT_CALL(connection, tls->consume_out(connection, len));
        return 0;
    }
    EXPECT_CALL(connection, tls->consume_out(connection, (size_t)n));
    return 1;
}

/* Receives a part; whether there was one, or the end. */
static int receive_some(greenling_tls_connection *connection, int fd)
{
    uint8_t *space;
    size_t len;
    ssize_t n;
    EXPECT_CALL(connection, tls->in_space(connection, &space, &len));
    if (len == 0)
        return 0;
    n = recv(fd, space, len, 0);
    if (n > 0) {
        EXPECT_CALL(connection, tls->commit_in(connection, (size_t)n));
        return 1;
    }
    if (n == 0 || errno == ECONNRESET) {
        EXPECT_CALL(connection, tls->close_in(connection));
        return 1;
    }
    return 0;
}

int transfer(greenling_tls_connection *connection, int fd)
{
    int moved = 0;
    while (send_some(connection, fd))
        moved = 1;
    return receive_some(connection, fd) || moved;
}

void flush(greenling_tls_connection *connection, int fd)
{
    while (tls->out_pending(connection) > 0)
        if (!send_some(connection, fd))
            wait_for(fd, 1);
}

int shake_hands(greenling_tls_connection *connection, int fd)
{
    int status;
    while ((status = tls->handshake(connection)) == GREENLING_TLS_WANT_READ
           || status == GREENLING_TLS_WANT_APP)
        if (status == GREENLING_TLS_WANT_APP)
            EXPECT_CALL(connection, tls->decide(connection));
        else if (!transfer(connection, fd))
            wait_for(fd, tls->out_pending(connection) > 0);
    flush(connection, fd);
    return status;
}

void echo_through_table(greenling_tls_connection *connection, int fd)
{
    unsigned char block[5000];
    size_t sent = 0, received = 0, i, n;
    int status, ended = 0;
    while (!ended) {
        /* No more than the rings hold is under way. */
        if (sent < AMOUNT && tls->out_pending(connection) == 0) {
            size_t len = AMOUNT - sent < sizeof block ? AMOUNT - sent : sizeof block;
            for (i = 0; i < len; i++)
                block[i] = pattern(sent + i);
            EXPECT_CALL(connection, tls->write(connection, block, len, &n));
            sent += n;
        }
        status = tls->read(connection, block, sizeof block, &n);
        if (status == GREENLING_TLS_OK) {
            for (i = 0; i < n; i++)
                EXPECT(block[i], pattern(received + i));
            received += n;
            if (received == AMOUNT)
                EXPECT_CALL(connection, tls->shutdown(connection));
        } else if (status == GREENLING_TLS_CLOSED) {
            ended = 1;
        } else if (status != GREENLING_TLS_WANT_READ) {
            fail(__FILE__, __LINE__, connection, status);
        } else if (!transfer(connection, fd)) {
            wait_for(fd, tls->out_pending(connection) > 0);
        }
    }
    flush(connection, fd);
    EXPECT(received, AMOUNT);
    EXPECT(tls->state(connection) & (GREENLING_TLS_STATE_PEER_CLOSED | GREENLING_TLS_STATE_CLOSED),
           GREENLING_TLS_STATE_PEER_CLOSED | GREENLING_TLS_STATE_CLOSED);
}

/* What a Rust program calls with a connection of its own. Frees it. */
int echo_for_rust(const struct greenling_tls_api *api, greenling_tls_context *context,
                  greenling_tls_connection *connection, int fd);

int echo_for_rust(const struct greenling_tls_api *api, greenling_tls_context *context,
                  greenling_tls_connection *connection, int fd)
{
    tls = api;
    EXPECT(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    if (connection == NULL)
        EXPECT_CALL(NULL, tls->connection_new(context, NULL, 700, 900, &connection, NULL));
    tls->context_release(context);
    EXPECT(shake_hands(connection, fd), GREENLING_TLS_OK);
    echo_through_table(connection, fd);
    return tls->connection_free(connection);
}
