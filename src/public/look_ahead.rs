//! What the limits of the accounts mean for a list that was not sent yet.

use serde::Serialize;
use utoipa::ToSchema;

use super::account::QuotaView;
use crate::domain::cost::Cost;
use crate::domain::{PolicyReason, Timestamp};
use crate::intake::look_ahead::{AccountAhead, BudgetAhead};

/// What one account has to carry of a list, and what its limits allow.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountAheadView {
    /// Its name in the configuration.
    pub account: String,
    /// `fax` or `email`.
    pub channel: &'static str,
    /// How many messages of the list go by it, `today` and `later`.
    pub messages: usize,
    /// How many of them it may hand over today.
    pub today: usize,
    /// How many go out by themselves tomorrow or later, or are held as `beyond_budget`.
    pub later: usize,
    /// What those wait for: `quota_spent`, `budget_spent`, or `beyond_budget` where they are held because each costs more than the
    /// budget of a whole day; null if none waits.
    pub waits_for: Option<&'static str>,
    /// How many it may still hand over today, by its quota of a day and its budget; null if neither is set.
    pub left_today: Option<u64>,
    /// Its quotas; empty without any.
    pub quotas: Vec<QuotaView>,
    /// Its budget of today; null without one.
    pub budget: Option<BudgetAheadView>,
    /// How fast it hands over.
    pub rate: RateAheadView,
}

/// A budget from one midnight of the practice to the next.
#[derive(Debug, Serialize, ToSchema)]
pub struct BudgetAheadView {
    /// Hand-overs it allows; null without a limit.
    pub hand_overs_limit: Option<u32>,
    /// Hand-overs today.
    pub hand_overs_used: i64,
    /// What may be spent, with its decimal places; null without a limit.
    #[schema(value_type = Option<String>)]
    pub cost_limit: Option<Cost>,
    /// What was spent today.
    #[schema(value_type = String)]
    pub cost_used: Cost,
    /// When a new day begins.
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
}

/// How fast an account hands over, all nodes together. Null stands for no limit.
#[derive(Debug, Serialize, ToSchema)]
pub struct RateAheadView {
    /// A minute, now.
    pub per_minute: Option<u32>,
    /// A minute to one mail domain.
    pub per_minute_and_domain: Option<u32>,
    /// At once to one mail domain.
    pub at_once_and_domain: Option<u32>,
    /// How many minutes the messages of today take at least.
    pub minutes: Option<u64>,
}

impl From<&AccountAhead> for AccountAheadView {
    fn from(ahead: &AccountAhead) -> Self {
        Self {
            account: ahead.account.clone(),
            channel: ahead.channel.as_str(),
            messages: ahead.messages,
            today: ahead.today,
            later: ahead.later,
            waits_for: ahead.waits_for.map(PolicyReason::as_str),
            left_today: ahead.left,
            quotas: ahead.windows.iter().map(QuotaView::from).collect(),
            budget: ahead.budget.map(BudgetAheadView::from),
            rate: RateAheadView {
                per_minute: ahead.rate_per_minute,
                per_minute_and_domain: ahead.rate_per_domain,
                at_once_and_domain: ahead.concurrency_per_domain,
                minutes: ahead.minutes,
            },
        }
    }
}

impl From<BudgetAhead> for BudgetAheadView {
    fn from(budget: BudgetAhead) -> Self {
        let ((hand_overs_used, hand_overs_limit), (cost_used, cost_limit)) = (budget.hand_overs, budget.cost);
        Self { hand_overs_limit, hand_overs_used, cost_limit, cost_used, ends_at: budget.ends }
    }
}
