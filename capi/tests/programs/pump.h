/* What the test programs share: a socket, a poll loop, and what they expect. */
#ifndef PUMP_H
#define PUMP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <greenling_tls.h>

/* How much each side sends. */
#define AMOUNT (1 << 20)

/* Ends the program with the place and the values that are not equal. */
#define EXPECT(what, wanted)                                                                 \
    do {                                                                                     \
        long long is_ = (long long)(what), wanted_ = (long long)(wanted);                    \
        if (is_ != wanted_) {                                                                \
            fprintf(stderr, "%s:%d: %s is %lld and not %lld\n", __FILE__, __LINE__, #what,   \
                    is_, wanted_);                                                           \
            exit(1);                                                                         \
        }                                                                                    \
    } while (0)

#define EXPECT_CALL(connection, call)                                                        \
    do {                                                                                     \
        int status_ = (call);                                                                \
        if (status_ != GREENLING_TLS_OK)                                                     \
            fail(__FILE__, __LINE__, connection, status_);                                   \
    } while (0)

extern const struct greenling_tls_api *tls;

void fail(const char *file, int line, const greenling_tls_connection *connection, int status);

int connect_to(const char *port);

/* Waits until the socket can be read, or written if that is asked for. */
void wait_for(int fd, int to_write);

/* Byte number i of what is sent. */
unsigned char pattern(size_t i);

/* Moves ciphertext once in both directions, without waiting. Whether any moved. */
int transfer(greenling_tls_connection *connection, int fd);

/* Sends all that is there. */
void flush(greenling_tls_connection *connection, int fd);

/* The handshake; the status it ends with. */
int shake_hands(greenling_tls_connection *connection, int fd);

/* Sends AMOUNT bytes, receives as many equal ones, and closes in both directions. */
void echo_through_table(greenling_tls_connection *connection, int fd);
void echo_by_openssl(greenling_tls_connection *connection, int fd);

#endif
