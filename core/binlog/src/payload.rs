//! What is compressed within a log: whole transactions of `MySQL`, single events of `MariaDB`.

use std::io::Read;

use flate2::read::ZlibDecoder;

use crate::event::HEADER_BYTES;
use crate::parse::Input;
use crate::{BinlogError, Event, Kind};

/// The most that is made of compressed bytes; a server's limit of one event is 1 GiB.
const UNPACKED_BYTES_MAX: u64 = 1 << 30;
const ZSTD: u64 = 0;

/// The events of a `Transaction_payload`. They have no checksums, and the place of the whole.
pub(crate) fn unpack(event: &Event) -> Result<Vec<Event>, BinlogError> {
    let malformed = || event.malformed("its compressed events cannot be read");
    let plain = transaction(event.body()).ok_or_else(malformed)?;
    let mut input = Input(&plain);
    let mut events = Vec::new();
    while !input.0.is_empty() {
        let length = input.0.get(9..13).ok_or_else(malformed)?;
        let length = u32::from_le_bytes(length.try_into().expect("four bytes")) as usize;
        let bytes = input.take(length).ok_or_else(malformed)?;
        if length < HEADER_BYTES {
            return Err(malformed());
        }
        events.push(Event::new(event.at, event.end, bytes.to_vec()));
    }
    Ok(events)
}

/// An event of compressed rows as one of plain rows; any other as it is.
pub(crate) fn unpack_rows(event: Event) -> Result<Event, BinlogError> {
    let (kind, has_extra, bitmaps) = match event.kind() {
        Kind::WriteRowsCompressedV1 => (Kind::WriteRowsV1, false, 1),
        Kind::UpdateRowsCompressedV1 => (Kind::UpdateRowsV1, false, 2),
        Kind::DeleteRowsCompressedV1 => (Kind::DeleteRowsV1, false, 1),
        Kind::WriteRowsCompressed => (Kind::WriteRows, true, 1),
        Kind::UpdateRowsCompressed => (Kind::UpdateRows, true, 2),
        Kind::DeleteRowsCompressed => (Kind::DeleteRows, true, 1),
        _ => return Ok(event),
    };
    let malformed = || event.malformed("its compressed rows cannot be read");
    let body = rows(event.body(), has_extra, bitmaps).ok_or_else(malformed)?;
    Ok(event.rewritten(kind, &body))
}

/// What stands before the rows is not compressed.
fn rows(body: &[u8], has_extra: bool, bitmaps: usize) -> Option<Vec<u8>> {
    let mut input = Input(body);
    input.take(6 + 2)?;
    if has_extra {
        let extra_bytes = usize::from(input.u16()?).checked_sub(2)?;
        input.take(extra_bytes)?;
    }
    let width = usize::try_from(input.lenenc()?).ok()?;
    input.take(width.div_ceil(8) * bitmaps)?;
    let mut plain = body[..body.len() - input.0.len()].to_vec();
    plain.extend(inflate(input.0)?);
    Some(plain)
}

/// Fields of (type, length, value) up to type 0, then the payload. Source: `Transaction_payload`
/// in the `MySQL` source documentation.
fn transaction(body: &[u8]) -> Option<Vec<u8>> {
    let mut input = Input(body);
    let mut algorithm = None;
    loop {
        let field = input.lenenc()?;
        if field == 0 {
            break;
        }
        let bytes = usize::try_from(input.lenenc()?).ok()?;
        let mut value = Input(input.take(bytes)?);
        if field == 2 {
            algorithm = Some(value.lenenc()?);
        }
    }
    if algorithm? != ZSTD {
        return Some(input.0.to_vec());
    }
    let decoder = zstd::stream::read::Decoder::new(input.0).ok()?;
    limited(decoder)
}

/// `MariaDB`'s compressed part of an event: a byte that tells the algorithm (0, zlib) and how many
/// bytes the length has, the length, the highest byte first, then the bytes.
pub(crate) fn inflate(packed: &[u8]) -> Option<Vec<u8>> {
    let mut input = Input(packed);
    let head = input.u8()?;
    let _length = input.take(usize::from(head & 7))?;
    if head & 0x80 == 0 || head & 0x70 != 0 {
        return None;
    }
    limited(ZlibDecoder::new(input.0))
}

fn limited(decoder: impl Read) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let mut decoder = decoder.take(UNPACKED_BYTES_MAX + 1);
    decoder.read_to_end(&mut plain).ok()?;
    (plain.len() as u64 <= UNPACKED_BYTES_MAX).then_some(plain)
}
