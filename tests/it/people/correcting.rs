//! Corrections by hand, deletions, and imports that are undone.

use touchline::domain::conflict::Choice;
use touchline::domain::provenance::RecordField;
use touchline::domain::referrer::{Referrer, ReferrerState, ReferrerType};
use touchline::domain::{AuditAct, EmailAddress, FaxNumber};
use touchline::referrers::import::undo::{imports, imports_told, undo_import};
use touchline::referrers::{self, ReferrersError, conflicts, remove};

use super::{Desk, counts, dana};
use crate::support::databases::each_db;

const LIST: &str = "First Name,Last Name,Organization,Fax,Email\nAna,Ruiz,Lake Clinic,847-555-0101,ana@lake.example\n\
    Ben,Salas,Lake Clinic,847-555-0101,ben@lake.example\n";

#[tokio::test]
async fn a_correction_by_hand_wins_over_every_later_list_until_a_person_accepts_the_list() {
    each_db(async |store| {
        let desk = Desk::at(store);
        desk.import(LIST).await;
        let ana = desk.named("Ruiz").await;
        let right = FaxNumber::parse("847-555-0199").expect("a number");
        referrers::edit(&desk.parts, ana.id, &dana(), |one| one.fax = Some(right.clone())).await.expect("edited");
        for month in 0..3 {
            let report = desk.import(LIST).await;
            assert_eq!(report.conflicts, usize::from(month == 0), "offered once");
            assert_eq!(desk.named("Ruiz").await.fax.as_ref(), Some(&right));
        }
        let open = conflicts::open(&desk.parts).await.expect("read");
        let [conflict] = open.as_slice() else { panic!("one conflict") };
        assert_eq!((conflict.field, conflict.list.as_str()), (RecordField::Fax, "list.csv"));
        conflicts::settle(&desk.parts, conflict.id, Choice::Keep, &dana()).await.expect("kept");
        assert!(conflicts::settle(&desk.parts, conflict.id, Choice::Accept, &dana()).await.is_err(), "settled once");
        assert_eq!(desk.import(LIST).await.conflicts, 0, "a declined value is not offered again");

        assert_eq!(desk.import(&LIST.replacen("0101", "0102", 1)).await.conflicts, 1, "another value is");
        let open = conflicts::open(&desk.parts).await.expect("read");
        conflicts::settle(&desk.parts, open[0].id, Choice::Accept, &dana()).await.expect("accepted");
        assert_eq!(desk.named("Ruiz").await.fax, FaxNumber::parse("847-555-0102").ok());
    })
    .await;
}

#[tokio::test]
async fn an_import_is_undone_but_for_what_was_done_since() {
    each_db(async |store| {
        let desk = Desk::at(store);
        desk.import(LIST).await;
        let changed = LIST.replace("ana@lake", "ana.ruiz@lake").replace("ben@lake", "ben.salas@lake")
            + "Chidi,Okafor,Hill Clinic,847-555-0103,\nDee,Pryor,Hill Clinic,847-555-0104,\n";
        let report = desk.import(&changed).await;
        assert_eq!(counts(&report), (2, 2, 0, 0));
        let import = report.import.expect("an id");
        desk.clock.advance(std::time::Duration::from_secs(1));
        let dee = desk.named("Pryor").await;
        referrers::edit(&desk.parts, dee.id, &dana(), |one| one.notes = Some("called".to_owned()))
            .await
            .expect("edited");

        let undone = undo_import(&desk.parts, import, &dana()).await.expect("undone");
        assert_eq!((undone.removed, undone.restored, undone.left.len()), (1, 2, 1), "{undone:?}");
        assert_eq!(desk.named("Ruiz").await.email, EmailAddress::parse("ana@lake.example").ok());
        assert_eq!(desk.everyone().await.len(), 3);
        assert!(undo_import(&desk.parts, import, &dana()).await.is_err(), "once");
        let all = imports(&desk.parts).await.expect("read");
        assert_eq!(all.len(), 2);
        assert!(all[0].undone_ms.is_some() && all[1].undone_ms.is_none());
        assert_eq!(counts(&desk.import(&changed).await), (1, 2, 1, 0), "the list can be imported again");
    })
    .await;
}

#[tokio::test]
async fn a_list_that_was_undone_brings_its_permissions_again_but_none_that_ended_otherwise() {
    each_db(async |store| {
        let desk = Desk::at(store);
        let list = "First Name,Last Name,Fax,basis,basis_date\nAna,Ruiz,847-555-0101,permission,2026-01-31\n\
            Ben,Salas,847-555-0102,permission,2026-01-31\nChidi,Okafor,847-555-0103,permission,2026-01-31\n";
        let first = desk.import(list).await;
        assert_eq!((first.bases, first.bases_left_out), (3, 0));
        assert_eq!(desk.import(list).await.bases, 0, "they are on record");
        let number = FaxNumber::parse("847-555-0103").expect("a number");
        let mut tx = desk.parts.store.write().await.expect("tx");
        let withdrawn = tx.basis_of(&number).await.expect("read")[0].id;
        assert!(tx.basis_end(withdrawn, "they called", desk.parts.clock.now()).await.expect("ended"));
        tx.commit().await.expect("committed");

        for _ in 0..2 {
            let import = imports(&desk.parts).await.expect("read");
            let import = import.iter().find(|one| one.undone_ms.is_none() && one.added > 0).expect("an import");
            let undone = undo_import(&desk.parts, import.id, &dana()).await.expect("undone");
            assert_eq!(undone.bases_ended, 2);
            let again = desk.import(list).await;
            assert_eq!((again.bases, again.bases_left_out), (2, 1));
        }

        let mut tx = desk.parts.store.read().await.expect("tx");
        let lines = tx.audit_page(&[], 0, 100).await.expect("read");
        let details = |act: AuditAct| -> Vec<String> {
            lines.iter().filter(|line| line.action == act).filter_map(|line| line.detail.clone()).collect()
        };
        let undone = "list.csv: 3 removed, 0 restored, 2 bases for faxing ended";
        assert_eq!(details(AuditAct::UndoImport), [undone, undone]);
        let imported = details(AuditAct::ImportReferrers);
        let newest = "list.csv: 3 new, 0 updated, 2 bases for faxing, 1 basis left out because it had ended";
        assert_eq!((imported.len(), imported[0].as_str()), (4, newest));
        drop(tx);
        let told = imports_told(&desk.parts).await.expect("read");
        assert!(told[0].brought.contains(&(2, "bases for faxing".to_owned())), "{told:?}");
    })
    .await;
}

#[tokio::test]
async fn whoever_is_deleted_is_on_no_list_and_no_list_brings_them_back() {
    each_db(async |store| {
        let desk = Desk::at(store);
        desk.import(LIST).await;
        let ana = desk.named("Ruiz").await;
        remove::remove(&desk.parts, ana.id, "retired", &dana()).await.expect("deleted");
        assert_eq!(desk.everyone().await.len(), 1);
        let report = desk.import(LIST).await;
        assert_eq!((report.added, desk.everyone().await.len()), (0, 1));
        assert!(report.problems.iter().any(|line| line.contains("deleted")), "{:?}", report.problems);
        let mut tx = desk.parts.store.read().await.expect("tx");
        let kept = tx.referrer(ana.id).await.expect("read").expect("the record stays");
        assert_eq!(kept.state, ReferrerState::DoNotContact);
        drop(tx);
        assert!(referrers::edit(&desk.parts, ana.id, &dana(), |_| {}).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn somebody_who_looks_like_a_known_person_is_not_added_twice_by_hand() {
    each_db(async |store| {
        let desk = Desk::at(store);
        desk.import(LIST).await;
        let fill = |one: &mut Referrer| {
            (one.first_name, one.last_name) = (Some("ANA".into()), Some("RUIZ".into()));
            one.fax = FaxNumber::parse("847-555-0101").ok();
        };
        let refused = referrers::add(&desk.parts, &dana(), false, fill).await.expect_err("a double");
        assert!(refused.to_string().contains("Lake Clinic"), "{refused}");
        referrers::add(&desk.parts, &dana(), true, fill).await.expect("a person said so");
        assert_eq!(desk.everyone().await.len(), 3);
        assert!(
            referrers::add(&desk.parts, &dana(), false, |one| one.last_name = Some("Nobody".into())).await.is_err()
        );
    })
    .await;
}

#[tokio::test]
async fn nobody_loses_their_whole_name_and_who_never_had_one_can_still_be_corrected() {
    each_db(async |store| {
        let desk = Desk::at(store);
        desk.import(LIST).await;
        let ana = desk.named("Ruiz").await;
        let nameless = |one: &mut Referrer| {
            (one.first_name, one.last_name, one.organization) = (None, None, None);
        };
        let refused = referrers::edit(&desk.parts, ana.id, &dana(), nameless).await;
        assert!(matches!(&refused, Err(ReferrersError::Invalid(why)) if why.contains("give a name")), "{refused:?}");
        assert_eq!(desk.named("Ruiz").await, ana, "nothing was changed");
        let office = |one: &mut Referrer| (one.first_name, one.last_name) = (None, None);
        referrers::edit(&desk.parts, ana.id, &dana(), office).await.expect("the organization is left");
        let added = referrers::add(&desk.parts, &dana(), false, |one| one.phone = Some("+18475550109".into())).await;
        assert!(matches!(added, Err(ReferrersError::Invalid(_))), "{added:?}");

        let unknown = Referrer { fax: ana.fax.clone(), ..Referrer::new(ReferrerType::Other, ana.created_ms) };
        let mut tx = desk.parts.store.write().await.expect("tx");
        tx.referrer_put(&unknown).await.expect("stored");
        tx.commit().await.expect("committed");
        let noted = |one: &mut Referrer| one.notes = Some("who is it?".to_owned());
        referrers::edit(&desk.parts, unknown.id, &dana(), noted).await.expect("edited");
    })
    .await;
}

#[tokio::test]
async fn a_referrer_is_deleted_only_with_a_reason() {
    each_db(async |store| {
        let desk = Desk::at(store);
        desk.import(LIST).await;
        let ana = desk.named("Ruiz").await;
        for why in ["", " \t"] {
            let refused = remove::remove(&desk.parts, ana.id, why, &dana()).await;
            assert!(matches!(refused, Err(ReferrersError::Invalid(_))), "{refused:?}");
        }
        assert_eq!(desk.named("Ruiz").await.removed_ms, None);
        remove::remove(&desk.parts, ana.id, " retired ", &dana()).await.expect("deleted");
    })
    .await;
}

#[tokio::test]
async fn somebody_merged_or_known_elsewhere_is_not_added_again_by_hand() {
    each_db(async |store| {
        let desk = Desk::at(store);
        desk.import(LIST).await;
        desk.import("First Name,Last Name,Organization,Fax\nBo,Lee,Elm Clinic,847-555-0103\n").await;
        let (ana, bo) = (desk.named("Ruiz").await, desk.named("Lee").await);
        referrers::merge::merge(&desk.parts, ana.id, bo.id, &dana()).await.expect("merged");
        let ben = desk.named("Salas").await;
        referrers::edit(&desk.parts, ben.id, &dana(), |one| one.last_name = Some("Sala".into())).await.expect("edited");
        for (first, last, fax, known) in [
            ("Bo", "Lee", "847-555-0103", ana.id),
            ("Ana", "Ruiz", "847-555-0103", ana.id),
            ("Ben", "Salas", "847-555-0101", ben.id),
        ] {
            let fill = |one: &mut Referrer| {
                (one.first_name, one.last_name) = (Some(first.into()), Some(last.into()));
                one.fax = FaxNumber::parse(fax).ok();
            };
            let refused = referrers::add(&desk.parts, &dana(), false, fill).await.expect_err("a double");
            assert!(matches!(&refused, ReferrersError::Known(_)), "{refused}");
            assert!(refused.to_string().contains(&known.to_string()), "{refused}");
        }
        let stranger = |one: &mut Referrer| {
            (one.first_name, one.last_name) = (Some("Cy".into()), Some("Lee".into()));
            one.fax = FaxNumber::parse("847-555-0103").ok();
        };
        referrers::add(&desk.parts, &dana(), false, stranger).await.expect("somebody else at the same number");
    })
    .await;
}
