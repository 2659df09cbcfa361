# SPDX-License-Identifier: ISC
"""The mail server's side of the milter protocol, as far as postsms-milter needs it: one connection, every reply."""
import socket
import struct

ACCEPT, CONTINUE, REJECT, REPLYCODE, TEMPFAIL = b"a", b"c", b"r", b"y", b"t"

NO_CONNECT, NO_HELO, NO_MAIL, NO_RCPT, NO_BODY, NO_HEADERS, NO_EOH = 0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40
NO_UNKNOWN, NO_DATA = 0x100, 0x200
NR_CONNECT, NR_MAIL = 0x1000, 0x4000
EVERY_STEP = 0x1FFFFF  # what Postfix offers
EVERY_ACTION = 0x1FF


class MilterClient:
    """address: a path, or (host, port). client: what Postfix knows of the SMTP client.

    A command that the milter answers returns (code, text): text is what stands behind the code, for REPLYCODE the SMTP
    reply. A command that it negotiated not to answer returns None."""

    def __init__(self, address, client=("pc.example.test", "192.0.2.7"), steps=EVERY_STEP, version=6, timeout=30):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        self.sock.connect(address)
        self._send(b"O", struct.pack("!III", version, EVERY_ACTION, steps))
        code, data = self._receive()
        assert code == b"O", code
        self.version, self.actions, self.steps = struct.unpack("!III", data[:12])
        if client:
            name, host = client
            kind = b"6" if ":" in host else b"4"
            self._send(b"C", name.encode() + b"\0" + kind + struct.pack("!H", 40000) + host.encode() + b"\0")
            if not self.steps & NR_CONNECT:
                self._receive()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _send(self, command, data=b""):
        self.sock.sendall(struct.pack("!I", len(data) + 1) + command + data)

    def _read(self, count):
        data = b""
        while len(data) < count:
            more = self.sock.recv(count - len(data))
            if not more:
                raise ConnectionError("the milter closed the connection")
            data += more
        return data

    def _receive(self):
        length, = struct.unpack("!I", self._read(4))
        packet = self._read(length)
        return packet[:1], packet[1:]

    def _answer(self):
        code, data = self._receive()
        return code, data.rstrip(b"\0").decode("utf-8", "surrogateescape")

    def _macros(self, command, macros):
        if macros:
            pairs = b"".join(text.encode() + b"\0" for pair in macros.items() for text in pair)
            self._send(b"D", command + pairs)

    @staticmethod
    def _arguments(texts):
        return b"".join(text.encode("utf-8", "surrogateescape") + b"\0" for text in texts)

    def mail(self, *arguments, **macros):
        """MAIL with its arguments as typed, angle brackets included."""
        self._macros(b"M", macros)
        self._send(b"M", self._arguments(arguments))
        return None if self.steps & NR_MAIL else self._answer()

    def rcpt(self, *arguments, **macros):
        self._macros(b"R", macros)
        self._send(b"R", self._arguments(arguments))
        return self._answer()

    def data(self):
        self._send(b"T")
        return self._answer()

    def abort(self):
        self._send(b"A")

    def close(self):
        """As after QUIT."""
        try:
            self._send(b"Q")
        except OSError:
            pass
        self.sock.close()
