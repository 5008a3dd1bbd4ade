//! What a directory of this machine lies on. RabbitMQ does not tell; the kernel does.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::snapshot::Storage;

/// File systems that keep everything in memory.
const IN_MEMORY: [&str; 2] = ["tmpfs", "ramfs"];
/// Option of a tmpfs that is never written to swap (Linux 6.4).
const NO_SWAP: &str = "noswap";
/// Most that is read of a table of the kernel, in bytes.
const TABLE_BYTES_MAX: u64 = 1024 * 1024;

/// What `directory` lies on, when it is on this machine.
pub(super) fn of(directory: &str) -> Storage {
    let path = Path::new(directory);
    // One that may not be looked into is there all the same.
    let absent = |error: std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    if !path.is_absolute() || std::fs::metadata(path).is_err_and(absent) {
        return Storage::Unseen;
    }
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (Some(mounts), Some(swaps)) = (table("/proc/self/mountinfo"), table("/proc/swaps")) else {
        return Storage::Unseen;
    };
    among(&path, &mounts, &swaps)
}

fn table(file: &str) -> Option<String> {
    let mut text = String::new();
    let open = File::open(file).ok()?;
    open.take(TABLE_BYTES_MAX).read_to_string(&mut text).ok()?;
    Some(text)
}

/// The mount that `path` is on: the longest that it begins with, and of those the last.
fn among(path: &Path, mounts: &str, swaps: &str) -> Storage {
    let on = mounts
        .lines()
        .filter_map(Mount::read)
        .filter(|mount| path.starts_with(&mount.point))
        .max_by_key(|mount| mount.point.components().count());
    let Some(Mount { kind, options, .. }) = on else {
        return Storage::Unseen;
    };
    if !IN_MEMORY.contains(&kind) {
        return Storage::Disk(kind.to_owned());
    }
    // The first line of the table is its heading.
    let swap = swaps.lines().nth(1).is_some();
    let kept = kind != "tmpfs" || options.split(',').any(|option| option == NO_SWAP);
    if swap && !kept {
        Storage::Swappable
    } else {
        Storage::Memory
    }
}

/// A line of mountinfo (proc(5)).
struct Mount<'t> {
    point: PathBuf,
    kind: &'t str,
    /// Of the file system as a whole.
    options: &'t str,
}

impl<'t> Mount<'t> {
    fn read(line: &'t str) -> Option<Self> {
        let (mount, file_system) = line.split_once(" - ")?;
        let mut file_system = file_system.split(' ');
        Some(Self {
            point: unescaped(mount.split(' ').nth(4)?).into(),
            kind: file_system.next()?,
            options: file_system.nth(1)?,
        })
    }
}

/// White space and backslashes stand as three octal digits.
fn unescaped(text: &str) -> String {
    [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ]
    .into_iter()
    .fold(text.to_owned(), |text, (code, sign)| {
        text.replace(code, sign)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:26 / /dev/shm rw,nosuid shared:4 - tmpfs tmpfs rw,size=1g
31 22 0:27 / /var/lib/rabbit\\040mq rw - tmpfs tmpfs rw,noswap
32 31 254:1 / /var/lib/rabbit\\040mq/disk rw - xfs /dev/vdb rw
33 22 0:28 / /ram rw - ramfs none rw
";
    const HEADING: &str = "Filename Type Size Used Priority\n";
    const SWAP: &str = "Filename Type Size Used Priority\n/dev/vdc partition 1 0 -2\n";

    fn on(path: &str, swaps: &str) -> Storage {
        among(Path::new(path), MOUNTS, swaps)
    }

    #[test]
    fn the_nearest_mount_decides() {
        assert_eq!(on("/var/lib/other", HEADING), Storage::Disk("ext4".into()));
        assert_eq!(on("/dev/shm/x", HEADING), Storage::Memory);
        assert_eq!(on("/dev/shmx", HEADING), Storage::Disk("ext4".into()));
        assert_eq!(on("/var/lib/rabbit mq/mnesia", HEADING), Storage::Memory);
        let disk = on("/var/lib/rabbit mq/disk/mnesia", HEADING);
        assert_eq!(disk, Storage::Disk("xfs".into()));
    }

    #[test]
    fn memory_that_may_be_swapped_out_is_told_apart() {
        assert_eq!(on("/dev/shm/x", SWAP), Storage::Swappable);
        assert_eq!(on("/var/lib/rabbit mq/x", SWAP), Storage::Memory);
        assert_eq!(on("/ram/x", SWAP), Storage::Memory);
    }

    #[test]
    fn what_is_not_on_this_machine_or_cannot_be_read_is_unseen() {
        for directory in ["/no/such/directory", "relative", ""] {
            assert_eq!(of(directory), Storage::Unseen, "{directory}");
        }
        let garbage = "no mount\n1 2 3 4\n - \n1 2 3 4 /x - tmpfs\n";
        assert_eq!(among(Path::new("/x"), garbage, HEADING), Storage::Unseen);
    }

    #[test]
    fn a_directory_of_this_machine_is_seen() {
        assert_ne!(of(env!("CARGO_MANIFEST_DIR")), Storage::Unseen);
    }
}
