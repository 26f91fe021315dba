#!/usr/bin/env bash
# Builds what there is to compare, measures everything, and renders it into
# docs/performance: the value of each run, tables and charts.
#
# benches/all.sh [NAME [OPTIONS OF compare]...]     NAME of the recording; today's date
set -euo pipefail
cd "$(dirname "$0")/.."
name=${1:-$(date -u +%Y-%m-%d)}
shift || true
target=${CARGO_TARGET_DIR:-target}
recording=docs/performance/results/$name.jsonl
if [ -e "$recording" ]; then
    echo "$recording is there already: choose another name" >&2
    exit 1
fi

cargo build --release -p examples --example webserver
# A folder of its own: another library below the same program.
cargo build --release -p examples --example webserver --features aws-lc \
    --target-dir "$target/aws-lc" || echo "goes on without AWS-LC" >&2
cargo build --release -p benches --features rivals

# What could be measured is worth rendering, whatever failed.
status=0
"$target/release/compare" all --record "$recording" "$@" || status=$?
"$target/release/report" docs/performance
exit "$status"
