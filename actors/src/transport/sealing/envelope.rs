//! A sealed body, byte by byte: 32 bytes of encapsulated key, the body encrypted, 16 bytes of tag.
//!
//! Suite: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM (RFC 9180, 7: 0x0020, 0x0001, 0x0002),
//! base mode, one message each. `info` names the contract, its version and the direction; `aad` binds
//! the facts by which the message is routed, in UTF-8, joined by line feeds, none at the end:
//!
//! | | `info` | `aad` |
//! |---|---|---|
//! | question | `samsvar/amqp/1/fraga` | exchange, routing key, correlation id, type, `x-deadline`, `x-seal-key`, `x-seal-answer-key` |
//! | answer | `samsvar/amqp/1/svar` | correlation id, type, `x-seal-key` |
//!
//! No fact can hold a line feed. A fact that was changed on the way makes the body not open.

use bytes::{Bytes, BytesMut};
use hpke::aead::{AeadTag, AesGcm256};
use hpke::inout::InOutBuf;
use hpke::kdf::HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable, setup_receiver, setup_sender};
use shs_schemas::Uppgiftslamnare;
use uuid::Uuid;

use super::keys::{KEY_BYTES, KeyPair, PublicKey, Suite};
use crate::transport::amqp::contract::{EXCHANGE, SVAR_V1, deadline_text, type_of};
use crate::transport::{Answer, AnswerContent, Question};

const INFO_QUESTION: &[u8] = b"samsvar/amqp/1/fraga";
const INFO_ANSWER: &[u8] = b"samsvar/amqp/1/svar";
/// Length of the tag, in bytes.
const TAG_BYTES: usize = 16;

/// A body does not open: sealed to another key, changed, or nothing sealed at all. Which of these
/// cannot be told, and is nobody's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body does not open")]
pub struct NotOpened;

/// The body of a question, sealed to a party; its `seal` says with which keys.
pub(super) fn seal_question(
    question: &Question,
    ul: Uppgiftslamnare,
    to: &PublicKey,
) -> Result<Bytes, NotOpened> {
    let aad = question_facts(question, ul).ok_or(NotOpened)?;
    seal(to, INFO_QUESTION, aad.as_bytes(), question.body.expose())
}

/// The body of a question that came to a party, in clear.
///
/// # Errors
/// [`NotOpened`] when it is not sealed, to another key than `own`, or something was changed.
pub fn open_question(
    question: &Question,
    ul: Uppgiftslamnare,
    own: &KeyPair,
) -> Result<Bytes, NotOpened> {
    let aad = question_facts(question, ul).ok_or(NotOpened)?;
    open(
        own,
        INFO_QUESTION,
        aad.as_bytes(),
        question.body.expose().clone(),
    )
}

/// An answer to `corr_id` with this element, sealed to the node.
///
/// # Errors
/// Never with a key that has been read.
pub fn seal_answer(corr_id: Uuid, element: &[u8], to: &PublicKey) -> Result<Answer, NotOpened> {
    let aad = answer_facts(corr_id, to);
    let body = seal(to, INFO_ANSWER, aad.as_bytes(), element)?;
    let key = to.id().clone();
    Ok(Answer {
        corr_id,
        content: AnswerContent::Sealed { key, body },
    })
}

/// The element of an answer, in clear.
pub(super) fn open_answer(corr_id: Uuid, body: Bytes, own: &KeyPair) -> Result<Bytes, NotOpened> {
    let aad = answer_facts(corr_id, own.public());
    open(own, INFO_ANSWER, aad.as_bytes(), body)
}

/// The facts of a question that says how it is sealed.
fn question_facts(question: &Question, ul: Uppgiftslamnare) -> Option<String> {
    let seal = question.seal.as_ref()?;
    let facts = [
        EXCHANGE,
        &question.traffic.routing_key(ul),
        &question.corr_id.hyphenated().to_string(),
        type_of(question.kind),
        &deadline_text(question.deadline),
        seal.key.as_str(),
        seal.answer_key.as_str(),
    ];
    Some(facts.join("\n"))
}

fn answer_facts(corr_id: Uuid, key: &PublicKey) -> String {
    [
        &corr_id.hyphenated().to_string(),
        SVAR_V1,
        key.id().as_str(),
    ]
    .join("\n")
}

fn seal(to: &PublicKey, info: &[u8], aad: &[u8], plain: &[u8]) -> Result<Bytes, NotOpened> {
    let (encapsulated, mut context) =
        setup_sender::<AesGcm256, HkdfSha256, Suite>(&OpModeS::Base, &to.key, info)
            .map_err(|_| NotOpened)?;
    let mut sealed = BytesMut::with_capacity(KEY_BYTES + plain.len() + TAG_BYTES);
    sealed.extend_from_slice(&encapsulated.to_bytes());
    sealed.extend_from_slice(plain);
    let body = InOutBuf::from(&mut sealed[KEY_BYTES..]);
    let tag = context
        .seal_inout_detached(body, aad)
        .map_err(|_| NotOpened)?;
    sealed.extend_from_slice(&tag.to_bytes());
    Ok(sealed.freeze())
}

/// Opens in place when nobody else holds the body: no second copy of it in clear.
fn open(own: &KeyPair, info: &[u8], aad: &[u8], sealed: Bytes) -> Result<Bytes, NotOpened> {
    if sealed.len() < KEY_BYTES + TAG_BYTES {
        return Err(NotOpened);
    }
    let mut body = sealed
        .try_into_mut()
        .unwrap_or_else(|shared| BytesMut::from(&shared[..]));
    let encapsulated = body.split_to(KEY_BYTES);
    let tag = body.split_off(body.len() - TAG_BYTES);
    let encapsulated = <Suite as Kem>::EncappedKey::from_bytes(&encapsulated);
    let encapsulated = encapsulated.map_err(|_| NotOpened)?;
    let tag = AeadTag::<AesGcm256>::from_bytes(&tag).map_err(|_| NotOpened)?;
    let mut context = setup_receiver::<AesGcm256, HkdfSha256, Suite>(
        &OpModeR::Base,
        &own.private,
        &encapsulated,
        info,
    )
    .map_err(|_| NotOpened)?;
    context
        .open_inout_detached(InOutBuf::from(&mut body[..]), aad, &tag)
        .map_err(|_| NotOpened)?;
    Ok(body.freeze())
}
