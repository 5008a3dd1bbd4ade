//! `samsvar ask --soap --ping`: which authorities were called, and what they said.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;
use shs_schemas::Svarselement;

use super::super::shown::printable;
use super::super::table::table;
use super::soap::{AnotherOperation, Called, length, write_head, write_retry};
use super::{AskArgs, exit_code};
use crate::client::soap::{Replied, Reply, Tested};

/// A connection test for programs.
#[derive(Serialize)]
struct ShownTest {
    elapsed_ms: u128,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault_texts: Option<Vec<String>>,
    elements: Vec<ShownElement>,
}

#[derive(Serialize)]
struct ShownElement {
    element: &'static str,
    answer: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kalla: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    felkod: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    texts: Vec<String>,
}

impl ShownElement {
    fn of((element, tested): (Svarselement, Tested)) -> Self {
        let (answer, error) = match tested {
            Tested::NotCalled => ("not called", None),
            Tested::Answered => ("answered", None),
            Tested::Error {
                kalla,
                felkod,
                felmeddelanden,
            } => ("error", Some((kalla, felkod, felmeddelanden))),
        };
        let (kalla, felkod, texts) = match error {
            Some((kalla, felkod, texts)) => (Some(kalla), Some(felkod), texts.into_exposed()),
            None => (None, None, Vec::new()),
        };
        Self {
            element: element.local_name(),
            answer,
            kalla,
            felkod,
            texts,
        }
    }

    const fn is_well(&self) -> bool {
        self.felkod.is_none()
    }

    fn row(&self) -> Vec<String> {
        let words = [
            Some(self.answer),
            self.kalla.as_deref(),
            self.felkod.as_deref(),
        ];
        let answer: Vec<_> = words.into_iter().flatten().collect();
        vec![
            self.element.to_owned(),
            printable(&answer.join(" ")),
            printable(&self.texts.join("; ")),
        ]
    }
}

/// Shows what became of a connection test: exit code 0 when none that was called failed.
pub(super) fn show(
    args: &AskArgs,
    called: Vec<Called>,
    took: Duration,
    out: &mut dyn Write,
) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut test = Test::default();
    for replied in called {
        test.take(replied?)?;
    }
    let well = test.fault.is_none() && test.elements.iter().all(ShownElement::is_well);
    if args.json {
        let shown = test.for_programs(took);
        serde_json::to_writer_pretty(&mut *out, &shown)?;
        writeln!(out)?;
    } else if !args.raw {
        write_head(out, args.kontrakt(), took, test.bytes)?;
        test.write(out)?;
    }
    Ok(exit_code(well))
}

/// What a connection test gave.
#[derive(Default)]
struct Test {
    elements: Vec<ShownElement>,
    /// Code and texts.
    fault: Option<(String, Vec<String>)>,
    retry_after: Option<String>,
    bytes: usize,
}

impl Test {
    fn take(&mut self, replied: Replied) -> Result<(), AnotherOperation> {
        self.bytes += length(&replied);
        self.retry_after = replied.retry_after;
        match replied.reply {
            Reply::Test(tested) => {
                self.elements = tested.into_iter().map(ShownElement::of).collect();
            }
            Reply::Fault(fault) => {
                let (felkod, texts) = fault.said();
                self.fault = Some((felkod, texts.into_exposed()));
            }
            Reply::Svar(_) => return Err(AnotherOperation),
        }
        Ok(())
    }

    fn for_programs(self, took: Duration) -> ShownTest {
        let (fault, fault_texts) = self.fault.unzip();
        ShownTest {
            elapsed_ms: took.as_millis(),
            fault,
            fault_texts,
            elements: self.elements,
        }
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let Some((felkod, texts)) = &self.fault else {
            let rows = self.elements.iter().map(ShownElement::row);
            let table = table(&["", "CONNECTION", "TEXT"], &[], rows);
            return writeln!(out, "\n{table}");
        };
        let texts = printable(&texts.join("; "));
        writeln!(out, "\nnobody was called: {}: {texts}", printable(felkod))?;
        write_retry(out, self.retry_after.as_deref())
    }
}
