//! Records to store: a small practice's worth, every field filled where it can be.

use touchline::domain::attempt::{Attempt, AttemptStatus};
use touchline::domain::health::{AddressHealth, Health};
use touchline::domain::id::{AttemptId, BroadcastId, MessageId, ReferrerId, SubmissionId, TouchId};
use touchline::domain::message::{Confidence, Message};
use touchline::domain::referrer::{Referrer, ReferrerState, ReferrerType};
use touchline::domain::touch::{Disposition, Touch, TouchKind};
use touchline::domain::{
    Address, Channel, EmailAddress, Fault, FaxNumber, Lane, MessageStatus, PhiClass, Purpose, Timestamp,
};
use touchline::store::records::broadcasts::{Broadcast, OwnPause};
use touchline::store::records::submissions::SubmissionRow;
use touchline::store::{Store, Tx};

/// A moment of the tests: so many milliseconds after their beginning.
pub const fn at(ms: i64) -> Timestamp {
    Timestamp(1_795_000_000_000 + ms)
}

pub fn fax(tail: u32) -> FaxNumber {
    FaxNumber::parse(&format!("+1312555{tail:04}")).expect("a number")
}

pub fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).expect("an address")
}

/// A referrer with a family name and nothing else that is optional.
pub fn referrer(last_name: &str) -> Referrer {
    Referrer {
        id: ReferrerId::new(),
        npi: None,
        first_name: None,
        last_name: Some(last_name.to_owned()),
        credentials: None,
        organization: None,
        kind: ReferrerType::Therapist,
        email: None,
        fax: None,
        phone: None,
        time_zone: None,
        state: ReferrerState::Active,
        tags: Vec::new(),
        source: None,
        notes: None,
        created_ms: at(0),
        updated_ms: at(0),
        ..Referrer::new(ReferrerType::Other, at(0))
    }
}

/// A referrer about whom everything is known.
pub fn known_referrer() -> Referrer {
    Referrer {
        npi: Some("1234567893".into()),
        first_name: Some("Zoë".into()),
        credentials: Some("PsyD".into()),
        organization: Some("Therapy; “together”".into()),
        email: Some(email("zoe@together.example")),
        fax: Some(fax(101)),
        phone: Some("+13125550102".into()),
        time_zone: Some("America/Chicago".into()),
        tags: vec!["downtown".into(), "priority".into()],
        source: Some("telephone".into()),
        notes: Some("likes\nshort letters".into()),
        ..referrer("Núñez")
    }
}

pub fn submission(key: Option<&str>) -> SubmissionRow {
    SubmissionRow {
        id: SubmissionId::new(),
        idempotency_key: key.map(str::to_owned),
        request_hash: "aa".repeat(32),
        answer: r#"{"messages":[]}"#.into(),
        who: touchline::domain::Actor::operator("dana"),
        created_ms: at(1),
        at_ms: None,
        undo_until_ms: None,
        undone_ms: None,
        undone_by: None,
    }
}

pub fn broadcast(submission: SubmissionId) -> Broadcast {
    Broadcast {
        id: BroadcastId::new(),
        submission_id: submission,
        campaign_id: None,
        planned_ms: None,
        name: "introduction to all".into(),
        letter: "introduction".into(),
        total: 2,
        created_ms: at(1),
        finished_ms: None,
        pause: OwnPause::default(),
    }
}

pub fn touch(referrer: ReferrerId) -> Touch {
    Touch {
        id: TouchId::new(),
        referrer_id: referrer,
        submission_id: None,
        broadcast_id: None,
        kind: TouchKind::Letter,
        letter: Some("introduction".into()),
        title: "Introduction".into(),
        category: Some("introduction".into()),
        disposition: Disposition::Pending,
        occurred_ms: at(2),
        delivered_ms: None,
        actor: touchline::domain::Actor::operator("dana"),
        repeat_of: None,
        notes: None,
    }
}

/// One referrer in a broadcast, with what a message must refer to, all stored.
pub struct Stage {
    pub referrer: Referrer,
    pub submission: SubmissionRow,
    pub broadcast: Broadcast,
    pub touch: Touch,
}

impl Stage {
    pub async fn set(store: &Store) -> Self {
        let mut tx = store.write().await.expect("a transaction");
        let stage = Self::set_in(&mut tx).await;
        tx.commit().await.expect("committed");
        stage
    }

    pub async fn set_in(tx: &mut Tx) -> Self {
        let referrer = referrer("Whitfield");
        let submission = submission(None);
        let broadcast = broadcast(submission.id);
        let touch =
            Touch { submission_id: Some(submission.id), broadcast_id: Some(broadcast.id), ..touch(referrer.id) };
        tx.referrer_put(&referrer).await.expect("stored");
        tx.submissions_insert(std::slice::from_ref(&submission)).await.expect("stored");
        tx.broadcast_insert(&broadcast).await.expect("stored");
        tx.touches_insert(std::slice::from_ref(&touch)).await.expect("stored");
        Self { referrer, submission, broadcast, touch }
    }

    /// A queued fax of this stage, not part of the broadcast, nothing optional filled.
    pub fn message(&self) -> Message {
        Message {
            id: MessageId::new(),
            touch_id: self.touch.id,
            submission_id: self.submission.id,
            broadcast_id: None,
            referrer_id: self.referrer.id,
            address: Address::Fax(fax(101)),
            lane: Lane::OneOff,
            letter: "introduction".into(),
            purpose: Purpose::Advertisement,
            phi: PhiClass::None,
            variables: "{}".into(),
            status: MessageStatus::Queued,
            reason: None,
            released_ms: None,
            any_hour_ms: None,
            confidence: None,
            due_ms: at(10),
            give_up_ms: at(1_000_000),
            tries: 0,
            dials: 0,
            document_hash: None,
            pages: None,
            created_ms: at(3),
            updated_ms: at(3),
            settled_ms: None,
        }
    }

    /// The same by that channel.
    pub fn message_by(&self, channel: Channel) -> Message {
        let address = match channel {
            Channel::Fax => Address::Fax(fax(101)),
            Channel::Email => Address::Email(email("zoe@together.example")),
        };
        Message { address, ..self.message() }
    }

    /// A mail of the broadcast with everything filled.
    pub fn settled_message(&self) -> Message {
        Message {
            broadcast_id: Some(self.broadcast.id),
            address: "Zoe@together.example".parse().expect("an address"),
            lane: Lane::Broadcast,
            purpose: Purpose::Informational,
            phi: PhiClass::Deidentified,
            variables: r#"{"article":"“Sleep”"}"#.into(),
            status: MessageStatus::Delivered,
            reason: None,
            released_ms: Some(at(7)),
            any_hour_ms: Some(at(6)),
            confidence: Some(Confidence::Presumed),
            tries: 3,
            dials: 2,
            document_hash: Some("bb".repeat(32)),
            pages: Some(2),
            settled_ms: Some(at(9)),
            ..self.message()
        }
    }

    /// Stores these messages.
    pub async fn store(&self, store: &Store, messages: &[Message]) {
        let mut tx = store.write().await.expect("a transaction");
        tx.messages_insert(messages).await.expect("stored");
        tx.commit().await.expect("committed");
    }
}

/// An attempt that is about to be made.
pub fn attempt(message: MessageId, number: i64) -> Attempt {
    Attempt {
        id: AttemptId::new(),
        message_id: message,
        number,
        provider: "fax-sandbox".into(),
        status: AttemptStatus::Calling,
        provider_reference: None,
        fault: None,
        raw_code: None,
        raw_text: None,
        pages_confirmed: None,
        document_hash: "cc".repeat(32),
        pages: Some(1),
        dialled: Some(Address::Fax(fax(101))),
        billed_amount: None,
        billed_unit: None,
        tls_version: None,
        tls_cipher: None,
        tls_peer: None,
        opened_ms: at(20),
        answered_ms: None,
        settled_ms: None,
        looks: 0,
        doubt_deadline_ms: None,
    }
}

/// The same attempt after everything was learnt about it.
pub fn ended(attempt: &Attempt, status: AttemptStatus) -> Attempt {
    Attempt {
        status,
        provider_reference: Some(format!("ref-{}", attempt.id)),
        fault: Some(Fault::Busy),
        raw_code: Some("17".into()),
        raw_text: Some("user busy".into()),
        pages_confirmed: Some(1),
        billed_amount: Some("0.07".into()),
        billed_unit: Some("USD".into()),
        answered_ms: Some(at(21)),
        settled_ms: Some(at(22)),
        looks: 4,
        doubt_deadline_ms: Some(at(23)),
        ..attempt.clone()
    }
}

/// What is known of an address.
pub fn known(address: &Address, health: Health, strikes: i64, fault: Option<Fault>) -> AddressHealth {
    AddressHealth { channel: address.channel(), value: address.key(), health, strikes, fault }
}
