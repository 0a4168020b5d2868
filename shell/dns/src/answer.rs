//! One question to one answer. Numbers and rules are those of RFC 1035; negative answers carry the
//! SOA (RFC 2308), `ANY` gets next to nothing (RFC 8482).

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, HINFO, NS, SOA};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};

use crate::names::{Host, Names};
use crate::{Config, DnsError};

/// As many as fit into a packet of 512 bytes together with the question.
const ANSWERS_MAX: usize = 8;

/// What is offered for answers over UDP; none of ours is longer.
const PAYLOAD: u16 = 1232;

/// A zone, its names read once.
#[derive(Debug, Clone)]
pub(crate) struct Zone {
    origin: Name,
    servers: Vec<Name>,
    contact: Name,
    ttl: u32,
}

impl Zone {
    pub(crate) fn new(config: &Config) -> Result<Self, DnsError> {
        let origin = name(&config.zone)?;
        let servers: Result<Vec<_>, _> =
            config.name_servers.iter().map(|text| name(text)).collect();
        let contact = name(&format!("hostmaster.{}", config.zone))?;
        Ok(Self {
            origin,
            servers: servers?,
            contact,
            ttl: u32::try_from(config.ttl.as_secs()).unwrap_or(u32::MAX),
        })
    }

    fn start_of_authority(&self, serial: u32) -> Record {
        let first = self.servers.first().unwrap_or(&self.origin).clone();
        let contact = self.contact.clone();
        let negative = self.ttl;
        let soa = SOA::new(first, contact, serial, 60, 10, 3_600, negative);
        Record::from_rdata(self.origin.clone(), self.ttl, RData::SOA(soa))
    }
}

fn name(text: &str) -> Result<Name, DnsError> {
    let mut name = Name::from_ascii(text).map_err(|_| DnsError::Name(text.to_owned()))?;
    name.set_fqdn(true);
    Ok(name)
}

/// Answers a message. `turn` moves the first of several answers on. `None` for what is no question.
pub(crate) fn answer(
    zone: &Zone,
    names: &Names,
    request: &Message,
    turn: usize,
) -> Option<Message> {
    if request.metadata.message_type != MessageType::Query {
        return None;
    }
    let mut reply = Message::response(request.metadata.id, request.metadata.op_code);
    reply.metadata.recursion_desired = request.metadata.recursion_desired;
    if let Some(edns) = &request.edns {
        let mut own = Edns::new();
        own.set_max_payload(PAYLOAD);
        if edns.version() > 0 {
            reply.metadata.response_code = ResponseCode::BADVERS;
            own.set_rcode_high(1);
        }
        reply.set_edns(own);
        if edns.version() > 0 {
            return Some(reply);
        }
    }
    if request.metadata.op_code != OpCode::Query {
        reply.metadata.response_code = ResponseCode::NotImp;
        return Some(reply);
    }
    let [query] = &request.queries[..] else {
        reply.metadata.response_code = ResponseCode::FormErr;
        return Some(reply);
    };
    reply.add_query(query.clone());
    let transfer = matches!(query.query_type, RecordType::AXFR | RecordType::IXFR);
    let ours = query.query_class == DNSClass::IN && zone.origin.zone_of(&query.name);
    if transfer || !ours {
        reply.metadata.response_code = ResponseCode::Refused;
        return Some(reply);
    }
    reply.metadata.authoritative = true;
    fill(zone, names, query, (&mut reply, turn));
    Some(reply)
}

/// The answer to a question about our zone.
fn fill(zone: &Zone, names: &Names, query: &Query, (reply, turn): (&mut Message, usize)) {
    let soa = || zone.start_of_authority(names.serial);
    let depth = query.name.num_labels() - zone.origin.num_labels();
    let records = match depth {
        0 => Some(apex(zone, names, query)),
        1 => {
            let label = query.name.iter().next().unwrap_or_default();
            let label = String::from_utf8_lossy(label).to_ascii_lowercase();
            names
                .hosts(&label)
                .map(|hosts| of_hosts(zone, query, hosts, turn))
        }
        _ => None,
    };
    match records {
        None => {
            reply.metadata.response_code = ResponseCode::NXDomain;
            reply.add_authority(soa());
        }
        Some(records) if records.is_empty() => {
            reply.add_authority(soa());
        }
        Some(records) => {
            reply.add_answers(records);
        }
    }
}

fn apex(zone: &Zone, names: &Names, query: &Query) -> Vec<Record> {
    let of_server = |server: &Name| {
        let data = RData::NS(NS(server.clone()));
        Record::from_rdata(query.name.clone(), zone.ttl, data)
    };
    match query.query_type {
        RecordType::SOA => vec![zone.start_of_authority(names.serial)],
        RecordType::NS => zone.servers.iter().map(of_server).collect(),
        RecordType::ANY => vec![next_to_nothing(zone, query)],
        _ => Vec::new(),
    }
}

fn of_hosts(zone: &Zone, query: &Query, mut hosts: Vec<Host>, turn: usize) -> Vec<Record> {
    if query.query_type == RecordType::ANY {
        return vec![next_to_nothing(zone, query)];
    }
    if !hosts.is_empty() {
        let first = turn % hosts.len();
        hosts.rotate_left(first);
    }
    let record = |data| Record::from_rdata(query.name.clone(), zone.ttl, data);
    // A name may be another name for one only, and for nothing else besides.
    if let Some(Host::Name(first)) = hosts.first() {
        let target = name(first).ok();
        return target
            .map(|target| record(RData::CNAME(CNAME(target))))
            .into_iter()
            .collect();
    }
    let data = hosts
        .into_iter()
        .filter_map(|host| match (host, query.query_type) {
            (Host::Address(std::net::IpAddr::V4(ip)), RecordType::A) => Some(RData::A(A(ip))),
            (Host::Address(std::net::IpAddr::V6(ip)), RecordType::AAAA) => {
                Some(RData::AAAA(AAAA(ip)))
            }
            (Host::Address(_) | Host::Name(_), _) => None,
        });
    data.take(ANSWERS_MAX).map(record).collect()
}

fn next_to_nothing(zone: &Zone, query: &Query) -> Record {
    let data = HINFO::new("RFC8482".to_owned(), String::new());
    Record::from_rdata(query.name.clone(), zone.ttl, RData::HINFO(data))
}

/// An answer that says only: ask again over TCP.
pub(crate) fn truncated(request: &Message) -> Option<Message> {
    if request.metadata.message_type != MessageType::Query {
        return None;
    }
    let mut reply = Message::response(request.metadata.id, request.metadata.op_code);
    reply.metadata.truncation = true;
    reply.add_queries(request.queries.iter().take(1).cloned());
    Some(reply)
}
