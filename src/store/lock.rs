//! One writer an image: a small file beside it names the person and shows that they are there.
//!
//! Creating a file that must not exist is atomic on NFS too; locks of the kernel are not.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// A lock whose file was not touched for so long belongs to nobody.
const STALE: Duration = Duration::from_secs(90);
/// How the names of locks end.
const LOCK: &str = ".termask.lock";
const BEAT: Duration = Duration::from_secs(20);

/// Who has an image open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub user: String,
    pub host: String,
    pub pid: u32,
}

impl Owner {
    /// This process.
    pub fn me() -> Self {
        let user = ["USER", "LOGNAME", "USERNAME"]
            .iter()
            .find_map(|v| std::env::var(v).ok());
        let uname = rustix::system::uname();
        Self {
            user: user.unwrap_or_else(|| "somebody".into()),
            host: uname.nodename().to_string_lossy().into_owned(),
            pid: std::process::id(),
        }
    }
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{} (process {})", self.user, self.host, self.pid)
    }
}

/// What came of asking for a lock.
#[derive(Debug)]
pub enum Asked {
    Mine(Lock),
    /// Somebody else has it.
    Theirs(Owner),
}

/// Held until dropped; a thread touches the file so that others see it is alive.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    owner: Owner,
    /// Who left it behind, where it was taken over.
    pub left_by: Option<Owner>,
    stop: Option<Sender<()>>,
    beat: Option<JoinHandle<()>>,
}

/// The lock's file: `.photo.jpg.termask.lock`.
pub fn path_of(image: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(image.file_name().unwrap_or_default());
    name.push(LOCK);
    image.with_file_name(name)
}

/// Asks for the lock of an image.
pub fn ask(image: &Path) -> io::Result<Asked> {
    ask_as(image, Owner::me())
}

fn ask_as(image: &Path, me: Owner) -> io::Result<Asked> {
    let path = path_of(image);
    let mut left_by = None;
    // Each round ends unless somebody else took or left the lock meanwhile.
    for _ in 0..8 {
        match create(&path, &me) {
            Ok(()) => {
                let mut lock = Lock::beating(path, me)?;
                lock.left_by = left_by;
                return Ok(Asked::Mine(lock));
            }
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {}
            Err(why) => return Err(why),
        }
        let Some((owner, age)) = look(&path)? else {
            continue;
        };
        if !is_stale(owner.as_ref(), age, &me.host) {
            return Ok(Asked::Theirs(owner.unwrap_or(Owner {
                user: "somebody".into(),
                host: "another computer".into(),
                pid: 0,
            })));
        }
        take_away(&path, owner.as_ref())?;
        left_by = owner;
    }
    Err(io::Error::other("the lock changes hands all the time"))
}

/// Makes the lock's file with its owner in it, or not at all: a process that is killed meanwhile
/// leaves no lock that names nobody.
fn create(path: &Path, owner: &Owner) -> io::Result<()> {
    // The temporary file's own message would name a file that nobody knows.
    let plain = |why: io::Error| io::Error::from(why.kind());
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let mut file = tempfile::Builder::new()
        .prefix(super::replace::LEFTOVER.0)
        .suffix(super::replace::LEFTOVER.1)
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .map_err(plain)?;
    serde_json::to_writer(&mut file, owner)?;
    file.flush()?;
    file.persist_noclobber(path)
        .map_err(|why| plain(why.error))?;
    Ok(())
}

/// Who has it, and how long ago the file was touched; `None` where it has gone.
fn look(path: &Path) -> io::Result<Option<(Option<Owner>, Duration)>> {
    let gone = |why: io::Error| match why.kind() {
        io::ErrorKind::NotFound => Ok(None),
        _ => Err(why),
    };
    let (text, touched) =
        match fs::read(path).and_then(|t| Ok((t, fs::metadata(path)?.modified()?))) {
            Ok(both) => both,
            Err(why) => return gone(why),
        };
    // The file server's clock may differ from ours: a fresh file tells its time.
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let probe = tempfile::Builder::new()
        .prefix(super::replace::LEFTOVER.0)
        .suffix(super::replace::LEFTOVER.1)
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .and_then(|f| f.as_file().metadata()?.modified());
    let now = probe.unwrap_or_else(|_| SystemTime::now());
    let age = now.duration_since(touched).unwrap_or_default();
    Ok(Some((serde_json::from_slice(&text).ok(), age)))
}

/// Whether this is the file of a lock that nobody holds any more.
pub fn is_left(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.contains(LOCK)
        && look(path).is_ok_and(|found| {
            found.is_some_and(|(owner, age)| is_stale(owner.as_ref(), age, &Owner::me().host))
        })
}

fn is_stale(owner: Option<&Owner>, age: Duration, host: &str) -> bool {
    let died = owner.is_some_and(|o| o.host == host && !is_alive(o.pid));
    died || age > STALE
}

#[cfg(unix)]
fn is_alive(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    else {
        return false;
    };
    // A process of another user answers with "not permitted", and lives.
    !matches!(
        rustix::process::test_kill_process(pid),
        Err(rustix::io::Errno::SRCH)
    )
}

#[cfg(not(unix))]
fn is_alive(_: u32) -> bool {
    true
}

/// Removes a stale lock, and only the one that was looked at: another may have come meanwhile.
fn take_away(path: &Path, owner: Option<&Owner>) -> io::Result<()> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".{}", std::process::id()));
    let aside = PathBuf::from(aside);
    match fs::rename(path, &aside) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    }
    let taken: Option<Owner> = fs::read(&aside)
        .ok()
        .and_then(|t| serde_json::from_slice(&t).ok());
    if taken.as_ref() != owner {
        // Where a third one has it by now, both see so at their next save.
        fs::hard_link(&aside, path).ok();
    }
    fs::remove_file(&aside)
}

impl Lock {
    fn beating(path: PathBuf, owner: Owner) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let touched = path.clone();
        let content = serde_json::to_vec(&owner)?;
        let beat = thread::Builder::new().name("lock".into()).spawn(move || {
            while stopped.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                // A folder that has gone, or a full disk, is told by the save.
                // Writing, unlike setting a time, takes the file server's clock.
                let file = OpenOptions::new().write(true).open(&touched);
                file.and_then(|mut f| f.write_all(&content)).ok();
            }
        })?;
        Ok(Self {
            path,
            owner,
            left_by: None,
            stop: Some(stop),
            beat: Some(beat),
        })
    }

    /// Whether the file still names this process: a stale lock may have been taken over.
    pub fn is_mine(&self) -> bool {
        let text = fs::read(&self.path).ok();
        let owner = text.and_then(|t| serde_json::from_slice::<Owner>(&t).ok());
        owner.as_ref() == Some(&self.owner)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(beat) = self.beat.take() {
            beat.join().ok();
        }
        if self.is_mine() {
            fs::remove_file(&self.path).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{File, FileTimes};

    use super::*;

    fn owner(host: &str, pid: u32) -> Owner {
        Owner {
            user: "ann".into(),
            host: host.into(),
            pid,
        }
    }

    /// A lock as another process would have left it.
    fn left_behind(image: &Path, owner: &Owner, age: Duration) {
        let path = path_of(image);
        fs::write(&path, serde_json::to_vec(owner).expect("JSON")).expect("written");
        let times = FileTimes::new().set_modified(SystemTime::now() - age);
        File::options()
            .append(true)
            .open(path)
            .and_then(|f| f.set_times(times))
            .expect("set");
    }

    #[test]
    fn the_second_one_is_told_the_first_ones_name_and_gets_it_afterwards() {
        let folder = tempfile::tempdir().expect("a folder");
        let image = folder.path().join("a.png");
        let Asked::Mine(first) = ask(&image).expect("asked") else {
            panic!("nobody has it");
        };
        let Asked::Theirs(owner) = ask(&image).expect("asked") else {
            panic!("it is taken");
        };
        assert_eq!(owner, Owner::me());
        drop(first);
        assert!(matches!(ask(&image).expect("asked"), Asked::Mine(_)));
        assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 0);
    }

    #[test]
    fn a_lock_without_a_heartbeat_and_one_of_a_dead_process_are_taken_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let image = folder.path().join("a.png");
        let mut child = std::process::Command::new("true")
            .spawn()
            .expect("a process");
        child.wait().expect("ended");
        for (theirs, age) in [
            (owner("elsewhere", 1), Duration::from_secs(100)),
            (owner(&Owner::me().host, child.id()), Duration::ZERO),
        ] {
            left_behind(&image, &theirs, age);
            let Asked::Mine(lock) = ask(&image).expect("asked") else {
                panic!("{theirs} is gone");
            };
            assert_eq!(lock.left_by.as_ref(), Some(&theirs));
        }
    }

    #[test]
    fn a_living_lock_of_another_computer_is_respected() {
        let folder = tempfile::tempdir().expect("a folder");
        let image = folder.path().join("a.png");
        left_behind(&image, &owner("elsewhere", 1), Duration::from_mins(1));
        let Asked::Theirs(theirs) = ask(&image).expect("asked") else {
            panic!("it lives");
        };
        assert_eq!(theirs.to_string(), "ann@elsewhere (process 1)");
    }
}
