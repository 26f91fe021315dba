//! Our client against servers that we did not write, in one table: what they see of
//! the connection is what they print.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use super::hosts::Papers;
use super::table::letters;
use greenling_tls::{Context, ContextBuilder, Error, TlsStream, Transport, Version};

/// How long a server may take to say what it has to say; it only ends what hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a server is started. Each takes both versions, and `http/1.1` and `pop3`.
pub(crate) struct Terms {
    /// Whose certificate it shows.
    pub(crate) certificate: &'static str,
    /// Whether it demands a client's, of our authority.
    pub(crate) demand: bool,
}

/// What a server saw of a connection; `None` for what it does not tell.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) version: String,
    pub(crate) alpn: Option<String>,
    pub(crate) sni: Option<String>,
    pub(crate) resumed: bool,
    pub(crate) client: String,
}

impl Told {
    /// Of a line like our own hosts'.
    pub(crate) fn from_line(page: &str) -> Told {
        let line = page.lines().find(|line| line.starts_with("told "));
        let line = line.unwrap_or_else(|| panic!("no line in {page:?}"));
        let word = |key: &str| {
            let mut words = line.split(' ').filter_map(|word| word.split_once('='));
            let found = words.find(|(name, _)| *name == key);
            found
                .unwrap_or_else(|| panic!("no {key} in {line:?}"))
                .1
                .to_owned()
        };
        Told {
            version: word("version"),
            alpn: Some(word("alpn")),
            sni: Some(word("sni")),
            resumed: word("resumed") == "yes",
            client: word("client"),
        }
    }
}

/// A server that we did not write, running.
pub(crate) trait Server {
    type Socket: Transport;

    fn connect(&self) -> Self::Socket;

    /// What it saw of the connection that has just fetched `page`.
    fn told(&self, page: &str) -> Told;

    /// All that it has printed until now.
    fn printed(&self) -> String;

    /// Whether `printed` says that a client of `version` does not know the server's authority.
    fn is_unknown(&self, _version: Version, printed: &str) -> bool {
        letters(printed).contains("unknownca")
    }

    /// Whether this is how it refuses a client without a good certificate.
    fn refuses(&self, fetched: &Result<String, Error>) -> bool {
        matches!(fetched, Err(Error::Peer(_)))
    }
}

/// Asks for a page and reads it to its orderly end.
pub(crate) fn fetch<T: Transport>(stream: &mut TlsStream<T>) -> Result<String, Error> {
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut page = Vec::new();
    stream.read_to_end(&mut page)?;
    // Ours may find nobody there: the server has said goodbye and may be gone.
    let _ = stream.close();
    Ok(String::from_utf8_lossy(&page).into_owned())
}

pub(crate) fn client(papers: &Papers, version: Version, certificate: &str) -> ContextBuilder {
    let client = ContextBuilder::client()
        .trust_pem(papers.root())
        .versions(version..=version)
        .session_cache(10);
    match certificate {
        "" => client,
        name => client.identity(papers.identity(name)),
    }
}

pub(crate) fn visit<S: Server>(
    server: &S,
    context: &Context,
) -> (Result<String, Error>, TlsStream<S::Socket>) {
    let mut stream = TlsStream::start_connect(context, "a.test", server.connect());
    (fetch(&mut stream), stream)
}

/// Runs the table; `start` starts the server.
pub(crate) fn check<S: Server>(start: impl Fn(&Papers, &Terms) -> S) {
    let papers = Papers::new();
    for demand in [false, true] {
        let terms = Terms {
            certificate: "a.test",
            demand,
        };
        let server = start(&papers, &terms);
        for version in [Version::Tls12, Version::Tls13] {
            for alpn in ["", "http/1.1"] {
                agreed(&server, &papers, version, alpn, demand);
            }
            if demand {
                for certificate in ["", "mallory"] {
                    let context = client(&papers, version, certificate).build();
                    let (fetched, _) = visit(&server, &context.expect("a context"));
                    assert!(
                        server.refuses(&fetched),
                        "{version}, {certificate:?}: {fetched:?}\n{}",
                        server.printed()
                    );
                }
            }
        }
    }
    let terms = Terms {
        certificate: "stranger",
        demand: false,
    };
    let server = start(&papers, &terms);
    for version in [Version::Tls12, Version::Tls13] {
        let before = server.printed().len();
        let context = client(&papers, version, "").build().expect("a context");
        let (fetched, _) = visit(&server, &context);
        assert!(
            matches!(fetched, Err(Error::Certificate(_))),
            "{version}: {fetched:?}"
        );
        wait_for(
            "that its authority is unknown",
            || server.printed(),
            |printed| server.is_unknown(version, &printed[before..]).then_some(()),
        );
    }
}

/// Visits thrice, with sessions from the second time on.
fn agreed<S: Server>(server: &S, papers: &Papers, version: Version, alpn: &str, demand: bool) {
    let identity = if demand { "alice" } else { "" };
    let mut context = client(papers, version, identity);
    if !alpn.is_empty() {
        context = context.alpn(["smtp", alpn]);
    }
    let context = context.build().expect("a context");
    for number in 0..3 {
        let (fetched, stream) = visit(server, &context);
        let page =
            fetched.unwrap_or_else(|error| panic!("{version}: {error}\n{}", server.printed()));
        let told = server.told(&page);
        let row = format!("visit {number} with {version}, {alpn:?}, {identity:?}");
        let expected = Told {
            version: version.to_string(),
            alpn: told.alpn.is_some().then(|| alpn.to_owned()),
            sni: told.sni.is_some().then(|| "a.test".to_owned()),
            resumed: number > 0,
            client: identity.to_owned(),
        };
        assert_eq!(told, expected, "{row}");
        assert_eq!(stream.session_reused(), told.resumed, "{row}");
        assert_eq!(stream.version(), Some(version), "{row}");
        let chosen = stream.alpn_protocol().unwrap_or_default();
        assert_eq!(chosen, alpn.as_bytes(), "{row}");
    }
}

/// What `find` makes of all that is printed, once it makes something of it.
pub(crate) fn wait_for<R>(
    what: &str,
    printed: impl Fn() -> String,
    mut find: impl FnMut(&str) -> Option<R>,
) -> R {
    let limit = Instant::now() + PATIENCE;
    loop {
        let text = printed();
        if let Some(found) = find(&text) {
            return found;
        }
        assert!(Instant::now() < limit, "it does not say {what}:\n{text}");
        pause();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a plain thread that waits for another process"
)]
fn pause() {
    std::thread::sleep(Duration::from_millis(2));
}
