//! Golden bytes, and what has to be said to come from one state to another. That a kernel
//! understands it is tested in a virtual machine (`make lvs`).

use super::*;

fn service(destinations: &[(u8, u32)]) -> Service {
    let real = |&(last, weight): &(u8, u32)| Real {
        address: ([10, 0, 0, last], 3306).into(),
        weight,
        method: Method::Masq,
    };
    Service {
        address: ([10, 0, 0, 100], 3306).into(),
        protocol: Protocol::Tcp,
        scheduler: "wlc".to_owned(),
        persistence: 50,
        destinations: destinations.iter().map(real).collect(),
    }
}

fn hex(bytes: &[u8]) -> String {
    let words = bytes.chunks(4).map(|word| {
        let digits: Vec<_> = word.iter().map(|byte| format!("{byte:02x}")).collect();
        digits.concat()
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
#[cfg(target_endian = "little")]
fn a_service_is_these_bytes() {
    let service = service(&[]);
    let bytes = Operation::NewService(service.clone()).encode(Family(0x1c), 7);
    let expected = "68000000 1c000500 07000000 00000000 01010000 54000180 \
                    06000100 02000000 06000200 06000000 \
                    14000300 0a000064 00000000 00000000 00000000 06000400 0cea0000 \
                    08000600 776c6300 0c000700 01000000 ffffffff 08000800 32000000 \
                    08000900 ffffffff";
    assert_eq!(hex(&bytes), expected);
    let deleted = Operation::DelService(service).encode(Family(0x1c), 8);
    assert_eq!(
        hex(&deleted[..20]),
        "44000000 1c000500 08000000 00000000 03010000"
    );
}

#[test]
#[cfg(target_endian = "little")]
fn a_destination_is_these_bytes() {
    let service = service(&[(21, 3)]);
    let real = service.destinations[0];
    let bytes = Operation::NewDestination(service, real).encode(Family(0x1c), 1);
    let expected = "48000280 14000100 0a000015 00000000 00000000 00000000 06000200 0cea0000 \
                    08000300 00000000 08000400 03000000 08000500 00000000 08000600 00000000 \
                    06000b00 02000000";
    let text = hex(&bytes);
    assert!(text.ends_with(expected), "{text}");
    assert_eq!(bytes.len(), usize::from(bytes[0]));
}

#[test]
fn what_is_written_is_read() {
    let wanted = service(&[(21, 3)]);
    let bytes = Operation::NewService(wanted.clone()).encode(Family(9), 1);
    let replies = replies(&bytes).expect("one message");
    let [Reply::Attributes(attributes)] = &replies[..] else {
        panic!("{replies:?}");
    };
    let read = read_service(attributes).expect("a service");
    assert_eq!(read, service(&[]));
    let bytes = Operation::SetDestination(wanted.clone(), wanted.destinations[0]);
    let bytes = bytes.encode(Family(9), 1);
    assert_eq!(
        read_destination(&read, &bytes[20..]),
        Some(wanted.destinations[0])
    );
}

#[test]
fn a_refusal_has_a_number_and_broken_bytes_are_told() {
    let mut refused = vec![36, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    refused.extend((-17_i32).to_ne_bytes());
    refused.extend([0; 16]);
    if cfg!(target_endian = "little") {
        assert_eq!(replies(&refused), Ok(vec![Reply::Result(17)]));
    }
    for cut in 1..refused.len() {
        assert_eq!(replies(&refused[..cut]), Err(BadMessage), "{cut}");
    }
    assert_eq!(read_service(&[3, 0, 1, 0]), None);
    assert_eq!(read_service(&[0xff; 40]), None);
}

#[test]
fn a_new_service_comes_with_its_destinations() {
    let want = service(&[(21, 1), (22, 1)]);
    let said = operations(&[], std::slice::from_ref(&want), &[]);
    assert!(matches!(said[0], Operation::NewService(_)));
    assert_eq!(said.len(), 3);
}

#[test]
fn only_what_differs_is_said_and_nobody_else_is_touched() {
    let is = service(&[(21, 1), (22, 1)]);
    let mut other = service(&[(9, 1)]);
    other.address = ([10, 0, 0, 200], 80).into();
    let listed = [is.clone(), other.clone()];
    assert!(operations(&listed, std::slice::from_ref(&is), &[]).is_empty());
    let want = service(&[(21, 5), (23, 1)]);
    let said = operations(&listed, std::slice::from_ref(&want), &[]);
    let [a, b, c] = [(21, 5), (23, 1), (22, 1)].map(|one| service(&[one]).destinations[0]);
    assert_eq!(
        said,
        [
            Operation::SetDestination(want.clone(), a),
            Operation::NewDestination(want.clone(), b),
            Operation::DelDestination(want, c),
        ]
    );
    let said = operations(&listed, &[], std::slice::from_ref(&other));
    assert_eq!(said, [Operation::DelService(other)]);
}

#[test]
fn a_real_server_on_this_host_is_left_as_the_kernel_has_it() {
    let mut is = service(&[(21, 1)]);
    is.destinations[0].method = Method::Local;
    assert!(operations(&[is], &[service(&[(21, 1)])], &[]).is_empty());
}
