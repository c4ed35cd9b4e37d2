use super::*;

const PROGRAM: u16 = 0x1000;
const AUDIO: u16 = 0x101;

/// Writes packets.
#[derive(Default)]
struct Muxer {
    out: Vec<u8>,
    counter: u8,
}

impl Muxer {
    fn packet(&mut self, pid: u16, begins: bool, counter: u8, payload: &[u8]) {
        let mut packet = vec![0x47, (pid >> 8) as u8 | if begins { 0x40 } else { 0 }, pid as u8];
        let room = 184 - payload.len();
        if room == 0 {
            packet.push(0x10 | counter);
        } else {
            packet.extend([0x30 | counter, (room - 1) as u8]);
            packet.extend(if room > 1 { vec![0; 1] } else { vec![] });
            packet.resize(4 + room, 0xFF);
        }
        packet.extend_from_slice(payload);
        assert_eq!(packet.len(), 188);
        self.out.extend(packet);
    }

    fn tables(&mut self, kind: u8) {
        let pat = [&[0, 0, 0xB0, 13, 0, 1, 0xC1, 0, 0, 0, 1][..], &pid(PROGRAM), &[0; 4]].concat();
        self.packet(0, true, 0, &pat);
        let head = [0, 2, 0xB0, 23, 0, 1, 0xC1, 0, 0, 0xE1, 0, 0xF0, 0];
        let video = [0x1B, 0xE1, 0x00, 0xF0, 0];
        let audio = [&[kind][..], &pid(AUDIO), &[0xF0, 0]].concat();
        let pmt = [&head[..], &video, &audio, &[0; 4]].concat();
        self.packet(PROGRAM, true, 0, &pmt);
    }

    fn pes(&mut self, time: Option<u64>, payload: &[u8]) {
        let mut pes = vec![0, 0, 1, 0xC0];
        let fields = time.map_or(vec![], |t| {
            vec![
                0x21 | (t >> 29) as u8 & 0x0E,
                (t >> 22) as u8,
                (t >> 14) as u8 | 1,
                (t >> 7) as u8,
                (t << 1) as u8 | 1,
            ]
        });
        pes.extend(((3 + fields.len() + payload.len()) as u16).to_be_bytes());
        pes.extend([0x80, if time.is_some() { 0x80 } else { 0 }, fields.len() as u8]);
        pes.extend(fields);
        pes.extend_from_slice(payload);
        for (place, part) in pes.chunks(184).enumerate() {
            self.packet(AUDIO, place == 0, self.counter, part);
            self.counter = (self.counter + 1) & 0xF;
        }
    }
}

fn pid(pid: u16) -> [u8; 2] {
    (0xE000 | pid).to_be_bytes()
}

fn adts(len: usize) -> Vec<u8> {
    let mut frame = vec![0xFF, 0xF1, 0x50, 0x80 | (len >> 11) as u8, (len >> 3) as u8];
    frame.extend([(len << 5) as u8 | 0x1F, 0xFC]);
    frame.resize(len, 0x21);
    frame
}

fn frames(count: usize) -> Vec<u8> {
    (0..count).flat_map(|n| adts(90 + n % 7)).collect()
}

fn run(transport: &mut Transport, segment: &[u8], piece: usize) -> Vec<u8> {
    let mut out = Vec::new();
    transport.begin();
    for piece in segment.chunks(piece) {
        transport.push(piece, &mut out).unwrap();
    }
    transport.end(&mut out).unwrap();
    out
}

#[test]
fn frames_come_out_and_pictures_stay_out() {
    let mut muxer = Muxer::default();
    muxer.tables(0x0F);
    let all = frames(20);
    let (one, two) = all.split_at(1000);
    muxer.pes(Some(126_000), one);
    muxer.packet(0x100, true, 0, &[9; 184]);
    muxer.pes(None, two);
    for piece in [1, 100, 188, 5000] {
        let mut transport = Transport::default();
        assert_eq!(run(&mut transport, &muxer.out, piece), all, "in pieces of {piece}");
        assert_eq!((transport.frames(), transport.start()), (20, Some(MediaTime::mpeg(126_000))));
        let end = transport.finish().unwrap();
        assert_eq!(end.ticks, 126_000 * 49 + 20 * 1024 * 100);
    }
}

#[test]
fn c29_a_frame_goes_on_in_the_next_segment() {
    let all = frames(12);
    let (one, two) = all.split_at(700);
    let mut muxer = Muxer::default();
    muxer.tables(0x0F);
    muxer.pes(Some(0), one);
    let first = core::mem::take(&mut muxer.out);
    muxer.tables(0x0F);
    muxer.pes(None, two);
    let mut transport = Transport::default();
    let mut out = run(&mut transport, &first, 188);
    out.extend(run(&mut transport, &muxer.out, 188));
    assert_eq!(out, all);
}

#[test]
fn c29_a_lost_packet_loses_what_it_held_and_no_more() {
    let mut muxer = Muxer::default();
    muxer.tables(0x0F);
    let lost = muxer.out.len() + 188;
    muxer.pes(Some(0), &frames(10));
    muxer.pes(Some(90_000), &frames(10));
    muxer.out.drain(lost..lost + 188);
    let mut transport = Transport::default();
    let out = run(&mut transport, &muxer.out, 188);
    assert!(out.ends_with(&frames(10)), "the next packet of the elementary stream is whole");
    assert!(transport.frames() < 20);
    let end = transport.finish().unwrap();
    assert_eq!(end.ticks, 90_000 * 49 + 10 * 1024 * 100, "its own time counts");
}

#[test]
fn lost_packets_are_found_again() {
    let mut muxer = Muxer::default();
    muxer.tables(0x0F);
    muxer.pes(Some(0), &frames(10));
    let mut damaged = muxer.out.clone();
    damaged.splice(0..0, [0x47, 1, 2, 0x47, 5]);
    let mut transport = Transport::default();
    let out = run(&mut transport, &damaged, 7);
    assert_eq!(out, frames(10));
}

#[test]
fn what_cannot_be_decoded_is_named() {
    for (kind, name) in [(0x11, "LATM"), (0x81, "AC-3"), (0x87, "E-AC-3")] {
        let mut muxer = Muxer::default();
        muxer.tables(kind);
        let mut transport = Transport::default();
        transport.begin();
        let error = transport.push(&muxer.out, &mut Vec::new()).unwrap_err();
        assert!(error.is_unsupported() && error.to_string().contains(name), "{error}");
    }
}

#[test]
fn a_stream_without_audio_is_an_error() {
    let mut muxer = Muxer::default();
    muxer.tables(0x1B);
    let mut transport = Transport::default();
    transport.begin();
    transport.push(&muxer.out, &mut Vec::new()).unwrap();
    assert!(transport.end(&mut Vec::new()).is_err());
}
