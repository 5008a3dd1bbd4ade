//! Reading a request body: within a size, within a time, within the memory that all bodies share, and
//! without copying it when it comes in one piece.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use samsvar_actors::room::{Held, NoRoom, Room};

/// Room that is made at once for a body whose length is announced, so that an announcement alone costs
/// little. Once so much has come, there is room for the rest in one piece: a buffer that grows step by
/// step is copied each time.
const ROOM_AT_ONCE_BYTES_MAX: usize = 1024 * 1024;

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// Larger than allowed.
    TooLarge,
    /// All bodies together take what they may.
    NoRoom,
    /// Not there in time.
    Slow,
    /// The connection or its framing broke.
    Broken,
}

impl From<NoRoom> for BodyError {
    fn from(_: NoRoom) -> Self {
        Self::NoRoom
    }
}

/// What a body may cost.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Its size.
    pub bytes_max: usize,
    /// Its time.
    pub time_max: Duration,
    /// The memory that all bodies share.
    pub room: Arc<Room>,
}

/// The announced length, if there is one.
fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads the whole body. What it takes of the room is held until the second value is dropped.
///
/// # Errors
/// See [`BodyError`]. What had been read is dropped.
pub async fn read(
    headers: &HeaderMap,
    payload: Payload,
    bounds: &Bounds,
) -> Result<(Bytes, Held), BodyError> {
    let announced = announced(headers);
    if announced.is_some_and(|length| length > bounds.bytes_max) {
        return Err(BodyError::TooLarge);
    }
    let mut held = Held::nothing(&bounds.room);
    let reading = collect(payload, announced, bounds.bytes_max, &mut held);
    let body = tokio::time::timeout(bounds.time_max, reading).await;
    Ok((body.unwrap_or(Err(BodyError::Slow))?, held))
}

async fn collect(
    mut payload: Payload,
    announced: Option<usize>,
    bytes_max: usize,
    held: &mut Held,
) -> Result<Bytes, BodyError> {
    let Some(first) = payload.next().await else {
        return Ok(Bytes::new());
    };
    let first = first.map_err(|_| BodyError::Broken)?;
    if announced == Some(first.len()) {
        held.grow(first.len())?;
        return Ok(first);
    }
    let room = announced
        .unwrap_or(0)
        .clamp(first.len(), ROOM_AT_ONCE_BYTES_MAX.max(first.len()));
    let mut body = BytesMut::with_capacity(room);
    let mut next = Some(first);
    while let Some(piece) = next {
        if body.len() + piece.len() > bytes_max {
            return Err(BodyError::TooLarge);
        }
        held.grow(piece.len())?;
        if body.capacity() < body.len() + piece.len() {
            let rest = announced.map_or(0, |length| length.saturating_sub(body.len()));
            body.reserve(rest.max(piece.len()));
        }
        body.extend_from_slice(&piece);
        next = payload
            .next()
            .await
            .transpose()
            .map_err(|_| BodyError::Broken)?;
    }
    Ok(body.freeze())
}
