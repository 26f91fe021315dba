#!/bin/sh
# cargo test under AddressSanitizer, which is told of every change of stacks:
#
#   tests/sanitizers/address.sh -p tests --test stackless
#
# The stable compiler brings the sanitizer along; only its option is unstable.
# Uses after return and leaks are looked for as well.
set -eu
host=$(rustc -vV | sed -n 's/^host: //p')
export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="-Zsanitizer=address --cfg greenling_asan ${RUSTFLAGS:-}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/asan"
export ASAN_OPTIONS="detect_stack_use_after_return=1:detect_leaks=1:${ASAN_OPTIONS:-}"
# The random programs of `stackless` are as many as an ordinary build can run.
export GREENLING_TEST_PROGRAMS="${GREENLING_TEST_PROGRAMS:-2000}"
# With a target named, build scripts and macros are not compiled with it.
exec cargo test --target "$host" "$@"
