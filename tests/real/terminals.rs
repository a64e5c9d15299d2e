//! The terminals, and the ways from them to the program.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::desk::Group;

/// One line of the table: which terminal, what lies between it and the program, and what the
/// program is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    pub name: &'static str,
    pub terminal: Terminal,
    pub way: Way,
    /// `--graphics`, where the program shall not choose by itself.
    pub graphics: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terminal {
    Kitty,
    /// Of the next Debian: it shows pictures inside tmux.
    NextKitty,
    /// With sixel, as a vt340.
    Xterm,
    /// On a Wayland compositor of its own.
    Foot,
    /// What VS Code's terminal is made of, in Chromium.
    XtermJs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Direct,
    Tmux,
    /// Through a server on this machine.
    Ssh,
    SshTmux,
}

/// How xdotool finds the terminal's window.
pub const fn search(row: Row) -> [&'static str; 2] {
    match row.terminal {
        Terminal::Foot => ["--class", "weston"],
        Terminal::Kitty | Terminal::NextKitty | Terminal::Xterm | Terminal::XtermJs => {
            ["--name", "^desk"]
        }
    }
}

pub fn tmux_socket(folder: &Path) -> PathBuf {
    folder.join("tmux.sock")
}

/// Where the line's exit status is told.
pub fn ended(folder: &Path) -> PathBuf {
    folder.join("ended")
}

/// Where the terminal's size is told: rows, columns, width and height in pixels.
pub fn size(folder: &Path) -> PathBuf {
    folder.join("size")
}

/// The command that starts the terminal, and a server that it needs.
pub fn command(row: Row, line: &str, place: &Path, folder: &Path) -> (Command, Option<Group>) {
    let inner = write(folder, "inner.sh", &inner(line, place, folder));
    let tmux = format!(
        "tmux -u -S {} -f {} new-session 'sh {}'",
        tmux_socket(folder).display(),
        write(folder, "tmux.conf", TMUX).display(),
        inner.display()
    );
    let (line, server) = match row.way {
        Way::Direct => (format!("exec sh {}", inner.display()), None),
        Way::Tmux => (format!("exec {tmux}"), None),
        Way::Ssh => through_ssh(folder, &format!("sh {}", inner.display())),
        Way::SshTmux => through_ssh(folder, &tmux),
    };
    let told = size(folder).display().to_string();
    let outer = format!("python3 -c \"{TELL_SIZE}\" >{told}.new; mv {told}.new {told}\n{line}\n");
    let outer = write(folder, "outer.sh", &outer);
    (terminal(row.terminal, &outer, folder), server)
}

/// Runs the line, tells how it ended, and leaves the terminal as it is.
fn inner(line: &str, place: &Path, folder: &Path) -> String {
    format!(
        "export LC_ALL=C.UTF-8 XDG_CONFIG_HOME={0}/config\ncd {1}\n{line}\necho $? >{2}\ncat\n",
        folder.display(),
        place.display(),
        ended(folder).display()
    )
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).expect("the file is written");
    path
}

pub fn terminal(terminal: Terminal, script: &Path, folder: &Path) -> Command {
    match terminal {
        Terminal::Kitty => {
            let mut command = Command::new("kitty");
            command.args(["--title", "desk", "--config"]);
            command.arg(write(folder, "kitty.conf", KITTY));
            command.arg("sh").arg(script);
            command
        }
        Terminal::NextKitty => {
            let mut command = Command::new("unshare");
            command.args(["-m", "sh", "-c", NEXT_KITTY]);
            command.arg(next_debian());
            command.arg(write(folder, "kitty.conf", KITTY)).arg(script);
            command
        }
        Terminal::Xterm => {
            let mut command = Command::new("xterm");
            for resource in XTERM {
                command.args(["-xrm", resource]);
            }
            command.args(["-ti", "vt340", "-fa", "DejaVu Sans Mono", "-fs", "12"]);
            command.args(["-bg", "#101418", "-fg", "#d0d0d0"]);
            command.args([
                "-bw",
                "0",
                "-geometry",
                "100x40+0+0",
                "-T",
                "desk",
                "-e",
                "sh",
            ]);
            command.arg(script);
            command
        }
        Terminal::Foot => {
            let line = format!(
                "weston --config={} --socket=desk & until [ -S \"$XDG_RUNTIME_DIR/desk\" ]; do \
                 sleep 0.05; done; WAYLAND_DISPLAY=desk exec foot --config={} sh {}",
                write(folder, "weston.ini", WESTON).display(),
                write(folder, "foot.ini", FOOT).display(),
                script.display()
            );
            let mut command = Command::new("sh");
            command.args(["-c", &line]);
            command
        }
        Terminal::XtermJs => {
            let mut command = Command::new("python3");
            command.arg(browser().join("serve.py"));
            command.arg(script).arg(folder);
            command
        }
    }
}

/// Where `tests/real/next.sh` puts the next Debian.
fn next_debian() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/next-debian")
}

/// Why a terminal cannot be had here, where it cannot.
pub fn missing(terminal: Terminal) -> Option<&'static str> {
    if terminal != Terminal::NextKitty {
        return None;
    }
    if !next_debian().join("usr/bin/kitty").exists() {
        return Some("tests/real/next.sh has not fetched the next Debian's kitty");
    }
    let apart = Command::new("unshare").args(["-m", "true"]).status();
    (!apart.is_ok_and(|s| s.success())).then_some("mounts of its own need root")
}

/// A line that shows the session of tmux in a further terminal.
pub fn attach(folder: &Path) -> PathBuf {
    let socket = tmux_socket(folder);
    let line = format!("exec tmux -u -S {} attach\n", socket.display());
    write(folder, "attach.sh", &line)
}

/// The page with xterm.js; its packages are fetched where they are missing.
fn browser() -> PathBuf {
    static FETCHED: std::sync::Once = std::sync::Once::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/browser");
    FETCHED.call_once(|| {
        let fetched = Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund"])
            .current_dir(&folder)
            .stdout(Stdio::null())
            .status();
        assert!(
            fetched.is_ok_and(|s| s.success()),
            "npm cannot fetch xterm.js for {}",
            folder.display()
        );
    });
    folder
}

/// A line that runs another one on the far side of a connection, and the server for it.
fn through_ssh(folder: &Path, line: &str) -> (String, Option<Group>) {
    // The server of a fresh Debian cannot start without it.
    let _ = fs::create_dir_all("/run/sshd");
    for key in ["host", "own"] {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(folder.join(key))
            .status();
        assert!(made.is_ok_and(|s| s.success()), "ssh-keygen is installed");
    }
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .expect("a free port")
        .port();
    let at = folder.display();
    let host = fs::read_to_string(folder.join("host.pub")).expect("it was just made");
    write(folder, "known", &format!("[127.0.0.1]:{port} {host}"));
    let settings = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nAuthorizedKeysFile {at}/own.pub\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\n\
         PermitRootLogin prohibit-password\nStrictModes no\nPidFile none\n"
    );
    let settings = write(folder, "sshd.conf", &settings);
    let mut server = Command::new("/usr/sbin/sshd");
    server.args(["-D", "-e", "-f"]).arg(settings);
    let server = Group::start(server.stdout(Stdio::null()), &folder.join("sshd.log"));
    let line = format!(
        "until ssh -q -tt -F none -i {at}/own -p {port} -o UserKnownHostsFile={at}/known \
         -o IdentitiesOnly=yes 127.0.0.1 \"{line}\"; do sleep 0.1; done"
    );
    (line, Some(server))
}

const TELL_SIZE: &str = "import fcntl, struct, termios; \
    print(*struct.unpack('4H', fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8))))";

const TMUX: &str = "\
set -g allow-passthrough on
set -g default-terminal tmux-256color
set -ga terminal-features ',*:RGB'
set -g escape-time 10
set -g focus-events on
set -g mouse on
set -g status off
";

/// Runs kitty in the folder of another system, and in kitty a script of this one. The mounts are
/// seen by it alone, and go with it.
const NEXT_KITTY: &str = "\
    mkdir -p $0/host && mount --rbind / $0/host && \
    for d in dev proc tmp; do mount --rbind /$d $0/$d; done && \
    exec chroot $0 env HOME=/root kitty --title desk --config /host$1 \
    /usr/sbin/chroot /host /usr/bin/env PATH=$PATH sh $2";

const KITTY: &str = "\
font_family DejaVu Sans Mono
font_size 12
remember_window_size no
initial_window_width 100c
initial_window_height 40c
window_padding_width 0
placement_strategy top-left
background #101418
cursor_blink_interval 0
enable_audio_bell no
update_check_interval 0
confirm_os_window_close 0
linux_display_server x11
sync_to_monitor no
";

/// A vt340 has 16 colours by itself; and the program asks for the window's size in pixels.
const XTERM: [&str; 8] = [
    "XTerm*decTerminalID: 340",
    "XTerm*numColorRegisters: 1024",
    "XTerm*maxGraphicSize: 4000x4000",
    "XTerm*privateColorRegisters: true",
    "XTerm*disallowedWindowOps: 1,2,3,4,5,6,7,8,9,11,13,19,20,21,GetSelection,SetSelection,SetWinLines,SetXprop",
    "XTerm*internalBorder: 0",
    "XTerm*scrollBar: false",
    "XTerm*utf8: 2",
];

const WESTON: &str = "\
[core]
backend=x11-backend.so
shell=kiosk-shell.so
idle-time=0
[output]
name=X1
mode=1000x800
";

const FOOT: &str = "\
font=DejaVu Sans Mono:pixelsize=16
line-height=20px
pad=0x0
dpi-aware=no
[colors]
background=101418
";
