#!/bin/sh
# cargo test under Valgrind's memcheck, which is told of every stack:
#
#   tests/sanitizers/memcheck.sh -p tests --test stackless
#
# An error that memcheck finds makes the test binary fail with status 9.
set -eu
host=$(rustc -vV | sed -n 's/^host: //p')
runner=CARGO_TARGET_$(echo "$host" | tr 'a-z-' 'A-Z_')_RUNNER
export "$runner=valgrind --quiet --error-exitcode=9 ${VALGRIND_OPTIONS:-}"
export RUSTFLAGS="--cfg greenling_valgrind ${RUSTFLAGS:-}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/valgrind"
# The random programs of `stackless` run in processes of their own, which are
# not watched.
export GREENLING_TEST_PROGRAMS="${GREENLING_TEST_PROGRAMS:-50}"
exec cargo test --target "$host" "$@"
