"""A client and a server of TLS, as Python programs write them; `peer.go` is alike.

    peer.py client PORT DIRECTORY   does what each line of standard input asks:
                                    VERSION [PROTOCOLS] NAME:CERTIFICATE ..
                                    and prints a line about the last visit of each
    peer.py server DIRECTORY CERTIFICATE [demand]
                                    prints its port, and tells each client what it
                                    sees of the connection
"""

import socket
import ssl
import sys

WATCHDOG = 60


def visit(context, port, name, session):
    """One connection: the server's line, and the session."""
    raw = socket.create_connection(("127.0.0.1", port), timeout=WATCHDOG)
    with context.wrap_socket(raw, server_hostname=name or None, session=session,
                             suppress_ragged_eofs=False) as tls:
        tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
        received = b""
        while piece := tls.recv(65536):
            received += piece
        told = received.split(b"\r\n\r\n")[1].decode().strip()
        # What this end finds must be what the server has told.
        for own in (f" version={tls.version()} ", f" alpn={tls.selected_alpn_protocol() or ''} ",
                    f" resumed={'yes' if tls.session_reused else 'no'} "):
            if own not in told:
                raise AssertionError(f"{own!r} is not in {told!r}")
        return told, tls.session


def client(port, directory):
    for line in sys.stdin:
        version, protocols, *visits = line.split()
        context = ssl.create_default_context(cafile=f"{directory}/ca.pem")
        version = version.replace(".", "_")
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
        if protocols != "[]":
            context.set_alpn_protocols(protocols.strip("[]").split(","))
        session = None
        for where in visits:
            name, certificate = where.split(":")
            # The first host's certificate is for 127.0.0.1 as well, but a client that
            # verifies an address would send no name at all.
            context.check_hostname = bool(name)
            if certificate:
                files = (f"{directory}/{certificate}.pem", f"{directory}/{certificate}.key")
                context.load_cert_chain(*files)
            try:
                answer, session = visit(context, int(port), name, session)
            except ssl.SSLError as error:
                answer = f"refused: {error}"
        print(answer)


def serve(context, listener):
    connection, _ = listener.accept()
    names = []
    context.sni_callback = lambda tls, name, context: names.append(name or "")
    with context.wrap_socket(connection, server_side=True) as tls:
        request = b""
        while b"\r\n\r\n" not in request:
            piece = tls.recv(65536)
            if not piece:
                return
            request += piece
        certificate = tls.getpeercert() or {}
        client = dict(certificate.get("subjectAltName", ())).get("DNS", "")
        told = (f"told host=python version={tls.version()} alpn={tls.selected_alpn_protocol() or ''}"
                f" sni={''.join(names)} resumed={'yes' if tls.session_reused else 'no'}"
                f" client={client} end\n")
        tls.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + told.encode())
        tls.unwrap()


def server(directory, certificate, *demand):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=f"{directory}/ca.pem")
    context.load_cert_chain(f"{directory}/{certificate}.pem", f"{directory}/{certificate}.key")
    context.set_alpn_protocols(["http/1.1", "pop3"])
    if demand:
        context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print("port", listener.getsockname()[1], flush=True)
        while True:
            try:
                serve(context, listener)
            except OSError as error:
                # A refused client is judged by what it says itself.
                print("failed:", error, flush=True)


{"client": client, "server": server}[sys.argv[1]](*sys.argv[2:])
