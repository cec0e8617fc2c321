//! Questions to DNS: what a domain publishes for its mail.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};

/// The longest that one question may take, with its repetitions.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one try waits for the answer, and how often it is tried.
const TRY_TIMEOUT: Duration = Duration::from_secs(2);
const TRIES: usize = 2;
/// Most records of one answer that are looked at.
const RECORDS_MAX: usize = 100;

/// No name server answered in time, or it answered with a failure; nothing follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no name server answered")]
pub struct NotAnswered;

/// Who answers questions to DNS. An empty answer means that there is no such record, or no such name.
#[async_trait]
pub trait Dns: std::fmt::Debug + Send + Sync {
    /// The texts of TXT records, each with its strings joined (RFC 7208 §3.3, RFC 6376 §3.6.2.2).
    ///
    /// # Errors
    /// [`NotAnswered`].
    async fn texts(&self, name: &str) -> Result<Vec<String>, NotAnswered>;

    /// The hosts of MX records in order of preference, without a final dot; the root is an empty text.
    ///
    /// # Errors
    /// [`NotAnswered`].
    async fn exchangers(&self, name: &str) -> Result<Vec<String>, NotAnswered>;

    /// The addresses of a host.
    ///
    /// # Errors
    /// [`NotAnswered`].
    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, NotAnswered>;
}

/// The name servers of this machine, or one that is named.
#[derive(Debug, Clone)]
pub struct NameServers(TokioResolver);

impl NameServers {
    /// Asks that server, or those of this machine.
    ///
    /// # Errors
    /// [`NotAnswered`] if this machine names no server.
    pub fn new(server: Option<SocketAddr>) -> Result<Self, NotAnswered> {
        let mut builder = match server {
            Some(server) => TokioResolver::builder_with_config(only(server), TokioRuntimeProvider::default()),
            None => TokioResolver::builder_tokio().map_err(|_| NotAnswered)?,
        };
        let options: &mut ResolverOpts = builder.options_mut();
        options.timeout = TRY_TIMEOUT;
        options.attempts = TRIES;
        options.use_hosts_file = ResolveHosts::Never;
        // Who runs a check again has changed something in between.
        options.cache_size = 0;
        builder.build().map(Self).map_err(|_| NotAnswered)
    }

    async fn ask<T>(
        &self,
        name: &str,
        kind: RecordType,
        read: impl Fn(&RData) -> Option<T>,
    ) -> Result<Vec<T>, NotAnswered> {
        // A final dot: no search list of this machine is tried. What is no name has no record.
        let Ok(name) = Name::from_ascii(format!("{}.", name.trim_end_matches('.'))) else { return Ok(Vec::new()) };
        match tokio::time::timeout(ANSWER_TIMEOUT, self.0.lookup(name, kind)).await {
            Ok(Ok(found)) => {
                Ok(found.answers().iter().filter_map(|record| read(&record.data)).take(RECORDS_MAX).collect())
            }
            Ok(Err(error)) if is_empty(&error) => Ok(Vec::new()),
            Ok(Err(_)) | Err(_) => Err(NotAnswered),
        }
    }
}

fn is_empty(error: &NetError) -> bool {
    error.is_no_records_found() || error.is_nx_domain()
}

/// One server, over UDP, and over TCP where an answer is too long for that.
fn only(server: SocketAddr) -> ResolverConfig {
    let at = |mut connection: ConnectionConfig| {
        connection.port = server.port();
        connection
    };
    let connections = vec![at(ConnectionConfig::udp()), at(ConnectionConfig::tcp())];
    ResolverConfig::from_name_servers(vec![NameServerConfig::new(server.ip(), true, connections)])
}

#[async_trait]
impl Dns for NameServers {
    async fn texts(&self, name: &str) -> Result<Vec<String>, NotAnswered> {
        let text = |data: &RData| match data {
            RData::TXT(text) => Some(String::from_utf8_lossy(&text.txt_data.concat()).into_owned()),
            _ => None,
        };
        self.ask(name, RecordType::TXT, text).await
    }

    async fn exchangers(&self, name: &str) -> Result<Vec<String>, NotAnswered> {
        let exchanger = |data: &RData| match data {
            RData::MX(mx) => Some((mx.preference, mx.exchange.to_ascii().trim_end_matches('.').to_ascii_lowercase())),
            _ => None,
        };
        let mut found = self.ask(name, RecordType::MX, exchanger).await?;
        found.sort();
        Ok(found.into_iter().map(|(_, host)| host).collect())
    }

    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, NotAnswered> {
        let address = |data: &RData| match data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            RData::AAAA(address) => Some(IpAddr::V6(address.0)),
            _ => None,
        };
        let (v4, v6) = tokio::join!(self.ask(name, RecordType::A, address), self.ask(name, RecordType::AAAA, address));
        match (v4, v6) {
            (Err(NotAnswered), Err(NotAnswered)) => Err(NotAnswered),
            (v4, v6) => Ok([v4.unwrap_or_default(), v6.unwrap_or_default()].concat()),
        }
    }
}
