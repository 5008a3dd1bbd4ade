//! Reading a request body: within a size, within a time, without copying it when it comes in one
//! piece.

use std::time::Duration;

use actix_web::http::header::CONTENT_LENGTH;
use actix_web::http::header::HeaderMap;
use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

/// Room that is made at once for a body whose length is announced; more only as it comes, so that
/// an announcement alone costs little.
const ROOM_AT_ONCE_BYTES_MAX: usize = 1024 * 1024;

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// Larger than allowed.
    TooLarge,
    /// Not there in time.
    Slow,
    /// The connection or its framing broke.
    Broken,
}

/// The announced length, if there is one.
fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads the whole body: at most `bytes_max` bytes within `time_max`.
///
/// # Errors
/// See [`BodyError`]. What had been read is dropped.
pub async fn read(
    headers: &HeaderMap,
    payload: Payload,
    bytes_max: usize,
    time_max: Duration,
) -> Result<Bytes, BodyError> {
    let announced = announced(headers);
    if announced.is_some_and(|length| length > bytes_max) {
        return Err(BodyError::TooLarge);
    }
    let reading = collect(payload, announced, bytes_max);
    tokio::time::timeout(time_max, reading)
        .await
        .unwrap_or(Err(BodyError::Slow))
}

async fn collect(
    mut payload: Payload,
    announced: Option<usize>,
    bytes_max: usize,
) -> Result<Bytes, BodyError> {
    let Some(first) = payload.next().await else {
        return Ok(Bytes::new());
    };
    let first = first.map_err(|_| BodyError::Broken)?;
    if announced == Some(first.len()) {
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
        body.extend_from_slice(&piece);
        next = payload
            .next()
            .await
            .transpose()
            .map_err(|_| BodyError::Broken)?;
    }
    Ok(body.freeze())
}
