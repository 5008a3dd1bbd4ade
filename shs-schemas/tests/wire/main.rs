//! The wire, clause by clause: what the installed base sends and what we send it. Each module is a
//! section of shs-1.2; each test is a row or a rule of it.

#[path = "../support/mod.rs"]
mod support;

mod sample;

mod charset_2_7;
mod derived_labels_7_8;
mod file_names_2_9;
mod layout_2_2_to_2_6;
mod relaying_2_10;
mod sending_2_11;
mod tolerance_2_13;
mod transfer_encodings_2_8;
mod unreadable;
