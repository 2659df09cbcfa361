# SPDX-License-Identifier: ISC
"""Mails, built and caught."""
import email
import email.policy
import itertools
import os
from email.message import EmailMessage

_serial = itertools.count(1)


def build(text, subject="", sender="anna@allowed.example", to="somebody@sms.example.test", encoding=None, headers=()):
    """A plain text mail as octets with LF line ends. encoding: quoted-printable, base64, 8bit, 7bit or None (fits)."""
    mail = EmailMessage(policy=email.policy.default)
    mail["From"] = sender
    mail["To"] = to
    if subject:
        mail["Subject"] = subject
    mail["Date"] = "Sun, 22 Nov 2026 10:00:00 +0100"
    mail["Message-ID"] = f"<{os.getpid()}.{next(_serial)}.{os.urandom(4).hex()}@client.example.test>"
    for name, value in headers:
        mail[name] = value
    mail.set_content(text, cte=encoding)
    return mail.as_bytes(policy=email.policy.default.clone(cte_type="8bit"))


def strip_headers(raw, *names):
    """The mail without the header fields of these names (lower case), folded lines included."""
    head, blank, body = raw.partition(b"\n\n")
    kept, drop = [], False
    for line in head.split(b"\n"):
        if line[:1] not in (b" ", b"\t"):
            drop = line.partition(b":")[0].decode("latin-1").lower() in names
        if not drop:
            kept.append(line)
    return b"\n".join(kept) + blank + body


class Caught:
    """A mail that left Postfix for an ordinary recipient. raw: the octets as pipe(8) gave them."""

    def __init__(self, folder):
        def content(name):
            with open(os.path.join(folder, name), "rb") as file:
                return file.read()
        self.folder = folder
        self.queue_id = os.path.basename(folder).partition(".")[0]
        self.sender = content("sender").decode()
        self.recipient = content("recipient").decode()
        self.raw = content("mail")

    @property
    def message(self):
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    @property
    def text(self):
        """The human-readable first part."""
        return self.message.get_body(("plain",)).get_content() if not self.is_report else \
            next(self.message.iter_parts()).get_content()

    @property
    def is_report(self):
        return self.message.get_content_type() == "multipart/report"

    @property
    def status(self):
        """Of a bounce: the Status field of its delivery-status part."""
        for part in self.message.walk():
            if part.get_content_type() == "message/delivery-status":
                for block in part.get_payload():
                    if block["Status"]:
                        return block["Status"]
        return None

    def __repr__(self):
        return f"Caught({self.queue_id}, from=<{self.sender}>, to=<{self.recipient}>, {len(self.raw)} octets)"
