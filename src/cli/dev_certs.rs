//! `samsvar dev-certs`: certificates for trying mutual TLS out.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use shs_schemas::shs::Organisationsnummer;

use crate::dev_ca::{DevCa, DevCaError, Made, Purpose, Wanted};

/// Clients that are made when none is asked for: those of the demo.
const CLIENTS: &str = "2120009994=exempelkoping";

/// Arguments of `samsvar dev-certs`.
#[derive(Clone, Debug, clap::Args)]
pub struct DevCertsArgs {
    /// Folder for certificates and keys; running again keeps what is there and adds
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Name of the node's certificate
    #[arg(long, value_name = "NAME", default_value = "node")]
    node: String,
    /// Organisation number of the node's actor
    #[arg(long, value_name = "ORGNR", default_value = "2021009994")]
    node_number: String,
    /// Host name or IP address under which the node is called; give it again for each further one
    #[arg(long, value_name = "HOST", default_values = ["localhost", "127.0.0.1", "::1"])]
    host: Vec<String>,
    /// A client: organisation number and name; give it again for each further one
    #[arg(long, value_name = "ORGNR=NAME", default_value = CLIENTS)]
    client: Vec<Client>,
    /// A client whose certificate has ended
    #[arg(long, value_name = "ORGNR=NAME")]
    expired: Vec<Client>,
    /// Put this certificate on the revocation list
    #[arg(long, value_name = "NAME")]
    revoke: Vec<String>,
    /// Make certificates and keys anew that are there already; the CA always stays
    #[arg(long)]
    force: bool,
}

/// `ORGNR=NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Client {
    number: Organisationsnummer,
    name: String,
}

impl FromStr for Client {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "is not ORGNR=NAME, for example 2120009994=exempelkoping";
        let (number, name) = text.split_once('=').ok_or(wrong)?;
        Ok(Self {
            number: Organisationsnummer::parse(number).map_err(|_| wrong)?,
            name: name.to_owned(),
        })
    }
}

impl Client {
    fn wanted(&self, purpose: Purpose) -> Wanted {
        Wanted {
            name: self.name.clone(),
            number: self.number.clone(),
            purpose,
        }
    }
}

impl DevCertsArgs {
    fn wanted(&self) -> Result<Vec<Wanted>, Box<dyn std::error::Error>> {
        let node = Wanted {
            name: self.node.clone(),
            number: Organisationsnummer::parse(&self.node_number)
                .map_err(|_| "--node-number is not an organisation number")?,
            purpose: Purpose::Node {
                hosts: self.host.clone(),
            },
        };
        let clients = self.client.iter().map(|one| one.wanted(Purpose::Client));
        let expired = self
            .expired
            .iter()
            .map(|one| one.wanted(Purpose::ExpiredClient));
        Ok(std::iter::once(node)
            .chain(clients)
            .chain(expired)
            .collect())
    }
}

/// Makes what is missing and says what there is, as TOML that can be put at the end of a configuration:
/// what is for people stands in comments.
///
/// # Errors
/// When files cannot be read or written.
pub fn run(args: &DevCertsArgs) -> Result<(), Box<dyn std::error::Error>> {
    let wanted = args.wanted()?;
    let (ca, made) = DevCa::open(&args.out)?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "# For development only: whoever has this folder can be anybody."
    )?;
    say(&mut out, made, &ca.file("ca.pem"), "trusts all of these")?;
    for one in &wanted {
        let made = ca.make(one, args.force)?;
        let number = &one.number;
        let what = match &one.purpose {
            Purpose::Node { hosts } => format!("node of {number}, {}", hosts.join(" ")),
            Purpose::Client => format!("client of {number}"),
            Purpose::ExpiredClient => format!("client of {number}, has ended"),
        };
        say(
            &mut out,
            made,
            &ca.file(&format!("{}.pem", one.name)),
            &what,
        )?;
    }
    revoke(&mut out, &ca, &args.revoke)?;
    write_usage(&mut out, &args.out, &args.node)?;
    Ok(())
}

fn revoke(out: &mut dyn Write, ca: &DevCa, names: &[String]) -> Result<(), DevCaError> {
    for name in names {
        ca.revoke(name)?;
        let file = ca.file("crl.pem");
        let line = writeln!(out, "# revoked  {name} in {}", file.display());
        line.map_err(|error| DevCaError::File { file, error })?;
    }
    Ok(())
}

fn say(out: &mut dyn Write, made: Made, file: &Path, what: &str) -> io::Result<()> {
    let made = match made {
        Made::New => "new ",
        Made::Kept => "kept",
    };
    writeln!(out, "# {made}  {}: {what}", file.display())
}

fn write_usage(out: &mut dyn Write, folder: &Path, node: &str) -> io::Result<()> {
    let folder = std::path::absolute(folder)?;
    let folder = folder.display();
    writeln!(
        out,
        "# In the node's configuration:\n\
         [listener.tls]\n\
         certificate = \"{folder}/{node}.pem\"\n\
         key = \"{folder}/{node}.key\"\n\
         client_ca = \"{folder}/ca.pem\"\n\
         crls = [\"{folder}/crl.pem\"]\n\n\
         [next_node]\n\
         ca = \"{folder}/ca.pem\""
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_a_number_and_a_name() {
        let client: Client = "162120009994=exempelkoping".parse().unwrap();
        assert_eq!(client.number.as_str(), "2120009994");
        assert_eq!(client.name, "exempelkoping");
        for bad in ["", "2120009994", "=x", "x=2120009994"] {
            assert!(bad.parse::<Client>().is_err(), "{bad}");
        }
    }
}
