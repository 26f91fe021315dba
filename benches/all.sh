#!/usr/bin/env bash
# Builds what there is to compare, measures everything, and renders it into
# docs/performance: the value of each run, tables and charts.
#
# benches/all.sh [--name NAME] [--cases "CASE..."] [OPTIONS OF compare]
#
#   --name NAME      of the recording; today's date
#   --cases CASES    instead of all; the recording may be there already then
#   --seconds N      of each run under load, --runs N: how many; see README.md
set -euo pipefail
cd "$(dirname "$0")/.."
name=$(date -u +%Y-%m-%d)
cases=(switch channel spawn parked crowds waits timer tls-engine http https handshake resume
    bulk idle latency crowd scaling workers growth)
appending=
options=()
while [ $# -gt 0 ]; do
    case $1 in
        --name | --cases | --seconds | --runs | --who)
            [ $# -gt 1 ] || { echo "$1 needs a value" >&2; exit 2; }
            case $1 in
                --name) name=$2 ;;
                --cases) read -ra cases <<<"$2"; appending=yes ;;
                *) options+=("$1" "$2") ;;
            esac
            shift 2
            ;;
        --quick) options+=("$1"); shift ;;
        *) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2 ;;
    esac
done
target=${CARGO_TARGET_DIR:-target}
recording=docs/performance/results/$name.jsonl
if [ -e "$recording" ] && [ -z "$appending" ]; then
    echo "$recording is there already: choose another name" >&2
    exit 1
fi

# Contenders that are not installed are left out; a load generator must be there.
command -v wrk >/dev/null || { echo "wrk is not installed" >&2; exit 1; }
command -v go >/dev/null || echo "goes on without Go: there is no go on the PATH" >&2
[ -x /usr/sbin/nginx ] || command -v nginx >/dev/null || echo "goes on without nginx" >&2

cargo build --release -p examples --example webserver
# A folder of its own: another library below the same program.
cargo build --release -p examples --example webserver --features aws-lc \
    --target-dir "$target/aws-lc" || echo "goes on without AWS-LC" >&2
cargo build --release -p benches --features rivals

# What could be measured is worth rendering, whatever failed.
failed=()
for case in "${cases[@]}"; do
    begin=$SECONDS
    "$target/release/compare" "$case" --record "$recording" \
        ${options[@]+"${options[@]}"} >/dev/null || failed+=("$case")
    echo "== $case took $((SECONDS - begin)) s" >&2
done
"$target/release/report" docs/performance || failed+=(report)
echo "== all of it took $((SECONDS / 60)) minutes" >&2
if [ ${#failed[@]} -gt 0 ]; then
    echo "failed: ${failed[*]}" >&2
    exit 1
fi
