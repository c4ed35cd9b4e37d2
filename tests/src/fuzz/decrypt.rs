//! Any ciphertext: a block is the same whether it is decrypted alone or with all before it, and padding is checked.

use infill_core::hls::Cipher;
use infill_core::hls::media::{BLOCK, unpad};

/// Runs one input: key, vector, then ciphertext.
///
/// # Panics
/// For a broken promise.
pub fn run(data: &[u8]) {
    let Some((key, rest)) = data.split_first_chunk::<16>() else {
        return;
    };
    let Some((iv, rest)) = rest.split_first_chunk::<16>() else {
        return;
    };
    let cipher = Cipher { key: *key, iv: *iv };
    let mut whole = rest.to_vec();
    let result = cipher.decrypt_blocks(None, &mut whole);
    assert_eq!(
        result.is_ok(),
        rest.len().is_multiple_of(BLOCK),
        "whole blocks, and nothing else (C11)"
    );
    if result.is_err() {
        return;
    }
    for (place, block) in rest.chunks_exact(BLOCK).enumerate() {
        let mut alone = block.to_vec();
        let before = place.checked_sub(1).map(|before| &rest[before * BLOCK..place * BLOCK]);
        let before = before.map(|before| before.try_into().expect("one block"));
        cipher.decrypt_blocks(before, &mut alone).expect("one block");
        assert_eq!(alone, whole[place * BLOCK..][..BLOCK], "block {place} by itself");
        let last = alone.try_into().expect("one block");
        if let Ok(kept) = unpad(&last) {
            assert!(kept < BLOCK);
            assert!(last[kept..].iter().all(|byte| usize::from(*byte) == BLOCK - kept));
        }
    }
}
