//! Python's `ssl`, by `peer.py`.

use super::*;
use std::path::Path;
use tests::tools;

struct Python(Printing);

impl Python {
    fn start(python: &Path, papers: &Papers, terms: &Terms) -> Python {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/peer.py");
        let mut command = Command::new(python);
        command
            .args([script, "server"])
            .arg(papers.directory())
            .arg(terms.certificate)
            .args(terms.demand.then_some("demand"));
        Python(Printing::start(&mut command, "port "))
    }
}

impl Server for Python {
    type Socket = TcpStream;

    fn connect(&self) -> TcpStream {
        self.0.connect()
    }

    fn told(&self, page: &str) -> Told {
        Told::from_line(page)
    }

    fn printed(&self) -> String {
        self.0.printed()
    }
}

#[test]
fn a_python_server_sees_what_we_offer() {
    if let Some(python) = tools::find("a Python server", "python3") {
        check(|papers, terms| Python::start(&python, papers, terms));
    }
}
