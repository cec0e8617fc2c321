//! The audit trail by act, page by page.

use touchline::domain::{Actor, AuditAct};
use touchline::store::records::events::AuditLine;

use super::samples::at;
use crate::support::databases::each_db;

#[tokio::test]
async fn the_audit_trail_is_read_by_act_and_page_the_newest_first() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let dana = Actor::operator("dana");
        let acts = [AuditAct::Hold, AuditAct::Login, AuditAct::Release, AuditAct::Hold, AuditAct::Logout];
        let lines: Vec<AuditLine> =
            acts.iter().zip(1..).map(|(act, ms)| AuditLine::new(&dana, *act, None, None, at(ms))).collect();
        tx.audit_insert(&lines).await.expect("written");
        let newest_first: Vec<AuditLine> = lines.iter().rev().cloned().collect();
        assert_eq!(tx.audit_page(&[], 0, 9).await.expect("read"), newest_first);
        assert_eq!(tx.audit_page(&[], 1, 2).await.expect("read"), newest_first[1..3]);
        assert_eq!(tx.audit_count(&[]).await.expect("read"), 5);
        let letters = [AuditAct::Hold, AuditAct::Release, AuditAct::Cancel];
        let found = tx.audit_page(&letters, 0, 9).await.expect("read");
        assert_eq!(found.iter().map(|line| line.at_ms).collect::<Vec<_>>(), [at(4), at(3), at(1)]);
        assert_eq!(tx.audit_page(&letters, 2, 9).await.expect("read"), found[2..]);
        assert!(tx.audit_page(&letters, 3, 9).await.expect("read").is_empty());
        assert_eq!(tx.audit_count(&letters).await.expect("read"), 3);
        assert_eq!(tx.audit_count(&[AuditAct::Purge]).await.expect("read"), 0);
    })
    .await;
}
