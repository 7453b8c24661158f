//! The encryption key and what is derived from it (blobs-and-chunks.md 1.4 and 2).

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, Mac};
use openssl::cipher::Cipher;
use openssl::cipher_ctx::CipherCtx;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::digest::Digest;
use crate::{FormatError, Result};

/// Bytes of the initialisation vector. Not the usual 12: GCM hashes it into its counter block.
pub const IV_BYTES: usize = 16;
/// Bytes of the authentication tag.
pub const TAG_BYTES: usize = 16;

const ID_KEY_SALT: &[u8] = b"_id_key";
const ID_KEY_ROUNDS: u32 = 10;
/// SHA-256 of `Proxmox Backup Encryption Key Fingerprint`.
const FINGERPRINT_INPUT: Digest = [
    0x6e, 0xd0, 0xef, 0x77, 0x47, 0x1f, 0xff, 0x4d, 0x55, 0xc7, 0xa8, 0xfe, 0x4a, 0x9d, 0xb6, 0x21, 0x61, 0x40, 0x7f,
    0x13, 0x4c, 0x72, 0x5d, 0xdf, 0x30, 0x99, 0x2d, 0x25, 0xec, 0x45, 0xed, 0x26,
];

/// A 32-byte encryption key. Clones share it; it is wiped when the last one goes and never printed.
#[derive(Clone)]
pub struct CryptKey(Arc<Secrets>);

struct Secrets {
    key: Zeroizing<[u8; 32]>,
    id_key: Zeroizing<[u8; 32]>,
}

impl CryptKey {
    /// Wrap key material and derive the id key.
    pub fn new(key: [u8; 32]) -> Self {
        let key = Zeroizing::new(key);
        let id_key = pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(&*key, ID_KEY_SALT, ID_KEY_ROUNDS);
        Self(Arc::new(Secrets { key, id_key: Zeroizing::new(id_key) }))
    }

    /// The key that goes into digests and signatures, never into ciphers.
    pub fn id_key(&self) -> &[u8; 32] {
        &self.0.id_key
    }

    /// What names the key in public.
    pub fn fingerprint(&self) -> [u8; 32] {
        Sha256::new().chain_update(FINGERPRINT_INPUT).chain_update(self.id_key()).finalize().into()
    }

    /// HMAC-SHA256 with the id key: the manifest's signature (manifest.md 2).
    pub fn auth_tag(&self, data: &[u8]) -> [u8; 32] {
        // HMAC pads keys with zeros to the block length, so a padded key gives the same value and cannot fail.
        let mut padded = Zeroizing::new([0; 64]);
        padded[..32].copy_from_slice(self.id_key());
        let mac = <Hmac<Sha256> as Mac>::new((&*padded).into());
        mac.chain_update(data).finalize().into_bytes().into()
    }

    /// Digest of a chunk under this key: the id key is hashed behind the data.
    pub fn digest(&self, data: &[u8]) -> Digest {
        Sha256::new().chain_update(data).chain_update(self.id_key()).finalize().into()
    }
}

impl fmt::Debug for CryptKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CryptKey(..)")
    }
}

/// AES-256-GCM under one key, one direction at a time; keeps the key schedule between calls.
pub(crate) struct BlobCipher {
    encrypt: CipherCtx,
    decrypt: CipherCtx,
}

impl BlobCipher {
    pub(crate) fn new(key: &CryptKey) -> Result<Self> {
        let mut encrypt = CipherCtx::new()?;
        encrypt.encrypt_init(Some(Cipher::aes_256_gcm()), None, None)?;
        encrypt.set_iv_length(IV_BYTES)?;
        encrypt.encrypt_init(None, Some(&*key.0.key), None)?;
        let mut decrypt = CipherCtx::new()?;
        decrypt.decrypt_init(Some(Cipher::aes_256_gcm()), None, None)?;
        decrypt.set_iv_length(IV_BYTES)?;
        decrypt.decrypt_init(None, Some(&*key.0.key), None)?;
        Ok(Self { encrypt, decrypt })
    }

    /// Encrypt `data` where it lies and return the tag.
    pub(crate) fn seal(&mut self, iv: &[u8; IV_BYTES], data: &mut [u8]) -> Result<[u8; TAG_BYTES]> {
        self.encrypt.encrypt_init(None, None, Some(iv))?;
        if !data.is_empty() {
            self.encrypt.cipher_update_inplace(data, data.len())?;
        }
        self.encrypt.cipher_final(&mut [])?;
        let mut tag = [0; TAG_BYTES];
        self.encrypt.tag(&mut tag)?;
        Ok(tag)
    }

    /// Decrypt `data` where it lies. On an error its content is worthless and must be dropped.
    pub(crate) fn open(&mut self, iv: &[u8; IV_BYTES], tag: &[u8; TAG_BYTES], data: &mut [u8]) -> Result<()> {
        self.decrypt.decrypt_init(None, None, Some(iv))?;
        self.decrypt.set_tag(tag)?;
        if !data.is_empty() {
            self.decrypt.cipher_update_inplace(data, data.len())?;
        }
        self.decrypt.cipher_final(&mut []).map_err(|_| FormatError::WrongTag)?;
        Ok(())
    }
}
