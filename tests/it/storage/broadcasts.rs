//! Submissions, broadcasts, campaigns, documents.

use std::sync::Arc;

use touchline::domain::id::{CampaignId, ReferrerId};
use touchline::domain::message::Message;
use touchline::domain::{Actor, MessageStatus};
use touchline::store::StoreError;
use touchline::store::records::broadcasts::Broadcast;
use touchline::store::records::campaigns::CampaignRow;
use touchline::store::records::documents::{Base, Document};
use touchline::store::records::submissions::SubmissionRow;
use touchline::store::records::unfolding::Unfolding;

use super::samples::{Stage, at, broadcast, submission};
use crate::support::databases::each_db;

fn campaign(name: &str) -> CampaignRow {
    CampaignRow {
        id: CampaignId::new(),
        name: name.to_owned(),
        letter: "capacity-update".into(),
        variables: r#"{"openings":"two"}"#.into(),
        dated: "{}".into(),
        audience: "tag:north-shore".into(),
        channels: "fax,email".into(),
        schedule: "first tuesday 09:00".into(),
        zone: "America/Chicago".into(),
        state: touchline::domain::campaign::CampaignState::Active,
        next_ms: Some(at(100)),
        runs: 0,
        waiting_ms: None,
        who: Actor::operator("dana"),
        created_ms: at(1),
        updated_ms: at(2),
        removed_ms: None,
    }
}

#[tokio::test]
async fn an_idempotency_key_is_used_once_and_found_again() {
    each_db(async |store| {
        let (first, without) = (submission(Some("key-1")), submission(None));
        let mut tx = store.write().await.expect("tx");
        tx.submissions_insert(std::slice::from_ref(&first)).await.expect("stored");
        tx.submissions_insert(std::slice::from_ref(&without)).await.expect("stored");
        tx.submissions_insert(&[submission(None)]).await.expect("no key is no conflict");
        tx.commit().await.expect("committed");
        let mut tx = store.write().await.expect("tx");
        tx.submission_answer(first.id, "{}", None).await.expect("written");
        let answered = SubmissionRow { answer: "{}".into(), ..first.clone() };
        let (who, other) = (first.who.clone(), Actor::token("another"));
        let found = tx.submissions_by_keys(&[(&who, "key-1"), (&who, "key-2"), (&other, "key-2")]).await.expect("read");
        assert_eq!(found, [answered]);
        for absent in [(&who, "key-2"), (&other, "key-1")] {
            assert_eq!(tx.submissions_by_keys(&[absent]).await.expect("read"), []);
        }
        let of_another = SubmissionRow { who: other.clone(), ..submission(Some("key-1")) };
        tx.submissions_insert(std::slice::from_ref(&of_another)).await.expect("a key belongs to whoever used it");
        assert_eq!(tx.submissions_by_keys(&[(&other, "key-1")]).await.expect("read"), [of_another]);
        let again = tx.submissions_insert(&[submission(Some("key-1"))]).await;
        assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    })
    .await;
}

#[tokio::test]
async fn a_planned_run_makes_one_broadcast_however_many_nodes_see_that_it_is_due() {
    each_db(async |store| {
        let (request, plan) = (submission(None), campaign("monthly"));
        let run = Broadcast {
            campaign_id: Some(plan.id),
            planned_ms: Some(at(100)),
            name: "monthly".into(),
            ..broadcast(request.id)
        };
        let by_hand = Broadcast { planned_ms: None, ..broadcast(request.id) };
        let mut tx = store.write().await.expect("tx");
        tx.submissions_insert(std::slice::from_ref(&request)).await.expect("stored");
        tx.campaign_insert(&plan).await.expect("stored");
        tx.broadcast_insert(&run).await.expect("stored");
        tx.broadcast_insert(&by_hand).await.expect("stored");
        let started = |_: i32| Broadcast { campaign_id: Some(plan.id), ..broadcast(request.id) };
        tx.broadcast_insert(&started(1)).await.expect("a run started by hand has no planned moment");
        tx.broadcast_insert(&started(2)).await.expect("and may be started again");
        tx.commit().await.expect("committed");

        let mut tx = store.write().await.expect("tx");
        assert_eq!(tx.broadcast(run.id).await.expect("read"), Some(run.clone()));
        assert_eq!(tx.broadcasts_list(Some(plan.id), 10).await.expect("read").len(), 3);
        let all = tx.broadcasts_list(None, 10).await.expect("read");
        assert!(all.len() == 4 && all.is_sorted_by(|a, b| a.id > b.id), "the newest first");
        assert_eq!(tx.broadcasts_list(None, 2).await.expect("read"), all[..2]);
        let second = Broadcast { id: broadcast(request.id).id, ..run };
        let twice = tx.broadcast_insert(&second).await;
        assert!(matches!(twice, Err(StoreError::Conflict(_))), "{twice:?}");
    })
    .await;
}

#[tokio::test]
async fn a_broadcast_is_finished_when_the_last_of_its_messages_is() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let waiting = Message { broadcast_id: Some(stage.broadcast.id), ..stage.message() };
        stage.store(&store, &[waiting.clone(), stage.settled_message()]).await;
        let mut tx = store.write().await.expect("tx");
        assert!(tx.broadcasts_unfinished().await.expect("read"));
        assert_eq!(tx.broadcasts_finish(at(80)).await.expect("tried"), 0, "one message waits");
        let doubted = Message { status: MessageStatus::InDoubt, ..waiting.clone() };
        tx.message_update(&doubted).await.expect("written");
        assert_eq!(tx.broadcasts_finish(at(80)).await.expect("marked"), 1, "doubt is counted in the ledger");
        tx.broadcast_reopen(stage.broadcast.id).await.expect("reopened");
        let ended = Message { status: MessageStatus::Expired, settled_ms: Some(at(70)), ..waiting };
        tx.message_update(&ended).await.expect("written");
        assert_eq!(tx.broadcasts_finish(at(81)).await.expect("marked"), 1);
        assert_eq!(tx.broadcasts_finish(at(82)).await.expect("tried"), 0, "once");
        assert!(!tx.broadcasts_unfinished().await.expect("read"));
        let finished = tx.broadcast(stage.broadcast.id).await.expect("read").expect("it stays");
        assert_eq!(finished.finished_ms, Some(at(81)));
        tx.broadcast_reopen(stage.broadcast.id).await.expect("a retry reopens it");
        assert!(tx.broadcasts_unfinished().await.expect("read"));
    })
    .await;
}

#[tokio::test]
async fn a_campaign_is_due_while_it_is_active_and_its_time_has_come() {
    each_db(async |store| {
        let plans = [
            campaign("due"),
            CampaignRow { next_ms: Some(at(50)), ..campaign("due earlier") },
            CampaignRow { next_ms: Some(at(101)), ..campaign("later") },
            CampaignRow { next_ms: None, ..campaign("never") },
            CampaignRow { state: touchline::domain::campaign::CampaignState::Paused, ..campaign("paused") },
            CampaignRow { state: touchline::domain::campaign::CampaignState::Done, ..campaign("done") },
        ];
        let mut tx = store.write().await.expect("tx");
        for plan in &plans {
            tx.campaign_insert(plan).await.expect("stored");
            assert_eq!(tx.campaign_named(&plan.name, true).await.expect("read").as_ref(), Some(plan));
        }
        assert_eq!(tx.campaign_named("unheard of", false).await.expect("read"), None);
        let due = tx.campaigns_due(at(100), 10).await.expect("read");
        assert_eq!(due, [plans[1].clone(), plans[0].clone()], "the longest due first");
        assert_eq!(tx.campaigns_due(at(100), 1).await.expect("read").len(), 1);
        assert_eq!(tx.campaigns_next().await.expect("read"), Some(at(50)));
        for (plan, is_due) in plans.iter().zip([true, true, false, false, false, false]) {
            let found = tx.campaign_due(plan.id, at(100)).await.expect("read");
            assert_eq!(found, is_due.then(|| plan.clone()), "{}", plan.name);
        }
        tx.campaign_move(plans[0].id, touchline::domain::campaign::CampaignState::Done, None, at(200))
            .await
            .expect("moved");
        let moved = CampaignRow {
            state: touchline::domain::campaign::CampaignState::Done,
            next_ms: None,
            updated_ms: at(200),
            ..plans[0].clone()
        };
        assert_eq!(tx.campaign_named("due", false).await.expect("read"), Some(moved));
        let names: Vec<String> = tx.campaigns_list().await.expect("read").into_iter().map(|plan| plan.name).collect();
        assert_eq!(names, ["done", "due", "due earlier", "later", "never", "paused"]);
        tx.commit().await.expect("committed");

        let mut tx = store.write().await.expect("tx");
        let taken = tx.campaign_insert(&campaign("later")).await;
        assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    })
    .await;
}

#[tokio::test]
async fn a_campaign_is_changed_counted_and_removed_and_its_name_is_free_again() {
    each_db(async |store| {
        let (first, other) = (campaign("monthly"), campaign("other"));
        let mut tx = store.write().await.expect("tx");
        tx.campaign_insert(&first).await.expect("stored");
        tx.campaign_insert(&other).await.expect("stored");
        tx.campaign_ran(first.id, at(150)).await.expect("counted");
        let waiting = CampaignRow {
            variables: "{}".into(),
            dated: r#"{"openings":{"set":"2026-11-23T15:00:00.000Z","runs":1}}"#.into(),
            runs: 1,
            waiting_ms: Some(at(160)),
            updated_ms: at(160),
            ..first.clone()
        };
        assert_eq!(tx.campaign(first.id).await.expect("read").map(|row| row.runs), Some(1));
        tx.campaign_update(&waiting).await.expect("stored");
        assert_eq!(tx.campaign(first.id).await.expect("read").as_ref(), Some(&waiting));
        assert_eq!(tx.campaigns_next().await.expect("read"), Some(at(100)), "the other one's");
        assert_eq!(tx.campaigns_due(at(100), 9).await.expect("read").len(), 2, "one that waits is still due");
        tx.campaign_move(first.id, waiting.state, Some(at(300)), at(170)).await.expect("moved");
        let moved = CampaignRow { next_ms: Some(at(300)), waiting_ms: None, updated_ms: at(170), ..waiting };
        assert_eq!(tx.campaign_named("monthly", false).await.expect("read").as_ref(), Some(&moved));
        tx.commit().await.expect("committed");

        let mut tx = store.write().await.expect("tx");
        let taken = tx.campaign_update(&CampaignRow { name: "other".into(), ..moved.clone() }).await;
        assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
        drop(tx);

        let mut tx = store.write().await.expect("tx");
        let removed = CampaignRow { removed_ms: Some(at(400)), next_ms: None, ..moved };
        tx.campaign_update(&removed).await.expect("stored");
        assert_eq!(tx.campaign_named("monthly", true).await.expect("read"), None);
        assert_eq!(tx.campaigns_list().await.expect("read"), [other]);
        let again = campaign("monthly");
        tx.campaign_insert(&again).await.expect("the name is free");
        tx.campaign_update(&CampaignRow { removed_ms: Some(at(500)), ..again.clone() }).await.expect("stored");
        let names: Vec<CampaignId> =
            tx.campaigns_removed().await.expect("read").into_iter().map(|row| row.id).collect();
        assert_eq!(names, [again.id, removed.id], "the last removed first");
        tx.commit().await.expect("committed");
    })
    .await;
}

#[tokio::test]
async fn a_document_is_kept_once_under_its_hash() {
    each_db(async |store| {
        let body: Vec<u8> = (0..=255_u8).cycle().take(70_000).collect();
        let alike = b"Dear colleague, ".repeat(2_000);
        let bodies = [body, Vec::new(), alike, vec![1, 2, 3], vec![1]];
        let hashes = ["ab", "cd", "01", "02", "03"].map(|text| text.repeat(32));
        let documents: Vec<Document> =
            hashes.iter().zip(&bodies).map(|(hash, body)| Document::new(hash.clone(), "pdf", body.clone())).collect();
        let mut tx = store.write().await.expect("tx");
        tx.documents_put(&documents, at(1)).await.expect("kept");
        let other = Document::new(hashes[0].clone(), "mail", b"another".to_vec());
        tx.documents_put(&[other], at(2)).await.expect("kept already");
        for (hash, body) in hashes.iter().zip(bodies) {
            assert_eq!(tx.document(hash).await.expect("read"), Some(("pdf".to_owned(), body)));
        }
        assert_eq!(tx.document("ef").await.expect("read"), None);
    })
    .await;
}

#[tokio::test]
async fn of_mails_that_are_alike_each_comes_back_whole_also_when_only_the_later_ones_were_kept() {
    each_db(async |store| {
        let words: String = (0..400).map(|word| format!("word{} ", word * 7919 % 1009)).collect();
        let mail = |name: &str| format!("Dear {name}, {words}").into_bytes();
        let hashes = ["0a", "0b", "0c"].map(|text| text.repeat(32));
        let whole = Document::new(hashes[2].clone(), "mail", mail("Dr. Ruiz"));
        let base = Arc::new(Base::new(whole, mail("Dr. Ruiz")).expect("a base"));
        let later = |place: usize, name: &str| Document::like(&base, &hashes[place], &mail(name)).expect("alike");
        // Nothing has stored the base by itself.
        let mut tx = store.write().await.expect("tx");
        tx.documents_put(&[later(0, "Dr. Lee"), later(1, "Dr. Núñez")], at(1)).await.expect("kept");
        tx.commit().await.expect("committed");
        let mut tx = store.write().await.expect("tx");
        tx.documents_put(&[later(0, "Dr. Lee"), later(2, "Dr. Ruiz")], at(2)).await.expect("kept already");
        for (hash, name) in hashes.iter().zip(["Dr. Lee", "Dr. Núñez", "Dr. Ruiz"]) {
            assert_eq!(tx.document(hash).await.expect("read"), Some(("mail".to_owned(), mail(name))), "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_list_is_fixed_when_it_is_recorded_and_unfolds_by_portions_on_one_node_at_a_time() {
    each_db(async |store| {
        let stage = Stage::set(&store).await;
        let mut tx = store.write().await.expect("tx");
        let id = stage.broadcast.id;
        let recipients: Vec<ReferrerId> = (0..3).map(|_| ReferrerId::new()).collect();
        assert!(!tx.broadcast_is_unfolding(id).await.expect("read"));
        tx.broadcast_unfold_begin(id, "{}", &recipients, at(10)).await.expect("recorded");
        assert!(tx.broadcast_is_unfolding(id).await.expect("read"));
        let list = |unfolded| Unfolding {
            submission: stage.submission.id,
            created_ms: stage.broadcast.created_ms,
            plan: "{}".into(),
            recipients: recipients.clone(),
            unfolded,
            answer: stage.submission.answer.clone(),
        };
        assert_eq!(tx.broadcast_unfolding(id).await.expect("read"), Some(list(0)));
        assert!(tx.broadcast_unfold_lock(id, 0).await.expect("asked"));
        tx.broadcast_unfold_on(id, 2, 5, at(20)).await.expect("written");
        assert!(!tx.broadcast_unfold_lock(id, 0).await.expect("asked"), "it has come further");
        assert_eq!(tx.broadcast_unfolding(id).await.expect("read"), Some(list(2)));
        assert_eq!(tx.broadcasts_left_unfolding(at(20)).await.expect("read"), []);
        assert_eq!(tx.broadcasts_left_unfolding(at(21)).await.expect("read"), [id]);
        assert_eq!(tx.broadcasts_finish(at(30)).await.expect("looked"), 0, "not while it is being unfolded");
        tx.broadcast_unfold_end(id, 7).await.expect("written");
        assert_eq!(tx.broadcast_unfolding(id).await.expect("read"), None);
        assert_eq!(tx.broadcasts_left_unfolding(at(99)).await.expect("read"), []);
        assert_eq!(tx.broadcast(id).await.expect("read").map(|one| one.total), Some(7));
        assert_eq!(tx.broadcasts_finish(at(40)).await.expect("looked"), 1);
        tx.messages_insert(&[Message { broadcast_id: Some(id), ..stage.message() }]).await.expect("stored");
        let addresses = tx.broadcast_addresses(id).await.expect("read");
        assert_eq!(addresses, [stage.message().address]);
    })
    .await;
}

#[tokio::test]
async fn what_is_rolled_back_is_undone_and_its_lock_released_before_the_next_look() {
    each_db(async |store| {
        let plan = campaign("due");
        let mut tx = store.write().await.expect("tx");
        tx.campaign_insert(&plan).await.expect("stored");
        tx.commit().await.expect("committed");
        for round in 0..50 {
            let mut tx = store.write().await.expect("tx");
            let due = tx.campaign_due(plan.id, at(100)).await.expect("read");
            assert_eq!(due.as_ref(), Some(&plan), "round {round}: nothing else holds it, and it is as it was");
            let done = touchline::domain::campaign::CampaignState::Done;
            tx.campaign_move(plan.id, done, None, at(200)).await.expect("moved");
            tx.rollback().await.expect("rolled back");
        }
    })
    .await;
}
