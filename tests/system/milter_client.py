# SPDX-License-Identifier: ISC
"""The mail server's side of the milter protocol, as far as postsms-milter needs it: one connection, every reply."""
import re
import socket
import struct

ACCEPT, CONTINUE, DISCARD, REJECT, REPLYCODE, TEMPFAIL = b"a", b"c", b"d", b"r", b"y", b"t"
PROGRESS = b"p"

NO_CONNECT, NO_HELO, NO_MAIL, NO_RCPT, NO_BODY, NO_HEADERS, NO_EOH = 0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40
NO_UNKNOWN, NO_DATA = 0x100, 0x200
NR_HEADER, NR_CONNECT, NR_MAIL, NR_BODY = 0x80, 0x1000, 0x4000, 0x80000
LEADING_BLANK = 0x100000
EVERY_STEP = 0x1FFFFF  # what Postfix offers
EVERY_ACTION = 0x1FF
CHUNK = 65535


# What a milter may ask for at a mail's end
CHANGES = {b"h": "add header", b"m": "change header", b"i": "insert header", b"b": "body", b"+": "add recipient",
           b"2": "add recipient with parameters", b"-": "remove recipient", b"q": "hold"}


def change_arguments(code, data):
    if code == b"b":
        return data
    index = ()
    if code in (b"m", b"i"):
        index, data = struct.unpack("!I", data[:4]), data[4:]
    return (*index, *(text.decode("utf-8", "surrogateescape") for text in data.removesuffix(b"\0").split(b"\0")))


class MilterClient:
    """address: a path, or (host, port). client: what Postfix knows of the SMTP client.

    A command that the milter answers returns (code, text): text is what stands behind the code, for REPLYCODE the SMTP
    reply. A command that it negotiated not to answer returns None."""

    def __init__(self, address, client=("pc.example.test", "192.0.2.7"), steps=EVERY_STEP, version=6, timeout=30,
                 actions=EVERY_ACTION):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        self.sock.connect(address)
        self._send(b"O", struct.pack("!III", version, actions, steps))
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

    def header(self, name, value):
        """value: octets behind the colon, the blank included, folds with LF."""
        if self.steps & NO_HEADERS:
            return None
        if not self.steps & LEADING_BLANK:
            value = value.removeprefix(b" ")
        self._send(b"L", name.encode() + b"\0" + value + b"\0")
        return None if self.steps & NR_HEADER else self._answer()

    def body(self, octets):
        """All of it, CRLF line ends."""
        for at in range(0, len(octets), CHUNK):
            if not self.steps & NO_BODY:
                self._send(b"B", octets[at:at + CHUNK])
                if not self.steps & NR_BODY:
                    self._answer()

    def eom(self, **macros):
        """(code, text, changes): what the milter wants done, in order, as (command, arguments)."""
        self._macros(b"E", macros)
        self._send(b"E")
        changes = []
        while True:
            code, data = self._receive()
            if code in (ACCEPT, CONTINUE, DISCARD, REJECT, REPLYCODE, TEMPFAIL):
                return code, data.rstrip(b"\0").decode("utf-8", "surrogateescape"), changes
            if code != PROGRESS:
                changes.append((CHANGES[code], change_arguments(code, data)))

    def send_mail(self, raw, **macros):
        """DATA, header, body and end of a mail with LF line ends; what eom() returns, or what DATA said."""
        said = self.data()
        if said[0] != CONTINUE:
            return (*said, [])
        head, _, body = raw.partition(b"\n\n")
        for field in re.split(rb"\n(?![ \t])", head):
            name, _, value = field.partition(b":")
            self.header(name.decode("latin-1"), value)
        self.body(body.replace(b"\n", b"\r\n"))
        return self.eom(**macros)

    def abort(self):
        self._send(b"A")

    def close(self):
        """As after QUIT."""
        try:
            self._send(b"Q")
        except OSError:
            pass
        self.sock.close()
