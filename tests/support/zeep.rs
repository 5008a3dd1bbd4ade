//! A SOAP client that is not ours: zeep in a process of its own, which `soap_client.py` drives. One
//! process is asked many times.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use shs_schemas::Svarselement;
use shs_schemas::ssbtek::Kontrakt;

/// Longest wait for one reply: far above the limit of a question.
const PATIENCE: Duration = Duration::from_mins(1);

/// Certificates of a caller: whom it trusts, its own, and its key.
pub struct Files {
    pub ca: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// A process that has read a WSDL, and waits to be asked.
pub struct Zeep {
    process: Child,
    calls: ChildStdin,
    replies: Receiver<String>,
}

impl Zeep {
    /// Has zeep read a WSDL, from a URL or a file, for the service at `address`. `None` when zeep is not
    /// there, which is said.
    pub fn load(wsdl: &str, address: &str, files: Option<&Files>) -> Option<Self> {
        if !is_installed() {
            aloud("SKIPPED: zeep is not installed (python3-zeep)");
            return None;
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/soap_client.py");
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", "/usr/bin/python3"]);
        command.arg(script);
        command.args(["--wsdl", wsdl, "--address", address]);
        if let Some(files) = files {
            command.arg("--ca").arg(&files.ca);
            command.arg("--cert").arg(&files.certificate);
            command.arg("--key").arg(&files.key);
        }
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("setpriv is part of Debian");
        let calls = process.stdin.take().unwrap();
        let out = BufReader::new(process.stdout.take().unwrap());
        let (written, replies) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let _ = written.send(line);
            }
        });
        Some(Self {
            process,
            calls,
            replies,
        })
    }

    /// Calls, and gives what zeep made of the reply.
    pub fn call(&mut self, call: &Value) -> Value {
        let _ = writeln!(self.calls, "{call}");
        let reply = self.replies.recv_timeout(PATIENCE);
        let reply = reply.expect("zeep read the WSDL and replies");
        let reply: Value = serde_json::from_str(&reply).unwrap();
        assert_eq!(reply.get("error"), None, "{call}");
        reply
    }

    /// Calls for an answer.
    pub fn svar(&mut self, call: &Value) -> Value {
        let reply = self.call(call);
        assert_eq!(reply["http"], 200, "{reply}");
        reply["svar"].clone()
    }

    /// Calls for a refusal: status, code of SOAP and code of the contract. Both texts are there.
    pub fn fault(&mut self, call: &Value) -> (u64, String, String) {
        let reply = self.call(call);
        let fault = &reply["fault"];
        let word = |name: &str| fault[name].as_str().unwrap_or_default().to_owned();
        assert!(!word("string").is_empty(), "{reply}");
        let texts = fault["felmeddelande"].as_array();
        let texts = texts.unwrap_or_else(|| panic!("{reply}"));
        assert!(!texts.is_empty() && texts.iter().all(|text| text.as_str().unwrap().len() > 10));
        let status = reply["http"].as_u64().unwrap();
        (status, word("code"), word("felkod"))
    }
}

impl Drop for Zeep {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn is_installed() -> bool {
    let mut python = Command::new("/usr/bin/python3");
    python.args(["-c", "import zeep"]).stderr(Stdio::null());
    python.status().is_ok_and(|status| status.success())
}

/// A question to everybody that nobody refuses, in a version.
pub fn question(kontrakt: Kontrakt) -> Value {
    let all: Vec<_> = Svarselement::IN_ORDER
        .iter()
        .map(|e| e.local_name())
        .collect();
    let mut call = json!({
        "operation": "hamta", "inkludera": all, "frageTidpunkt": "2026-11-20T10:00:00",
        "korrelationsid": " prov 1 ", "perioder": {"CSN": ["2026-10-01", "2026-11-30"]},
        "lefi": {
            "personnummer": "199503142383", "period": {"from": "2026-09-01", "tom": "2026-11-30"},
            "formansinformation": ["FK:FP"], "utbetalningar": ["FK:FP", "PM:EF"], "beslut": ["PM:EF"],
        },
    });
    if kontrakt.has_skv_fraga() {
        call["skv"] = json!({
            "ar": [2023, 2024], "foretagsinformation": false, "individuppgifter": true,
            "skattekonto": true, "skatteuppgifter": true, "beskattningsbilagor": false,
        });
    }
    call
}

/// The same with these fields changed.
pub fn changed(mut call: Value, fields: &Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        call[name] = value.clone();
    }
    call
}

/// A test of the connections.
pub fn connection_test() -> Value {
    json!({ "operation": "testa" })
}

/// The original WSDL of a version; `None` when it is not at hand, which is said.
pub fn original_wsdl(kontrakt: Kontrakt) -> Option<String> {
    let root = std::env::var_os("SAMSVAR_CONTRACT").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/contract"),
        PathBuf::from,
    );
    let version = kontrakt.version();
    let file = root.join(format!(
        "ssbtek-v10/se/forsakringskassan/schema/integration/ssbt/_{version}/\
         Sammansatt_Bastjanst_v{version}.wsdl"
    ));
    if file.exists() {
        return Some(file.to_str().unwrap().to_owned());
    }
    let file = file.display();
    aloud(&format!(
        "SKIPPED: no original WSDL at {file} (SAMSVAR_CONTRACT)"
    ));
    None
}

/// Says something that the test harness does not swallow.
fn aloud(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
