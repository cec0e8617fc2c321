//! The world of one history: nodes on one database, the far side, people, a clock; and what an observer remembers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use touchline::domain::basis::{Basis, BasisKind};
use touchline::domain::id::{AttemptId, BasisId, MessageId, ReferrerId, SubmissionId, SuppressionId};
use touchline::domain::referrer::{Referrer, ReferrerState, ReferrerType};
use touchline::domain::suppression::Scope;
use touchline::domain::{Address, Channel, Clock, EmailAddress, FaxNumber, Timestamp};
use touchline::intake::answer::Accepted;
use touchline::intake::request::Request;
use touchline::policy::hours::Hours;
use touchline::queue::retry::RetryRules;
use touchline::settle::{Rules, SmtpDoubt};

use super::accounts::{Account, Routes};
use super::canaries::Listener;
use super::chooser::Chooser;
use super::far_side::FarSide;
use super::house::House;
use super::node::{Node, Shared};
use super::picture::Picture;
use super::twins::Sabotage;
use crate::support::clock::FakeClock;

/// Steps of the trace that a failure shows.
const TRACE_SHOWN: usize = 60;
/// What stands in letters and must never stand in a log.
pub const CANARY: &str = "zanzibarcanary";

/// What an onlooker remembers of a history, without asking the database.
#[derive(Debug, Default)]
pub struct Log {
    /// How many acts there were.
    pub count: usize,
    /// Refusals that stand, as they were committed.
    pub refusals: Vec<Refused>,
    /// What a person, or a written setting, had sent again, and at which act.
    pub resends: Vec<(MessageId, usize)>,
    /// What a person let go at any hour, and nobody stopped since.
    pub hurried: BTreeSet<MessageId>,
    /// Every pass of the gate: which attempt, of which message, over which account, when, and at which act.
    pub passes: Vec<Pass>,
    /// Idempotency keys with what was asked and answered.
    pub keys: BTreeMap<u8, (Request, Accepted)>,
    /// Until when each submission with an undo window can be withdrawn, as it was accepted.
    pub windows: BTreeMap<SubmissionId, Timestamp>,
    /// The highest fence seen of each queue entry.
    pub fences: BTreeMap<i64, i64>,
}

/// A refusal that stands.
#[derive(Debug, Clone)]
pub struct Refused {
    pub id: Option<SuppressionId>,
    pub address: Address,
    pub scope: Scope,
}

/// One pass of the gate.
#[derive(Debug, Clone, Copy)]
pub struct Pass {
    pub attempt: AttemptId,
    pub message: MessageId,
    pub account: Option<Account>,
    pub at: Timestamp,
    /// The number of the act.
    pub count: usize,
}

/// See the module's comment.
pub struct World<'h> {
    pub house: &'h mut House,
    pub seed: u64,
    pub chooser: Chooser,
    pub shared: Shared,
    pub nodes: Vec<Node>,
    pub people: Vec<ReferrerId>,
    pub before: Picture,
    pub log: Log,
    pub sabotage: Option<Sabotage>,
    pub sabotaged: bool,
    lives: usize,
    trace: Vec<String>,
    names: BTreeMap<uuid::Uuid, String>,
}

impl<'h> World<'h> {
    /// A fresh world over an emptied house, all its properties drawn from the seed.
    pub fn new(house: &'h mut House, seed: u64, sabotage: Option<Sabotage>) -> Self {
        Self::begin(house, seed, sabotage, None)
    }

    /// The same, and everything that is said in it is listened to.
    pub fn listened(house: &'h mut House, seed: u64, listener: Listener) -> Self {
        Self::begin(house, seed, None, Some(listener))
    }

    fn begin(house: &'h mut House, seed: u64, sabotage: Option<Sabotage>, listener: Option<Listener>) -> Self {
        fastrand::seed(seed);
        house.spy.wipe();
        let mut chooser = Chooser::new(seed);
        let routes = super::unlisted::routes_of(seed, routes(&mut chooser));
        let shared = Shared {
            seed,
            listener,
            url: house.url.clone(),
            clock: FakeClock::new(),
            far: FarSide::new(),
            rules: Arc::new(rules(&routes, &mut chooser)),
            hours: Arc::new(hours(seed)),
            routes,
        };
        let mut world = Self {
            house,
            seed,
            chooser,
            shared,
            nodes: Vec::new(),
            people: Vec::new(),
            before: Picture::default(),
            log: Log::default(),
            sabotage,
            sabotaged: false,
            lives: 0,
            trace: Vec::new(),
            names: BTreeMap::new(),
        };
        for place in 0..2 + world.chooser.below(2) {
            let node = world.born(place);
            world.nodes.push(node);
        }
        world.move_in();
        world
    }

    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// A node under a name that none had before.
    pub fn born(&mut self, place: usize) -> Node {
        self.lives += 1;
        let letter = char::from(b'A' + u8::try_from(place).expect("few nodes"));
        Node::start(format!("{letter}{}", self.lives), &self.shared)
    }

    /// Four people; the last two share a fax number. All may be faxed to.
    fn move_in(&mut self) {
        let now = self.now();
        let people: Vec<Referrer> = (0..4).map(|place| person(place, now)).collect();
        self.people = people.iter().map(|one| one.id).collect();
        let store = self.nodes[0].store().clone();
        self.nodes[0].run(async {
            let mut tx = store.write().await.expect("a transaction");
            for one in &people {
                tx.referrer_put(one).await.expect("stored");
            }
            for place in 0..3 {
                tx.basis_insert(&basis(fax_of(place), now)).await.expect("stored");
            }
            tx.commit().await.expect("committed");
        });
    }

    /// A short name for an id, the same in every run of a seed.
    pub fn name(&mut self, kind: char, id: uuid::Uuid) -> String {
        let next = self.names.values().filter(|name| name.starts_with(kind)).count() + 1;
        self.names.entry(id).or_insert_with(|| format!("{kind}{next}")).clone()
    }

    pub fn tell(&mut self, words: &str) {
        let at = self.now().to_utc().format("%d %H:%M:%S%.3f");
        self.trace.push(format!("{:>4} {at} {words}", self.log.count));
    }

    /// A line for each step, first to last.
    pub fn trace(&self) -> &[String] {
        &self.trace
    }

    /// The last steps and how to repeat them.
    pub fn story(&self) -> String {
        let mut text = String::new();
        let skipped = self.trace.len().saturating_sub(TRACE_SHOWN);
        for line in &self.trace[skipped..] {
            let _ = writeln!(text, "  {line}");
        }
        let routes: Vec<&str> = self.shared.routes.all().map(Account::name).collect();
        let _ = writeln!(
            text,
            "seed {} on {}, {} nodes, accounts {}, rate {:?}, mail in doubt: {:?}\n\
             again: TOUCHLINE_SIM_SEED={} cargo test --test it simulation::histories",
            self.seed,
            self.house.engine(),
            self.nodes.len(),
            routes.join(" "),
            self.shared.routes.rate_per_minute,
            self.shared.rules.smtp_doubt,
            self.seed,
        );
        text
    }
}

fn routes(chooser: &mut Chooser) -> Routes {
    let first = chooser.one_of(Account::FAX);
    let second = chooser.one_of(Account::FAX);
    let fax = if first == second { vec![first] } else { vec![first, second] };
    Routes {
        fax,
        mail: vec![chooser.one_of(Account::MAIL)],
        rate_per_minute: chooser.one_of(&[None, None, Some(6), Some(30)]),
    }
}

/// In one world of three, letters to win a referrer wait for office hours; in the others every hour is one.
pub const fn keeps_hours(seed: u64) -> bool {
    seed % 3 == 2
}

fn hours(seed: u64) -> Hours {
    let text = if keeps_hours(seed) { "daily 09:00-12:00, 13:00-16:00" } else { "always" };
    Hours::new(text.parse().expect("office hours"), chrono_tz::America::Chicago)
}

fn rules(routes: &Routes, chooser: &mut Chooser) -> Rules {
    Rules {
        restored: None,
        retry: RetryRules::default(),
        status_poll: Duration::from_secs(20),
        presume_delivered: Duration::from_secs(6 * 3600),
        doubt_settle: Duration::from_secs(120),
        give_up: super::node::GIVE_UP,
        doubt_deadline: Duration::from_secs(24 * 3600),
        report_deadline: Duration::from_secs(24 * 3600),
        smtp_doubt: chooser.one_of(&[SmtpDoubt::Hold, SmtpDoubt::Hold, SmtpDoubt::AssumeSent, SmtpDoubt::Resend]),
        purging: BTreeMap::new(),
        domains: touchline::domain::mail_domains::MailDomains::default(),
        capabilities: routes.capabilities(),
    }
}

/// The fax number of a person, or of an office that two share.
pub fn fax_of(place: usize) -> FaxNumber {
    FaxNumber::parse(&format!("+1312555{:04}", 142 + place.min(2))).expect("a number")
}

fn email_of(place: usize) -> EmailAddress {
    EmailAddress::parse(&format!("{CANARY}-{place}@clinic.example")).expect("a mailbox")
}

pub fn address_of(place: usize, channel: Channel) -> Address {
    match channel {
        Channel::Fax => Address::Fax(fax_of(place)),
        Channel::Email => Address::Email(email_of(place)),
    }
}

fn person(place: usize, now: Timestamp) -> Referrer {
    Referrer {
        id: ReferrerId::new(),
        npi: None,
        first_name: Some("Ana".to_owned()),
        last_name: Some(format!("{CANARY}{place}")),
        credentials: None,
        organization: None,
        kind: ReferrerType::Therapist,
        email: Some(email_of(place)),
        fax: Some(fax_of(place)),
        phone: None,
        time_zone: None,
        state: ReferrerState::Active,
        tags: Vec::new(),
        source: None,
        notes: None,
        created_ms: now,
        updated_ms: now,
        ..Referrer::new(ReferrerType::Other, now)
    }
}

pub fn basis(fax: FaxNumber, now: Timestamp) -> Basis {
    Basis {
        id: BasisId::new(),
        fax,
        kind: BasisKind::Permission,
        number_source: None,
        obtained_on: "2026-11-02".to_owned(),
        how: "asked".to_owned(),
        by_whom: "dana".to_owned(),
        note: None,
        created_ms: now,
        ended_ms: None,
        ended_reason: None,
    }
}
