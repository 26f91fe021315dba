"""Does with python3-openssl what the suite `pyopenssl` does with ours: driver.py.

A line of standard input is an operation, a JSON array of its name and arguments, and
a line of standard output is what came of it: [1, RESULT], or [0, REASON] if it was
refused. Bytes are strings of hexadecimal digits in both, and text is its UTF-8.
Whatever pyOpenSSL 23 has no function for is done by its own binding to OpenSSL, or by
calling libcrypto.
"""

import calendar
import ctypes
import datetime
import hashlib
import json
import sys
import warnings

import OpenSSL
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs7
from OpenSSL import crypto, rand
from OpenSSL._util import ffi, lib

PEM, DER = crypto.FILETYPE_PEM, crypto.FILETYPE_ASN1
FORMS = {0: PEM, 1: DER}

# What is deprecated is what is compared.
warnings.simplefilter("ignore")

LIBCRYPTO = ctypes.CDLL("libcrypto.so.3")

KEYS = []


def start(*ders):
    """Keeps the keys that the other operations name by number."""
    KEYS.extend(crypto.load_privatekey(DER, der) for der in ders)
    return OpenSSL.__version__


def public(key):
    return crypto.dump_publickey(DER, key)


# Names


def fill(name, attributes):
    for attribute, value in attributes:
        setattr(name, attribute.decode(), value.decode())
    return name


def new_name(attributes):
    return fill(crypto.X509().get_subject(), attributes)


GETTERS = ["C", "ST", "L", "O", "OU", "CN", "emailAddress"]
LONG = [
    "countryName",
    "stateOrProvinceName",
    "localityName",
    "organizationName",
    "organizationalUnitName",
    "commonName",
    "emailAddress",
]


def describe_name(name):
    der = name.der()
    short = [getattr(name, attribute) for attribute in GETTERS]
    assert short == [getattr(name, attribute) for attribute in LONG]
    old_hash = int.from_bytes(hashlib.md5(der).digest()[:4], "little")
    return [der, name.hash(), old_hash, short, [list(c) for c in name.get_components()]]


def name(attributes):
    return describe_name(new_name(attributes))


def get_attribute(attributes, wanted):
    return getattr(new_name(attributes), wanted.decode())


def compare_names(first, second):
    first, second = new_name(first), new_name(second)
    return [first == second, first < second, first > second]


# Extensions


def cert_or_none(der):
    return None if der is None else crypto.load_certificate(DER, der)


def new_ext(type_name, critical, value, subject=None, issuer=None):
    subject, issuer = cert_or_none(subject), cert_or_none(issuer)
    return crypto.X509Extension(type_name, bool(critical), value, subject, issuer)


def describe_ext(extension):
    return [
        extension.get_short_name(),
        extension.get_critical(),
        extension.get_data(),
    ]


def ext(*arguments):
    extension = new_ext(*arguments)
    try:
        text = str(extension)
    except crypto.Error:
        lib.ERR_clear_error()
        text = None
    return describe_ext(extension) + [text]


# Times and serial numbers


def instant(when):
    """Seconds since 1970 of what `get_notBefore` gives, in any of its three forms."""
    text = when.decode()
    # Python has no year 0; 400 years have 146,097 days in all calendars.
    clock = f"{int(text[:4]) + 400:04}{text[4:14]}" if text < "9" else text[:14]
    clock = datetime.datetime.strptime(clock, "%Y%m%d%H%M%S")
    seconds = calendar.timegm(clock.timetuple()) - (146_097 * 86_400 if text < "9" else 0)
    zone = text[14:]
    if zone != "Z":
        away = int(zone[1:3]) * 3600 + int(zone[3:5]) * 60
        seconds -= away if zone[0] == "+" else -away
    return seconds


def time(text):
    certificate = crypto.X509()
    certificate.set_notBefore(text)
    return [certificate.get_notBefore(), instant(certificate.get_notBefore())]


def serial(negative, magnitude):
    number = int.from_bytes(magnitude, "big")
    certificate = crypto.X509()
    certificate.set_serial_number(-number if negative else number)
    got = certificate.get_serial_number()
    revoked = crypto.Revoked()
    revoked.set_serial(b"%x" % got)
    return [b"%X" % got, b"%d" % got, revoked.get_serial()]


# Certificates, requests, lists


def sign_with(raw_sign, thing, key, digest):
    """Signs; pyOpenSSL insists on a digest, which Ed25519 does not have."""
    if digest is None:
        crypto._openssl_assert(raw_sign(thing, key._pkey, ffi.NULL) > 0)
        return True
    return False


def new_cert(version, serial, subject, issuer, begin, end, key, exts, signer, digest):
    certificate = crypto.X509()
    certificate.set_version(version)
    certificate.set_serial_number(int.from_bytes(serial, "big"))
    certificate.set_subject(new_name(subject))
    certificate.set_issuer(new_name(issuer))
    certificate.set_notBefore(begin)
    certificate.set_notAfter(end)
    certificate.set_pubkey(KEYS[key])
    certificate.add_extensions([new_ext(*extension) for extension in exts])
    signer = KEYS[signer]
    if not sign_with(lib.X509_sign, certificate._x509, signer, digest):
        certificate.sign(signer, digest.decode())
    return certificate


def make_cert(*fields):
    return crypto.dump_certificate(DER, new_cert(*fields))


def describe_cert(certificate):
    count = certificate.get_extension_count()
    return [
        certificate.get_version(),
        b"%X" % certificate.get_serial_number(),
        certificate.get_subject().der(),
        certificate.get_issuer().der(),
        instant(certificate.get_notBefore()),
        instant(certificate.get_notAfter()),
        public(certificate.get_pubkey()),
        certificate.get_signature_algorithm(),
        certificate.subject_name_hash(),
        [describe_ext(certificate.get_extension(number)) for number in range(count)],
        [certificate.digest(digest) for digest in ("md5", "sha1", "sha256", "sha512")],
        crypto.dump_certificate(PEM, certificate),
        crypto.dump_certificate(crypto.FILETYPE_TEXT, certificate),
    ]


def cert(form, data):
    return describe_cert(crypto.load_certificate(FORMS[form], data))


def has_expired(der):
    return crypto.load_certificate(DER, der).has_expired()


def cert_digest(der, digest):
    return crypto.load_certificate(DER, der).digest(digest.decode())


def make_request(subject, key, exts, digest):
    request = crypto.X509Req()
    fill(request.get_subject(), subject)
    request.set_pubkey(KEYS[key])
    if exts:
        request.add_extensions([new_ext(*extension) for extension in exts])
    if not sign_with(lib.X509_REQ_sign, request._req, KEYS[key], digest):
        request.sign(KEYS[key], digest.decode())
    return crypto.dump_certificate_request(DER, request)


def request(form, data):
    found = crypto.load_certificate_request(FORMS[form], data)
    exts = found.get_extensions() if has_extensions(found) else []
    return [
        found.get_version(),
        found.get_subject().der(),
        public(found.get_pubkey()),
        [describe_ext(extension) for extension in exts],
        crypto.dump_certificate_request(PEM, found),
        crypto.dump_certificate_request(crypto.FILETYPE_TEXT, found),
    ]


def has_extensions(found):
    """Whether there are any: pyOpenSSL frees a list that is not there."""
    return lib.X509_REQ_get_extensions(found._req) != ffi.NULL


def verify_request(data, key):
    return crypto.load_certificate_request(DER, data).verify(KEYS[key])


def make_crl(issuer, key, last, after, revoked, digest, exts=()):
    crl = crypto.CRL()
    crl.set_version(1)
    crl.set_lastUpdate(last)
    crl.set_nextUpdate(after)
    for number, date, reason in revoked:
        one = crypto.Revoked()
        one.set_serial(number)
        one.set_rev_date(date)
        one.set_reason(reason)
        crl.add_revoked(one)
    for extension in exts:
        extension = new_ext(*extension)._extension
        crypto._openssl_assert(lib.X509_CRL_add_ext(crl._crl, extension, -1) == 1)
    if digest is None:
        authority = crypto.load_certificate(DER, issuer)
        lib.X509_CRL_set_issuer_name(
            crl._crl, lib.X509_get_subject_name(authority._x509)
        )
        lib.X509_CRL_sort(crl._crl)
        done = lib.X509_CRL_sign(crl._crl, KEYS[key]._pkey, ffi.NULL)
        crypto._openssl_assert(done > 0)
    else:
        crl.sign(crypto.load_certificate(DER, issuer), KEYS[key], digest)
    return crypto.dump_crl(DER, crl)


def crl(form, data):
    found = crypto.load_crl(FORMS[form], data)
    revoked = [
        [one.get_serial(), instant(one.get_rev_date()), one.get_reason()]
        for one in found.get_revoked() or ()
    ]
    text = crypto.dump_crl(crypto.FILETYPE_TEXT, found)
    return [found.get_issuer().der(), revoked, crypto.dump_crl(PEM, found), text]


# Keys


def make_key_pem(key, cipher, passphrase):
    cipher = None if cipher is None else cipher.decode()
    return crypto.dump_privatekey(PEM, KEYS[key], cipher, passphrase)


def key_forms(key):
    key = KEYS[key]
    forms = [crypto.dump_privatekey(form, key) for form in (PEM, DER)]
    forms += [crypto.dump_publickey(form, key) for form in (PEM, DER)]
    return forms + [key.bits()]


def key(form, data, passphrase):
    """The public half tells which key it is."""
    found = crypto.load_privatekey(FORMS[form], data, passphrase)
    return [public(found), found.bits(), crypto.dump_privatekey(DER, found)]


def key_by_callback(data, passphrase):
    return public(crypto.load_privatekey(PEM, data, lambda writing: passphrase))


def public_key(form, data):
    found = crypto.load_publickey(FORMS[form], data)
    return [public(found), found.bits()]


def sign(key, data, digest):
    return crypto.sign(KEYS[key], data, digest.decode())


def verify(certificate, signature, data, digest):
    certificate = crypto.load_certificate(DER, certificate)
    crypto.verify(certificate, signature, data, digest.decode())
    return True


# Containers


def make_pkcs12(certificate, key, chain, friendly_name, passphrase, iterations):
    box = crypto.PKCS12()
    if certificate is not None:
        box.set_certificate(crypto.load_certificate(DER, certificate))
    if key is not None:
        box.set_privatekey(KEYS[key])
    if chain:
        box.set_ca_certificates(crypto.load_certificate(DER, der) for der in chain)
    box.set_friendlyname(friendly_name)
    return box.export(passphrase, iter=iterations, maciter=iterations)


def pkcs12(data, passphrase):
    box = crypto.load_pkcs12(data, passphrase)
    certificate, key = box.get_certificate(), box.get_privatekey()
    return [
        certificate and crypto.dump_certificate(DER, certificate),
        key and public(key),
        [crypto.dump_certificate(DER, one) for one in box.get_ca_certificates() or ()],
        box.get_friendlyname(),
    ]


def describe_pkcs7(found):
    return [
        found.get_type_name(),
        found.type_is_signed(),
        found.type_is_enveloped(),
        found.type_is_signedAndEnveloped(),
        found.type_is_data(),
    ]


def load_pkcs7(form, data):
    return describe_pkcs7(crypto.load_pkcs7_data(FORMS[form], data))


def make_pkcs7(certificate, key, content, detached, form):
    """A signature by `cryptography`, which pyOpenSSL refers to."""
    certificate = crypto.load_certificate(DER, certificate).to_cryptography()
    key = KEYS[key].to_cryptography_key()
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
    builder = builder.add_signer(certificate, key, hashes.SHA256())
    options = [pkcs7.PKCS7Options.Binary]
    if detached:
        options.append(pkcs7.PKCS7Options.DetachedSignature)
    encodings = {0: serialization.Encoding.PEM, 1: serialization.Encoding.DER}
    return builder.sign(encodings[form], options)


def pkcs7_certs(certificates, form):
    certificates = [crypto.load_certificate(DER, der) for der in certificates]
    encodings = {0: serialization.Encoding.PEM, 1: serialization.Encoding.DER}
    found = [certificate.to_cryptography() for certificate in certificates]
    return pkcs7.serialize_certificates(found, encodings[form])


def pkcs7_read_certs(form, data):
    load = {0: pkcs7.load_pem_pkcs7_certificates, 1: pkcs7.load_der_pkcs7_certificates}
    found = load[form](data)
    return [one.public_bytes(serialization.Encoding.DER) for one in found]


def verify_pkcs7(form, data, content):
    """Whether the signatures are right, whoever has signed; answers the content."""
    found = crypto.load_pkcs7_data(FORMS[form], data)._pkcs7
    nobody = ffi.gc(lib.X509_STORE_new(), lib.X509_STORE_free)
    given = ffi.NULL if content is None else crypto._new_mem_buf(content)
    out = crypto._new_mem_buf()
    flags = lib.PKCS7_NOVERIFY | lib.PKCS7_BINARY
    done = lib.PKCS7_verify(found, ffi.NULL, nobody, given, out, flags)
    crypto._openssl_assert(done == 1)
    return crypto._bio_to_string(out)


def make_spkac(key, digest):
    spkac = crypto.NetscapeSPKI()
    spkac.set_pubkey(KEYS[key])
    if not sign_with(lib.NETSCAPE_SPKI_sign, spkac._spki, KEYS[key], digest):
        spkac.sign(KEYS[key], digest.decode())
    return spkac.b64_encode()


def load_spkac(text):
    # The constructor of version 23 takes no text, unlike the manual's.
    raw = lib.NETSCAPE_SPKI_b64_decode(text, len(text))
    if raw == ffi.NULL:
        crypto._raise_current_error()
    spkac = crypto.NetscapeSPKI()
    spkac._spki = ffi.gc(raw, lib.NETSCAPE_SPKI_free)
    return spkac


def spkac(text):
    found = load_spkac(text)
    return [public(found.get_pubkey()), found.b64_encode()]


def verify_spkac(text, key):
    return load_spkac(text).verify(KEYS[key])


# Trust


def verify_chain(trusted, crls, flags, at, certificate, chain):
    store = crypto.X509Store()
    for der in trusted:
        store.add_cert(crypto.load_certificate(DER, der))
    for der in crls:
        store.add_crl(crypto.load_crl(DER, der))
    store.set_time(datetime.datetime.utcfromtimestamp(at))
    store.set_flags(flags)
    certificate = crypto.load_certificate(DER, certificate)
    chain = [crypto.load_certificate(DER, der) for der in chain]
    context = crypto.X509StoreContext(store, certificate, chain)
    try:
        path = context.get_verified_chain()
    except crypto.X509StoreContextError as error:
        code, depth, _ = error.errors
        return [code, depth]
    return [0, [crypto.dump_certificate(DER, one) for one in path]]


# Randomness: of the manual's functions version 23 has two, libcrypto all that are left.


def rand_add(data, entropy):
    rand.add(data, entropy)
    return rand.status()


def counted(count):
    if count < 0:
        raise OSError("the file cannot be used")
    return count


def rand_write_file(path):
    return counted(LIBCRYPTO.RAND_write_file(path))


def rand_load_file(path, length):
    LIBCRYPTO.RAND_load_file.argtypes = [ctypes.c_char_p, ctypes.c_long]
    return counted(LIBCRYPTO.RAND_load_file(path, length))


def decoded(value):
    if isinstance(value, str):
        return bytes.fromhex(value)
    return [decoded(one) for one in value] if isinstance(value, list) else value


def encoded(value):
    if isinstance(value, (list, tuple)):
        return [encoded(one) for one in value]
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return value.hex()
    return None if value is None else int(value)


def reason(error):
    """The kind of the exception, and OpenSSL's reasons."""
    text = type(error).__name__ + ": "
    if isinstance(error, crypto.Error) and error.args and error.args[0]:
        return text + ", ".join(reasons[2] for reasons in error.args[0])
    return text + str(error)


def main():
    operations = dict(globals())
    for line in sys.stdin:
        operation, *arguments = json.loads(line)
        try:
            result = [1, encoded(operations[operation](*map(decoded, arguments)))]
        except Exception as error:
            lib.ERR_clear_error()
            result = [0, encoded(reason(error))]
        print(json.dumps(result), flush=True)


main()
