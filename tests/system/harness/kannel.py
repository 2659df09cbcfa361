# SPDX-License-Identifier: ISC
"""Kannel on loopback: bearerbox, smsbox, and an SMSC that only writes down (the fake SMSC's line protocol)."""
import os
import shutil
import socket
import subprocess
import threading
import urllib.parse

from .postfix import free_port
from .wait import wait_until

PROGRAMS = ["/usr/sbin/bearerbox", "/usr/sbin/smsbox"]

CONF = """\
group = core
admin-port = {admin}
admin-password = admin
smsbox-port = {box}
box-allow-ip = 127.0.0.1
log-file = "{base}/bearerbox.log"
log-level = 1

group = smsc
smsc = fake
smsc-id = fake
host = 127.0.0.1
port = {smsc}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {send}
log-file = "{base}/smsbox.log"
log-level = 1

group = sendsms-user
username = anna
password = geheim
max-messages = 10
concatenation = true
user-allow-ip = 127.0.0.1

group = sendsms-user
username = otto
password = ab-werk
user-allow-ip = 127.0.0.1
"""


def why_not():
    missing = [path for path in PROGRAMS if not os.access(path, os.X_OK)]
    return f"the package kannel is needed ({missing[0]})" if missing else None


class Kannel:
    """base: an existing folder. url: where sendsms listens."""

    def __init__(self, base):
        self.base = base
        ports = {name: free_port() for name in ("admin", "box", "smsc", "send")}
        self.smsc_port, self.port = ports["smsc"], ports["send"]
        self.url = f"http://127.0.0.1:{self.port}"
        self.conf = os.path.join(base, "kannel.conf")
        with open(self.conf, "w", encoding="utf-8") as file:
            file.write(CONF.format(base=base, **ports))
        self.lines = []  # what the SMSC got: (sender, receiver, kind, octets, header)
        self._processes = []
        self._smsc = None

    def start(self):
        for program in PROGRAMS:
            self._processes.append(subprocess.Popen([program, "-v", "4", self.conf], stdin=subprocess.DEVNULL,
                                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                                    cwd=self.base))
            if program.endswith("bearerbox"):
                self._smsc = wait_until(lambda: self._dial(self.smsc_port), 20, "bearerbox takes the SMSC")
                threading.Thread(target=self._read, args=(self._smsc,), daemon=True).start()
        wait_until(lambda: self._dial(self.port, close=True), 20, "smsbox answers")
        return self

    @staticmethod
    def _dial(port, close=False):
        try:
            connection = socket.create_connection(("127.0.0.1", port), 2)
        except OSError:
            return None
        connection.settimeout(None)
        if close:
            connection.close()
        return connection

    def _read(self, connection):
        with connection.makefile("rb") as file:
            for line in file:
                words = line.rstrip(b"\n").decode("latin-1").split(" ", 3)
                if len(words) != 4:
                    continue
                sender, receiver, kind, rest = words
                header = ""
                if kind == "udh":  # "udh HEADER data OCTETS"
                    header, kind, rest = rest.split(" ", 2)
                octets = rest.encode("latin-1") if kind == "text" else urllib.parse.unquote_to_bytes(
                    rest.replace("+", " "))
                self.lines.append((sender, receiver, kind, octets,
                                   urllib.parse.unquote_to_bytes(header.replace("+", " "))))

    def wait_lines(self, count):
        return wait_until(lambda: self.lines[:count] if len(self.lines) >= count else None, 20,
                          lambda: f"{count} lines at the SMSC: {self.lines}")

    def stop(self):
        for process in reversed(self._processes):
            process.terminate()
        if self._smsc:
            self._smsc.close()
        for process in self._processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes, self._smsc = [], None

    def close(self):
        self.stop()
        shutil.rmtree(self.base, ignore_errors=True)
