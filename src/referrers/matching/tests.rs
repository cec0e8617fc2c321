use super::*;
use crate::domain::names::folded as plain;
use crate::domain::referrer::ReferrerType;
use crate::domain::{EmailAddress, FaxNumber, Timestamp};
use proptest::prelude::*;

#[derive(Clone, Copy, Default)]
struct Who {
    npi: &'static str,
    first: &'static str,
    last: &'static str,
    letters: &'static str,
    organization: &'static str,
    city: &'static str,
    fax: &'static str,
    email: &'static str,
}

const FAX: &str = "847-555-0120";
const OTHER_FAX: &str = "847-555-0121";

fn facet(who: Who) -> Facet {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let mut referrer = Referrer::new(ReferrerType::Other, Timestamp(0));
    referrer.npi = text(who.npi);
    referrer.first_name = text(who.first);
    referrer.last_name = text(who.last);
    referrer.credentials = text(who.letters);
    referrer.organization = text(who.organization);
    referrer.place.city = text(who.city);
    referrer.fax = FaxNumber::parse(who.fax).ok();
    referrer.email = EmailAddress::parse(who.email).ok();
    Facet::of_referrer(&referrer)
}

fn judged(row: Who, known: Who) -> Evidence {
    evidence(&facet(row), &[facet(known)])
}

const ANA: Who = Who {
    npi: "1234567893",
    first: "Ana",
    last: "Ruiz",
    letters: "MD",
    organization: "Lake Clinic",
    city: "Evanston",
    fax: FAX,
    email: "ana@lake.example",
};

#[test]
fn an_address_that_two_people_share_makes_them_no_one_person() {
    let other = Who { npi: "", first: "Ben", last: "Salas", ..ANA };
    assert_eq!(judged(other, ANA), Evidence::No);
    assert_eq!(judged(Who { last: "Ruiz", ..other }, ANA), Evidence::No, "a family name in common is not enough");
    let nobody = Who { first: "", last: "", organization: "", npi: "", ..ANA };
    assert_eq!(judged(nobody, ANA), Evidence::No);
    let office = Who { first: "", last: "", npi: "", letters: "", ..ANA };
    assert_eq!(judged(office, ANA), Evidence::No, "an office is not the person who works there");
}

#[test]
fn evidence_comes_in_tiers() {
    let table = [
        (
            "the same NPI, all else different",
            Who { npi: ANA.npi, first: "Ana", last: "Ruiz-Lee", fax: OTHER_FAX, ..Who::default() },
            Evidence::Npi,
        ),
        ("another NPI, all else the same", Who { npi: "1000000004", ..ANA }, Evidence::No),
        (
            "the same name and fax",
            Who { first: "ANA", last: "RUIZ", fax: FAX, ..Who::default() },
            Evidence::AddressAndName,
        ),
        (
            "the same name and mailbox in capitals",
            Who { first: "Ana", last: "Ruiz", email: "ANA@LAKE.example", ..Who::default() },
            Evidence::AddressAndName,
        ),
        (
            "an initial and the same fax",
            Who { first: "A.", last: "Ruiz", fax: FAX, ..Who::default() },
            Evidence::AddressAndSimilarName,
        ),
        (
            "name and organization",
            Who { first: "Ana", last: "Ruiz", organization: "LAKE CLINIC, LLC", fax: OTHER_FAX, ..Who::default() },
            Evidence::NameAndOrganization,
        ),
        ("the name alone", Who { first: "Ana", last: "Ruiz", fax: OTHER_FAX, ..Who::default() }, Evidence::No),
        (
            "another organization and address",
            Who { first: "Ana", last: "Ruiz", organization: "Hill Clinic", fax: OTHER_FAX, ..Who::default() },
            Evidence::No,
        ),
    ];
    for (what, row, expected) in table {
        assert_eq!(judged(row, ANA), expected, "{what}");
    }
}

#[test]
fn what_could_be_either_is_left_to_a_person() {
    for (what, row) in [
        ("the same organization in another town", Who { npi: "", city: "Peoria", fax: OTHER_FAX, email: "", ..ANA }),
        ("a similar name at the same organization", Who { npi: "", first: "A", fax: OTHER_FAX, email: "", ..ANA }),
        ("the same name with other credentials", Who { npi: "", letters: "LCSW", email: "", ..ANA }),
        ("the same NPI with another name", Who { first: "Ben", last: "Salas", ..ANA }),
    ] {
        assert!(matches!(judged(row, ANA), Evidence::Doubtful(_)), "{what}");
    }
}

#[test]
fn an_office_is_the_same_by_name_and_place_or_address() {
    let office = Who { organization: "Lake Clinic", city: "Evanston", fax: FAX, ..Who::default() };
    assert_eq!(judged(Who { organization: "The Lake Clinic, Inc.", ..office }, office), Evidence::AddressAndName);
    assert_eq!(judged(Who { fax: OTHER_FAX, ..office }, office), Evidence::NameAndOrganization);
    assert_eq!(judged(Who { fax: OTHER_FAX, city: "Peoria", ..office }, office), Evidence::No);
    assert!(matches!(judged(Who { fax: OTHER_FAX, city: "", ..office }, office), Evidence::Doubtful(_)));
}

proptest! {
    #[test]
    fn people_of_different_names_are_never_one_without_an_npi(first in "[A-Z][a-z]{1,8}", second in "[A-Z][a-z]{1,8}", last in "[A-Z][a-z]{1,8}") {
        prop_assume!(plain(&first) != plain(&second));
        let mut one = Referrer::new(ReferrerType::Other, Timestamp(0));
        one.fax = FaxNumber::parse(FAX).ok();
        one.email = EmailAddress::parse("desk@lake.example").ok();
        one.organization = Some("Lake Clinic".to_owned());
        one.last_name = Some(last);
        let mut other = one.clone();
        one.first_name = Some(first);
        other.first_name = Some(second);
        prop_assert_eq!(evidence(&Facet::of_referrer(&one), &[Facet::of_referrer(&other)]), Evidence::No);
    }
}
