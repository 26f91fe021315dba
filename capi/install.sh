#!/bin/sh
# Copies header, libraries and pkg-config file to where C compilers look.
#
#   cargo build --release -p greenling-tls-c
#   capi/install.sh PREFIX [FOLDER OF THE LIBRARIES]
set -eu
prefix=${1:?"usage: $0 PREFIX [FOLDER]"}
here=$(cd "$(dirname "$0")" && pwd)
from=${2:-$here/../target/release}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$here/../Cargo.toml" | head -n 1)

mkdir -p "$prefix/include" "$prefix/lib/pkgconfig"
prefix=$(cd "$prefix" && pwd)
cp "$here/../tls/include/greenling_tls.h" "$prefix/include/"
cp "$from/libgreenling_tls_c.so" "$prefix/lib/"
# A build of the shared library alone has no other.
if test -f "$from/libgreenling_tls_c.a"; then
    cp "$from/libgreenling_tls_c.a" "$prefix/lib/"
fi
sed "s|@prefix@|$prefix|; s|@version@|$version|" "$here/greenling-tls.pc.in" \
    >"$prefix/lib/pkgconfig/greenling-tls.pc"
