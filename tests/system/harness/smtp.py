# SPDX-License-Identifier: ISC
"""An SMTP client that keeps every reply, and refuses to hide one."""
import re
import socket


class Reply:
    """code: int; lines: the texts without code; text: joined with blanks; status: "x.y.z" or ""."""

    def __init__(self, code, lines):
        self.code = code
        self.lines = lines
        self.text = " ".join(lines)
        found = re.match(r"([245]\.\d{1,3}\.\d{1,3})\b", self.text)
        self.status = found.group(1) if found else ""

    @property
    def ok(self):
        return 200 <= self.code < 400

    def __repr__(self):
        return f"{self.code} {self.text}"


class Sent:
    """The replies to one mail: mail, rcpts (one a recipient), data (None if it did not come to that), queue_id."""

    def __init__(self, mail, rcpts, data):
        self.mail = mail
        self.rcpts = rcpts
        self.data = data
        found = re.search(r"queued as (\S+)", data.text) if data else None
        self.queue_id = found.group(1) if found else None

    @property
    def accepted(self):
        return self.data is not None and self.data.ok

    def __repr__(self):
        return f"Sent(mail={self.mail}, rcpts={self.rcpts}, data={self.data})"


class Smtp:
    """One session; show, if given, is called with "C"/"S" and each line as it goes."""

    def __init__(self, port, helo="client.example.test", show=None, timeout=120):
        self.show = show or (lambda who, line: None)
        self._socket = socket.create_connection(("127.0.0.1", port), timeout)
        self._file = self._socket.makefile("rb")
        self.greeting = self._reply()
        self.helo = helo
        self.ehlo = self.command(f"EHLO {helo}")

    def _reply(self):
        lines = []
        while True:
            raw = self._file.readline()
            if not raw:
                raise ConnectionError("the SMTP server closed the connection")
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            self.show("S", line)
            lines.append(line[4:])
            if line[3:4] != "-":
                return Reply(int(line[:3]), lines)

    def command(self, line):
        self.show("C", line)
        self._socket.sendall(line.encode() + b"\r\n")
        return self._reply()

    def xclient(self, **attributes):
        """XCLIENT ADDR=… NAME=… LOGIN=…: the session goes on as if it came from there."""
        reply = self.command("XCLIENT " + " ".join(f"{name}={value}" for name, value in attributes.items()))
        assert reply.code == 220, reply
        self.ehlo = self.command(f"EHLO {self.helo}")

    def data(self, mail):
        """The content after DATA, with CRLF line ends and dots stuffed."""
        lines = mail.replace(b"\r\n", b"\n").split(b"\n")
        if lines[-1] == b"":
            lines.pop()
        for line in lines[:60]:
            self.show("C", line.decode("utf-8", "replace"))
        if len(lines) > 60:
            self.show("C", f"… {len(lines) - 60} more lines")
        self.show("C", ".")
        self._socket.sendall(b"".join((b"." if l[:1] == b"." else b"") + l + b"\r\n" for l in lines) + b".\r\n")
        return self._reply()

    def send(self, sender, recipients, mail, mail_options="", rcpt_options=""):
        """One transaction, as far as the server lets it go."""
        first = self.command(f"MAIL FROM:<{sender}>{mail_options and ' ' + mail_options}")
        if not first.ok:
            return Sent(first, [], None)
        rcpts = [self.command(f"RCPT TO:<{r}>{rcpt_options and ' ' + rcpt_options}") for r in recipients]
        if not any(reply.ok for reply in rcpts):
            self.command("RSET")
            return Sent(first, rcpts, None)
        go = self.command("DATA")
        return Sent(first, rcpts, self.data(mail) if go.code == 354 else go)

    def close(self):
        try:
            self.command("QUIT")
        except OSError:
            pass
        self._file.close()
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
