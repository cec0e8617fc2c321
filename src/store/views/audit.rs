//! Read model of the audit trail: its entries by act, page by page.

use sqlx::{Database, Encode, QueryBuilder, Type};

use crate::domain::AuditAct;
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;
use crate::store::engine::rows::push_list;
use crate::store::records::events::AuditLine;

const ENTRIES: &str = "SELECT id, who, action, subject, detail, at_ms FROM audit";
const ENTRY_COUNT: &str = "SELECT COUNT(*) FROM audit";

impl Tx {
    /// A page of the audit trail, newest first: at most `limit` entries behind the first `offset`. Only these acts; all, if
    /// none is named.
    pub async fn audit_page(
        &mut self,
        acts: &[AuditAct],
        offset: i64,
        limit: i64,
    ) -> Result<Vec<AuditLine>, StoreError> {
        on!(self, |c, d| {
            let mut statement = QueryBuilder::<Engine>::new(ENTRIES);
            push_acts(&mut statement, acts);
            statement.push(" ORDER BY at_ms DESC, id DESC LIMIT ").push_bind(limit);
            statement.push(" OFFSET ").push_bind(offset);
            Ok(statement.build_query_as().fetch_all(&mut *c).await?)
        })
    }

    /// How many entries the audit trail has of these acts; of all, if none is named.
    pub async fn audit_count(&mut self, acts: &[AuditAct]) -> Result<i64, StoreError> {
        on!(self, |c, d| {
            let mut statement = QueryBuilder::<Engine>::new(ENTRY_COUNT);
            push_acts(&mut statement, acts);
            Ok(statement.build_query_scalar().fetch_one(&mut *c).await?)
        })
    }
}

/// Narrows a statement to these acts, if any is named.
fn push_acts<'k, D: Database>(statement: &mut QueryBuilder<D>, acts: &'k [AuditAct])
where
    AuditAct: Encode<'k, D> + Type<D>,
{
    if !acts.is_empty() {
        statement.push(" WHERE action IN (");
        push_list(statement, acts);
        statement.push(")");
    }
}
