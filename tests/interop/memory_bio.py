"""Python's ssl.MemoryBIO: memory_bio.py play|talk ... (see memory_bio.rs)."""

import socket
import ssl
import sys

WATCHDOG = 60


def contexts(version, directory):
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(f"{directory}/cert.pem", f"{directory}/key.pem")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(f"{directory}/ca.pem")
    for context in (server, client):
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    return server, client


class Side:
    """One object with its buffers, and whether a call has failed for good."""

    def __init__(self, context, **more):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, **more)
        self.ended = self.dead = False

    def try_handshake(self):
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass

    def give(self, data):
        if not self.ended:
            self.incoming.write(data)

    def call(self, action, number):
        if action == "end":
            self.ended = True
            self.incoming.write_eof()
            return "ended"
        if self.dead:
            return "dead"
        try:
            if action == "read":
                data = self.tls.read(number)
                return f"{len(data)} bytes, sum {sum(data)}"
            if action == "write":
                return str(self.tls.write(bytes((i * 7 + number) % 256 for i in range(number))))
            self.tls.unwrap()
            return "unwrapped"
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError) as error:
            return type(error).__name__
        except ssl.SSLError as error:
            self.dead = error.reason != "PROTOCOL_IS_SHUTDOWN"
            return f"{type(error).__name__} {error.reason}"

    def tell(self):
        return (f"in {self.incoming.pending} {self.incoming.eof}, out {self.outgoing.pending},"
                f" pending {self.tls.pending()}")


def play(version, directory):
    """Plays the scripts of standard input; a line of result for each line of them."""
    server_context, client_context = contexts(version, directory)
    sides = {}
    for line in sys.stdin:
        who, action, number = line.split()
        if action == "new":
            client = Side(client_context, server_hostname="localhost")
            server = Side(server_context, server_side=True)
            sides = {"client": (client, server), "server": (server, client)}
            for _ in range(4):
                for here, there in sides.values():
                    here.try_handshake()
                    there.give(here.outgoing.read())
            print("new")
            continue
        here, there = sides[who]
        if action == "carry":
            there.give(here.outgoing.read(int(number)))
            print("carried", there.tell())
        else:
            print(here.call(action, int(number)), here.tell())


def talk(role, port, version, directory):
    """Speaks TLS through buffers on a real connection, then plain text; twice, and the
    second time with the session of the first."""
    server_context, client_context = contexts(version, directory)
    for context in (server_context, client_context):
        context.set_alpn_protocols(["other", "echo"])
    server_context.load_verify_locations(f"{directory}/ca.pem")
    server_context.verify_mode = ssl.CERT_REQUIRED
    client_context.load_cert_chain(f"{directory}/client.pem", f"{directory}/client-key.pem")
    asked_for = []
    server_context.sni_callback = lambda tls, name, context: asked_for.append(name)
    session = None
    for resumed in (False, True):
        if role == "client":
            side = Side(client_context, server_hostname="localhost", session=session)
        else:
            side = Side(server_context, server_side=True)
        session = converse(side, port, version, resumed)
    assert role == "client" or asked_for == ["localhost"] * 2, asked_for
    print("all checks passed")


def converse(side, port, version, resumed):
    """One connection; returns its session."""
    tls = side.tls
    connection = socket.create_connection(("127.0.0.1", int(port)), timeout=WATCHDOG)

    def until_done(call, *arguments):
        while True:
            try:
                result, waits = call(*arguments), False
            except ssl.SSLWantReadError:
                waits = True
            connection.sendall(side.outgoing.read())
            if not waits:
                return result
            received = connection.recv(65536)
            if received:
                side.incoming.write(received)
            else:
                side.incoming.write_eof()

    until_done(tls.do_handshake)
    assert tls.version() == version.replace("_", "."), tls.version()
    assert tls.selected_alpn_protocol() == "echo", tls.selected_alpn_protocol()
    assert tls.session_reused == resumed
    names = tls.getpeercert()["subjectAltName"]
    assert ("DNS", "peer" if tls.server_side else "localhost") in names, names
    for length in (1, 100, 16384, 16385, 300000):
        sent = bytes((i * 31 >> 3) % 256 for i in range(length))
        assert until_done(tls.write, length.to_bytes(4, "big") + sent) == 4 + length
        received = b""
        while len(received) < length:
            piece = until_done(tls.read, length)
            assert piece, "an early end"
            received += piece
        assert received == sent, length
    session = tls.session
    until_done(tls.unwrap)
    connection.sendall(b"plain text\n")
    answer = side.incoming.read()
    while not answer.endswith(b"\n"):
        piece = connection.recv(100)
        assert piece, "an early end"
        answer += piece
    assert answer == b"PLAIN TEXT\n", answer
    connection.close()
    return session


{"play": play, "talk": talk}[sys.argv[1]](*sys.argv[2:])
