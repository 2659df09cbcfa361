# SPDX-License-Identifier: ISC
"""What the tests of the SMTP rules file with a real Postfix around it share: a Site, and mails on both ways."""
import sqlite3

import pytest
from harness import Site, strip_headers
from harness.site import DOMAIN

ALIASED = Site.number()
SITE = {"virtual": {"both@mailbox.example": f"{ALIASED}@{DOMAIN} aliasbox@mailbox.example"},
        "rules": "", "settings": {"transport": {"message": "%%Subject%%|%%Body%%", "maxmsgs": 20}}}
DEFAULTS = {"spam_action": "hold", "spam_target": "", "filter_addresses": "remove", "list_action": "deliver"}
TARGET = "spam@mailbox.example"

DOUBLE = "[REPLACE-TEXT]\n0;once;onceonce;\n1;once;onceonce;\n"  # a second time would show

UNREADABLE = (b"From: a@allowed.example\nDate: Sun, 22 Nov 2026 10:00:00 +0100\nMessage-ID: <deep@client.example.test>\n"
              b"Subject: once\nMIME-Version: 1.0\n" +
              b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(400)) +
              b"\nonce\n")


@pytest.fixture(scope="module")
def plain():
    """Postfix without us: what a mailbox would get."""
    with Site(glue=False) as place:
        yield place


@pytest.fixture
def rules(site):
    """rules(text, key=value of the milter section…): in force when it returns."""
    def use(text, **milter):
        site.postsms.change(rules=text, milter={**DEFAULTS, **milter})
        site.postsms.reload("postsms-milter")
        site.postsms.reload()
    return use


def box():
    return Site.sender().replace("@allowed", "@mailbox")


def untouched(raw):
    """What must be the same on both ways."""
    return strip_headers(raw, "received")


def rows(site, queue_id):
    """What the ledger says the milter did: (effect, class, rule, recipients)."""
    ledger = sqlite3.connect(f"file:{site.postsms.state_dir}/spool.db?mode=ro", uri=True)
    try:
        return ledger.execute("SELECT effect, class, rule, recipients FROM filtered WHERE queue_id = ? ORDER BY id",
                              (queue_id,)).fetchall()
    finally:
        ledger.close()


def milter_said(site, queue_id, status):
    """The milter's log lines about this mail with this status."""
    return [line for line in site.postsms.logs["postsms-milter"].lines()
            if f": {queue_id}: " in line and f"status={status}" in line]


class Mailed:
    """One mail to a new number and, if mixed, to a new mailbox, with and without us."""

    def __init__(self, site, plain, mail, mixed, sender=None, **more):
        self.site, self.plain, self.mail = site, plain, mail
        self.sender = sender or site.sender()
        self.number = site.number()
        self.box = box() if mixed else None
        self.sent = site.send(self.sender, [f"{self.number}@{DOMAIN}"] + ([self.box] if mixed else []), mail, **more)
        self.queue_id = self.sent.queue_id

    def parts(self):
        """The SMS that left once the queue has forgotten the mail."""
        self.site.postfix.wait_removed(self.queue_id)
        return [part["text"] for part in self.site.postsms.sent(self.number)]

    def assert_box_untouched(self):
        """The mailbox got what it would have got without us."""
        caught, = self.site.postfix.wait_caught(self.box)
        self.plain.send(self.sender, self.box, self.mail)
        without, = self.plain.postfix.wait_caught(self.box)
        assert untouched(caught.raw) == untouched(without.raw)


@pytest.fixture
def mailed(site, plain):
    def send(mail, mixed=False, **more):
        return Mailed(site, plain, mail, mixed, **more)
    return send
