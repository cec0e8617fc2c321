//! What a list says about who somebody is and what they refuse holds, wherever it stands.

use touchline::domain::referrer::{Referrer, refusal_label};
use touchline::domain::{Actor, Channel};
use touchline::referrers;
use touchline::referrers::import::{Decision, ImportOptions, ImportReport, import};
use touchline::referrers::sheet::{self, SheetError};

use super::refusing::{Desk, read};
use crate::support::databases::each_db;

impl Desk {
    async fn import_as(&self, text: &str, options: &ImportOptions) -> Result<ImportReport, String> {
        let done = import(&self.parts, &read(text), &Actor::operator("dana"), options).await;
        done.map_err(|error| error.to_string())
    }

    async fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.everyone().await.iter().map(Referrer::display_name).collect();
        names.sort_unstable();
        names
    }

    async fn named(&self, last: &str) -> Referrer {
        let all = self.everyone().await;
        all.into_iter().find(|one| one.last_name.as_deref() == Some(last)).expect("on record")
    }

    async fn correct(&self, who: &Referrer, change: impl FnOnce(&mut Referrer)) {
        let dana = Actor::operator("dana");
        referrers::edit(&self.parts, who.id, &dana, change).await.expect("corrected");
    }
}

#[tokio::test]
async fn two_people_stay_two_whatever_stands_behind_their_names() {
    each_db(async |store| {
        let desk = Desk::at(store);
        let report = desk
            .import(
                "First Name,Last Name,Organization,Fax\nJohn,\"Smith Jr., MD\",Mercy,8475550120\n\
                 John,\"Jones Jr., MD\",Mercy,8475550120\nAnn,\"Smith MD, PhD\",Mercy,8475550120\nAnn,Brown MD,Mercy,8475550120\n",
            )
            .await;
        assert_eq!(report.added, 4, "{report:?}");
        assert_eq!(desk.named("Brown").await.credentials.as_deref(), Some("MD"));
    })
    .await;
}

#[tokio::test]
async fn a_refusal_holds_for_every_mailbox_of_its_row() {
    const HEADER: &str = "First name,Last name,Email address - work,Email address - home,Email status,Phone - work\n";
    each_db(async |store| {
        let desk = Desk::at(store);
        desk.import(&format!("{HEADER}Carla,Dent,ca@de.example,,Active,\n")).await;
        let report = desk.import(&format!("{HEADER}Carla,Dent,,ca@de.example,Unsubscribed,8475550177\n")).await;
        assert_eq!(report.suppressions, 1, "{report:?}");
        desk.import(&format!("{HEADER}Al,Be,\"a@be.example; b@be.example\",c@be.example,Unsubscribed,\n")).await;
        for address in ["ca@de.example", "a@be.example", "b@be.example", "c@be.example"] {
            assert_eq!(desk.standing_of(address).await.len(), 1, "{address}");
        }
        let sheet = read(&format!("{HEADER}Al,Be,\"a@be.example; b@be.example\",c@be.example,Active,\n"));
        assert_eq!(sheet.rows[0].email.as_ref().map(touchline::domain::EmailAddress::as_str), Some("a@be.example"));
    })
    .await;
}

#[tokio::test]
async fn who_refused_email_before_a_mailbox_was_known_gets_none_at_the_one_that_becomes_known() {
    each_db(async |store| {
        let desk = Desk::at(store);
        desk.import("First Name,Last Name,Organization,Fax,Unsubscribed\nAna,Ruiz,Lake,8475550101,yes\n").await;
        let ana = desk.named("Ruiz").await;
        assert!(ana.refuses(Channel::Email) && !ana.refuses(Channel::Fax), "{:?}", ana.tags);
        desk.import("First Name,Last Name,Organization,Fax,Email\nAna,Ruiz,Lake,8475550101,ana@lake.example\n").await;
        assert!(desk.named("Ruiz").await.refuses(Channel::Email), "a list never lifts it");
        desk.correct(&ana, |one| one.tags.retain(|tag| tag != refusal_label(Channel::Email))).await;
        assert!(!desk.named("Ruiz").await.refuses(Channel::Email), "a person does");
    })
    .await;
}

#[tokio::test]
async fn a_refusal_of_nobody_in_particular_stops_the_import_until_a_person_says_whose_it_is() {
    const LIST: &str = "First Name,Last Name,Organization,Do Not Contact,Phone\nR,Stone,Lake,yes,8475550199\n";
    each_db(async |store| {
        let desk = Desk::at(store);
        desk.import("First Name,Last Name,Credentials,Organization,Email\nRobert,Stone,MD,Lake,r@lake.example\n").await;
        let robert = desk.named("Stone").await;
        let look = ImportOptions { dry_run: true, ..ImportOptions::default() };
        let report = desk.import_as(LIST, &look).await.expect("looked at");
        assert!(report.problems.iter().any(|problem| problem.contains("--same LINE=ID")), "{report:?}");
        let refused = desk.import_as(LIST, &ImportOptions::default()).await.expect_err("it is not clear");
        assert!(refused.contains("line 2") && refused.contains("nothing was imported"), "{refused}");
        let decisions = [(2, Decision::Same(robert.id))].into();
        let told = ImportOptions { decisions, ..ImportOptions::default() };
        desk.import_as(LIST, &told).await.expect("imported");
        assert_eq!(desk.named("Stone").await.state.as_str(), "do_not_contact");
    })
    .await;
}

#[tokio::test]
async fn a_person_may_say_whose_refusal_stands_on_a_row_that_is_left_out() {
    const LIST: &str = "First Name,Last Name,Organization,Fax,Unsubscribed\nR,Stone,Lake,847-555-O1O2,yes\n";
    each_db(async |store| {
        let desk = Desk::at(store);
        desk.import("First Name,Last Name,Organization,Email\nRobert,Stone,Lake,r@lake.example\n").await;
        let skipping = ImportOptions { skip_bad_rows: true, ..ImportOptions::default() };
        let refused = desk.import_as(LIST, &skipping).await.expect_err("it is not clear");
        assert!(refused.contains("line 2"), "{refused}");
        let decisions = [(2, Decision::Same(desk.named("Stone").await.id))].into();
        desk.import_as(LIST, &ImportOptions { decisions, ..skipping.clone() }).await.expect("imported");
        assert_eq!(desk.standing_of("r@lake.example").await.len(), 1);
        let decisions = [(3, Decision::New)].into();
        let unknown = desk.import_as(LIST, &ImportOptions { decisions, ..skipping }).await.expect_err("no such line");
        assert!(unknown.contains("line 3"), "{unknown}");
    })
    .await;
}

#[tokio::test]
async fn father_and_son_stay_unclear_at_every_import() {
    const LIST: &str = "First Name,Last Name,Credentials,Organization,Fax\nRobert,Stone,MD,Lake,8475550101\n\
                        Robert,Stone Jr.,MD,Lake,8475550101\n";
    each_db(async |store| {
        let desk = Desk::at(store);
        for _ in 0..2 {
            let report = desk.import(LIST).await;
            assert_eq!(report.unclear.iter().map(|one| one.line).collect::<Vec<_>>(), [3], "{report:?}");
            assert_eq!(desk.names().await, ["Robert Stone, MD"]);
        }
        let decisions = [(3, Decision::New)].into();
        desk.import_as(LIST, &ImportOptions { decisions, ..ImportOptions::default() }).await.expect("imported");
        let again = desk.import(LIST).await;
        assert_eq!((again.unchanged, again.unclear.len()), (2, 0), "{again:?}");
    })
    .await;
}

#[tokio::test]
async fn a_corrected_name_is_known_to_the_next_list_however_many_share_the_fax() {
    each_db(async |store| {
        let desk = Desk::at(store);
        let firsts = ["Ana", "Bo", "Cy", "Di", "Ed", "Flo", "Gus"];
        let rows: String = firsts.iter().map(|first| format!("{first},Ruis,Lake,8475550101\n")).collect();
        let list = format!("First Name,Last Name,Organization,Fax\n{rows}");
        desk.import(&list).await;
        let ana =
            desk.everyone().await.into_iter().find(|one| one.first_name.as_deref() == Some("Ana")).expect("there");
        desk.correct(&ana, |one| {
            one.last_name = Some("Ruiz".to_owned());
            one.fax = "(847) 555-0111".parse().ok();
        })
        .await;
        let report = desk.import(&list).await;
        assert_eq!((report.added, report.unclear.len()), (0, 0), "{report:?}");
        let ana = desk.named("Ruiz").await;
        assert_eq!(ana.fax.as_ref().map(touchline::domain::FaxNumber::as_str), Some("+18475550111"));
    })
    .await;
}

#[tokio::test]
async fn an_npi_under_another_given_name_is_for_a_person_to_decide() {
    each_db(async |store| {
        let desk = Desk::at(store);
        let header = "NPI,First Name,Last Name,Organization,Fax\n";
        desk.import(&format!("{header}1234567893,Ana,Ruiz,Lake,8475550101\n")).await;
        let report = desk.import(&format!("{header}1234567893,Una,Ruiz,Lake,8475550101\n")).await;
        assert_eq!((report.added, report.unclear.len()), (0, 1), "{report:?}");
        for (row, place) in
            [("1234567893,Anastasia,Ruiz,Lake,8475550101", 0), ("1234567893,Anastasia,Ruiz-Lee,Lake,8475550101", 0)]
        {
            let report = desk.import(&format!("{header}{row}\n")).await;
            assert_eq!(report.unclear.len(), place, "{row}");
        }
        let group = "Group NPI,First Name,Last Name,Fax\n1234567893,Bo,Ruiz,8475550199\n";
        assert_eq!(read(group).rows[0].npi, None);
    })
    .await;
}

#[tokio::test]
async fn one_street_is_one_place_however_it_is_written() {
    each_db(async |store| {
        let desk = Desk::at(store);
        let header = "NPI,First Name,Last Name,Fax,Street,City,State,ZIP\n";
        desk.import(&format!("{header}1234567893,Ana,Ruiz,8475550101,1 Main St #5,Evanston,IL,60201\n")).await;
        let row = "1234567893,Ana,Ruiz,8475550102,\"1 Main Street, Suite 5\",Evanston,IL,60201-1234";
        let report = desk.import(&format!("{header}{row}\n")).await;
        assert_eq!((report.locations, report.updated), (0, 1), "{report:?}");
        assert_eq!(
            desk.named("Ruiz").await.fax.as_ref().map(touchline::domain::FaxNumber::as_str),
            Some("+18475550102")
        );
    })
    .await;
}

#[test]
fn a_national_number_of_another_country_is_nobodys_here() {
    for (row, taken) in [
        ("98765 43210,India", false),
        ("20 7946 0958,United Kingdom", false),
        ("+44 20 7946 0958,United Kingdom", true),
        ("847 555 0101,USA", true),
        ("847 555 0101,", true),
    ] {
        let sheet = read(&format!("Last Name,Fax,Country\nRao,{row}\n"));
        assert_eq!(sheet.rows.len() == 1, taken, "{row}: {:?}", sheet.problems);
    }
}

#[test]
fn a_refusal_in_notes_or_in_a_name_is_read() {
    for (header, row, taken) in [
        ("Last Name,Fax,Notes", "Be,8475550101,DO NOT CONTACT", true),
        ("Last Name,Fax,Remarks", "Be,8475550101,Left in May. Do not contact.", true),
        ("Name,Fax,Notes", "John Smith DO NOT CONTACT,8475550101,", false),
        ("Name,Fax,Notes", "(DECEASED) John Smith,8475550101,", false),
    ] {
        let sheet = read(&format!("{header}\n{row}\n"));
        let found = if taken { sheet.rows.first() } else { sheet.refused_refusals.first() };
        assert!(found.is_some_and(|row| row.says_a_refusal()), "{row}: {:?}", sheet.problems);
    }
    assert_eq!(read("Last Name,Organization,Fax\nBe,DNC Health,8475550101\n").rows.len(), 1);
    let quiet = read("Last Name,Fax,Notes\nBe,8475550101,\"Ask for Ann, who knows whether we do not fax\"\n");
    assert!(!quiet.rows[0].says_a_refusal());
}

#[test]
fn numbers_for_a_status_count_where_a_person_says_so() {
    let mapping = [sheet::parse_mapping("subscription_status=Status").expect("a mapping")];
    let text = "Email,Status\na@elm.example,1\nb@elm.example,2\nc@elm.example,3\n";
    let read = sheet::read(text.as_bytes(), &mapping).expect("a list");
    let refuses: Vec<bool> = read.rows.iter().map(|row| row.says_a_refusal()).collect();
    assert_eq!(refuses, [false, true, true]);
    assert!(matches!(sheet::read(text.as_bytes(), &[]), Err(SheetError::Unexplained(_))));
}
