"""Runs a script in xterm.js in Chromium: serve.py SCRIPT FOLDER

One page, one program on a pseudo-terminal. The page gets its output as one long answer and posts
keys and sizes; the first size starts the program.
"""

import fcntl
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HERE = pathlib.Path(__file__).parent
SCRIPT, FOLDER = sys.argv[1], sys.argv[2]
KINDS = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}

near, far = pty.openpty()
started = threading.Event()


def resize(rows, cols, width, height):
    fcntl.ioctl(near, termios.TIOCSWINSZ, struct.pack("4H", rows, cols, width, height))
    if started.is_set():
        return
    started.set()

    def own_terminal():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    environment = {**os.environ, "TERM": "xterm-256color"}
    subprocess.Popen(
        ["sh", SCRIPT], stdin=far, stdout=far, stderr=far, env=environment, preexec_fn=own_terminal
    )
    os.close(far)


class Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path == "/out":
            return self.stream()
        package = re.fullmatch(r"/@xterm/[\w-]+/(lib|css)/[\w.-]+", self.path)
        file = HERE / "node_modules" / self.path[1:] if package else HERE / "page.html"
        body = file.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", KINDS[file.suffix])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while True:
            try:
                data = os.read(near, 65536)
            except OSError:
                break
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.write(b"0\r\n\r\n")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/size":
            resize(*map(int, body.split()))
        else:
            while body:
                body = body[os.write(near, body) :]
        self.send_response(204)
        self.end_headers()


server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
threading.Thread(target=server.serve_forever, daemon=True).start()
subprocess.run(
    [
        "chromium",
        f"--app=http://127.0.0.1:{server.server_port}/",
        f"--user-data-dir={FOLDER}/chromium",
        "--kiosk",
        "--window-position=0,0",
        "--window-size=1000,800",
        "--no-sandbox",
        "--no-first-run",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ],
    check=False,
)
