//! nginx, which tells by its variables. A client without a good certificate gets a
//! page that says so.

use super::*;
use crate::nginx::Nginx;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use tests::tools;

struct Running {
    directory: PathBuf,
    _nginx: Nginx,
}

impl Running {
    fn start(nginx: &Path, papers: &Papers, terms: &Terms) -> Running {
        let kind = format!("{}-{}", terms.certificate, terms.demand);
        let directory = papers.file(&kind);
        std::fs::create_dir(&directory).expect("a directory");
        let socket = directory.join("tls.sock");
        let file = |ending| papers.path(&format!("{}{ending}", terms.certificate));
        let demand = match terms.demand {
            true => format!(
                "ssl_verify_client on;\nssl_client_certificate {};\n",
                papers.path("ca.pem")
            ),
            false => String::new(),
        };
        let http = format!(
            "map $ssl_session_reused $resumed {{ r yes; default no; }}\n\
             map $ssl_client_s_dn $client {{ \"\" \"\"; default alice; }}\n\
             server {{\nlisten unix:{} ssl;\nssl_protocols TLSv1.2 TLSv1.3;\n\
             ssl_certificate {};\nssl_certificate_key {};\n{demand}location / {{\n\
             return 200 \"told host=nginx version=$ssl_protocol alpn=$ssl_alpn_protocol \
             sni=$ssl_server_name resumed=$resumed client=$client end\\n\";\n}}\n}}\n",
            socket.display(),
            file(".pem"),
            file(".key")
        );
        let _nginx = Nginx::start(nginx, &directory, &http, &socket);
        Running { directory, _nginx }
    }
}

impl Server for Running {
    type Socket = UnixStream;

    fn connect(&self) -> UnixStream {
        UnixStream::connect(self.directory.join("tls.sock")).expect("nginx listens")
    }

    fn told(&self, page: &str) -> Told {
        Told::from_line(page)
    }

    fn printed(&self) -> String {
        std::fs::read_to_string(self.directory.join("error.log")).unwrap_or_default()
    }

    fn refuses(&self, fetched: &Result<String, Error>) -> bool {
        matches!(fetched, Ok(page) if page.contains(" 400 ") && !page.contains("told "))
    }
}

#[test]
fn nginx_sees_what_we_offer() {
    if let Some(nginx) = tools::find("nginx as a server", "nginx") {
        check(|papers, terms| Running::start(&nginx, papers, terms));
    }
}
