//! The contenders of all cases, by the names that results are kept under.

use clap::ValueEnum;

/// A contender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Who {
    /// Greenling; as a server the example web server, with the system's OpenSSL.
    Greenling,
    /// The example web server with AWS-LC.
    GreenlingAwsLc,
    /// Coroutines of `may`; as a server may_minihttp.
    May,
    /// Coroutines of `may` with blocking OpenSSL streams.
    MayOpenssl,
    /// Coroutines of `may` with Greenling's TLS, without its scheduler.
    MayGreenlingTls,
    /// hyper on one tokio thread, plain HTTP.
    Hyper,
    /// hyper over tokio-rustls.
    HyperRustls,
    /// hyper over tokio-openssl.
    HyperOpenssl,
    /// nginx, one process.
    Nginx,
    /// Goroutines on one processor; as a server Go's net/http.
    Go,
    /// A bare epoll loop that parses nothing.
    Epoll,
    /// libssl on a BIO pair with nothing around it.
    RawOpenssl,
    /// The `openssl` crate's blocking stream.
    OpensslCrate,
    /// rustls without a runtime.
    Rustls,
}

impl Who {
    /// Its name, on the command line and in results.
    pub fn name(self) -> &'static str {
        match self {
            Who::Greenling => "greenling",
            Who::GreenlingAwsLc => "greenling-aws-lc",
            Who::May => "may",
            Who::MayOpenssl => "may-openssl",
            Who::MayGreenlingTls => "may-greenling-tls",
            Who::Hyper => "hyper",
            Who::HyperRustls => "hyper-rustls",
            Who::HyperOpenssl => "hyper-openssl",
            Who::Nginx => "nginx",
            Who::Go => "go",
            Who::Epoll => "epoll",
            Who::RawOpenssl => "raw-openssl",
            Who::OpensslCrate => "openssl-crate",
            Who::Rustls => "rustls",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contender_is_chosen_by_the_name_of_its_results() {
        for who in Who::value_variants() {
            assert_eq!(Who::from_str(who.name(), false), Ok(*who));
        }
    }
}
