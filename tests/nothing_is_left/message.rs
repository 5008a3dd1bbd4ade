//! Messages with a marker in every field that holds text and that the ledger does not keep.

use base64_simd::STANDARD;
use shs_schemas::ssbtek::Kontrakt;
use uuid::Uuid;

use crate::marker::{id, person, text};

/// The municipality with a mailbox at the node, and the one with a node of its own.
pub(crate) const MAILBOX: &str = "2120009994";
pub(crate) const PUSHED: &str = "2120009986";
/// The node's own actor.
pub(crate) const NODE: &str = "2021009994";
/// Files from one municipality to the other.
pub(crate) const FILES: &str = "urn:X-shs:5a1e0000-1111-4222-8333-444455557777";
/// What SSBTEK's questions are sent as.
pub(crate) const PRODUCT: &str = "urn:X-shs:55b7e000-0010-4000-8000-000000000010";

/// What a message is, beside its markers.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) number: usize,
    pub(crate) from: &'static str,
    pub(crate) synch: bool,
    pub(crate) to: &'static str,
    pub(crate) product: &'static str,
    /// Identity number; the marker unless a test wants another one.
    pub(crate) person: String,
    /// How an authority is to misbehave, for `adapter.py`.
    pub(crate) way: String,
    /// Whether its identifiers are no UUIDs: then they may name somebody, and are markers.
    pub(crate) named: bool,
}

impl Message {
    pub(crate) fn new(number: usize, from: &'static str, synch: bool) -> Self {
        Self {
            number,
            from,
            synch,
            to: NODE,
            product: PRODUCT,
            person: person(number),
            way: String::new(),
            named: number % 7 == 3,
        }
    }

    /// A file from one municipality to the other.
    pub(crate) fn file(number: usize, from: &'static str) -> Self {
        Self {
            to: if from == MAILBOX { PUSHED } else { MAILBOX },
            product: FILES,
            ..Self::new(number, from, false)
        }
    }

    fn identifier(&self, field: &str) -> String {
        if self.named {
            id(field, self.number)
        } else {
            Uuid::new_v4().to_string()
        }
    }

    /// The whole message.
    pub(crate) fn shs(&self) -> Vec<u8> {
        let question = self.question(Kontrakt::V10);
        self.shs_with(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{question}").as_bytes())
    }

    /// The whole message with this part.
    pub(crate) fn shs_with(&self, part: &[u8]) -> Vec<u8> {
        let n = self.number;
        let boundary = id("mime boundary", n);
        let (encoding, part) = match n % 3 {
            0 => ("base64", STANDARD.encode_to_string(part).into_bytes()),
            1 => (
                "base64",
                lines(&STANDARD.encode_to_string(part)).into_bytes(),
            ),
            _ => ("binary", part.to_vec()),
        };
        let name = latin1(&text("part filename", n));
        let utf8 = n.is_multiple_of(2);
        let label = self.label(if utf8 { "UTF-8" } else { "ISO-8859-1" });
        let label = if utf8 {
            label.into_bytes()
        } else {
            latin1(&label)
        };
        let charset = if utf8 { "UTF-8" } else { "ISO-8859-1" };
        let mut out = Vec::new();
        let subject = text("mime subject", n);
        out.extend(latin1(&format!(
            "Subject: SHS Message {subject}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; \
             boundary=\"{boundary}\"\r\nContent-Transfer-Encoding: binary\r\n\r\n--{boundary}\r\n\
             Content-Type: text/xml; charset={charset}\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        )));
        out.extend(label);
        out.extend(
            format!("\r\n--{boundary}\r\nContent-Type: text/xml; charset=UTF-8; name=\"").bytes(),
        );
        out.extend(&name);
        out.extend(
            format!(
                "\"\r\nContent-Transfer-Encoding: {encoding}\r\nContent-Description: {}\r\n\
                     Content-Disposition: attachment; filename=\"",
                id("part description", n)
            )
            .bytes(),
        );
        out.extend(&name);
        out.extend(b"\"\r\n\r\n");
        out.extend(part);
        out.extend(format!("\r\n--{boundary}--\r\n").bytes());
        out
    }

    fn label(&self, encoding: &str) -> String {
        let n = self.number;
        let m = |field: &str| text(&format!("label {field}"), n);
        let party = |element: &str| {
            format!(
                "<{element} name=\"{}\" labeledURI=\"{}\">{}</{element}>\n",
                m(&format!("{element} name")),
                m(&format!("{element} labeledURI")),
                m(element)
            )
        };
        let transfer = if self.synch { "synch" } else { "asynch" };
        let (tx, corr) = (
            self.identifier("label tx.id"),
            self.identifier("label corr.id"),
        );
        let content = self.identifier("label content.id");
        let originator = if n % 4 == 1 {
            party("originator")
        } else {
            String::new()
        };
        format!(
            "<?xml version=\"1.0\" encoding=\"{encoding}\"?>\n<!DOCTYPE shs.label SYSTEM \
             \"shs-label-1.2.dtd\">\n<shs.label version=\"1.2\" tx.id=\"{tx}\" corr.id=\"{corr}\" \
             transfer-type=\"{transfer}\" message-type=\"simple\" document-type=\"simple\" \
             sequence-type=\"request\" status=\"production\">\n{originator}<from commonName=\"{}\" \
             e-mail=\"{}\" labeledURI=\"{}\">urn:X-shs:{}</from>\n<to commonName=\"{}\">\
             urn:X-shs:{}</to>\n{}<product commonName=\"{}\" labeledURI=\"{}\">{}</product>\n\
             <meta name=\"{}\">{}</meta>\n<subject>{}</subject>\n\
             <datetime>2026-11-02T09:15:00</datetime>\n<content content.id=\"{content}\"><data \
             datapartType=\"fraga\" filename=\"{}\" no-of-bytes=\"2203\"/><comment>{}</comment>\
             </content>\n<history node.id=\"{}\" content.id=\"{}\" tx.id=\"{}\" from=\"{}\" \
             to=\"{}\" local.id=\"{}\"><datetime>2026-11-02T09:14:00</datetime><comment>{}</comment>\
             </history>\n</shs.label>\n",
            m("from commonName"),
            m("from e-mail"),
            m("from labeledURI"),
            self.from,
            m("to commonName"),
            self.to,
            party("end-recipient"),
            m("product commonName"),
            m("product labeledURI"),
            self.product,
            m("meta name"),
            m("meta"),
            m("subject"),
            m("data filename"),
            m("content comment"),
            id("label history node.id", n),
            id("label history content.id", n),
            id("label history tx.id", n),
            m("history from"),
            m("history to"),
            id("label history local.id", n),
            m("history comment"),
        )
    }

    /// The question alone.
    pub(crate) fn question(&self, kontrakt: Kontrakt) -> String {
        let n = self.number;
        let m = |field: &str| text(&format!("fråga {field}"), n);
        let (echo, person) = (n.is_multiple_of(2), &self.person);
        let skv = if kontrakt.has_skv_fraga() {
            "<s:SKV inkludera=\"true\"><s:fraga><s:ar>2025</s:ar>\
             <s:foretagsinformation>false</s:foretagsinformation>\
             <s:individuppgifter>true</s:individuppgifter><s:skattekonto>true</s:skattekonto>\
             <s:skatteuppgifter>true</s:skatteuppgifter>\
             <s:beskattningsbilagor>true</s:beskattningsbilagor></s:fraga></s:SKV>"
        } else {
            "<s:SKV inkludera=\"true\"/>"
        };
        let lefi = format!(
            "{{\"personnummer\":\"{person}\",\"period\":{{\"from\":\"2026-09-01\",\"tom\":\"2026-11-22\"}},\
             \"formansinformation\":[\"FK:FP\",\"FK:SJP\",\"FK:BOB\"],\"ansprak\":[\"PM:AP\"],\
             \"utbetalningar\":[\"FK:FP\",\"PM:AP\"],\"ovrigInformation\":[\"FK:GEPI\"]}}"
        );
        format!(
            "<s:hamtaBastjanstInformation xmlns:s=\"{namespace}\"><s:generellaFrageparametrar>\
             <s:frageTidpunkt>2026-11-22T08:30:00+01:00</s:frageTidpunkt>\
             <s:korrelationsid>{korrelationsid}{way}</s:korrelationsid>\
             <s:fraganSkallInkluderasISvaret>{echo}</s:fraganSkallInkluderasISvaret>\
             <s:ingivare><s:organisationsnummer>16{from}</s:organisationsnummer>\
             <s:namn>{namn}</s:namn><s:handlaggare>{handlaggare}</s:handlaggare></s:ingivare>\
             <s:personidentitet>{person}</s:personidentitet><s:arendeidentitet>{arende}</s:arendeidentitet>\
             <s:tidsperiod><s:fromDatum>2026-09-01</s:fromDatum><s:tomDatum>2026-11-22</s:tomDatum>\
             </s:tidsperiod><s:personuppgiftsbitrade><s:ordningsnummer>1</s:ordningsnummer>\
             <s:organisationsnummer>165599991113</s:organisationsnummer><s:namn>{bitrade}</s:namn>\
             </s:personuppgiftsbitrade><s:syfte>{syfte}</s:syfte><s:lagtext>{lagtext}</s:lagtext>\
             </s:generellaFrageparametrar><s:specifikaFrageparametrar><s:AF inkludera=\"true\"/>\
             <s:CSN inkludera=\"true\"><s:tidsperiod><s:fromDatum>2026-10-01</s:fromDatum>\
             <s:tomDatum>2026-11-22</s:tomDatum></s:tidsperiod></s:CSN>\
             <s:FK inkludera=\"true\"><s:fraga><s:version>v9</s:version><s:aktorsid>EXK-01</s:aktorsid>\
             <s:lefiJsonFraga>{lefi}</s:lefiJsonFraga></s:fraga></s:FK>{skv}\
             <s:SO inkludera=\"true\"/><s:TNS inkludera=\"true\"/><s:MIV inkludera=\"true\"/>\
             </s:specifikaFrageparametrar></s:hamtaBastjanstInformation>",
            namespace = kontrakt.namespace(),
            korrelationsid = m("korrelationsid"),
            way = self.way,
            from = self.from,
            namn = m("ingivare namn"),
            handlaggare = m("handlaggare"),
            arende = m("arendeidentitet"),
            bitrade = m("personuppgiftsbitrade namn"),
            syfte = m("syfte"),
            lagtext = m("lagtext"),
            lefi = STANDARD.encode_to_string(lefi),
        )
    }

    /// The question in an envelope of SOAP.
    pub(crate) fn soap(&self, kontrakt: Kontrakt) -> Vec<u8> {
        let n = self.number;
        format!(
            "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Header>\
             <x:id xmlns:x=\"http://exempel.se/x\">{}</x:id></e:Header><e:Body>{}</e:Body></e:Envelope>",
            text("soap header", n),
            self.question(kontrakt)
        )
        .into_bytes()
    }
}

/// What a text is in ISO-8859-1.
pub(crate) fn latin1(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect()
}

/// Base64 in lines.
fn lines(base64: &str) -> String {
    let lines = base64
        .as_bytes()
        .chunks(76)
        .map(|line| std::str::from_utf8(line).unwrap());
    lines.collect::<Vec<_>>().join("\r\n")
}
