"""Talks to the web server as a Python program would: client.py PORT VERSION CAFILE."""

import http.client
import socket
import ssl
import sys

PORT, VERSION, CAFILE = int(sys.argv[1]), sys.argv[2], sys.argv[3]
LINE = b"abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 01234567.\n"
WATCHDOG = 60


def context():
    context = ssl.create_default_context(cafile=CAFILE)
    # The strictest reading of our certificates (the default from Python 3.13 on).
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.minimum_version = context.maximum_version = ssl.TLSVersion[VERSION]
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def keep_alive():
    connection = http.client.HTTPSConnection("localhost", PORT, context=context(), timeout=WATCHDOG)
    connection.connect()
    tls = connection.sock
    assert tls.version() == VERSION.replace("_", "."), tls.version()
    assert tls.selected_alpn_protocol() == "http/1.1"

    def ask(method, path, body=None, **more):
        connection.request(method, path, body=body, **more)
        response = connection.getresponse()
        assert response.status == 200, response.status
        content = response.read()
        assert connection.sock is tls, "the connection was not kept"
        return content

    for _ in range(3):
        assert ask("GET", "/hello") == b"Hello, world!"
    for length in (0, 1, 16384, 1000001):
        body = ask("GET", f"/bytes/{length}")
        assert body == (LINE * (length // len(LINE) + 1))[:length], length
    sent = bytes(range(256)) * 2000
    assert ask("POST", "/echo", sent) == sent
    pieces = [sent[i : i + 9973] for i in range(0, len(sent), 9973)]
    assert ask("POST", "/echo", iter(pieces), encode_chunked=True,
               headers={"Transfer-Encoding": "chunked"}) == sent
    connection.close()


def exchange(ctx, session=None):
    """One request to the end of the stream; returns the session and whether it was resumed."""
    raw = socket.create_connection(("127.0.0.1", PORT), timeout=WATCHDOG)
    with ctx.wrap_socket(raw, server_hostname="localhost", session=session,
                         suppress_ragged_eofs=False) as tls:
        tls.sendall(b"GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        received = b""
        # An end without close_notify would raise SSLEOFError.
        while piece := tls.recv(65536):
            received += piece
        assert received.endswith(b"\r\n\r\nHello, world!"), received
        return tls.session, tls.session_reused


def resumption():
    ctx = context()
    session, reused = exchange(ctx)
    assert not reused
    for _ in range(4):
        session, reused = exchange(ctx, session)
        assert reused


def other_name():
    raw = socket.create_connection(("127.0.0.1", PORT), timeout=WATCHDOG)
    try:
        context().wrap_socket(raw, server_hostname="example.com")
    except ssl.SSLCertVerificationError as error:
        assert error.verify_code == 62, error
    else:
        raise AssertionError("a certificate for another name was accepted")


keep_alive()
resumption()
other_name()
print("all checks passed")
