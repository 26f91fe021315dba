//! Contexts from outside: shared by threads, exchanged at run time, and the
//! errors that connections made with them report.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;

use greenling_tls::crypto::TestCa;
use greenling_tls::{
    Alert, ClientAuth, Context, ContextBuilder, Error, Identity, Session, TlsStream,
};

/// Serves one connection on a thread: answers one byte with the next.
fn serve(context: &Context, socket: UnixStream) -> thread::JoinHandle<Result<bool, Error>> {
    let context = context.clone();
    thread::spawn(move || {
        let mut stream = TlsStream::accept(&context, socket)?;
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        stream.write_all(&[byte[0] + 1])?;
        stream.close()?;
        Ok(stream.session_reused())
    })
}

/// Asks a server for one byte, and returns the session for the next time.
fn ask(context: &Context, socket: UnixStream, session: Option<&Session>) -> Result<Session, Error> {
    let mut stream = TlsStream::start_connect(context, "localhost", socket);
    if let Some(session) = session {
        stream.set_session(session)?;
    }
    stream.write_all(&[41])?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    assert_eq!(answer, [42]);
    stream.close()?;
    Ok(stream.session().expect("a session after a handshake"))
}

/// One connection; answers whether it was resumed, and the session.
fn visit(client: &Context, server: &Context, session: Option<&Session>) -> (bool, Session) {
    let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    let serving = serve(server, theirs);
    let session = ask(client, ours, session).expect("the client is served");
    let reused = serving
        .join()
        .expect("no panic")
        .expect("the server serves");
    (reused, session)
}

fn contexts() -> (TestCa, Context, Context) {
    let ca = TestCa::new("tests").expect("an authority");
    let identity = ca.issue(&["localhost"]).expect("a certificate");
    let server = ContextBuilder::server()
        .identity(identity)
        .build()
        .expect("a context");
    let pem = ca.root_pem().expect("PEM");
    let client = ContextBuilder::client()
        .trust_pem(pem)
        .build()
        .expect("a context");
    (ca, client, server)
}

#[test]
fn threads_share_contexts_and_resume_each_others_sessions() {
    let (_ca, client, server) = contexts();
    let (_, session) = visit(&client, &server, None);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut session = session.clone();
                for _ in 0..25 {
                    let (reused, next) = visit(&client, &server, Some(&session));
                    assert!(reused);
                    session = next;
                }
            });
        }
    });
}

#[test]
fn an_exchanged_context_serves_new_connections_while_the_old_one_still_works() {
    let (_ca, client, old) = contexts();
    let (_, session) = visit(&client, &old, None);

    let identity = Identity::self_signed(&["localhost"]).expect("a certificate");
    let pem = identity.chain_pem().expect("PEM");
    let new = ContextBuilder::server()
        .identity(identity)
        .build()
        .expect("a context");
    let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    let serving = serve(&new, theirs);
    let refused = ask(&client, ours, Some(&session)).expect_err("another issuer");
    assert!(matches!(refused, Error::Certificate(_)), "{refused:?}");
    let told = serving.join().expect("no panic").expect_err("an alert");
    assert!(matches!(told, Error::Peer(Alert::UNKNOWN_CA)), "{told:?}");

    let pinned = ContextBuilder::client()
        .trust_pem(pem)
        .build()
        .expect("a context");
    assert!(!visit(&pinned, &new, None).0);
    assert!(visit(&client, &old, Some(&session)).0);
}

#[test]
fn a_failed_handshake_gives_the_socket_back_and_names_the_reason() {
    let (_ca, client, server) = contexts();
    let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    let serving = serve(&server, theirs);
    let failed = TlsStream::connect(&client, "example.com", ours).expect_err("another name");
    assert!(
        failed
            .to_string()
            .to_lowercase()
            .contains("hostname mismatch"),
        "{failed}"
    );
    let (error, _socket) = failed.into_parts();
    assert!(
        matches!(&error, Error::Certificate(verify) if verify.code() == 62),
        "{error:?}"
    );
    assert!(serving.join().expect("no panic").is_err());
}

#[test]
fn a_client_without_the_required_certificate_learns_it_when_it_reads() {
    let ca = TestCa::new("tests").expect("an authority");
    let pem = ca.root_pem().expect("PEM");
    let server = ContextBuilder::server()
        .identity(ca.issue(&["localhost"]).expect("a certificate"))
        .trust_pem(pem.clone())
        .client_auth(ClientAuth::Required)
        .build()
        .expect("a context");
    let client = ContextBuilder::client()
        .trust_pem(pem)
        .build()
        .expect("a context");
    let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    let serving = serve(&server, theirs);
    let mut stream = TlsStream::connect(&client, "localhost", ours).expect("its own part is done");
    let error = stream
        .read(&mut [0])
        .map_err(Error::from)
        .expect_err("refused");
    assert!(
        matches!(error, Error::Peer(Alert::CERTIFICATE_REQUIRED)),
        "{error:?}"
    );
    assert!(serving.join().expect("no panic").is_err());
}
