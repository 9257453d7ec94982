use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use sampan_model::routing::{Routing, ServicePort};

use super::*;

const DB: &str = "db.shop.svc.cluster.local";

fn zone() -> Zone {
    let name = |name: &str| routing::Name {
        name: name.into(),
        addresses: Vec::new(),
        services: Vec::new(),
        alias: None,
    };
    let alias = |from: &str, to: &str| routing::Name {
        alias: Some(to.into()),
        ..name(from)
    };
    let names = vec![
        routing::Name {
            addresses: vec![
                Ipv4Addr::new(10, 0, 0, 1).into(),
                Ipv6Addr::LOCALHOST.into(),
            ],
            ..name(DB)
        },
        routing::Name {
            services: vec![ServicePort {
                port: 5432,
                target: DB.into(),
            }],
            ..name(&format!("_sql._tcp.{DB}"))
        },
        routing::Name {
            addresses: (0..200)
                .map(|last| Ipv4Addr::new(10, 0, 1, last).into())
                .collect(),
            ..name("many.shop.svc.cluster.local")
        },
        alias("inside.shop.svc.cluster.local", DB),
        alias("outside.shop.svc.cluster.local", "db.example.com"),
        alias(
            "gone.shop.svc.cluster.local",
            "nobody.shop.svc.cluster.local",
        ),
        alias(
            "circle.shop.svc.cluster.local",
            "circle.shop.svc.cluster.local",
        ),
    ];
    let routing = Routing {
        names,
        domain: "cluster.local".into(),
        ..Routing::default()
    };
    Zone::new(Arc::new(routing), 7)
}

fn question(name: &str, kind: RecordType) -> Message {
    let mut message = Message::query();
    message.add_query(Query::query(
        Name::from_ascii(name).expect("it is a name"),
        kind,
    ));
    message
}

fn outcome(question: &Message, can_ask: bool) -> Outcome {
    answer(
        &zone(),
        &question.to_vec().expect("it can be written"),
        can_ask,
    )
}

/// The answer in short: code, `aa` when authoritative, the answers, the types of what comes along.
fn asked(name: &str, kind: RecordType) -> String {
    let Outcome::Answer(answer) = outcome(&question(name, kind), false) else {
        panic!("{name} is answered");
    };
    let bytes = encode(&answer, Carrier::Tcp).expect("it can be written");
    let answer = Message::from_vec(&bytes).expect("it can be read");
    let mut parts = vec![format!("{:?}", answer.metadata.response_code)];
    parts.extend(answer.metadata.authoritative.then(|| "aa".to_owned()));
    parts.extend(
        answer
            .answers
            .iter()
            .map(|record| format!("{} {}", record.record_type(), record.data)),
    );
    let rest = answer.authorities.iter().chain(&answer.additionals);
    parts.extend(rest.map(|record| format!("+{}", record.record_type())));
    parts.join(", ")
}

#[test]
fn names_are_answered_by_type() {
    assert_eq!(asked(DB, RecordType::A), "NoError, aa, A 10.0.0.1");
    assert_eq!(
        asked("DB.shop.SVC.cluster.local.", RecordType::AAAA),
        "NoError, aa, AAAA ::1"
    );
    assert_eq!(
        asked(&format!("_sql._tcp.{DB}"), RecordType::SRV),
        "NoError, aa, SRV 0 100 5432 db.shop.svc.cluster.local., +A, +AAAA"
    );
    assert_eq!(
        asked("1.0.0.10.in-addr.arpa", RecordType::PTR),
        "NoError, aa, PTR db.shop.svc.cluster.local."
    );
    assert!(asked("cluster.local", RecordType::SOA).starts_with("NoError, aa, SOA ns.dns.cluster"));
}

#[test]
fn names_without_such_records_differ_from_names_that_do_not_exist() {
    assert_eq!(asked(DB, RecordType::TXT), "NoError, aa, +SOA");
    assert_eq!(
        asked("shop.svc.cluster.local", RecordType::A),
        "NoError, aa, +SOA"
    );
    assert_eq!(asked("cluster.local", RecordType::A), "NoError, aa, +SOA");
    assert_eq!(asked("db.shop", RecordType::A), "NXDomain");
    assert_eq!(
        asked("example.com.shop.svc.cluster.local", RecordType::A),
        "NXDomain, aa, +SOA"
    );
    assert_eq!(asked("9.9.0.10.in-addr.arpa", RecordType::PTR), "NXDomain");
}

#[test]
fn aliases_are_followed_as_far_as_we_know() {
    let start = |name: &str| asked(&format!("{name}.shop.svc.cluster.local"), RecordType::A);
    assert_eq!(
        start("inside"),
        "NoError, aa, CNAME db.shop.svc.cluster.local., A 10.0.0.1"
    );
    assert_eq!(start("outside"), "NoError, aa, CNAME db.example.com.");
    assert!(start("gone").starts_with("NXDomain, aa, CNAME nobody"));
    assert_eq!(start("circle").matches("CNAME").count(), CHAIN);
    let outside = question("outside.shop.svc.cluster.local", RecordType::A);
    let Outcome::Complete { name, .. } = outcome(&outside, true) else {
        panic!("another resolver is asked");
    };
    assert_eq!(name.to_ascii(), "db.example.com.");
    assert!(matches!(
        outcome(&question("example.com", RecordType::A), true),
        Outcome::Forward
    ));
}

#[test]
fn an_answer_that_does_not_fit_is_cut_and_says_so() {
    let mut asking = question("many.shop.svc.cluster.local", RecordType::A);
    for (payload, answers) in [(None, 29), (Some(1000), 59), (Some(4000), 73)] {
        asking.edns = payload.map(|bytes| {
            let mut edns = Edns::new();
            edns.set_max_payload(bytes);
            edns
        });
        let Outcome::Answer(answer) = outcome(&asking, false) else {
            panic!("it is answered");
        };
        let bytes = encode(&answer, Carrier::Udp).expect("it can be written");
        let cut = Message::from_vec(&bytes).expect("it can be read");
        assert!(cut.metadata.truncation);
        assert_eq!(
            (cut.answers.len(), cut.edns.is_some()),
            (answers, payload.is_some())
        );
        let bytes = encode(&answer, Carrier::Tcp).expect("it can be written");
        let whole = Message::from_vec(&bytes).expect("it can be read");
        assert_eq!(
            (whole.answers.len(), whole.metadata.truncation),
            (200, false)
        );
    }
}

#[test]
fn what_is_not_a_question_of_ours_is_refused_by_its_code() {
    let code = |message: &Message| match outcome(message, false) {
        Outcome::Answer(answer) => format!("{:?}", answer.metadata.response_code),
        other => format!("{other:?}"),
    };
    assert_eq!(code(&Message::query()), "FormErr");
    let mut two = question(DB, RecordType::A);
    two.add_query(two.queries[0].clone());
    assert_eq!(code(&two), "FormErr");
    assert_eq!(code(&question(DB, RecordType::AXFR)), "Refused");
    let mut chaos = question("version.bind", RecordType::TXT);
    chaos.queries[0].set_query_class(DNSClass::CH);
    assert_eq!(code(&chaos), "Refused");
    assert_eq!(
        code(&Message::new(1, MessageType::Query, OpCode::Notify)),
        "NotImp"
    );
    assert_eq!(code(&Message::response(1, OpCode::Query)), "Drop");
    let mut future = question(DB, RecordType::A);
    let mut edns = Edns::new();
    edns.set_version(1);
    future.edns = Some(edns);
    assert_eq!(code(&future), "BADVERS");
    let zone = zone();
    assert!(matches!(answer(&zone, b"short", false), Outcome::Drop));
}

#[test]
fn no_bytes_make_the_reader_fail() {
    let zone = zone();
    let mut asking = question(DB, RecordType::A);
    asking.edns = Some(Edns::new());
    let valid = asking.to_vec().expect("it can be written");
    // A fixed sequence of pseudo-random numbers (xorshift), so that a failure can be repeated.
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % limit as u64).expect("it is below the limit")
    };
    for round in 0..200_000 {
        let mut bytes = if round % 4 == 0 {
            vec![0; next(80)]
        } else {
            valid.clone()
        };
        for _ in 0..=next(6) {
            if bytes.is_empty() {
                break;
            }
            let place = next(bytes.len());
            bytes[place] = u8::try_from(next(256)).expect("it is a byte");
        }
        bytes.truncate(next(bytes.len() + 1).max(bytes.len() / 2));
        if let Outcome::Answer(message) = answer(&zone, &bytes, round % 2 == 0) {
            let bytes = encode(&message, Carrier::Udp).expect("it can be written");
            assert!(bytes.len() <= 1232);
        }
    }
}
