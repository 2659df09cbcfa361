# SPDX-License-Identifier: ISC
"""A client of ask.sock (lib/ask.h), as postsms-milter is one, but able to do it wrong."""
import array
import fcntl
import os
import socket
import struct
import termios


def frame(values):
    """{name: text} as a frame of lib/wire.h."""
    octets = b"".join(f"{name}={value}".encode("utf-8", "surrogateescape") + b"\0"
                      for name, value in values.items()) + b"\0"
    return struct.pack(">I", len(octets)) + octets


def memfd(octets):
    fd = os.memfd_create("mail", os.MFD_CLOEXEC)
    os.write(fd, octets)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


class Ask:
    """One connection; hello: what postsmsd said first, {} if it closed at once."""

    def __init__(self, run_dir, timeout=60):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout)
        self._socket.connect(os.path.join(run_dir, "ask.sock"))
        self._rest = b""
        self.hello = self.answer() or {}

    def send(self, octets, fds=()):
        """Octets as they are, descriptors with the first one."""
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        sent = self._socket.sendmsg([octets], ancillary)
        if octets[sent:]:
            self._socket.sendall(octets[sent:])

    def unread(self):
        """How many octets of ours postsmsd has not taken yet (more than that, by what the kernel adds)."""
        return struct.unpack("i", fcntl.ioctl(self._socket, termios.TIOCOUTQ, b"\0" * 4))[0]

    def ask(self, values, mail=None):
        """A question; mail: octets."""
        fd = memfd(mail) if mail is not None else None
        self.send(frame(values), [] if fd is None else [fd])
        if fd is not None:
            os.close(fd)

    def _take(self, count):
        while len(self._rest) < count:
            try:
                more = self._socket.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                return None
            self._rest += more
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken

    def answer(self):
        """One list as {name: text}; None if postsmsd has closed."""
        head = self._take(4)
        octets = head and self._take(struct.unpack(">I", head)[0])
        if not octets:
            return None
        return dict(pair.decode("utf-8", "surrogateescape").split("=", 1) for pair in octets[:-2].split(b"\0"))

    def read(self, mail):
        self.ask({"ask": "read"}, mail)
        return self.answer()

    def rewrite(self, mail, **new):
        """new: subject, text; one that is absent stays."""
        self.ask({"ask": "rewrite"}, frame(new) + mail)
        return self.answer()

    def note(self, **values):
        """values: the names of lib/ask.h with "_" for "-"."""
        whole = {"queue-id": "", "message-id": "", "sender": "", "recipients": "", "effect": "", "class": "",
                 "rule": "", "detail": "", **{name.replace("_", "-"): value for name, value in values.items()}}
        self.ask({"ask": "note", **whole})
        return self.answer()

    def close(self):
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
