//! stub
#![allow(missing_docs, clippy::all, clippy::pedantic, unused)]
use std::time::Duration;
use chrono::{DateTime, Utc};
use shs_schemas::ids::*;
use shs_schemas::shs::{Adress, Label, Management, Organisationsnummer, Produkt};
use shs_schemas::shs::label::SequenceType;
use shs_schemas::ErrorCode;
#[derive(Clone, Debug)]
pub struct TransferSettings { pub remembered_max: usize, pub remembered_for: Duration }
#[derive(Clone, Debug)]
pub struct About { pub corr_id: CorrId, pub content_id: ContentId, pub from: Option<Adress>, pub to: Option<Adress>, pub product: Produkt, pub sequence_type: SequenceType }
impl About { pub fn of(label: &Label) -> Self { todo() } }
fn todo<T>() -> T { panic!() }
pub enum Claim { New(Claimed), Pending(PendingClaim), Duplicate { arrived: DateTime<Utc> } }
pub struct Claimed; impl Claimed { pub fn accept(self, _: DateTime<Utc>, _: LocalId) {} }
pub struct PendingClaim; impl PendingClaim { pub async fn wait(self) -> Decided { todo() } }
pub enum Decided { Accepted { arrived: DateTime<Utc> }, Abandoned }
#[derive(Debug)]
pub enum State { New, Sent, Received, Fetched, OneToMany, Quarantined { code: ErrorCode } }
pub struct Transfers;
impl Transfers {
 pub fn new(_: TransferSettings) -> Self { Self }
 pub fn claim(&self, _: &TxId, _: About) -> Claim { todo() }
 pub fn set_state(&self, _: &TxId, _: State) {}
 pub fn acknowledge(&self, _: &TxId) {}
 pub fn correlate_error(&self, _: &Management, _: Option<&Adress>) -> Vec<TxId> { vec![] }
 pub fn correlate_confirm(&self, _: &Management, _: Option<&Adress>) -> Vec<TxId> { vec![] }
 pub fn sender_of(&self, _: &TxId) -> Option<Organisationsnummer> { None }
}
