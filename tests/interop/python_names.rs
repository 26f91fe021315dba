//! `docs/python-ssl.md` knows every name of Python's `ssl`, in the version that is
//! installed.

use std::process::Command;

use tests::tools;

/// Prints the public names of the module and of its classes, but for modules that it
/// happens to import and what it re-exports of `socket`.
const LIST: &str = "
import ssl, types
found = set()
for name, value in vars(ssl).items():
    if not isinstance(value, types.ModuleType):
        found.add(name)
for kind in (ssl.SSLContext, ssl.SSLObject, ssl.SSLSession, ssl.MemoryBIO):
    found.update(dir(kind))
found.update(vars(ssl.SSLSocket))  # without what sockets have anyway
found -= {'namedtuple', 'socket_error', 'SOCK_STREAM', 'SOL_SOCKET', 'SO_TYPE', 'create_connection'}
print(*sorted(name for name in found if not name.startswith('_')), sep='\\n')
";

/// Whole families of constants, which the document names by their beginning.
const FAMILIES: [&str; 5] = [
    "ALERT_DESCRIPTION_",
    "HAS_",
    "OP_",
    "PROTOCOL_",
    "SSL_ERROR_",
];

#[test]
fn the_document_knows_every_name() {
    let Some(python) = tools::find("the names of Python's ssl", "python3") else {
        return;
    };
    let document = include_str!("../../docs/python-ssl.md");
    let words: Vec<&str> = document
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .collect();
    let listed = tools::run(Command::new(python).args(["-c", LIST]), b"").success();
    let names = String::from_utf8(listed.stdout).expect("text");
    assert!(names.lines().count() > 100);
    let knows = |name: &str| {
        words.contains(&name)
            || FAMILIES
                .iter()
                .any(|family| name.starts_with(family) && words.contains(family))
    };
    let unknown: Vec<&str> = names.lines().filter(|name| !knows(name)).collect();
    assert_eq!(unknown, [""; 0]);
}
