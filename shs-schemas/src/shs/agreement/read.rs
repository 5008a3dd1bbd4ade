//! Reading `shs.agreement`. The files are our own configuration: what decides is read strictly,
//! what is for people (schedule, service levels, billing) is passed over.

use chrono::NaiveDate;

use super::{AgreedTransfer, Agreement, Flow};
use crate::error::{Fault, WireError};
use crate::ids::AgreementId;
use crate::shs::document::Document;
use crate::shs::strict::{self, Party, keyword, once, party, required};
use crate::shs::time;
use crate::shs::urn::Produkt;

const ROOT: &str = "shs.agreement";

/// Longest agreement document, in bytes.
pub const AGREEMENT_BYTES_MAX: usize = 256 * 1024;

/// Most products of one agreement.
pub const PRODUCTS_MAX: usize = 1024;

impl Agreement {
    /// Reads an agreement of version 1.1 or 1.2, which differ in nothing else (shs-1.2, 3.7).
    ///
    /// # Errors
    /// With element and offset; [`line_of`](crate::charset::line_of) turns the offset into a line.
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        let max = AGREEMENT_BYTES_MAX;
        let text = strict::decode(bytes, ROOT, "AGREEMENT_BYTES_MAX", max)?;
        let mut document = strict::open(&text, ROOT, max)?;
        let mut draft = Draft::default();
        let id = required(&document, "uuid", 0)?;
        let id = AgreementId::parse(&id.text)
            .map_err(|error| WireError::new("uuid", id.offset, error.fault))?;
        let transfer = keyword(&document, "transfer-type", 0, AgreedTransfer::parse)?;
        while let Some(start) = document.child()? {
            match start.local {
                "shs" => draft.shs(&mut document)?,
                "general" => draft.general(&mut document)?,
                _ => document.skip()?,
            }
        }
        document.finish()?;
        draft.finish(id, transfer)
    }
}

#[derive(Default)]
struct Draft {
    principal: Option<Party>,
    products: Vec<Produkt>,
    customer: Option<Party>,
    flow: Option<(Flow, usize)>,
    confirm: bool,
    valid_from: Option<NaiveDate>,
    valid_to: Option<(NaiveDate, usize)>,
}

impl Draft {
    fn shs(&mut self, document: &mut Document<'_>) -> Result<(), WireError> {
        while let Some(start) = document.child()? {
            let at = start.span.start;
            match start.local {
                "principal" => {
                    let party = party(document, "principal", at)?;
                    once(&mut self.principal, party, "principal", at)?;
                }
                "customer" => {
                    let party = party(document, "customer", at)?;
                    once(&mut self.customer, party, "customer", at)?;
                }
                "product" => self.product(document, at)?,
                "direction" => {
                    let flow = keyword(document, "flow", at, Flow::parse)?;
                    once(&mut self.flow, (flow, at), "direction", at)?;
                    document.skip()?;
                }
                "confirm" => {
                    self.confirm = strict::yes_unless_said(document, "required");
                    document.skip()?;
                }
                _ => document.skip()?,
            }
        }
        Ok(())
    }

    fn product(&mut self, document: &mut Document<'_>, at: usize) -> Result<(), WireError> {
        if self.products.len() == PRODUCTS_MAX {
            let fault = Fault::Limit("PRODUCTS_MAX", PRODUCTS_MAX);
            return Err(WireError::new("product", at, fault));
        }
        let text = document.text("product")?;
        let product =
            Produkt::parse(&text).map_err(|error| WireError::new("product", at, error.fault))?;
        self.products.push(product);
        Ok(())
    }

    fn general(&mut self, document: &mut Document<'_>) -> Result<(), WireError> {
        while let Some(start) = document.child()? {
            if start.local == "valid" {
                self.valid(document)?;
            } else {
                document.skip()?;
            }
        }
        Ok(())
    }

    fn valid(&mut self, document: &mut Document<'_>) -> Result<(), WireError> {
        while let Some(start) = document.child()? {
            let at = start.span.start;
            match start.local {
                "valid-from" => {
                    let (day, _) = date(document, at)?;
                    once(&mut self.valid_from, day, "valid-from", at)?;
                }
                "valid-to" => {
                    let day = date(document, at)?;
                    once(&mut self.valid_to, day, "valid-to", at)?;
                }
                _ => {}
            }
            document.skip()?;
        }
        Ok(())
    }

    fn finish(self, id: AgreementId, transfer: AgreedTransfer) -> Result<Agreement, WireError> {
        let missing = |element| WireError::new(element, 0, Fault::Missing);
        let principal = self.principal.ok_or(missing("principal"))?;
        let (flow, flow_at) = self.flow.ok_or(missing("direction"))?;
        if self.products.is_empty() {
            return Err(missing("product"));
        }
        if flow == Flow::ToCustomer && self.customer.is_none() {
            // Only who asks may be anyone (shs-1.2, 3.4).
            return Err(WireError::new("customer", flow_at, Fault::Missing));
        }
        let valid_from = self.valid_from.ok_or(missing("valid-from"))?;
        if let Some((day, at)) = self.valid_to
            && day < valid_from
        {
            let fault = Fault::Invalid("before valid-from");
            return Err(WireError::new("valid-to", at, fault));
        }
        let (customer, customer_name) = self
            .customer
            .map_or((None, None), |party| (Some(party.organisation), party.name));
        Ok(Agreement {
            id,
            transfer,
            principal: principal.organisation,
            products: self.products,
            customer,
            flow,
            confirm: self.confirm,
            valid_from,
            valid_to: self.valid_to.map(|(day, _)| day),
            principal_name: principal.name,
            customer_name,
        })
    }
}

fn date(document: &Document<'_>, at: usize) -> Result<(NaiveDate, usize), WireError> {
    let value = required(document, "date", at)?;
    let fault = Fault::Invalid("not a date (YYYY-MM-DD)");
    let day = time::date(&value.text).ok_or(WireError::new("date", value.offset, fault))?;
    Ok((day, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charset;

    const AGREEMENT: &str = r#"<?xml version="1.0" encoding="ISO-8859-1"?>
<!DOCTYPE shs.agreement SYSTEM "shs-agreement-1.2.dtd">
<shs.agreement version="1.2" uuid="9e2d4b60-7a31-4c8e-b5f0-1a2b3c4d5e6f" transfer-type="any">
  <shs>
    <principal commonName="Provmyndigheten">urn:X-shs:0000000002</principal>
    <product>urn:X-shs:5a1e0000-1111-4222-8333-444455557777</product>
    <product>urn:X-shs:5A1E0000-1111-4222-8333-444455556666</product>
    <customer commonName="Fiktivkontoret">0000000001.inre</customer>
    <direction flow="from-customer"><description>d</description></direction>
    <confirm/>
    <error>drift@provmyndigheten.example</error>
  </shs>
  <general>
    <valid>
      <valid-from date="2031-01-01"/>
      <valid-to date="2031-12-31"/>
    </valid>
    <schedule><intervaltime/></schedule>
    <QoS><open><when/></open></QoS>
  </general>
</shs.agreement>"#;

    fn fault(from: &str, to: &str) -> WireError {
        assert!(AGREEMENT.contains(from), "{from}");
        Agreement::read(AGREEMENT.replacen(from, to, 1).as_bytes()).unwrap_err()
    }

    #[test]
    fn the_parts_that_decide_are_read() {
        let agreement = Agreement::read(AGREEMENT.as_bytes()).unwrap();
        assert_eq!(agreement.transfer, AgreedTransfer::Any);
        assert_eq!(agreement.principal.as_str(), "0000000002");
        assert_eq!(agreement.products.len(), 2);
        assert_eq!(agreement.customer.unwrap().as_str(), "0000000001");
        assert_eq!(agreement.flow, Flow::FromCustomer);
        assert!(agreement.confirm);
        assert_eq!(agreement.valid_from.to_string(), "2031-01-01");
        assert_eq!(agreement.valid_to.unwrap().to_string(), "2031-12-31");
    }

    #[test]
    fn a_confirmation_is_wanted_only_when_said() {
        let confirm = |element: &str| {
            let text = AGREEMENT.replace("<confirm/>", element);
            Agreement::read(text.as_bytes()).unwrap().confirm
        };
        assert!(confirm("<confirm required=' Yes '/>"));
        assert!(!confirm("<confirm required='no'/>"));
        assert!(!confirm(""));
    }

    #[test]
    fn every_fault_names_element_and_line() {
        let cases = [
            (
                "uuid=\"9e2d4b60-7a31-4c8e-b5f0-1a2b3c4d5e6f\"",
                "",
                "uuid",
                1,
            ),
            ("\"any\"", "\"all\"", "transfer-type", 3),
            ("0000000002<", "myndigheten<", "principal", 5),
            ("5a1e0000-1111", "5a1e0000 1111", "product", 6),
            ("from-customer", "both", "flow", 9),
            ("2031-01-01", "2031-02-30", "date", 15),
            ("2031-12-31", "2030-12-31", "valid-to", 16),
            ("<valid-from date=\"2031-01-01\"/>", "", "valid-from", 1),
            ("</general>", "", "shs.agreement", 21),
        ];
        for (from, to, element, line) in cases {
            let error = fault(from, to);
            assert_eq!(error.element, element);
            let text = AGREEMENT.replacen(from, to, 1);
            assert_eq!(
                charset::line_of(text.as_bytes(), error.offset),
                line,
                "{element}"
            );
        }
    }

    #[test]
    fn only_who_asks_may_be_anyone() {
        let customer = "<customer commonName=\"Fiktivkontoret\">0000000001.inre</customer>";
        let open = AGREEMENT.replace(customer, "");
        assert!(Agreement::read(open.as_bytes()).unwrap().customer.is_none());
        let refused = open.replace("from-customer", "to-customer");
        assert_eq!(
            Agreement::read(refused.as_bytes()).unwrap_err().element,
            "customer"
        );
    }

    #[test]
    fn version_1_1_differs_in_nothing_but_its_number() {
        let new = Agreement::read(AGREEMENT.as_bytes());
        let old = AGREEMENT
            .replace("shs-agreement-1.2.dtd", "shs-agreement-1.1.dtd")
            .replace(
                "<shs.agreement version=\"1.2\"",
                "<shs.agreement version=\"1.1\"",
            );
        assert_eq!(Agreement::read(old.as_bytes()), new);
        let silent = AGREEMENT.replace("<shs.agreement version=\"1.2\"", "<shs.agreement");
        assert_eq!(Agreement::read(silent.as_bytes()), new);
    }

    #[test]
    fn an_unknown_version_is_refused() {
        for version in ["1.3", "2.0", "", "1", "1.2.01"] {
            let unknown = format!("<shs.agreement version=\"{version}\"");
            let error = fault("<shs.agreement version=\"1.2\"", &unknown);
            assert_eq!(error.element, "version", "{version}");
            assert_eq!(charset::line_of(AGREEMENT.as_bytes(), error.offset), 3);
        }
    }

    #[test]
    fn what_may_stand_once_is_refused_the_second_time() {
        for (line, element) in [
            ("<principal>1</principal>", "principal"),
            ("<customer>1</customer>", "customer"),
            ("<direction flow=\"any\"/>", "direction"),
        ] {
            let error = fault("<error>", &format!("{line}<error>"));
            assert_eq!((error.element, error.fault), (element, Fault::Unexpected));
        }
        let error = fault("</valid>", "<valid-from date=\"2031-01-01\"/></valid>");
        assert_eq!(error.element, "valid-from");
    }

    #[test]
    fn an_agreement_cut_short_at_any_byte_is_an_error() {
        for end in 0..AGREEMENT.len() {
            assert!(
                Agreement::read(&AGREEMENT.as_bytes()[..end]).is_err(),
                "{end}"
            );
        }
    }

    #[test]
    fn the_bounds_are_named() {
        let long = AGREEMENT.replace("<description>d", &" ".repeat(AGREEMENT_BYTES_MAX));
        assert_eq!(
            Agreement::read(long.as_bytes()).unwrap_err().fault,
            Fault::Limit("AGREEMENT_BYTES_MAX", AGREEMENT_BYTES_MAX)
        );
        let product = "<product>5a1e0000-1111-4222-8333-444455557777</product>";
        let many = fault("<customer", &(product.repeat(PRODUCTS_MAX) + "<customer"));
        assert_eq!(many.fault, Fault::Limit("PRODUCTS_MAX", PRODUCTS_MAX));
    }
}
