//! What processes cost, from `/proc`: processor time and memory of each.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// Writing this to `clear_refs` sets the peak of resident memory back to what it is now.
const RESET_PEAK: &str = "5";
/// State of a listening socket in `/proc/net/tcp`.
const LISTENING: &str = "0A";

/// A process that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Watched(u32);

impl Watched {
    /// This process.
    pub(crate) fn own() -> Self {
        Self(std::process::id())
    }

    /// A process that this one started.
    pub(crate) fn child(child: &std::process::Child) -> Self {
        Self(child.id())
    }

    /// The process that listens there, if it can be seen: it runs on this machine, and as this user
    /// or this one is root.
    pub(crate) fn listening_on(address: SocketAddr) -> Option<Self> {
        let inode = listening_inode(address.port())?;
        let wanted = format!("socket:[{inode}]");
        fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            holds(&entry.path().join("fd"), &wanted).then_some(Self(pid))
        })
    }

    /// Processor time spent so far, in user mode and in the kernel.
    pub(crate) fn cpu(self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0)).unwrap_or_default();
        // The name, in parentheses, may hold anything; what follows is numbers.
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks: u64 = after_name
            .split_ascii_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<u64>().ok())
            .sum();
        let a_second = rustix::param::clock_ticks_per_second().max(1);
        Duration::from_millis(ticks * 1000 / a_second)
    }

    /// Largest resident memory since [`Self::reset_peak`], in bytes.
    pub(crate) fn peak_bytes(self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<u64>().ok());
        kib.unwrap_or_default() * 1024
    }

    /// Forgets the peak. Where that is not allowed, peaks are those since the process began.
    pub(crate) fn reset_peak(self) {
        let _ = fs::write(format!("/proc/{}/clear_refs", self.0), RESET_PEAK);
    }
}

fn listening_inode(port: u16) -> Option<String> {
    let port = format!(":{port:04X}");
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .find_map(|table| {
            let table = fs::read_to_string(table).ok()?;
            table.lines().find_map(|line| {
                let fields: Vec<&str> = line.split_ascii_whitespace().collect();
                let listens = fields.get(1)?.ends_with(&port) && *fields.get(3)? == LISTENING;
                listens.then(|| fields.get(9).map(ToString::to_string))?
            })
        })
}

fn holds(descriptors: &Path, wanted: &str) -> bool {
    let Ok(entries) = fs::read_dir(descriptors) else {
        return false;
    };
    entries
        .flatten()
        .any(|entry| fs::read_link(entry.path()).is_ok_and(|link| link.as_os_str() == wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_found_by_its_port_and_costs_something() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let found = Watched::listening_on(listener.local_addr().unwrap());
        assert_eq!(found, Some(Watched::own()));
        assert!(Watched::own().peak_bytes() > 100_000);
    }
}
