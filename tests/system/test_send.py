# SPDX-License-Identifier: ISC
"""Mail in, SMS out: texts, addresses, several recipients. One Postfix for all of them."""
import pytest
from harness import build, strip_headers
from harness.site import DOMAIN

SITE = {"settings": {"domains": [DOMAIN, "." + DOMAIN]}}
SENDER = "anna@allowed.example"

TEXTS = {
    "one word": ("", "Feierabend", {}),
    "subject": ("Zug fällt aus", "Wir kommen später, Grüße", {}),
    "extension table": ("5 €", "{[x]} | ~ ^ \\ kostet 5 €", {}),
    "two parts of GSM-7": ("", "Die Wartung beginnt um zehn Uhr. " * 6, {}),
    "emoji": ("", "bis gleich 🚆", {}),
    "three parts of UCS-2": ("Важно", "Поезд отменён, ждите следующего. " * 4, {}),
    "emoji at a part's end": ("", "x" * 43 + "🚆" * 30, {}),
    "base64": ("", "Grüße aus Zürich\nzweite Zeile", {"encoding": "base64"}),
    "quoted-printable": ("", "Grüße aus Zürich = schön\nzweite Zeile", {"encoding": "quoted-printable"}),
    "8bit": ("", "Grüße aus Zürich\nzweite Zeile", {"encoding": "8bit"}),
    "dots and From": ("", ".\n..\nFrom here\n.end", {}),
    "many lines": ("", "\n".join(str(n) for n in range(40)), {}),
}


@pytest.mark.parametrize("case", TEXTS)
def test_exact_text(site, case):
    """Allowed sender: the SMS with the exact text, as explain said (assert_explained)."""
    subject, text, how = TEXTS[case]
    parts, said, _ = site.send_sms(text, subject, **how)
    wanted = "\n".join(line.rstrip() for piece in (SENDER, subject, text) if piece for line in piece.split("\n"))
    assert "".join(part["text"] for part in parts) == wanted
    assert not said["truncated"]


def test_latin1(site):
    number = site.number()
    mail = build("x", "y").replace(b'charset="utf-8"', b'charset="iso-8859-1"').replace(b"\n\nx", b"\n\nGr\xfc\xdfe")
    site.send_sms(None, number=number, mail=mail)
    assert site.postsms.sent(number)[0]["text"] == f"{SENDER}\ny\nGrüße"


def test_subject_of_padded_base64_words(site):
    """Each encoded word is padded: the second and third must not get lost (GMime 3.2.13 loses them)."""
    mail = build("b", "SUBJECT").replace(
        b"Subject: SUBJECT", b"Subject: =?UTF-8?B?R3LDvMOfZQ==?=\n =?UTF-8?B?IGF1cyBaw7xyaWNoIA==?=\n"
        b" =?utf-8?b?4oKsIQ==?=")
    parts, _, _ = site.send_sms(None, mail=mail)
    assert parts[0]["text"] == f"{SENDER}\nGrüße aus Zürich €!\nb"


def test_multipart_text_before_html(site):
    mail = b"""From: anna@allowed.example
To: x@example.test
Message-ID: <multi.1@client.example.test>
Date: Sun, 22 Nov 2026 10:00:00 +0100
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="o"

preamble
--o
Content-Type: multipart/alternative; boundary="i"

--i
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Gr=C3=BC=C3=9Fe als Text
--i
Content-Type: text/html; charset=utf-8

<p>als HTML</p>
--i--
--o
Content-Type: application/octet-stream
Content-Transfer-Encoding: base64

AAECAwQF
--o--
"""
    parts, _, _ = site.send_sms(None, mail=mail)
    assert [part["text"] for part in parts] == [f"{SENDER}\nGrüße als Text"]


def test_too_long_is_cut_and_said(site):
    parts, said, _ = site.send_sms("Die Wartung beginnt um zehn Uhr. " * 60)
    assert len(parts) == 5 and said["truncated"] and said["parts_needed"] > 5
    assert parts[-1]["text"].endswith("...")


@pytest.mark.parametrize("form", ["{plus}", "00{digits}", "0{national}", "sms:{plus}", "sms:0{national}",
                                  '"{plus} (79)"', '"sms:{plus}"', '"{spaced}"', "{dotted}"])
def test_address_forms(site, form):
    """Every way of writing a number leads to the same one (explain and the gateway agree on it)."""
    number = site.number()
    values = {"plus": number, "digits": number[1:], "national": number[3:],
              "spaced": f"{number[:3]} {number[3:5]} {number[5:8]} {number[8:10]} {number[10:]}",
              "dotted": f"{number[:3]}.{number[3:5]}.{number[5:]}"}
    if "(79)" in form:
        form, values["plus"] = '"{plus}"', f"{number[:3]} ({number[3:5]}) {number[5:8]}-{number[8:10]}/{number[10:]}"
    site.send_sms("ein Text", number=number, recipient=f"{form.format(**values)}@{DOMAIN}")


def test_subdomain(site):
    number = site.number()
    site.send_sms("ein Text", number=number, recipient=f"{number}@alarm.{DOMAIN}")


def test_domain_in_capitals(site):
    number = site.number()
    site.send_sms("ein Text", number=number, recipient=f"{number}@{DOMAIN.upper()}")


def test_maxmsgs_in_address(site):
    number = site.number()
    parts, said, _ = site.send_sms("Die Wartung beginnt um zehn Uhr. " * 8, number=number,
                                   recipient=f'"sms:{number}?maxmsgs=1"@{DOMAIN}')
    assert len(parts) == 1 and said["truncated"]


def test_two_numbers_two_sms(site):
    first, second = site.number(), site.number()
    parts, _, sent = site.send_sms("für beide", number=first, others=[f"{second}@{DOMAIN}"])
    assert len(parts) == 1 and len(site.postsms.sent(second)) == 1
    assert site.postsms.sent(second)[0]["text"] == parts[0]["text"]
    assert len(site.postfix.deliveries(sent.queue_id)) == 2


MIXED = b"""Received: from elsewhere.example.test by client.example.test; Sun, 22 Nov 2026 09:59:00 +0100
From: =?utf-8?q?Anna_M=C3=BCller?= <anna@allowed.example>
To: Team <team@mailbox.example>,
 +41791234567@sms.example.test
Subject: =?UTF-8?B?R3LDvMOfZQ==?=
  folded  with   blanks
Date: Sun, 22 Nov 2026 10:00:00 +0100
Message-ID: <mixed.1@client.example.test>
X-Odd:no blank, trailing blanks   
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=_b"

This is a preamble.   
--=_b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Gr\xc3\xbc\xc3\x9fe, trailing blanks   
.
..dots
From the beginning
\t
--=_b
Content-Type: application/octet-stream
Content-Transfer-Encoding: 8bit

\xff\xfe\x01\x02 """ + b"long line " * 90 + b"""
--=_b--
epilogue

"""


def test_number_and_mailbox(site, new_site):
    """Both are served, and the mailbox gets the very octets that it gets from a Postfix that knows nothing of us."""
    plain = new_site(glue=False)
    mailbox, number = "team@mailbox.example", site.number()
    without = plain.send(SENDER, mailbox, MIXED, mail_options="BODY=8BITMIME")
    assert without.accepted
    said = site.postsms.explain(SENDER, f"{number}@{DOMAIN}", MIXED, others=[mailbox])
    with_us = site.send(SENDER, [f"{number}@{DOMAIN}", mailbox], MIXED, mail_options="BODY=8BITMIME")
    assert with_us.accepted and all(reply.ok for reply in with_us.rcpts)
    site.postfix.wait_removed(with_us.queue_id)
    site.assert_explained(said, site.postsms.sent(number), number, SENDER, f"{number}@{DOMAIN}")
    ours = strip_headers(site.postfix.wait_caught(mailbox)[0].raw, "received")
    theirs = strip_headers(plain.postfix.wait_caught(mailbox)[0].raw, "received")
    assert ours == theirs
    assert ours == strip_headers(MIXED, "received")


def test_mail_without_sms_is_untouched(site):
    mail = build("nur für die Mailbox", "Hallo")
    sent = site.send(SENDER, "box@mailbox.example", mail)
    assert sent.accepted
    assert strip_headers(site.postfix.wait_caught("box@mailbox.example")[0].raw, "received") == mail
    assert not [line for line in site.postsms.logs["postsmsd"].lines() if sent.queue_id in line]


@pytest.mark.parametrize("local", ["not-a-number", "+41", "+4179123456789012345", "sms:", "0791234567x", "+0791234567"])
def test_not_a_number(site, local):
    """A bounce 5.1.x that a person understands; explain says the same."""
    sender, recipient = site.sender(), f"{local}@{DOMAIN}"
    mail = build("geht nicht", "x", sender)
    said = site.postsms.explain(sender, recipient, mail)
    assert said["decision"] == "reject" and said["status"].startswith("5.1.") and said["number"] is None
    sent = site.send(sender, recipient, mail)
    assert sent.accepted
    bounce, = site.postfix.wait_caught(sender)
    assert bounce.is_report and bounce.sender == "" and bounce.status == said["status"]
    assert said["reason"] in " ".join(bounce.text.split())
    assert "number" in said["reason"]
    assert b"geht nicht" in bounce.raw
    site.postfix.wait_removed(sent.queue_id)


def test_submitted_locally(site):
    """sendmail(1) counts as 127.0.0.1."""
    number = site.number()
    mail = build("von hier", sender=SENDER)
    said = site.postsms.explain(SENDER, f"{number}@{DOMAIN}", mail)
    site.postfix.sendmail(mail, "-f", SENDER, f"{number}@{DOMAIN}")
    site.assert_explained(said, site.postsms.wait_sent(number), number, SENDER, f"{number}@{DOMAIN}")


def test_success_is_reported_as_relayed(site):
    """NOTIFY=SUCCESS: a gateway has it, which is not yet the handset."""
    sender, number = site.sender(), site.number()
    sent = site.send(sender, f"{number}@{DOMAIN}", build("x", sender=sender), rcpt_options="NOTIFY=SUCCESS")
    assert sent.accepted
    report, = site.postfix.wait_caught(sender)
    assert report.is_report and report.status == "2.0.0" and b"Action: relayed" in report.raw


def test_log_line(site):
    """One line an outcome: queue id first, fixed keys, the number shortened, never a word of the text."""
    parts, _, sent = site.send_sms("Geheimwort Rhabarber", "Betreff Spargel")
    number = parts[0]["number"]
    lines = [line for line in site.postsms.logs["postsmsd"].lines() if sent.queue_id in line]
    outcome, = [line for line in lines if "status=sent" in line]
    keys = ["to=<", "sender=<", "account=", "relay=demo", "parts=1/1", "rule=", "delay=", "dsn=2.0.0", "status=sent ("]
    places = [outcome.find(key) for key in [sent.queue_id, *keys]]
    assert -1 not in places and places == sorted(places), outcome
    whole = site.postsms.logs["postsmsd"].text()
    assert number not in whole and f"{number[:5]}***{number[-4:]}" in outcome
    assert "Rhabarber" not in whole and "Spargel" not in whole


def test_trace(site):
    """postsms trace finds it by queue id, Message-ID and number."""
    mail = build("nachschlagen")
    parts, _, sent = site.send_sms(None, mail=mail)
    message_id = next(line.split(b": ")[1].decode() for line in mail.split(b"\n") if line.startswith(b"Message-ID"))
    for key in (sent.queue_id, message_id, parts[0]["number"]):
        done = site.postsms.admin("trace", key)
        assert sent.queue_id in done.stdout and "accepted" in done.stdout
    assert site.postsms.admin("trace", "no-such-thing", check=False).returncode == 1
    assert site.postsms.json("queue") == []
