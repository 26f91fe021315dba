//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use examples::arguments::seconds;

/// An HTTPS server with one tasklet for each connection.
///
/// Without --cert and --key it makes itself a certificate for localhost, in memory. SIGHUP reads
/// certificates again, SIGUSR1 shows what all tasklets do, SIGTERM and SIGINT end it.
#[derive(Debug, Parser)]
#[command(name = "webserver", version, args_override_self = true)]
pub(crate) struct Options {
    /// Address of the HTTPS listener; port 0 takes any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8443")]
    pub(crate) listen: String,

    /// Address of a listener without TLS; none unless given
    #[arg(long, value_name = "ADDR")]
    pub(crate) plain: Option<String>,

    /// OS threads, each with its own scheduler [default: number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) workers: Option<u16>,

    /// Certificate chain, PEM
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,

    /// Private key of the certificate, PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,

    /// OCSP response for the certificate, to send along with it, DER
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) ocsp: Option<PathBuf>,

    /// Another certificate for clients that ask for NAME (repeatable)
    #[arg(long, num_args = 3, value_names = ["NAME", "CERT", "KEY"])]
    pub(crate) vhost: Vec<String>,

    /// Demand certificates from clients, issued by the authorities in this file, PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) client_ca: Option<PathBuf>,

    /// Proxies that tell whom a connection is for, by the PROXY protocol: an address or a network
    /// such as 10.0.0.0/8 (repeatable). Others connect without
    #[arg(long, value_name = "NETWORK")]
    pub(crate) proxy: Vec<String>,

    /// Directory that is served under /files/
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,

    /// Connections served at a time; more wait in the kernel's queue [default: what the limit of
    /// open files allows]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_connections: Option<u32>,

    /// Time for the TLS handshake, and again for the head of each request
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) header_timeout: Duration,

    /// Time between two requests, and for each read or write within one
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(crate) idle_timeout: Duration,

    /// Silence after which a connection waits without a tasklet, in less memory
    #[arg(long, value_name = "SECONDS", default_value = "0.5", value_parser = seconds)]
    pub(crate) rest_after: Duration,

    /// How long SIGTERM and SIGINT wait for what is in flight
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub(crate) drain: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        use clap::CommandFactory;
        Options::command().debug_assert();
    }

    #[test]
    fn defaults() {
        let options = Options::parse_from(["webserver"]);
        assert_eq!(options.listen, "127.0.0.1:8443");
        assert_eq!(options.plain, None);
        assert_eq!(options.drain, Duration::from_secs(5));
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in [
            &["--workers", "0"][..],
            &["--max-connections", "0"],
            &["--cert", "only.pem"],
            &["--vhost", "name", "only.pem"],
            &["--ocsp", "only.der"],
            &["--key", "only.pem"],
            &["--drain", "-1"],
            &["--drain", "NaN"],
            &["--drain", "1e30"],
            &["--drain", "soon"],
        ] {
            let line = std::iter::once(&"webserver").chain(bad);
            assert!(Options::try_parse_from(line).is_err(), "{bad:?}");
        }
        let options = Options::parse_from(["webserver", "--idle-timeout", "0.25"]);
        assert_eq!(options.idle_timeout, Duration::from_millis(250));
    }
}
