//! Compiles the C programs, and runs them.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use greenling_tls::crypto::TestCa;
use greenling_tls::{ContextBuilder, TlsStream};
use tempfile::TempDir;
use tests::tools::{self, Finished};

/// How much each side sends.
pub(crate) const AMOUNT: usize = 1 << 20;

/// For a handshake: programs under Valgrind take their time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Whether C programs can be linked with the same OpenSSL.
pub(crate) const SYSTEM_OPENSSL: bool = cfg!(not(feature = "vendored"));

const SOURCES: [&str; 2] = ["program.c", "table.c"];

/// What all tests share: an authority, its files, and the program.
pub(crate) struct Fixture {
    pub(crate) ca: TestCa,
    folder: TempDir,
}

static FIXTURE: LazyLock<Option<Fixture>> = LazyLock::new(make);

/// The fixture, or `None` without a C compiler.
pub(crate) fn fixture() -> Option<&'static Fixture> {
    FIXTURE.as_ref()
}

fn make() -> Option<Fixture> {
    let compiler = tools::find("C programs", "cc")?;
    let folder = TempDir::new().expect("folder");
    let ca = TestCa::new("tests of the C API").expect("test CA");
    let identity = ca.issue(&["localhost"]).expect("certificate");
    let write = |name: &str, text: &[u8]| {
        std::fs::write(folder.path().join(name), text).expect("file");
    };
    write("ca.pem", &ca.root_pem().expect("PEM"));
    write("server.pem", &identity.chain_pem().expect("PEM"));
    let key = identity.export_private_key_pem().expect("PEM");
    let key = openssl::pkey::PKey::private_key_from_pem(&key).expect("key");
    let cipher = openssl::symm::Cipher::aes_128_cbc();
    let key = key.private_key_to_pem_pkcs8_passphrase(cipher, b"a passphrase");
    write("server.key", &key.expect("PEM"));

    let fixture = Fixture { ca, folder };
    fixture.install();
    let mut command = fixture.compiler(&compiler);
    command.args(SOURCES.map(source)).arg("-o");
    command.arg(fixture.path("program"));
    // The paths that pkg-config would tell; `the_installation_is_found` asks it.
    let libraries = fixture.path("prefix/lib");
    command.arg("-L").arg(&libraries).arg("-lgreenling_tls_c");
    command.arg(format!("-Wl,-rpath,{}", libraries.display()));
    if SYSTEM_OPENSSL {
        command.arg("-DWITH_OPENSSL").arg(source("openssl.c"));
        command.args(["-lssl", "-lcrypto"]);
    }
    tools::run(&mut command, b"").success();
    let mut command = fixture.compiler(&compiler);
    command.args(["-shared", "-fPIC"]).arg(source("table.c"));
    command.arg("-o").arg(fixture.shared_object());
    tools::run(&mut command, b"").success();
    Some(fixture)
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/programs")
        .join(name)
}

impl Fixture {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the install script, on what cargo has built before these tests.
    fn install(&self) {
        let test = std::env::current_exe().expect("path");
        let built = test.parent().expect("folder of the tests");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("install.sh");
        let mut command = Command::new(script);
        command.arg(self.path("prefix")).arg(built);
        tools::run(&mut command, b"").success();
    }

    pub(crate) fn compiler(&self, compiler: &Path) -> Command {
        let mut command = Command::new(compiler);
        command.args(["-O1", "-g", "-Wall", "-Wextra", "-Werror"]);
        command.arg("-I").arg(self.path("prefix/include"));
        command
    }

    /// What Rust can load; it uses the table only.
    pub(crate) fn shared_object(&self) -> PathBuf {
        self.path("table.so")
    }

    /// Runs one case of the program.
    pub(crate) fn run(&self, case: &str, role: &str, port: u16) -> Finished {
        let mut command = Command::new(self.path("program"));
        if std::env::var_os("GREENLING_TEST_MEMCHECK").is_some() {
            command = Command::new("valgrind");
            command.args(["--quiet", "--leak-check=full", "--error-exitcode=99"]);
            // Tables that live as long as the program are only "possibly" lost.
            command.args([
                "--show-leak-kinds=definite",
                "--errors-for-leak-kinds=definite",
            ]);
            command.arg(self.path("program"));
        }
        // Cargo's comes before ours, and may lead to an older library.
        command.env_remove("LD_LIBRARY_PATH");
        command.args([case, role, &port.to_string()]);
        command.arg(self.folder.path());
        tools::run(&mut command, b"")
    }

    /// A server's and a client's options that fit the program's.
    pub(crate) fn builders(&self) -> (ContextBuilder, ContextBuilder) {
        let identity = self.ca.issue(&["localhost"]).expect("certificate");
        let server = ContextBuilder::server()
            .identity(identity)
            .handshake_timeout(PATIENCE)
            .alpn(["echo"]);
        let client = ContextBuilder::client()
            .handshake_timeout(PATIENCE)
            .trust_pem(self.ca.root_pem().expect("PEM"))
            .alpn(["echo"]);
        (server, client)
    }

    /// Runs a case of the program in the role that is left by `builder`'s, against
    /// `peer` on its connection.
    pub(crate) fn against<R>(
        &self,
        case: &str,
        role: &str,
        builder: ContextBuilder,
        peer: impl FnOnce(TlsStream<TcpStream>) -> R,
    ) -> (Finished, R) {
        let context = builder.build().expect("context");
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        let port = listener.local_addr().expect("address").port();
        std::thread::scope(|scope| {
            let program = scope.spawn(move || {
                let finished = self.run(case, role, port);
                // One that fails before it has connected is not waited for.
                drop(TcpStream::connect(("127.0.0.1", port)));
                finished
            });
            let (socket, _) = listener.accept().expect("accept");
            let stream = if role == "client" {
                TlsStream::start_accept(&context, socket)
            } else {
                TlsStream::start_connect(&context, "localhost", socket)
            };
            stream.set_read_timeout(Some(PATIENCE));
            let answer = peer(stream);
            (program.join().expect("watchdog"), answer)
        })
    }
}

/// Sends everything back until the end, and ends too. How much it was.
pub(crate) fn echo(stream: &mut TlsStream<TcpStream>) -> io::Result<usize> {
    let mut buf = [0; 20_000];
    let mut sum = 0;
    loop {
        let n = stream.read(&mut buf)?;
        if n == 0 {
            break;
        }
        stream.write_all(&buf[..n])?;
        sum += n;
    }
    stream.shutdown_write().map_err(io::Error::from)?;
    Ok(sum)
}

/// The words on the program's standard output.
pub(crate) fn words(finished: &Finished) -> Vec<String> {
    let text = String::from_utf8_lossy(&finished.stdout);
    text.split_whitespace().map(str::to_owned).collect()
}

/// Whether the program is there.
pub(crate) fn has(test: &str, tool: impl AsRef<OsStr>) -> Option<PathBuf> {
    tools::find(test, tool.as_ref().to_str()?)
}
