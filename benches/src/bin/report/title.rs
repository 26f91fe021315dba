//! What a case measures, in a line for those who read no code.

/// The title of `case`, or its name where it has none.
pub(crate) fn of(case: &str) -> &str {
    TITLES
        .iter()
        .find(|(name, _)| *name == case)
        .map_or(case, |&(_, title)| title)
}

const TITLES: &[(&str, &str)] = &[
    (
        "switch-pair",
        "A switch between two tasklets, each with code of its own",
    ),
    (
        "switch-same",
        "A switch between two tasklets of the same code",
    ),
    ("switch-ring-1000", "A switch in a ring of 1000 tasklets"),
    (
        "channel-round-trip",
        "A value there and back over two channels",
    ),
    ("spawn-join", "Starting a tasklet and joining it"),
    (
        "parked-1m-bytes",
        "Memory of one of 1,000,000 tasklets that wait",
    ),
    (
        "parked-1m-start",
        "Start of one of 1,000,000 tasklets, until it waits",
    ),
    (
        "parked-30k-bytes",
        "Memory of one of 30,000 tasklets that wait",
    ),
    (
        "parked-30k-start",
        "Start of one of 30,000 tasklets, until it waits",
    ),
    ("http-hello", "CPU time of an HTTP request, 64 connections"),
    (
        "https-hello",
        "CPU time of an HTTPS request, 64 connections",
    ),
    ("idle-https-bytes", "Memory of an idle HTTPS connection"),
    (
        "growth-connections-http",
        "CPU time of an HTTP request as connections grow",
    ),
    (
        "growth-connections-https",
        "CPU time of an HTTPS request as connections grow",
    ),
    (
        "growth-bodies-http",
        "CPU time of an HTTP response as its body grows",
    ),
    (
        "growth-bodies-http-kib",
        "CPU time of a KiB over HTTP as bodies grow",
    ),
    (
        "growth-bodies-http-memory",
        "Memory of the HTTP server after responses as they grow",
    ),
    (
        "growth-bodies-https",
        "CPU time of an HTTPS response as its body grows",
    ),
    (
        "growth-bodies-https-kib",
        "CPU time of a KiB over HTTPS as bodies grow",
    ),
    (
        "growth-bodies-https-memory",
        "Memory of the HTTPS server after responses as they grow",
    ),
    (
        "handshake",
        "CPU time of a full TLS 1.3 handshake, ECDSA P-256",
    ),
    ("resume", "CPU time of a resumed TLS 1.3 handshake"),
    ("bulk", "CPU time of 1 MiB over HTTPS"),
    ("bulk-http", "CPU time of 1 MiB over HTTP"),
    (
        "growth-tasklets-start",
        "Starting one of so many tasklets, on a new stack",
    ),
    (
        "growth-tasklets-again",
        "Starting one of so many tasklets on a used stack, and its end",
    ),
    (
        "growth-tasklets-wake",
        "Waking one of so many tasklets, which waits again",
    ),
    (
        "growth-tasklets-switch",
        "A switch in a ring of so many tasklets",
    ),
    (
        "growth-tasklets-bytes",
        "Memory of one of so many tasklets that wait",
    ),
    (
        "growth-timers-arm",
        "Arming one of so many timers, in no order",
    ),
    (
        "growth-timers-fire",
        "Firing one of so many timers, which wakes a tasklet",
    ),
    (
        "growth-timers-add-cancel",
        "What a deadline adds to a wait that ends before it",
    ),
    (
        "growth-channel-waiters-send",
        "Sending to one of so many receivers that wait",
    ),
    (
        "growth-channel-waiters-receive",
        "Receiving from one of so many senders that wait",
    ),
    (
        "growth-channel-waiters-kill",
        "Killing one of so many receivers, in the middle",
    ),
    (
        "latency-http-alone",
        "99th percentile of HTTP requests on 16 connections",
    ),
    (
        "latency-http-among",
        "The same beside 8,000 idle connections",
    ),
    (
        "latency-https-alone",
        "99th percentile of HTTPS requests on 16 connections",
    ),
    (
        "latency-https-among",
        "The same beside 8,000 idle HTTPS connections",
    ),
    (
        "scaling-http-1",
        "CPU time of an HTTP request, one worker with its client on one core",
    ),
    (
        "scaling-http-2",
        "CPU time of an HTTP request, a worker with its client on each core",
    ),
    (
        "scaling-http-apart",
        "CPU time of an HTTP request, a server with its client on each core",
    ),
    (
        "scaling-https-1",
        "CPU time of an HTTPS request, one worker with its client on one core",
    ),
    (
        "scaling-https-2",
        "CPU time of an HTTPS request, a worker with its client on each core",
    ),
    (
        "scaling-https-apart",
        "CPU time of an HTTPS request, a server with its client on each core",
    ),
    (
        "workers-http-1",
        "CPU time of an HTTP request with one worker, short of cores",
    ),
    (
        "workers-http-2",
        "CPU time of an HTTP request with two workers, short of cores",
    ),
    (
        "workers-https-1",
        "CPU time of an HTTPS request with one worker, short of cores",
    ),
    (
        "workers-https-2",
        "CPU time of an HTTPS request with two workers, short of cores",
    ),
];
