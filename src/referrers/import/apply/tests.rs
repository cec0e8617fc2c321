use super::*;
use crate::domain::{EmailAddress, FaxNumber};
use crate::referrers::sheet;

fn rows(csv: &str) -> Vec<SheetRow> {
    sheet::read(csv.as_bytes(), &[]).expect("a list").rows
}

fn circumstances() -> Circumstances {
    Circumstances { list: "list.csv".to_owned(), who: Actor::operator("dana"), now: Timestamp(1_000) }
}

fn applied(before: Option<&Before>, settled: &[Conflict], csv: &str) -> Changed {
    let rows = rows(csv);
    let id = before.map_or_else(ReferrerId::new, |before| before.referrer.id);
    apply(before, id, settled, &rows.iter().collect::<Vec<_>>(), &circumstances())
}

fn known(csv: &str) -> Before {
    let changed = applied(None, &[], csv);
    Before { referrer: changed.referrer, locations: changed.locations }
}

fn corrected(mut before: Before, field: RecordField, value: &str) -> Before {
    fields::set(&mut before.referrer, field, value).expect("a value");
    let origin = Origin { who: Actor::operator("maria"), at_ms: Timestamp(2), list: None, former: None };
    before.referrer.provenance.note(field, &origin);
    before
}

const ANA: &str = "first_name,last_name,organization,fax,email\nAna,Ruiz,Lake Clinic,847-555-0101,ana@lake.example\n";

#[test]
fn the_same_row_again_changes_nothing() {
    let before = known(ANA);
    let again = applied(Some(&before), &[], ANA);
    assert_eq!(again.effects, [Effect::Nothing]);
    assert_eq!(again.referrer, before.referrer);
    let capitals = ANA.replace("Ana,Ruiz,Lake Clinic", "ANA,RUIZ,LAKE CLINIC LLC").replace("ana@lake", "ANA@LAKE");
    assert_eq!(applied(Some(&before), &[], &capitals).effects, [Effect::Nothing]);
}

#[test]
fn a_list_updates_what_a_list_said_and_an_empty_cell_erases_nothing() {
    let before = known(ANA);
    let changed = applied(Some(&before), &[], &ANA.replace("0101", "0102").replace("ana@lake.example", ""));
    assert_eq!(changed.effects, [Effect::Updated]);
    assert_eq!(changed.referrer.fax, FaxNumber::parse("847-555-0102").ok());
    assert_eq!(changed.referrer.email, before.referrer.email);
    assert!(changed.locations.is_empty() && changed.conflicts.is_empty());
    let origin = changed.referrer.provenance.fields.get(&RecordField::Fax).expect("an origin");
    assert_eq!((origin.list.as_deref(), origin.at_ms), (Some("list.csv"), Timestamp(1_000)));
}

#[test]
fn a_correction_by_hand_stands_and_the_difference_is_offered_once() {
    let before = corrected(known(ANA), RecordField::Fax, "847-555-0199");
    let changed = applied(Some(&before), &[], ANA);
    assert_eq!(changed.referrer.fax, before.referrer.fax);
    let [conflict] = changed.conflicts.as_slice() else { panic!("one conflict") };
    assert_eq!((conflict.field, conflict.offered.as_str()), (RecordField::Fax, "+18475550101"));
    let again = applied(Some(&before), std::slice::from_ref(conflict), ANA);
    assert!(again.conflicts.is_empty(), "it is open already");
    let mut kept = conflict.clone();
    (kept.settled_ms, kept.choice) = (Some(Timestamp(3)), Some(Choice::Keep));
    assert!(applied(Some(&before), std::slice::from_ref(&kept), ANA).conflicts.is_empty(), "it was declined");
    let newer = applied(Some(&before), &[kept], &ANA.replace("0101", "0103"));
    assert_eq!(newer.conflicts.len(), 1, "another value is offered");
}

#[test]
fn a_field_that_was_emptied_by_hand_stays_empty() {
    let before = corrected(known(ANA), RecordField::Email, "");
    let changed = applied(Some(&before), &[], ANA);
    assert_eq!((changed.referrer.email, changed.conflicts.len()), (None, 1));
}

#[test]
fn several_locations_of_one_person_are_kept_beside_the_preferred_one() {
    let two = "npi,first_name,last_name,organization,fax\n1234567893,Ana,Ruiz,Lake Clinic,847-555-0101\n1234567893,Ana,Ruiz,Hill Clinic,312-555-0109\n";
    let changed = applied(None, &[], two);
    assert_eq!(changed.effects, [Effect::Added, Effect::Located]);
    assert_eq!(changed.referrer.organization.as_deref(), Some("Lake Clinic"));
    assert_eq!(changed.locations[0].organization.as_deref(), Some("Hill Clinic"));
    let before = Before { referrer: changed.referrer, locations: changed.locations };
    assert_eq!(applied(Some(&before), &[], two).effects, [Effect::Nothing, Effect::Nothing]);
    let turned = "npi,first_name,last_name,organization,fax\n1234567893,Ana,Ruiz,Hill Clinic,312-555-0109\n1234567893,Ana,Ruiz,Lake Clinic,847-555-0101\n";
    let again = applied(Some(&before), &[], turned);
    assert_eq!(again.referrer, before.referrer, "the order of a list prefers nothing");
    let moved = two.replace("847-555-0101", "847-555-0105");
    let changed = applied(Some(&before), &[], &moved);
    assert_eq!(changed.effects, [Effect::Updated, Effect::Nothing]);
    assert_eq!(changed.referrer.fax, FaxNumber::parse("847-555-0105").ok());
}

#[test]
fn another_place_in_a_later_list_replaces_nothing() {
    let before = known(ANA);
    let elsewhere = "first_name,last_name,organization,fax,email\nAna,Ruiz,Hill Clinic,312-555-0109,ana@lake.example\n";
    let changed = applied(Some(&before), &[], elsewhere);
    assert_eq!(changed.effects, [Effect::Located]);
    assert_eq!(changed.referrer, before.referrer);
    assert_eq!(changed.locations[0].fax, FaxNumber::parse("312-555-0109").ok());
    let renamed = ANA.replace("Lake Clinic", "Lakeside Health");
    let changed = applied(Some(&before), &[], &renamed);
    assert_eq!((changed.effects.as_slice(), changed.locations.len()), (&[Effect::Updated][..], 0), "the same fax line");
}

#[test]
fn a_person_whose_preferred_place_has_no_mailbox_is_written_to_at_that_of_another_place() {
    let two = "npi,first_name,last_name,organization,fax,email\n1234567893,Ana,Ruiz,Lake Clinic,847-555-0101,\n1234567893,Ana,Ruiz,Hill Clinic,312-555-0109,ana@hill.example\n";
    let changed = applied(None, &[], two);
    assert_eq!(changed.effects, [Effect::Added, Effect::Located]);
    assert_eq!(changed.referrer.email, EmailAddress::parse("ana@hill.example").ok());
    assert_eq!(changed.referrer.organization.as_deref(), Some("Lake Clinic"));
    let before = Before { referrer: changed.referrer, locations: changed.locations };
    assert_eq!(applied(Some(&before), &[], two).effects, [Effect::Nothing, Effect::Nothing]);

    let moved = two.replace("ana@hill", "ruiz@hill");
    let changed = applied(Some(&before), &[], &moved);
    assert_eq!(changed.effects, [Effect::Nothing, Effect::Updated]);
    assert_eq!(changed.referrer.email, EmailAddress::parse("ruiz@hill.example").ok(), "it follows the place");

    let renamed = "npi,first_name,last_name,organization,fax,email\n1234567893,Ana,Ruiz,Hilltop Health,312-555-0110,ana@hill.example\n";
    let changed = applied(Some(&before), &[], renamed);
    assert_eq!(changed.referrer.fax, FaxNumber::parse("847-555-0101").ok(), "the row speaks of another place");
    assert_eq!(changed.referrer.email, before.referrer.email);

    let own = two.replace("0101,", "0101,ana@lake.example");
    let changed = applied(Some(&before), &[], &own);
    assert_eq!(changed.referrer.email, EmailAddress::parse("ana@lake.example").ok(), "its own mailbox goes before");
    let before = Before { referrer: changed.referrer, locations: changed.locations };
    assert_eq!(applied(Some(&before), &[], &own).effects, [Effect::Nothing, Effect::Nothing]);
}

#[test]
fn a_mailbox_that_a_person_removed_is_not_borrowed_again() {
    let before = corrected(known(ANA), RecordField::Email, "");
    let elsewhere = "first_name,last_name,organization,fax,email\nAna,Ruiz,Hill Clinic,312-555-0109,ana@hill.example\n";
    let npi = elsewhere.replace("first_name", "npi,first_name").replace("Ana,", "1234567893,Ana,");
    let changed = applied(Some(&before), &[], &npi);
    assert_eq!((changed.referrer.email, changed.locations.len()), (None, 1));
}

#[test]
fn a_tag_that_was_taken_away_does_not_come_back() {
    let list = "last_name,fax,tags\nRuiz,847-555-0101,north;vip\n";
    let mut before = known(list);
    before.referrer.tags = vec!["north".to_owned()];
    before.referrer.provenance.tags_removed = vec!["vip".to_owned()];
    let changed = applied(Some(&before), &[], &list.replace("north;vip", "north;vip;new"));
    assert_eq!(changed.referrer.tags, ["new", "north"]);
}

#[test]
fn a_list_can_only_make_the_contact_status_stricter() {
    let mut before = known(ANA);
    before.referrer.state = crate::domain::referrer::ReferrerState::DoNotContact;
    let mut row = rows(ANA).remove(0);
    row.standing = Some(crate::domain::referrer::ReferrerState::Active);
    let changed = apply(Some(&before), before.referrer.id, &[], &[&row], &circumstances());
    assert_eq!(changed.referrer.state, before.referrer.state);
}
