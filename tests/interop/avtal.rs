//! Agreements for the nodes of a test, as the documents that operators exchange (shs-1.2, 3.4).

use std::fmt::Write as _;

/// An agreement.
#[derive(Clone, Debug)]
pub struct Avtal {
    pub number: u32,
    pub principal: &'static str,
    pub customer: Option<&'static str>,
    pub products: Vec<&'static str>,
    pub flow: &'static str,
    pub transfer: &'static str,
    pub confirm: bool,
}

impl Avtal {
    /// Principal and customer may send each other the product, asynchronously and synchronously;
    /// deliveries are not confirmed.
    pub fn between(
        number: u32,
        principal: &'static str,
        customer: &'static str,
        product: &'static str,
    ) -> Self {
        Self {
            number,
            principal,
            customer: Some(customer),
            products: vec![product],
            flow: "any",
            transfer: "any",
            confirm: false,
        }
    }

    /// The same with confirmations.
    pub fn confirmed(self) -> Self {
        Self {
            confirm: true,
            ..self
        }
    }

    /// Its `uuid`.
    pub fn uuid(&self) -> String {
        format!("a9ee0000-0000-4000-8000-{:012}", self.number)
    }

    /// The document.
    pub fn document(&self) -> String {
        let mut parties = format!("<principal>urn:X-shs:{}</principal>", self.principal);
        for product in &self.products {
            write!(parties, "<product>urn:X-shs:{product}</product>").unwrap();
        }
        if let Some(customer) = self.customer {
            write!(parties, "<customer>urn:X-shs:{customer}</customer>").unwrap();
        }
        let confirm = if self.confirm { "yes" } else { "no" };
        format!(
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n\
             <!DOCTYPE shs.agreement SYSTEM \"shs-agreement-1.2.dtd\">\n\
             <shs.agreement version=\"1.2\" uuid=\"{}\" transfer-type=\"{}\">\n\
             <shs>{parties}<direction flow=\"{}\"/><confirm required=\"{confirm}\"/></shs>\n\
             <general><valid><valid-from date=\"2020-01-01\"/></valid>\
             <schedule><intervaltime/></schedule><QoS><open><when/></open></QoS></general>\n\
             </shs.agreement>\n",
            self.uuid(),
            self.transfer,
            self.flow,
        )
    }
}
