"""What a Python client derives from one connection: bindings.py PORT VERSION CAFILE."""

import hashlib
import socket
import ssl
import sys

PORT, VERSION, CAFILE = int(sys.argv[1]), sys.argv[2], sys.argv[3]

context = ssl.create_default_context(cafile=CAFILE)
context.minimum_version = context.maximum_version = ssl.TLSVersion[VERSION]
raw = socket.create_connection(("127.0.0.1", PORT), timeout=60)
with context.wrap_socket(raw, server_hostname="localhost") as tls:
    # TLS 1.3 has no tls-unique, though Python answers something.
    unique = tls.get_channel_binding("tls-unique") if VERSION == "TLSv1_2" else b""
    end_point = hashlib.sha256(tls.getpeercert(binary_form=True)).digest()
    name, version, bits = tls.cipher()
    for line in (unique.hex(), end_point.hex(), name, version, str(bits)):
        tls.sendall(line.encode() + b"\n")
    tls.unwrap()
