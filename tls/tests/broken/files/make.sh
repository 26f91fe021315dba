#!/bin/sh
# Makes the good files that tests/broken damages, and fuzz/ begins from, with the
# program `openssl`: one of each kind, as small as the kind allows. Keys are for
# these tests only. Passphrases are "secret"; derivations take one iteration or two.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cat > "$work/config" <<'END'
[req]
distinguished_name = dn
[dn]
[attributes]
challengePassword = challenge
unstructuredName = unstructured
[ca]
basicConstraints = critical, CA:true, pathlen:3
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
nameConstraints = critical, permitted;DNS:.test, permitted;IP:127.0.0.0/255.0.0.0, excluded;email:bad.test, permitted;dirName:directory
certificatePolicies = 1.2.3.4, @policy
policyConstraints = requireExplicitPolicy:3, inhibitPolicyMapping:0
inhibitAnyPolicy = 2
[policy]
policyIdentifier = 1.3.5.8
CPS.1 = http://policy.test/
userNotice.1 = @notice
[notice]
explicitText = UTF8:Notice
organization = Organization
noticeNumbers = 1, 2
[leaf]
basicConstraints = CA:false
keyUsage = digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth, clientAuth, emailProtection, 1.2.3.4
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid, issuer:always
subjectAltName = DNS:localhost, DNS:*.leaf.test, IP:127.0.0.1, IP:::1, email:me@leaf.test, URI:https://leaf.test/, RID:1.2.3.4, dirName:directory, otherName:1.2.3.5;UTF8:other
issuerAltName = DNS:ca.test
crlDistributionPoints = URI:http://ca.test/crl, points
authorityInfoAccess = OCSP;URI:http://ca.test/ocsp, caIssuers;URI:http://ca.test/ca
tlsfeature = status_request
nsComment = Comment
1.2.3.4.5 = DER:0403010203
[points]
fullname = URI:http://ca.test/other
CRLissuer = dirName:directory
reasons = keyCompromise, CACompromise
[directory]
C = DE
CN = directory
[request]
subjectAltName = DNS:request.test, IP:127.0.0.1
keyUsage = critical, digitalSignature
[crl]
authorityKeyIdentifier = keyid
issuerAltName = DNS:ca.test
[authority]
database = index
crlnumber = number
[spkac]
SPKAC = none
END
config="-config $work/config"
key() { openssl genpkey -quiet -algorithm "$@"; }
ec="-algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:named_curve"

# shellcheck disable=SC2086
openssl genpkey $ec -out ca.key
# shellcheck disable=SC2086
openssl genpkey $ec -out pkcs8.key
key ED25519 -out ed25519.key
key X25519 -out x25519.key
key RSA -pkeyopt rsa_keygen_bits:1024 -out "$work/rsa.key"
openssl dsaparam -noout -genkey -out "$work/dsa.key" 1024 2> "$work/log"
openssl pkey -traditional -in "$work/dsa.key" -out dsa.key
openssl rsa -traditional -in "$work/rsa.key" -out rsa.key 2> "$work/log"
openssl ec -in pkcs8.key -out ec.key 2> "$work/log"
openssl ec -in pkcs8.key -aes128 -passout pass:secret -out ec-encrypted.key 2> "$work/log"
openssl pkcs8 -topk8 -in pkcs8.key -iter 1 -v2 aes-256-cbc -passout pass:secret \
    -out pkcs8-encrypted.key
openssl pkcs8 -topk8 -in pkcs8.key -iter 1 -scrypt -scrypt_N 2 -passout pass:secret \
    -out pkcs8-scrypt.key
openssl pkcs8 -topk8 -in pkcs8.key -iter 1 -v1 PBE-SHA1-3DES -passout pass:secret \
    -out pkcs8-legacy.key
openssl pkey -in pkcs8.key -pubout -out ec.pub
openssl rsa -in rsa.key -RSAPublicKey_out -out rsa.pub 2> "$work/log"
openssl pkey -in ed25519.key -pubout -out ed25519.pub

ca() { openssl x509 -req -days 10000 -set_serial 0x123456789abcdef0 "$@" 2> "$work/log"; }
# shellcheck disable=SC2086
openssl req -new $config -key ca.key -subj /C=DE/ST=State/L=Locality/O=Org/CN=ca.test \
    -out "$work/ca.req"
ca -in "$work/ca.req" -signkey ca.key -extfile "$work/config" -extensions ca -out ca.crt
# shellcheck disable=SC2086
openssl req -new $config -key pkcs8.key -utf8 \
    -subj '/C=DE/O=Größe/OU=a+OU=b/CN=leaf.test/emailAddress=me@leaf.test' -out "$work/leaf.req"
ca -in "$work/leaf.req" -CA ca.crt -CAkey ca.key -extfile "$work/config" \
    -extensions leaf -out leaf.crt
cat leaf.crt ca.crt > chain.crt
openssl x509 -in leaf.crt -trustout -setalias alias -addtrust serverAuth -out trusted.crt
sed -i 's/^\[req\]/[req]\nattributes = attributes\nprompt = no/; s/^\[dn\]/[dn]\nCN = request.test/' \
    "$work/config"
# shellcheck disable=SC2086
openssl req -new $config -key pkcs8.key -reqexts request -out request.csr

(
    cd "$work"
    echo 0A > number
    revoked() { printf 'R\t400101000000Z\t%s\t%s\tunknown\t/CN=%s\n' "$1" "$2" "$2"; }
    { revoked 240101000000Z,keyCompromise 01; revoked 240102000000Z 02
      revoked 240103000000Z,holdInstruction,holdInstructionReject 03; } > index
    openssl ca -config config -name authority -gencrl -crldays 10000 -md sha256 -crlexts crl \
        -cert "$OLDPWD/ca.crt" -keyfile "$OLDPWD/ca.key" -out list.crl 2> log
)
mv "$work/list.crl" list.crl

p12() { openssl pkcs12 -export -in leaf.crt -certfile ca.crt -inkey pkcs8.key -name friendly \
    -passout pass:secret -iter 2 "$@"; }
p12 -out modern.p12
p12 -legacy -macalg sha1 -out legacy.p12
p12 -nomac -keypbe NONE -certpbe NONE -out open.p12

openssl crl2pkcs7 -in list.crl -certfile chain.crt -out certs.p7
echo content > "$work/content"
signed() { openssl smime -sign -in "$work/content" -signer leaf.crt -inkey pkcs8.key "$@"; }
signed -nodetach -outform PEM -out signed.p7
signed -nodetach -out opaque.eml
signed -out detached.eml
# shellcheck disable=SC2086
openssl req -new -x509 $config -key "$work/rsa.key" -days 10000 -out "$work/rsa.crt"
openssl smime -encrypt -aes128 -outform PEM -in "$work/content" -out enveloped.p7 "$work/rsa.crt"
cp "$work/rsa.crt" rsa.crt

openssl spkac -digest sha256 -key pkcs8.key -challenge challenge | sed 's/^SPKAC=//' > spkac.txt
