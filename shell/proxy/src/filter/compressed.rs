//! The compressed protocol of one connection: frames to packets and back.

use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};
use mainstay_wire::compression::{
    COMPRESSED_MIN, Compression, End, FRAME_HEADER_LEN, FRAME_PAYLOAD_MAX, FrameHeader, Numbering,
};
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use super::FilterError;
use super::inbox::Inbox;
use super::outbox::Outbox;

/// Compresses; one for each worker, because it is large.
#[derive(Default)]
pub(crate) struct Packer {
    zlib: Option<Compress>,
    zstd: Option<(u8, zstd::bulk::Compressor<'static>)>,
}

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Packer")
    }
}

impl Packer {
    /// The packed bytes; `None` when packing makes them no shorter.
    fn pack(&mut self, how: Compression, plain: &[u8]) -> Option<Vec<u8>> {
        // Room for one byte less than it has: what does not fit is not worth it.
        let mut out = vec![0; plain.len() - 1];
        let len = match how {
            Compression::Zlib => {
                let zlib = self
                    .zlib
                    .get_or_insert_with(|| Compress::new(flate2::Compression::default(), true));
                zlib.reset();
                let status = zlib.compress(plain, &mut out, FlushCompress::Finish).ok()?;
                let len = usize::try_from(zlib.total_out()).ok()?;
                (status == Status::StreamEnd).then_some(len)?
            }
            Compression::Zstd { level } => {
                self.zstd(level)?.compress_to_buffer(plain, &mut out).ok()?
            }
        };
        out.truncate(len);
        Some(out)
    }

    fn zstd(&mut self, level: u8) -> Option<&mut zstd::bulk::Compressor<'static>> {
        if self.zstd.as_ref().is_none_or(|(has, _)| *has != level) {
            let compressor = zstd::bulk::Compressor::new(i32::from(level)).ok()?;
            self.zstd = Some((level, compressor));
        }
        self.zstd.as_mut().map(|(_, compressor)| compressor)
    }
}

/// The state of one connection.
pub(crate) struct Compressed {
    how: Compression,
    numbering: Numbering,
    inbox: Inbox,
    outbox: Outbox,
    frame: Option<Frame>,
}

/// A frame that is being unpacked.
struct Frame {
    /// Bytes of the peer still to come.
    left: usize,
    /// Bytes it still must give.
    plain_left: usize,
    unpacker: Option<Unpacker>,
}

enum Unpacker {
    Zlib(Box<Decompress>),
    Zstd(Box<Decoder<'static>>),
}

impl std::fmt::Debug for Compressed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compressed")
            .field("how", &self.how)
            .finish_non_exhaustive()
    }
}

impl Compressed {
    pub(crate) fn new(how: Compression, end: End) -> Self {
        Self {
            how,
            numbering: Numbering::new(end),
            inbox: Inbox::default(),
            outbox: Outbox::default(),
            frame: None,
        }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.inbox.add(bytes);
    }

    pub(crate) fn has_input(&self) -> bool {
        !self.inbox.is_empty() || self.frame.as_ref().is_some_and(|frame| frame.left == 0)
    }

    /// Unpacks into the buffer; 0 when more must be fed first.
    pub(crate) fn unpack(&mut self, plain: &mut [u8]) -> Result<usize, FilterError> {
        loop {
            let frame = match &mut self.frame {
                Some(frame) => frame,
                None => match self.begin()? {
                    Some(frame) => self.frame.insert(frame),
                    None => return Ok(0),
                },
            };
            let (taken, given) = frame.unpack(&mut self.inbox, plain)?;
            if frame.left == 0 && frame.plain_left == 0 {
                self.frame = None;
            } else if taken == 0 && given == 0 {
                return Ok(0);
            }
            if given > 0 {
                self.numbering.received(&mut plain[..given]);
                return Ok(given);
            }
        }
    }

    fn begin(&mut self) -> Result<Option<Frame>, FilterError> {
        let Some(header) = FrameHeader::parse(self.inbox.bytes()) else {
            return Ok(None);
        };
        self.inbox.take(FRAME_HEADER_LEN);
        self.numbering.received_frame(header.sequence)?;
        let plain = header.unpacked_len == 0;
        let unpacker = match self.how {
            _ if plain => None,
            Compression::Zlib => Some(Unpacker::Zlib(Box::new(Decompress::new(true)))),
            Compression::Zstd { .. } => {
                let decoder = Decoder::new().map_err(|_| FilterError::Unpack)?;
                Some(Unpacker::Zstd(Box::new(decoder)))
            }
        };
        Ok(Some(Frame {
            left: header.len,
            plain_left: if plain {
                header.len
            } else {
                header.unpacked_len
            },
            unpacker,
        }))
    }

    /// Appends the frames for these packets.
    pub(crate) fn pack(&mut self, plain: &[u8], packer: &mut Packer, out: &mut Vec<u8>) {
        let plain = self.outbox.take(plain);
        let mut rest = &plain[..];
        while !rest.is_empty() {
            let (command, later) = rest.split_at(self.numbering.sent(rest));
            for payload in command.chunks(FRAME_PAYLOAD_MAX) {
                let shorter = (payload.len() >= COMPRESSED_MIN)
                    .then(|| packer.pack(self.how, payload))
                    .flatten();
                let header = FrameHeader {
                    len: shorter.as_ref().map_or(payload.len(), Vec::len),
                    sequence: self.numbering.next_frame(),
                    unpacked_len: shorter.as_ref().map_or(0, |_| payload.len()),
                };
                out.extend_from_slice(&header.encode());
                out.extend_from_slice(shorter.as_deref().unwrap_or(payload));
            }
            rest = later;
        }
    }
}

impl Frame {
    /// One step: how many bytes it took, and how many it gave.
    fn unpack(
        &mut self,
        inbox: &mut Inbox,
        plain: &mut [u8],
    ) -> Result<(usize, usize), FilterError> {
        let room = plain.len().min(self.plain_left);
        let input = &inbox.bytes()[..inbox.bytes().len().min(self.left)];
        let (taken, given) = match &mut self.unpacker {
            None => {
                let count = input.len().min(room);
                plain[..count].copy_from_slice(&input[..count]);
                (count, count)
            }
            Some(Unpacker::Zlib(zlib)) => {
                let (before_in, before_out) = (zlib.total_in(), zlib.total_out());
                zlib.decompress(input, &mut plain[..room], FlushDecompress::None)
                    .map_err(|_| FilterError::Unpack)?;
                let taken = zlib.total_in() - before_in;
                let given = zlib.total_out() - before_out;
                (taken as usize, given as usize)
            }
            Some(Unpacker::Zstd(zstd)) => {
                let mut input = InBuffer::around(input);
                let mut output = OutBuffer::around(&mut plain[..room]);
                zstd.run(&mut input, &mut output)
                    .map_err(|_| FilterError::Unpack)?;
                (input.pos(), output.pos())
            }
        };
        inbox.take(taken);
        self.left -= taken;
        self.plain_left -= given;
        let idle = taken == 0 && given == 0 && (self.left > 0 || self.plain_left > 0);
        if idle && (self.left == 0 || !inbox.is_empty()) {
            // More input would not help.
            return Err(FilterError::Unpack);
        }
        Ok((taken, given))
    }
}
