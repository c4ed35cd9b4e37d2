//! What the media says: from the bytes of segments to what a decoder can take, and to times.
//!
//! A [`Filter`] takes the plaintext of one run as it arrives, in pieces of any size, and gives what a decoder is to be
//! given: fragmented MP4 with the audio alone, or whole ADTS or MPEG audio frames. What comes out, and every time, is the
//! same however the input was split. [`Decryptor`] and [`Cipher`](super::Cipher) give the plaintext.

mod decrypt;
mod error;
mod filter;
mod mp4;
mod packed;
mod time;
mod track;
mod ts;

pub use decrypt::{BLOCK, Decryptor, plaintext_len, unpad};
pub use error::MediaError;
pub use filter::Filter;
pub use time::MediaTime;
pub use track::{Container, Edit, TrackConfig};
