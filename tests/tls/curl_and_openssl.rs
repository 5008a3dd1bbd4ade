//! The way an operator and a caller try it: `samsvar dev-certs`, `samsvar serve`, and then curl and
//! openssl, which share no code with the node.

use std::path::PathBuf;
use std::process::{Command, Output};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::process::{Process, run, samsvar};
use crate::sandbox::{DEMO, question_about};

/// A node with TLS and the in-process transport, and its certificates.
struct Node {
    folder: TempDir,
    process: Process,
    port: u16,
}

fn text(output: &Output) -> String {
    let streams = [&output.stdout, &output.stderr];
    streams.map(|bytes| String::from_utf8_lossy(bytes)).concat()
}

fn succeed(command: &mut Command) -> String {
    let output = run(command);
    assert!(output.status.success(), "{}", text(&output));
    text(&output)
}

fn dev_certs(folder: &TempDir, more: &[&str]) -> String {
    let out = folder.path().join("certs");
    succeed(samsvar().args(["dev-certs", "--out"]).arg(out).args(more))
}

fn configured() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let said = dev_certs(
        &folder,
        &[
            "--client=2120009994=exempelkoping",
            "--client=2120009994=sparrad",
            "--client=2120009986=provstad",
            "--expired=2120009994=gammal",
        ],
    );
    let repository = env!("CARGO_MANIFEST_DIR");
    let demo = include_str!("../../config/demo.toml");
    let settings = format!(
        "{demo}\n[registers]\nuppgiftslamnare = \"{repository}/config/uppgiftslamnare.toml\"\n\
         agreements = \"{repository}/config/agreements\"\n\
         [admin]\naddress = \"127.0.0.1:0\"\n[ledger]\nfolder = \"ledger\"\nretention_days = 30\n\
         [listener]\naddress = \"0.0.0.0:0\"\n{said}"
    );
    std::fs::write(folder.path().join("samsvar.toml"), settings).unwrap();
    let message = question_about(&[DEMO]);
    std::fs::write(folder.path().join("question.mime"), message).unwrap();
    folder
}

impl Node {
    fn start() -> Self {
        let folder = configured();
        let config = folder.path().join("samsvar.toml");
        let process = Process::start(samsvar().args(["serve", "--config"]).arg(config));
        let port = process.err.find(|line| {
            let line: serde_json::Value = serde_json::from_str(line).ok()?;
            let address = line.get("service")?.as_str()?;
            address.rsplit_once(':')?.1.parse().ok()
        });
        Self {
            folder,
            process,
            port,
        }
    }

    fn cert(&self, name: &str) -> PathBuf {
        self.folder.path().join("certs").join(name)
    }

    /// curl with the certificate of that name, told to trust the node.
    fn curl(&self, name: Option<&str>, more: &[&str]) -> Output {
        let mut command = Command::new("setpriv");
        command.args([
            "--pdeathsig",
            "KILL",
            "--",
            "curl",
            "-sS",
            "--max-time",
            "20",
            "--include",
        ]);
        command.arg("--cacert").arg(self.cert("ca.pem"));
        if let Some(name) = name {
            command.arg("--cert").arg(self.cert(&format!("{name}.pem")));
            command.arg("--key").arg(self.cert(&format!("{name}.key")));
        }
        command.args(["-H", "Content-Type: message/rfc822", "--data-binary"]);
        command.arg(format!(
            "@{}",
            self.folder.path().join("question.mime").display()
        ));
        run(command
            .args(more)
            .arg(format!("https://localhost:{}/shs/rs", self.port)))
    }

    fn openssl(&self, name: &str, more: &[&str]) -> String {
        let mut command = Command::new("setpriv");
        command.args([
            "--pdeathsig",
            "KILL",
            "--",
            "timeout",
            "20",
            "openssl",
            "s_client",
        ]);
        command
            .arg("-connect")
            .arg(format!("127.0.0.1:{}", self.port));
        command.arg("-CAfile").arg(self.cert("ca.pem"));
        command.arg("-cert").arg(self.cert(&format!("{name}.pem")));
        command.arg("-key").arg(self.cert(&format!("{name}.key")));
        text(&run(command.args(more)))
    }
}

fn assert_refused_in_the_handshake(output: &Output) {
    let said = text(output);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("alert"), "{said}");
    assert!(!said.contains("HTTP/1.1"), "{said}");
}

#[test]
fn curl_with_the_right_certificate_is_answered_and_without_it_is_not() {
    let node = Node::start();
    for version in [&["--tls-max", "1.2"][..], &["--tlsv1.3"], &["--http2"]] {
        let said = text(&node.curl(Some("exempelkoping"), version));
        assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
    }
    let said = text(&node.curl(Some("provstad"), &[]));
    assert!(said.starts_with("HTTP/1.1 400 "), "{said}");
    assert!(
        said.to_lowercase()
            .contains("x-shs-errorcode: illegalsender"),
        "{said}"
    );
    for name in [None, Some("gammal")] {
        assert_refused_in_the_handshake(&node.curl(name, &[]));
    }
    let elsewhere = tempfile::tempdir().unwrap();
    dev_certs(&elsewhere, &[]);
    for kind in ["pem", "key"] {
        let stranger = elsewhere.path().join(format!("certs/exempelkoping.{kind}"));
        std::fs::copy(stranger, node.cert(&format!("stranger.{kind}"))).unwrap();
    }
    assert_refused_in_the_handshake(&node.curl(Some("stranger"), &[]));
}

#[test]
fn our_own_client_shows_its_certificate() {
    let node = Node::start();
    let question = node.folder.path().join("question.mime");
    let certified = |mut command: Command, name: &str| {
        command.arg("--ca").arg(node.cert("ca.pem"));
        command.arg("--cert").arg(node.cert(&format!("{name}.pem")));
        command.arg("--key").arg(node.cert(&format!("{name}.key")));
        command
    };
    let send = |scheme: &str| {
        let mut command = samsvar();
        command.args(["send", "--message"]).arg(&question);
        command.arg(format!("--to={scheme}://localhost:{}/shs/rs", node.port));
        command
    };
    let said = succeed(&mut certified(send("https"), "exempelkoping"));
    assert!(said.starts_with("status 200"), "{said}");
    let said = text(&run(&mut certified(send("https"), "provstad")));
    assert!(said.contains("IllegalSender"), "{said}");
    for scheme in ["https", "HTTPS"] {
        let said = text(&run(&mut send(scheme)));
        assert!(said.contains("needs --ca"), "{said}");
    }
    let list = |outbox: &str| {
        let mut command = samsvar();
        command.args(["fetch", "--list", "--outbox", outbox]);
        command.arg(format!("--from=https://localhost:{}/shs/ds", node.port));
        text(&run(&mut certified(command, "exempelkoping")))
    };
    let said = list("2120009994");
    assert!(said.contains("TX.ID"), "{said}");
    let said = list("2120009986");
    assert!(said.contains("403"), "{said}");
}

#[test]
fn who_is_revoked_is_out_after_sighup_and_the_log_says_why_files_are_not_used() {
    let node = Node::start();
    let said = text(&node.curl(Some("sparrad"), &[]));
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
    dev_certs(&node.folder, &["--revoke", "sparrad"]);
    node.process.signal(Signal::HUP);
    node.process
        .err
        .find(|line| line.contains("certificates exchanged").then_some(()));
    assert_refused_in_the_handshake(&node.curl(Some("sparrad"), &[]));
    node.process
        .err
        .find(|line| line.contains("\"revoked\"").then_some(()));

    std::fs::write(node.cert("node.key"), "hemligt").unwrap();
    node.process.signal(Signal::HUP);
    let line = node.process.err.find(|line| {
        let kept = line.contains("the last good certificates stay in use");
        kept.then(|| line.to_owned())
    });
    assert!(
        line.contains("node.key") && line.contains("no private key"),
        "{line}"
    );
    assert!(!node.process.err.text().contains("hemligt"));
    let said = text(&node.curl(Some("exempelkoping"), &[]));
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
}

#[test]
fn openssl_finds_no_old_version_and_no_resumption() {
    let node = Node::start();
    // Security level 0: else openssl itself would not try.
    let in_version = |version| {
        let weak = [version, "-cipher", "ALL:@SECLEVEL=0"];
        node.openssl("exempelkoping", &weak)
    };
    for version in ["-tls1", "-tls1_1"] {
        let said = in_version(version);
        assert!(said.contains("SSL alert number"), "{said}");
        assert!(said.contains("Cipher is (NONE)"), "{said}");
    }
    let said = in_version("-tls1_2");
    assert!(said.contains("Verify return code: 0"), "{said}");
    assert!(!said.contains("SSL alert number"), "{said}");
    let said = node.openssl("exempelkoping", &["-tls1_2", "-reconnect"]);
    assert!(
        said.contains("New, TLSv1.2") && !said.contains("Reused"),
        "{said}"
    );
    let said = node.openssl("exempelkoping", &["-tls1_3", "-ign_eof"]);
    assert!(said.contains("New, TLSv1.3"), "{said}");
    assert!(!said.contains("Session Ticket arrived"), "{said}");
    assert!(
        said.contains("No client certificate CA names sent"),
        "{said}"
    );
}

#[test]
fn ask_shows_a_certificate_and_insists_on_issuers() {
    let node = Node::start();
    let url = format!("https://localhost:{}/shs/rs", node.port);
    let ask = |more: &[PathBuf]| {
        let mut command = samsvar();
        run(command
            .args(["ask", "--person", DEMO, "--to", &url])
            .args(more))
    };
    let said = text(&ask(&[]));
    assert!(said.contains("needs --ca"), "{said}");
    let (ca, cert, key) = ("ca.pem", "exempelkoping.pem", "exempelkoping.key");
    let options = [("--ca", ca), ("--cert", cert), ("--key", key)];
    let options = options
        .map(|(option, file)| [option.into(), node.cert(file)])
        .concat();
    let output = ask(&options);
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn check_counts_the_days_and_warns_of_what_is_suspicious() {
    use std::os::unix::fs::PermissionsExt;
    let folder = configured();
    let config = folder.path().join("samsvar.toml");
    let check = || text(&run(samsvar().args(["check", "--config"]).arg(&config)));
    let said = check();
    assert!(said.lines().any(|line| line == "ok"), "{said}");
    assert!(said.contains("https://0.0.0.0:0"), "{said}");
    for (file, days, setting) in [
        ("node.pem", 365, "listener.tls.certificate"),
        ("ca.pem", 3650, "listener.tls.client_ca"),
        ("crl.pem", 365, "listener.tls.crls"),
    ] {
        // The last day may have begun.
        let shown = |days| format!("{file}: {days} days left ({setting})");
        assert!(
            said.contains(&shown(days)) || said.contains(&shown(days - 1)),
            "{said}"
        );
    }
    let certs = folder.path().join("certs");
    std::fs::copy(certs.join("gammal.pem"), certs.join("node.pem")).unwrap();
    std::fs::copy(certs.join("gammal.key"), certs.join("node.key")).unwrap();
    let everybody = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(certs.join("node.key"), everybody).unwrap();
    let said = check();
    for warning in [
        "node.key: listener.tls.key: is a private key that every user of this machine can read",
        "node.pem: listener.tls.certificate: holds a certificate that has ended",
    ] {
        assert!(said.contains(warning), "{said}");
    }
    std::fs::copy(certs.join("provstad.key"), certs.join("node.key")).unwrap();
    let said = check();
    let fault = "node.key does not belong to the certificate";
    let line = said.lines().find(|line| line.ends_with(fault)).unwrap();
    assert!(line.contains("samsvar.toml:"), "{line}");
}

#[test]
fn dev_certs_keeps_what_is_there() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let said = dev_certs(&folder, &[]);
    assert!(said.contains("For development only"), "{said}");
    let read = |name: &str| std::fs::read(folder.path().join("certs").join(name)).unwrap();
    let names = ["ca.pem", "ca.key", "node.key", "exempelkoping.key"];
    let before = names.map(read);
    for key in ["ca.key", "node.key", "exempelkoping.key"] {
        let metadata = std::fs::metadata(folder.path().join("certs").join(key)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{key}");
    }
    dev_certs(
        &folder,
        &["--client=2120009986=provstad", "--revoke=exempelkoping"],
    );
    assert_eq!(names.map(read), before);
    dev_certs(&folder, &["--force"]);
    assert_eq!(read("ca.key"), before[1]);
    assert_ne!(read("node.key"), before[2]);
    let verified = succeed(
        Command::new("openssl")
            .args([
                "verify",
                "-crl_check",
                "-CAfile",
                "certs/ca.pem",
                "-CRLfile",
                "certs/crl.pem",
            ])
            .args([
                "certs/node.pem",
                "certs/exempelkoping.pem",
                "certs/provstad.pem",
            ])
            .current_dir(&folder),
    );
    assert_eq!(verified.matches("OK").count(), 3, "{verified}");
    let missing = run(samsvar()
        .args(["dev-certs", "--revoke=nobody", "--out"])
        .arg(folder.path()));
    assert!(!missing.status.success());
}

/// An authority of openssl's making: RSA, an intermediate, and a client named in another attribute.
const OPENSSL_CA: &str = r#"
set -e
new() { openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj "$2" 2>/dev/null; }
sign() { openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 2 \
  -extfile <(printf '%b' "$3") -out "$1.pem" 2>/dev/null; }
openssl req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.pem -days 2 -subj "/CN=root" \
  -addext basicConstraints=critical,CA:TRUE 2>/dev/null
new between /CN=between
sign between root 'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign'
new kommun "/CN=kommun/organizationIdentifier=NTRSE-212000-9994"
sign kommun between 'extendedKeyUsage=clientAuth'
new serveronly "/CN=serveronly/serialNumber=2120009994"
sign serveronly between 'extendedKeyUsage=serverAuth'
cat kommun.pem between.pem > chain.pem
cat serveronly.pem between.pem > serverchain.pem
"#;

#[test]
fn a_chain_that_openssl_made_is_followed_and_its_organisation_found() {
    let pki = crate::pki::Pki::new();
    let folder = tempfile::tempdir().unwrap();
    succeed(
        Command::new("bash")
            .args(["-c", OPENSSL_CA])
            .current_dir(&folder),
    );
    let mut settings = samsvar::settings::Settings::demo();
    pki.guard(&mut settings);
    let tls = settings.listener.tls.as_mut().unwrap();
    tls.client_ca = folder.path().join("root.pem");
    let echo = crate::echo::start(&settings);
    let curl = |chain: &str, key: &str| {
        let url = format!("https://localhost:{}/", echo.port());
        let mut command = Command::new("curl");
        command.args([
            "-sS",
            "--max-time",
            "20",
            "--cert",
            chain,
            "--key",
            key,
            "--cacert",
        ]);
        run(command
            .arg(pki.file("ca.pem"))
            .arg(url)
            .current_dir(&folder))
    };
    assert_eq!(
        text(&curl("chain.pem", "kommun.key")),
        "certified 2120009994"
    );
    for (chain, key) in [
        ("kommun.pem", "kommun.key"),
        ("serverchain.pem", "serveronly.key"),
    ] {
        assert_refused_in_the_handshake(&curl(chain, key));
    }
}
