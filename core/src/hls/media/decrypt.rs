//! AES-128 in CBC mode with PKCS #7 padding (RFC 8216, section 4.3.2.4), read from any block on.

use aes::Aes128;
use cbc::cipher::{Block, BlockModeDecrypt, KeyIvInit};

use super::MediaError;
use crate::ByteRange;
use crate::hls::Cipher;

/// Bytes of a block.
pub const BLOCK: usize = 16;

impl Cipher {
    /// Decrypts whole blocks in place. `previous` is the block of ciphertext before them; `None` where they are the
    /// first of the segment, which the initialization vector precedes.
    pub fn decrypt_blocks(
        &self,
        previous: Option<[u8; BLOCK]>,
        blocks: &mut [u8],
    ) -> Result<(), MediaError> {
        let len = blocks.len();
        let (blocks, rest) = Block::<Aes128>::slice_as_chunks_mut(blocks);
        if !rest.is_empty() {
            return Err(MediaError::broken(format!("{len} bytes are no whole blocks of AES-128")));
        }
        let iv = previous.unwrap_or(self.iv);
        cbc::Decryptor::<Aes128>::new(&self.key.into(), &iv.into()).decrypt_blocks(blocks);
        Ok(())
    }

    /// The bytes of ciphertext that these bytes of plaintext are made of: whole blocks, and the block before them, where
    /// there is one, for [`decrypt_blocks`](Self::decrypt_blocks).
    pub fn needed(plaintext: ByteRange) -> ByteRange {
        const SIZE: u64 = BLOCK as u64;
        let first = plaintext.start / SIZE * SIZE;
        let end = plaintext.end.checked_next_multiple_of(SIZE).unwrap_or(u64::MAX / SIZE * SIZE);
        ByteRange::new(first.saturating_sub(SIZE), end)
    }
}

/// How many bytes of the last block, decrypted, are plaintext: 0 to 15. The rest is padding, and all of it is checked.
pub fn unpad(last: &[u8; BLOCK]) -> Result<usize, MediaError> {
    let pad = last[BLOCK - 1];
    let kept = BLOCK.checked_sub(usize::from(pad)).filter(|kept| *kept < BLOCK);
    let kept = kept.filter(|&kept| last[kept..].iter().all(|byte| *byte == pad));
    kept.ok_or_else(|| {
        MediaError::broken(
            "its AES-128 padding is wrong: the key is another one, or the end is missing",
        )
    })
}

/// How long the plaintext is, from the ciphertext's length and the last block, decrypted.
pub fn plaintext_len(ciphertext: u64, last: &[u8; BLOCK]) -> Result<u64, MediaError> {
    check_len(ciphertext)?;
    Ok(ciphertext - BLOCK as u64 + unpad(last)? as u64)
}

fn check_len(ciphertext: u64) -> Result<(), MediaError> {
    if ciphertext > 0 && ciphertext.is_multiple_of(BLOCK as u64) {
        return Ok(());
    }
    Err(MediaError::broken(format!(
        "its ciphertext is {ciphertext} bytes long, which is no whole number of AES-128 blocks: it was cut, or is not \
         encrypted"
    )))
}

/// Decrypts a segment from its first byte to its last, as it arrives.
///
/// The last block waits for [`end`](Self::end): only then is it known where the padding is.
#[derive(Debug)]
pub struct Decryptor {
    cipher: Cipher,
    /// The block of ciphertext before `held`.
    previous: Option<[u8; BLOCK]>,
    /// Ciphertext that was not decrypted yet: less than two blocks.
    held: Vec<u8>,
    /// Bytes of ciphertext that were decrypted.
    done: u64,
}

impl Decryptor {
    /// A decryptor at the start of a segment or an init section.
    pub fn new(cipher: Cipher) -> Self {
        Self { cipher, previous: None, held: Vec::with_capacity(2 * BLOCK), done: 0 }
    }

    /// The next bytes of ciphertext; the plaintext that they complete is added to `out`.
    pub fn push(&mut self, ciphertext: &[u8], out: &mut Vec<u8>) -> Result<(), MediaError> {
        // The last whole block stays, for it may be the one with the padding.
        let ready = (self.held.len() + ciphertext.len()).saturating_sub(1) / BLOCK * BLOCK;
        if ready == 0 {
            self.held.extend_from_slice(ciphertext);
            return Ok(());
        }
        let from = out.len();
        out.append(&mut self.held);
        out.extend_from_slice(ciphertext);
        self.held.extend_from_slice(&out[from + ready..]);
        out.truncate(from + ready);
        let next = last_block(out);
        self.cipher.decrypt_blocks(self.previous, &mut out[from..])?;
        self.previous = next;
        self.done += ready as u64;
        Ok(())
    }

    /// The ciphertext is over. The rest of the plaintext, without its padding, is added to `out`.
    pub fn end(&mut self, out: &mut Vec<u8>) -> Result<(), MediaError> {
        let len = self.done + self.held.len() as u64;
        check_len(len)?;
        let mut last = [0; BLOCK];
        last.copy_from_slice(&self.held);
        self.cipher.decrypt_blocks(self.previous, &mut last)?;
        let kept = unpad(&last).map_err(|error| error.or_at(len - BLOCK as u64))?;
        out.extend_from_slice(&last[..kept]);
        *self = Self::new(self.cipher);
        Ok(())
    }
}

fn last_block(bytes: &[u8]) -> Option<[u8; BLOCK]> {
    bytes.last_chunk().copied()
}
