//! Follows an SPF record and all that it includes, as far as receivers would and a little beyond, to count.

use std::net::IpAddr;

use ipnet::IpNet;

use super::asking::Asking;
use crate::policy::mail_setup::spf::{Hosts, LOOKUPS_MAX, Qualifier, Reading, Record, Term, Walk, read};

/// After so many terms nothing is followed any more: the record is far beyond what counts.
const FOLLOWED_MAX: usize = 3 * LOOKUPS_MAX;
/// Exchangers of one `mx` term (RFC 7208 §4.6.4).
const EXCHANGERS_MAX: usize = 10;

/// What the domain's record says. `None` if the domain's own records were not answered.
pub(super) async fn walk(asking: &Asking<'_>, domain: &str) -> Option<Walk> {
    let own = read(&asking.texts(domain).await?);
    let mut walk = Walk::new(own.clone());
    let Reading::One(record) = own else { return Some(walk) };
    // Records still to be read: whose, and whether what they say of everybody else counts.
    let mut open = vec![(domain.to_owned(), record, true)];
    while let Some((domain, record, is_own)) = open.pop() {
        walk.unreadable.extend(record.unreadable.iter().cloned());
        for (qualifier, term) in &record.terms {
            match term {
                Term::All if is_own => walk.all = Some(*qualifier),
                Term::All => {}
                Term::Pointer => {
                    walk.pointer = true;
                    walk.lookups += 1;
                }
                Term::Exists => walk.lookups += 1,
                Term::Network(network) => add(&mut walk, *qualifier, [*network]),
                Term::Addresses(hosts) => addresses(asking, &mut walk, *qualifier, hosts, &domain).await,
                Term::Exchangers(hosts) => exchangers(asking, &mut walk, *qualifier, hosts, &domain).await,
                Term::Include(of) => {
                    let is_new = walk.includes.insert(of.clone());
                    open.extend(follow(asking, &mut walk, of, is_new).await.map(|record| (of.clone(), record, false)));
                }
                // A redirect counts only where nothing else says what everybody else is (RFC 7208 §6.1).
                Term::Redirect(to) if !record.terms.iter().any(|(_, term)| *term == Term::All) => {
                    let is_new = walk.includes.insert(to.clone());
                    open.extend(follow(asking, &mut walk, to, is_new).await.map(|record| (to.clone(), record, is_own)));
                }
                Term::Redirect(_) => {}
            }
        }
    }
    Some(walk)
}

/// The record of a domain that another record names. A macro cannot be followed.
async fn follow(asking: &Asking<'_>, walk: &mut Walk, domain: &str, is_new: bool) -> Option<Record> {
    walk.lookups += 1;
    if domain.contains('%') || !is_new || walk.lookups > FOLLOWED_MAX {
        return None;
    }
    match asking.texts(domain).await.map(|texts| read(&texts)) {
        Some(Reading::One(record)) => return Some(record),
        Some(_) => drop(walk.broken.insert(domain.to_owned())),
        None => walk.is_incomplete = true,
    }
    None
}

async fn addresses(asking: &Asking<'_>, walk: &mut Walk, qualifier: Qualifier, hosts: &Hosts, own: &str) {
    walk.lookups += 1;
    let name = hosts.of.as_deref().unwrap_or(own);
    if name.contains('%') || walk.lookups > FOLLOWED_MAX {
        return;
    }
    match asking.addresses(name).await {
        Some(found) => add(walk, qualifier, found.into_iter().filter_map(|address| around(address, hosts))),
        None => walk.is_incomplete = true,
    }
}

async fn exchangers(asking: &Asking<'_>, walk: &mut Walk, qualifier: Qualifier, hosts: &Hosts, own: &str) {
    walk.lookups += 1;
    let name = hosts.of.as_deref().unwrap_or(own);
    if name.contains('%') || walk.lookups > FOLLOWED_MAX {
        return;
    }
    let Some(found) = asking.exchangers(name).await else {
        walk.is_incomplete = true;
        return;
    };
    for host in found.iter().filter(|host| !host.is_empty()).take(EXCHANGERS_MAX) {
        match asking.addresses(host).await {
            Some(found) => add(walk, qualifier, found.into_iter().filter_map(|address| around(address, hosts))),
            None => walk.is_incomplete = true,
        }
    }
}

fn add(walk: &mut Walk, qualifier: Qualifier, networks: impl IntoIterator<Item = IpNet>) {
    if qualifier == Qualifier::Pass {
        walk.networks.extend(networks);
    }
}

fn around(address: IpAddr, hosts: &Hosts) -> Option<IpNet> {
    IpNet::new(address, if address.is_ipv4() { hosts.v4 } else { hosts.v6 }).ok()
}
