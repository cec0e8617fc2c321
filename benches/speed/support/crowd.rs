//! People to write to, and the records of what was written to them, by the hundred thousand: inserted in
//! bulk, and the same as what import and sending leave behind. Fax numbers are from the range reserved for fiction.

use super::desk::Desk;

/// Where the ids of each table begin, so that none is another's.
const REFERRERS: u64 = 0xa << 44;
const RECORDS: u64 = 0xb << 44;
const EVENTS: u64 = 0xc << 44;
/// Numbers of the fictional range that do something else than deliver lie below this one.
const FIRST_LINE: u64 = 33;
const LINES_PER_AREA: u64 = 100 - FIRST_LINE;
/// Area codes x12 to x99: neither a service code (x11) nor the premium-rate 900.
const AREAS_PER_HUNDRED: u64 = 88;
/// As many fax numbers as there are.
pub const FAXES_MAX: u64 = 8 * AREAS_PER_HUNDRED * LINES_PER_AREA;

/// Some referrers in a row.
#[derive(Debug, Clone, Copy)]
pub struct Crowd {
    /// The number of the first.
    pub first: u64,
    /// The number of the last.
    pub last: u64,
    /// What kind they are, by which they can be written to apart from others.
    pub kind: &'static str,
    /// How their mailboxes begin.
    pub mailbox: &'static str,
    /// Whether they have fax numbers, with permission to send advertisements there.
    pub fax: bool,
}

impl Crowd {
    /// So many with mailboxes only.
    pub const fn with_mailboxes(count: u64) -> Self {
        Self { first: 1, last: count, kind: "primary_care", mailbox: "ana", fax: false }
    }
}

/// The id of a referrer, as the API writes it.
pub fn referrer_id(number: u64) -> uuid::Uuid {
    uuid::Uuid::from_u128(u128::from(REFERRERS + number))
}

/// The id of a message, attempt or touch of [`faxes_on_record`].
pub fn record_id(number: u64) -> uuid::Uuid {
    uuid::Uuid::from_u128(u128::from(RECORDS + number))
}

/// The mailbox of a referrer.
pub fn mailbox(crowd: &Crowd, number: u64) -> String {
    format!("{}{number}@office{number}.example", crowd.mailbox)
}

/// Lets them be known.
pub async fn know(desk: &mut Desk, crowd: &Crowd) -> anyhow::Result<()> {
    let id = desk.id(&format!("{REFERRERS} + i"));
    let now = Desk::now_ms().to_string();
    let (kind, email) =
        (format!("'{}'", crowd.kind), format!("'{}' || i || '@office' || i || '.example'", crowd.mailbox));
    let number = fax_number(desk);
    let fax = if crowd.fax { number.as_str() } else { "NULL" };
    desk.fill(
        "referrer",
        crowd.first,
        crowd.last,
        &[
            ("id", &id),
            ("first_name", "'Ana'"),
            ("last_name", "'Number' || i"),
            ("credentials", "'MD'"),
            ("organization", "'Office ' || i"),
            ("kind", &kind),
            ("email", &email),
            ("fax", fax),
            ("state", "'active'"),
            ("tags", "'[]'"),
            ("sort_name", "'number' || i || ' ana office ' || i"),
            ("created_ms", &now),
            ("updated_ms", &now),
        ],
    )
    .await?;
    if crowd.fax {
        desk.fill(
            "basis",
            crowd.first,
            crowd.last,
            &[
                ("id", &id),
                ("fax", &number),
                ("kind", "'permission'"),
                ("number_source", "'given_by_recipient'"),
                ("obtained_on", "'2026-11-02'"),
                ("how", "'asked by telephone'"),
                ("by_whom", "'bench'"),
                ("created_ms", &now),
            ],
        )
        .await?;
    }
    Ok(())
}

fn fax_number(desk: &Desk) -> String {
    let area = format!("i / {LINES_PER_AREA}");
    let area = format!("(2 + ({area}) / {AREAS_PER_HUNDRED}) * 100 + 12 + ({area}) % {AREAS_PER_HUNDRED}");
    let line = desk.padded(&format!("{FIRST_LINE} + i % {LINES_PER_AREA}"), 2);
    format!("'+1' || ({area}) || '55501' || {line}")
}

/// How far the letters on record have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The fax line has them, and its word on how they ended is waited for.
    Accepted,
    /// They arrived long ago.
    Delivered,
}

/// One faxed letter on record for each of these referrers, who must be known: touch, message and attempt.
pub async fn faxes_on_record(desk: &mut Desk, crowd: &Crowd, account: &str, stage: Stage) -> anyhow::Result<()> {
    let (referrer, id) = (desk.id(&format!("{REFERRERS} + i")), desk.id(&format!("{RECORDS} + i")));
    let (submission, number, now) = (desk.id(&RECORDS.to_string()), fax_number(desk), Desk::now_ms());
    let settled = if stage == Stage::Delivered { now.to_string() } else { "NULL".to_owned() };
    let (now, later) = (now.to_string(), (now + 72 * 3_600_000).to_string());
    let status = if stage == Stage::Delivered { "'delivered'" } else { "'accepted'" };
    let disposition = if stage == Stage::Delivered { "'delivered'" } else { "'pending'" };
    let account = format!("'{account}'");
    desk.fill(
        "submission",
        1,
        1,
        &[("id", &submission), ("request_hash", "'0'"), ("answer", "'{}'"), ("who", "'bench'"), ("created_ms", &now)],
    )
    .await?;
    desk.fill(
        "touch",
        crowd.first,
        crowd.last,
        &[
            ("id", &id),
            ("referrer_id", &referrer),
            ("submission_id", &submission),
            ("kind", "'letter'"),
            ("letter", "'introduction'"),
            ("title", "'Introduction letter'"),
            ("category", "'introduction'"),
            ("disposition", disposition),
            ("occurred_ms", &now),
            ("delivered_ms", &settled),
            ("actor", "'bench'"),
        ],
    )
    .await?;
    desk.fill(
        "message",
        crowd.first,
        crowd.last,
        &[
            ("id", &id),
            ("touch_id", &id),
            ("submission_id", &submission),
            ("referrer_id", &referrer),
            ("channel", "'fax'"),
            ("address", &number),
            ("lane", "'broadcast'"),
            ("letter", "'introduction'"),
            ("purpose", "'advertisement'"),
            ("phi", "'none'"),
            ("variables", "'{}'"),
            ("status", status),
            ("due_ms", &now),
            ("give_up_ms", &later),
            ("tries", "1"),
            ("dials", "1"),
            ("document_hash", "'0'"),
            ("pages", "1"),
            ("created_ms", &now),
            ("updated_ms", &now),
            ("settled_ms", &settled),
        ],
    )
    .await?;
    desk.fill(
        "attempt",
        crowd.first,
        crowd.last,
        &[
            ("id", &id),
            ("message_id", &id),
            ("number", "1"),
            ("provider", &account),
            ("status", status),
            ("provider_reference", "'fx_' || i"),
            ("document_hash", "'0'"),
            ("opened_ms", &now),
            ("answered_ms", &now),
            ("settled_ms", &settled),
            ("looks", "0"),
        ],
    )
    .await?;
    match stage {
        Stage::Accepted => waiting_for_a_word(desk, crowd).await,
        Stage::Delivered => Ok(()),
    }
}

/// The health of each number, and a question to the fax line far in the future.
async fn waiting_for_a_word(desk: &mut Desk, crowd: &Crowd) -> anyhow::Result<()> {
    let number = fax_number(desk);
    let now = Desk::now_ms().to_string();
    desk.fill(
        "address",
        crowd.first,
        crowd.last,
        &[("channel", "'fax'"), ("value", &number), ("health", "'unverified'"), ("strikes", "0"), ("updated_ms", &now)],
    )
    .await?;
    queue(desk, crowd, "poll", "waiting", Desk::now_ms() + 3_600_000).await
}

/// One queue entry for each record.
pub async fn queue(desk: &mut Desk, crowd: &Crowd, kind: &str, state: &str, due_ms: i64) -> anyhow::Result<()> {
    let (subject, flow) = (desk.id(&format!("{RECORDS} + i")), desk.id("1"));
    let (kind, state, due) = (format!("'{kind}'"), format!("'{state}'"), due_ms.to_string());
    desk.fill(
        "queue_entry",
        crowd.first,
        crowd.last,
        &[
            ("kind", &kind),
            ("subject", &subject),
            ("lane", "'broadcast'"),
            ("flow", &flow),
            ("rank", "i"),
            ("due_ms", &due),
            ("state", &state),
            ("fence", "0"),
            ("claims", "0"),
        ],
    )
    .await
}

/// So many events for each record.
pub async fn events(desk: &mut Desk, crowd: &Crowd, each: u64) -> anyhow::Result<()> {
    let (first, last) = ((crowd.first - 1) * each, crowd.last * each - 1);
    let (id, record) = (desk.id(&format!("{EVENTS} + i")), desk.id(&format!("{RECORDS} + 1 + i / {each}")));
    let now = Desk::now_ms().to_string();
    desk.fill(
        "event",
        first,
        last,
        &[
            ("id", &id),
            ("message_id", &record),
            ("attempt_id", &record),
            ("kind", "'progress'"),
            ("source", "'webhook'"),
            ("who", "'fax'"),
            ("detail", "'dialing'"),
            ("occurred_ms", &now),
            ("recorded_ms", &now),
        ],
    )
    .await
}
