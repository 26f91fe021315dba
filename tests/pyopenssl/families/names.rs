//! Names: all attributes by all their names, odd values, hashes, components, order.

use greenling_tls::Error;
use greenling_tls::crypto::{Attr, Name};

use crate::random::Random;
use crate::trial::{Family, Trial};
use crate::value::{Value, tuple};

pub(crate) const FAMILY: Family = Family {
    name: "names",
    draw,
    check,
};

/// The seven of the manual, short and long.
const USUAL: &[&str] = &[
    "C",
    "ST",
    "L",
    "O",
    "OU",
    "CN",
    "emailAddress",
    "countryName",
    "stateOrProvinceName",
    "localityName",
    "organizationName",
    "organizationalUnitName",
    "commonName",
];

/// What OpenSSL has besides, and what nobody has.
const UNUSUAL: &[&str] = &[
    "serialNumber",
    "DC",
    "domainComponent",
    "UID",
    "userId",
    "GN",
    "givenName",
    "SN",
    "surname",
    "initials",
    "title",
    "pseudonym",
    "generationQualifier",
    "dnQualifier",
    "name",
    "description",
    "street",
    "streetAddress",
    "postalCode",
    "businessCategory",
    "organizationIdentifier",
    "unstructuredName",
    "jurisdictionC",
    "2.5.4.3",
    "2.5.4.10",
    "1.2.3.4.5.6",
    "cn",
    "nonsense",
    "",
    "2.5.4.",
    "serverAuth",
];

const SEVEN: [Attr; 7] = [
    Attr::Country,
    Attr::StateOrProvince,
    Attr::Locality,
    Attr::Organization,
    Attr::OrganizationalUnit,
    Attr::CommonName,
    Attr::EmailAddress,
];

/// Attributes that both sides take.
pub(crate) fn draw_plain(random: &mut Random) -> Value {
    let mut names: Vec<&str> = vec!["C", "ST", "L", "O", "OU", "CN", "emailAddress"];
    let count = 1 + random.below(4);
    let attribute = |_| {
        let name = names.remove(random.below(names.len()));
        let value = match name {
            "C" => random.of(&["DE", "us", "X1"]).to_owned(),
            "emailAddress" => "a@b.example".to_owned(),
            _ => {
                let length = 1 + random.below(20);
                random.text(length)
            }
        };
        tuple![name, value]
    };
    Value::List((0..count).map(attribute).collect())
}

fn draw_attribute(random: &mut Random) -> Value {
    let name = match random.one_in(3) {
        true => random.of(UNUSUAL),
        false => random.of(USUAL),
    };
    let length = match random.below(8) {
        0 => random.of(&[0, 63, 64, 65, 127, 128, 129, 300]),
        1..4 => 2,
        _ => 1 + random.below(30),
    };
    let mut value = random.text(length);
    if random.one_in(32) {
        value.insert(value.chars().next().map_or(0, char::len_utf8), '\0');
    }
    tuple![name, value]
}

fn draw_attributes(random: &mut Random) -> Value {
    random.up_to(5, draw_attribute).into()
}

fn draw(random: &mut Random) -> Value {
    let first = draw_attributes(random);
    let second = match random.one_in(2) {
        true => draw_attributes(random),
        false => first.clone(),
    };
    // The other one, with its letters and spaces changed as names are compared without.
    let change = random.below(4);
    let changed = second.parts().iter().map(|attribute| {
        let [name, value] = attribute.parts() else {
            unreachable!("{attribute:?}");
        };
        let text = match change {
            0 => value.text().to_owned(),
            1 => value.text().to_ascii_uppercase(),
            2 => value.text().replace(' ', "  "),
            _ => format!(" {} ", value.text()),
        };
        tuple![name.clone(), text]
    });
    let second: Value = changed.collect::<Vec<_>>().into();
    tuple![first, second]
}

/// What `setattr` on a name does: takes the old value out and appends the new one.
pub(crate) fn build(attributes: &Value) -> Result<Name, Error> {
    let mut builder = Name::builder();
    for attribute in attributes.parts() {
        let [name, value] = attribute.parts() else {
            unreachable!("{attribute:?}");
        };
        let attr: Attr = name.text().parse()?;
        builder = builder.remove(attr.clone()).add(attr, value.text());
        // pyOpenSSL checks each at once.
        builder.clone().build()?;
    }
    builder.build()
}

fn check(input: &Value, trial: &mut Trial<'_>) {
    let [first, second] = input.parts() else {
        unreachable!("{input:?}");
    };
    let ours = build(first);
    let described = ours.clone().map(|name| {
        let components = name.components().into_iter();
        let components = components.map(|(name, value)| tuple![name, value]);
        let values = SEVEN.map(|attr| Value::from(name.get(attr)));
        tuple![
            name.to_der(),
            name.hash(),
            name.hash_md5(),
            values.to_vec(),
            components.collect::<Vec<_>>(),
        ]
    });
    let theirs = trial.ask("name", first.clone());
    trial.compare_fields(
        &["DER", "hash", "old hash", "values", "components"],
        described,
        theirs,
    );
    let (Ok(ours), Ok(other)) = (ours, build(second)) else {
        return;
    };
    let answers = tuple![ours == other, ours < other, ours > other];
    let theirs = trial.ask("compare_names", tuple![first.clone(), second.clone()]);
    if theirs.is_ok() {
        trial.expect("order", answers, theirs);
    }
    // `set` keeps the place, which no getter sees.
    let mut builder = Name::builder();
    for attribute in first.parts() {
        let [name, value] = attribute.parts() else {
            unreachable!("{attribute:?}");
        };
        let attr: Attr = name.text().parse().expect("it was one before");
        builder = builder.set(attr, value.text());
    }
    let set = builder.build().map(|name| {
        let mut components = name.components();
        components.sort();
        components
            .iter()
            .map(|(_, value)| Value::from(value.as_slice()))
            .collect::<Vec<_>>()
    });
    let mut components = ours.components();
    components.sort();
    let added: Vec<Value> = components
        .into_iter()
        .map(|(_, value)| value.into())
        .collect();
    trial.compare("set", set.map(Value::from), Ok(added.into()));
}
