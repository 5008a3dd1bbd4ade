"""HPKE (RFC 9180) as samsvar seals bodies: base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and
AES-256-GCM, one message for each encapsulated key. Needs Debian's python3-cryptography."""
import hmac
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEM = b"KEM\x00\x20"
AES_256_GCM = (b"\x00\x02", 32)  # identifier, length of the key


def extract(suite, salt, label, secret):
    return hmac.digest(salt, b"HPKE-v1" + suite + label + secret, "sha256")


def expand(suite, secret, label, info, length):
    info = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    out = block = b""
    while len(out) < length:
        block = hmac.digest(secret, block + info + bytes([len(out) // 32 + 1]), "sha256")
        out += block
    return out[:length]


def context(shared, encapsulated, public, info, aead):
    """Cipher and nonce for the one message (RFC 9180, 4.1 and 5.1)."""
    shared = extract(KEM, b"", b"eae_prk", shared)
    shared = expand(KEM, shared, b"shared_secret", encapsulated + public, 32)
    suite = b"HPKE\x00\x20\x00\x01" + aead[0]
    schedule = b"\x00" + extract(suite, b"", b"psk_id_hash", b"") + extract(suite, b"", b"info_hash", info)
    secret = extract(suite, shared, b"secret", b"")
    key = expand(suite, secret, b"key", schedule, aead[1])
    return AESGCM(key), expand(suite, secret, b"base_nonce", schedule, 12)


def raw(public):
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def seal(public, info, aad, plain, aead=AES_256_GCM, ephemeral=None):
    """`plain` for whoever has the private key of `public` (32 bytes). Tests give the ephemeral key."""
    ephemeral = ephemeral or X25519PrivateKey.generate()
    encapsulated = raw(ephemeral.public_key())
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public))
    cipher, nonce = context(shared, encapsulated, public, info, aead)
    return encapsulated + cipher.encrypt(nonce, plain, aad)


def open_sealed(private, info, aad, sealed, aead=AES_256_GCM):
    """What was sealed to `private` (32 bytes); an exception when it does not open."""
    private = X25519PrivateKey.from_private_bytes(private)
    encapsulated = sealed[:32]
    shared = private.exchange(X25519PublicKey.from_public_bytes(encapsulated))
    cipher, nonce = context(shared, encapsulated, raw(private.public_key()), info, aead)
    return cipher.decrypt(nonce, sealed[32:], aad)
