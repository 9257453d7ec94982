//! From a question to an answer, without any I/O.

use std::net::IpAddr;
use std::str::FromStr as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use hickory_proto::op::{
    Edns, Header, Message, MessageType, Metadata, OpCode, Query, ResponseCode,
};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, PTR, SOA, SRV};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};
use hickory_proto::serialize::binary::{BinDecodable as _, BinDecoder};
use sampan_model::routing;

use super::Carrier;
use super::zone::{Found, Zone};

/// Seconds for which answers, also negative ones, may be remembered: endpoints come and go.
const TTL: u32 = 5;
/// Aliases that are followed for one question.
const CHAIN: usize = 8;
/// The largest datagram that we send, which passes any network unfragmented (the value of DNS flag day 2020).
const DATAGRAM_BYTES: u16 = 1232;

/// What is to be done about a message.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Send this.
    Answer(Message),
    /// Ask another resolver instead of us.
    Forward,
    /// Ask another resolver for `name`, to which an alias leads, and send its records along.
    Complete {
        /// What is known so far.
        answer: Message,
        /// The alias's target.
        name: Name,
    },
    /// Say nothing: it is no question.
    Drop,
}

/// Answers a message as far as the zone goes. `can_ask` says whether there is another resolver.
pub(super) fn answer(zone: &Zone, message: &[u8], can_ask: bool) -> Outcome {
    let Ok(header) = Header::read(&mut BinDecoder::new(message)) else {
        return Outcome::Drop;
    };
    if header.metadata.message_type == MessageType::Response {
        return Outcome::Drop;
    }
    let Ok(request) = Message::from_vec(message) else {
        return failure(header.metadata, ResponseCode::FormErr);
    };
    if request.metadata.op_code != OpCode::Query {
        return failure(header.metadata, ResponseCode::NotImp);
    }
    let mut answer = Message::response(request.metadata.id, OpCode::Query);
    answer.metadata = Metadata::response_from_request(&request.metadata);
    answer.metadata.recursion_available = can_ask;
    answer.queries.clone_from(&request.queries);
    if let Some(edns) = &request.edns {
        let mut ours = Edns::new();
        ours.set_max_payload(edns.max_payload().min(DATAGRAM_BYTES));
        answer.edns = Some(ours);
        if edns.version() != 0 {
            return refuse(answer, ResponseCode::BADVERS);
        }
    }
    match &request.queries[..] {
        [query] => resolve(zone, query, answer, can_ask),
        _ => refuse(answer, ResponseCode::FormErr),
    }
}

fn failure(request: Metadata, code: ResponseCode) -> Outcome {
    let mut answer = Message::response(request.id, request.op_code);
    answer.metadata = Metadata::response_from_request(&request);
    refuse(answer, code)
}

fn refuse(mut answer: Message, code: ResponseCode) -> Outcome {
    answer.metadata.response_code = code;
    Outcome::Answer(answer)
}

fn resolve(zone: &Zone, query: &Query, mut answer: Message, can_ask: bool) -> Outcome {
    let is_transfer = matches!(query.query_type, RecordType::AXFR | RecordType::IXFR);
    if is_transfer || !matches!(query.query_class, DNSClass::IN | DNSClass::ANY) {
        return refuse(answer, ResponseCode::Refused);
    }
    if let Some(target) = pointed_to(zone, &query.name) {
        answer.metadata.authoritative = true;
        if matches!(query.query_type, RecordType::PTR | RecordType::ANY) {
            answer
                .answers
                .push(record(&query.name, RData::PTR(PTR(target))));
        }
        return Outcome::Answer(answer);
    }
    // The owner's name is given back as it was asked for: some resolvers vary its case to recognise forgeries.
    let mut owner = query.name.clone();
    for step in 0..CHAIN {
        match zone.find(&key(&owner)) {
            Found::Name(name) => {
                answer.metadata.authoritative |= step == 0;
                let Some(alias) = alias(name) else {
                    add_records(zone, &owner, query.query_type, name, &mut answer);
                    break;
                };
                answer
                    .answers
                    .push(record(&owner, RData::CNAME(CNAME(alias.clone()))));
                if query.query_type == RecordType::CNAME {
                    break;
                }
                owner = alias;
            }
            Found::Parent | Found::Nothing if step == 0 => return absent(zone, query, answer),
            Found::Parent => break,
            Found::Nothing => {
                answer.metadata.response_code = ResponseCode::NXDomain;
                break;
            }
            Found::Foreign if step == 0 => return foreign(answer, can_ask),
            Found::Foreign if can_ask => {
                return Outcome::Complete {
                    answer,
                    name: owner,
                };
            }
            Found::Foreign => return Outcome::Answer(answer),
        }
    }
    let fits = |last: &Record| {
        query.query_type == RecordType::ANY || last.record_type() == query.query_type
    };
    if !answer.answers.last().is_some_and(fits) {
        answer.authorities.extend(authority(zone));
    }
    Outcome::Answer(answer)
}

/// A name of our domain that has no records: either it does not exist, or names below it do (RFC 8020), or the
/// question is about the domain itself.
fn absent(zone: &Zone, query: &Query, mut answer: Message) -> Outcome {
    answer.metadata.authoritative = true;
    let name = key(&query.name);
    if name == zone.domain() && matches!(query.query_type, RecordType::SOA | RecordType::ANY) {
        answer.answers.extend(authority(zone));
        return Outcome::Answer(answer);
    }
    if zone.find(&name) == Found::Nothing {
        answer.metadata.response_code = ResponseCode::NXDomain;
    }
    answer.authorities.extend(authority(zone));
    Outcome::Answer(answer)
}

/// A name outside our domain. With nobody else to ask, it does not exist as far as this site is concerned. A refusal
/// would be more literal, but musl's resolver takes nothing but an answer or "no such name" for final: it would let
/// each look-up of a public name stand for its whole timeout, at a site where none can ever succeed.
fn foreign(answer: Message, can_ask: bool) -> Outcome {
    if can_ask {
        return Outcome::Forward;
    }
    refuse(answer, ResponseCode::NXDomain)
}

fn add_records(
    zone: &Zone,
    owner: &Name,
    kind: RecordType,
    name: &routing::Name,
    answer: &mut Message,
) {
    let any = kind == RecordType::ANY;
    let addresses = rotated(&name.addresses)
        .map(|address| address_data(*address))
        .filter(|data| any || data.record_type() == kind);
    answer
        .answers
        .extend(addresses.map(|data| record(owner, data)));
    if !any && kind != RecordType::SRV {
        return;
    }
    for service in &name.services {
        let Some(target) = parse(&service.target) else {
            continue;
        };
        if let Found::Name(host) = zone.find(&service.target) {
            let records = host
                .addresses
                .iter()
                .map(|address| record(&target, address_data(*address)));
            answer.additionals.extend(
                records
                    .filter(|record| !answer.additionals.contains(record))
                    .collect::<Vec<_>>(),
            );
        }
        let data = SRV::new(0, 100, service.port, target);
        answer.answers.push(record(owner, RData::SRV(data)));
    }
}

/// The name of the address that `reverse` stands for (`1.0.0.10.in-addr.arpa`), if we know it.
fn pointed_to(zone: &Zone, reverse: &Name) -> Option<Name> {
    let network = reverse.to_lowercase().parse_arpa_name().ok()?;
    let is_whole = network.prefix_len() == network.max_prefix_len();
    let name = is_whole.then(|| zone.name_of(network.addr())).flatten()?;
    parse(name)
}

fn authority(zone: &Zone) -> Option<Record> {
    let domain = parse(zone.domain())?;
    let main = parse(&format!("ns.dns.{}", zone.domain()))?;
    let mailbox = parse(&format!("hostmaster.{}", zone.domain()))?;
    let data = SOA::new(main, mailbox, zone.serial, 7200, 1800, 86400, TTL);
    Some(record(&domain, RData::SOA(data)))
}

fn alias(name: &routing::Name) -> Option<Name> {
    name.alias.as_deref().and_then(parse)
}

fn record(owner: &Name, data: RData) -> Record {
    Record::from_rdata(owner.clone(), TTL, data)
}

fn address_data(address: IpAddr) -> RData {
    match address {
        IpAddr::V4(address) => RData::A(A(address)),
        IpAddr::V6(address) => RData::AAAA(AAAA(address)),
    }
}

/// The addresses, starting with another one each time, as most clients take the first.
fn rotated(addresses: &[IpAddr]) -> impl Iterator<Item = &IpAddr> {
    static TURN: AtomicUsize = AtomicUsize::new(0);
    let start = TURN.fetch_add(1, Ordering::Relaxed) % addresses.len().max(1);
    addresses[start..].iter().chain(&addresses[..start])
}

/// A name as the zone knows it: lower case, without the closing dot.
fn key(name: &Name) -> String {
    let mut text = name.to_lowercase().to_ascii();
    if text.ends_with('.') {
        text.pop();
    }
    text
}

fn parse(name: &str) -> Option<Name> {
    let mut name = Name::from_str(name).ok()?;
    name.set_fqdn(true);
    Some(name)
}

/// An answer as bytes that the carrier can take.
pub(super) fn encode(answer: &Message, carrier: Carrier) -> Option<Vec<u8>> {
    let limit = match carrier {
        Carrier::Udp => usize::from(answer.edns.as_ref().map_or(512, Edns::max_payload)),
        Carrier::Tcp => usize::from(u16::MAX),
    };
    let bytes = to_bytes(answer)?;
    if bytes.len() <= limit {
        return Some(bytes);
    }
    // What was not asked for goes first; then as few answers as necessary. Some are better than none: there are
    // clients that do not come back over TCP.
    let mut short = answer.clone();
    short.additionals.clear();
    let all = answer.answers.len();
    let fits = |kept: usize| {
        let mut part = short.clone();
        part.answers.truncate(kept);
        part.metadata.truncation = kept < all;
        to_bytes(&part).filter(|bytes| bytes.len() <= limit)
    };
    let (mut low, mut high) = (0, all);
    while low < high {
        let middle = (low + high).div_ceil(2);
        if fits(middle).is_some() {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    fits(low)
}

fn to_bytes(message: &Message) -> Option<Vec<u8>> {
    message
        .to_vec()
        .inspect_err(|error| tracing::warn!(%error, "a DNS answer cannot be written"))
        .ok()
}

#[cfg(test)]
mod tests;
