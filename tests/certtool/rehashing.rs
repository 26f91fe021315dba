//! Directories linked by hash, beside those of `openssl rehash`.

use std::collections::BTreeMap;

use crate::{Folder, assert_has};

impl Folder {
    /// All links of a directory.
    fn links(&self, directory: &str) -> BTreeMap<String, String> {
        let entries = std::fs::read_dir(self.path(directory)).expect("a directory");
        let links = entries.filter_map(|entry| {
            let entry = entry.expect("an entry");
            let target = std::fs::read_link(entry.path()).ok()?;
            let text = |name: &std::ffi::OsStr| name.to_str().expect("text").to_owned();
            Some((text(&entry.file_name()), text(target.as_os_str())))
        });
        links.collect()
    }
}

#[test]
fn the_same_links_as_openssl() {
    let Some(folder) = Folder::new("the_same_links_as_openssl") else {
        return;
    };
    std::fs::create_dir(folder.path("d")).expect("a new directory");
    // Two of the same name, one in DER form that nobody can use, one twice.
    folder.certtool("ca --subject /CN=Twin --out d/a.pem");
    folder.certtool("ca --subject /CN=Twin --out d/b.crt");
    folder.certtool("ca --subject /O=Other/CN=One --out d/c.cer");
    folder.certtool("crl make --ca d/a.pem --out d/list.crl");
    std::fs::copy(folder.path("d/c.cer"), folder.path("d/copy.pem")).expect("a copy");
    folder.openssl("x509 -in d/a.pem -outform DER -out d/binary.crt");
    let both = [folder.read("d/a.pem"), folder.read("d/b.crt")].concat();
    folder.write("d/both.pem", both);
    folder.write("d/notes.txt", "no certificate");
    folder.write("d/broken.pem", "no certificate");

    let finished = folder.run("rehash d").success();
    let told = finished.text();
    assert_has(
        &told,
        &[
            "copy.pem: is the same",
            "both.pem: does not hold exactly one",
        ],
    );
    let ours = folder.links("d");
    folder.openssl("rehash d");
    let theirs = folder.links("d");
    // Which of twins comes first, openssl leaves to the file system.
    let names = |links: &BTreeMap<String, String>| links.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&ours), names(&theirs));
    assert_eq!(ours.len(), 4);
    let first = ours
        .iter()
        .find(|(_, file)| *file == "a.pem")
        .expect("a link");
    assert!(first.0.ends_with(".0"), "{first:?}");

    folder.certtool("rehash d --old");
    let hash = folder.openssl("x509 -in d/c.cer -noout -subject_hash_old");
    assert_eq!(folder.links("d")[&format!("{}.0", hash.trim())], "c.cer");
    // The same once more, and then without.
    let links = folder.links("d");
    folder.certtool("rehash d --old");
    assert_eq!(folder.links("d"), links);
    folder.certtool("rehash d");
    assert_eq!(folder.links("d"), ours);
}

#[test]
fn authorities_are_found_by_their_links() {
    let Some(folder) = Folder::new("authorities_are_found_by_their_links") else {
        return;
    };
    std::fs::create_dir(folder.path("d")).expect("a new directory");
    for name in ["a", "b"] {
        folder.certtool(&format!("ca --subject /CN=Twin --out d/{name}.pem"));
        folder.certtool(&format!(
            "server {name}.test --ca d/{name}.pem --out {name}.pem"
        ));
    }
    folder.certtool("rehash d");
    for name in ["a", "b"] {
        folder.openssl(&format!(
            "verify -CApath d -no-CAfile -no-CAstore {name}.pem"
        ));
        folder.certtool(&format!("verify --ca-dir d {name}.pem"));
    }
    // Without the first, the second has its number: a gap would hide it.
    std::fs::remove_file(folder.path("d/a.pem")).expect("it is there");
    folder.certtool("rehash d");
    let links = folder.links("d");
    assert_eq!(links.values().collect::<Vec<_>>(), ["b.pem"]);
    assert!(links.keys().all(|name| name.ends_with(".0")), "{links:?}");
    folder.openssl("verify -CApath d -no-CAfile -no-CAstore b.pem");
    folder.refused(1, "verify --ca-dir d a.pem");
    assert_has(&folder.refused(3, "rehash nowhere"), &["nowhere"]);
}
