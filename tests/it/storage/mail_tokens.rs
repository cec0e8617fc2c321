//! Tokens of accounts: claimed by one node at a time, and stored only in the place of those that were read.

use touchline::domain::{Actor, Remedy};
use touchline::store::records::mail_tokens::{MailToken, Renewed};

use super::samples::at;
use crate::support::databases::each_db;

fn renewed(access: &[u8], refresh: Option<&[u8]>) -> Renewed {
    Renewed {
        made_for: "settings".into(),
        refresh_sealed: refresh.map(<[u8]>::to_vec),
        access_sealed: access.to_vec(),
        renew_ms: at(50),
        access_until_ms: at(60),
    }
}

#[tokio::test]
async fn one_claims_and_what_it_stores_replaces_only_what_it_read() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        assert_eq!(tx.mail_token("office").await.expect("read"), None);
        tx.mail_token_ensure("office", "settings").await.expect("made");
        tx.mail_token_ensure("office", "others").await.expect("there already");
        let made = tx.mail_token("office").await.expect("read").expect("there");
        assert_eq!((made.serial, made.made_for.as_str(), made.access_sealed), (0, "settings", None));

        assert!(tx.mail_token_claim("office", 0, at(10), at(1)).await.expect("claimed"));
        assert!(!tx.mail_token_claim("office", 0, at(11), at(9)).await.expect("asked"), "another one has it");
        assert!(tx.mail_token_claim("office", 0, at(20), at(10)).await.expect("claimed"), "it has ended");
        tx.mail_token_free("office", 0).await.expect("freed");
        assert!(tx.mail_token_claim("office", 0, at(20), at(11)).await.expect("claimed"), "it was given back");
        assert!(!tx.mail_token_claim("office", 7, at(20), at(21)).await.expect("asked"), "those are others");

        assert!(tx.mail_token_renewed("office", 0, &renewed(b"a1", Some(b"r1")), at(12)).await.expect("stored"));
        assert!(!tx.mail_token_renewed("office", 0, &renewed(b"a2", Some(b"r2")), at(13)).await.expect("late"));
        let known = tx.mail_token("office").await.expect("read").expect("there");
        assert_eq!(
            (known.access_sealed.as_deref(), known.refresh_sealed.as_deref()),
            (Some(&b"a1"[..]), Some(&b"r1"[..]))
        );
        assert_eq!((known.serial, known.claimed_until_ms, known.issued_ms), (1, None, Some(at(12))));
        assert!(tx.mail_token_renewed("office", 1, &renewed(b"a3", None), at(14)).await.expect("stored"));
        let known = tx.mail_token("office").await.expect("read").expect("there");
        assert_eq!(known.refresh_sealed.as_deref(), Some(&b"r1"[..]), "without a new one the old one serves again");
    })
    .await;
}

#[tokio::test]
async fn a_refusal_is_noted_and_a_sign_in_ends_it_and_a_sign_out_leaves_the_serial_only() {
    each_db(async |store| {
        let mut tx = store.write().await.expect("tx");
        let dana = Actor::operator("dana");
        let signed_in = renewed(b"a", Some(b"r"));
        tx.mail_token_sign_in("office", &signed_in, Some("o@harbor.example"), &dana, at(1)).await.expect("stored");
        assert!(tx.mail_token_refused("office", 1, "ended", Some(Remedy::SignIn), at(2)).await.expect("noted"));
        assert!(!tx.mail_token_refused("office", 9, "others", None, at(3)).await.expect("asked"));
        let known = tx.mail_token("office").await.expect("read").expect("there");
        assert_eq!((known.refused_ms, known.refusal.as_deref()), (Some(at(2)), Some("ended")));
        assert_eq!(known.refusal_remedy, Some(Remedy::SignIn));
        assert!(tx.mail_token_refused("office", 1, "still ended", Some(Remedy::SignIn), at(3)).await.expect("noted"));
        let again = tx.mail_token("office").await.expect("read").expect("there");
        let times = |known: &MailToken| (known.refused_ms, known.refused_last_ms);
        assert_eq!((times(&again), again.refusal.as_deref()), ((Some(at(2)), Some(at(3))), Some("still ended")));
        assert_eq!((known.signed_in_by, known.signed_in_ms), (Some(dana.clone()), Some(at(1))));

        assert!(tx.mail_token_renewed("office", 1, &renewed(b"b", None), at(4)).await.expect("stored"));
        assert!(tx.mail_token_refused("office", 2, "ended again", None, at(5)).await.expect("noted"));
        let later = tx.mail_token("office").await.expect("read").expect("there");
        assert_eq!(times(&later), (Some(at(5)), Some(at(5))), "a refusal after a token was issued is another one");

        tx.mail_token_sign_in("office", &signed_in, None, &dana, at(6)).await.expect("stored");
        let known = tx.mail_token("office").await.expect("read").expect("there");
        assert_eq!((known.serial, known.refused_ms, known.signed_in_as), (3, None, None));
        assert_eq!(known.refused_last_ms, None);

        assert!(tx.mail_token_forget("office").await.expect("forgotten"));
        assert!(!tx.mail_token_forget("office").await.expect("nothing left"));
        let left = tx.mail_tokens().await.expect("read").remove(0);
        assert_eq!((left.serial, left.refresh_sealed, left.signed_in_by), (4, None, None));
        assert!(!tx.mail_token_renewed("office", 3, &renewed(b"late", None), at(7)).await.expect("late"));
    })
    .await;
}
