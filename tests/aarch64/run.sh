#!/bin/sh
# Runs the runtime's aarch64 context switch on this machine under qemu.
#
# shim.rs compiles runtime/src/context/aarch64.rs as it is, main.c and
# registers.S drive it: what survives a switch, what unwinders see.
#
# A missing tool means SKIPPED, and failure with GREENLING_REQUIRE_INTEROP=1.
# CC_AARCH64, QEMU_AARCH64 and SYSROOT_AARCH64 override the names used below.
set -eu

cc=${CC_AARCH64:-aarch64-linux-gnu-gcc}
qemu=${QEMU_AARCH64:-qemu-aarch64}
sysroot=${SYSROOT_AARCH64:-/usr/aarch64-linux-gnu}
here=$(cd "$(dirname "$0")" && pwd)

for tool in rustc "$cc" "$qemu"; do
    if ! command -v "$tool" >/dev/null; then
        if [ "${GREENLING_REQUIRE_INTEROP:-0}" = 1 ]; then
            echo "FAILED aarch64: $tool is not installed" >&2
            exit 1
        fi
        echo "SKIPPED aarch64: $tool is not installed" >&2
        exit 0
    fi
done

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
trap 'echo "FAILED aarch64" >&2' HUP INT TERM

fail() {
    echo "FAILED aarch64: $1" >&2
    exit 1
}

# The shim is a core of its own, which only the bootstrap mode of a stable
# compiler allows. With and without optimisation: inlining differs.
for level in 0 3; do
    RUSTC_BOOTSTRAP=1 rustc --edition 2024 --target aarch64-unknown-linux-gnu \
        -C opt-level="$level" -C overflow-checks=off -C force-unwind-tables=yes \
        --emit obj -o "$out/shim.o" "$here/shim.rs" ||
        fail "shim.rs does not compile (optimisation $level)"
    # -ffp-contract=off: a fused multiplication would round differently.
    "$cc" -std=gnu11 -O2 -Wall -Wextra -Werror -fexceptions -ffp-contract=off \
        "$here/main.c" "$here/registers.S" "$out/shim.o" -o "$out/contexts" ||
        fail "the harness does not link (optimisation $level)"
    timeout 120 "$qemu" -L "$sysroot" "$out/contexts" ||
        fail "exit status $? (optimisation $level)"
done
echo "ok aarch64"
