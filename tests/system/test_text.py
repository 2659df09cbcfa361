# SPDX-License-Identifier: ISC
"""From a real mail to the parts that leave: encoding, tables, what is left out, binary data, references. Each text goes
the whole way through Postfix, and explain must have said the same before (Site.assert_explained)."""
import base64
import os
import sqlite3
import time

import pytest
from harness import build
from harness.site import DOMAIN, ROOT

SITE = {"settings": {"transport": {"maxmsgs": 5, "message": "%%Body%%"}},
        "postfix": {"message_size_limit": "50000000", "header_size_limit": "1000000"}}
SENDER = "anna@allowed.example"
PLAIN = {"maxmsgs": 5, "message": "%%Body%%", "translit": "punctuation", "languages": [], "too_long": "truncate",
         "encrypted": "placeholder", "strip_signature": True, "append": ""}


@pytest.fixture
def settings(site):
    """settings(**transport): what differs from PLAIN, until the test ends."""
    def change(**transport):
        site.postsms.change(transport={**PLAIN, **transport})
        site.postsms.reload()
    yield change
    change()


def decode(site, *pdus):
    """What "postsms decode" reads in the TPDUs that explain showed."""
    return [site.postsms.json("decode", "-t", pdu) for pdu in pdus]


def refused(site, sent, sender):
    """The bounce and the outcome's log line."""
    bounce, = site.postfix.wait_caught(sender)
    site.postfix.wait_removed(sent.queue_id)
    line, = [line for line in site.postsms.logs["postsmsd"].lines()
             if sent.queue_id in line and "status=bounced" in line]
    return bounce, line


# Encoding

def test_curly_quotes_cost_nothing(site):
    parts, said, _ = site.send_sms("“Don’t stop” – it’s 5 €…")
    assert [part["text"] for part in parts] == ["\"Don't stop\" - it's 5 €..."]
    assert parts[0]["encoding"] == "gsm7" and said["forced_by"] is None


def test_appended(site, settings):
    """What a setting appends is never cut: its length is reserved, and it follows the ellipsis (ICE-PAR, M of UMG-OPT)."""
    settings(append="\nnicht antworten", maxmsgs=1)
    parts, said, _ = site.send_sms("Die Wartung beginnt um zehn Uhr. " * 9)
    part, = parts
    assert part["text"].endswith("...\nnicht antworten") and len(part["text"]) <= 160
    assert said["truncated"] and said["text"] == part["text"]
    parts, _, _ = site.send_sms("kurz")
    assert parts[0]["text"] == "kurz\nnicht antworten"


TRANSLIT = {
    "none": ("“Čeština” – ok", "ucs2", "“Čeština” – ok"),
    "punctuation": ("“Größe” – ok", "gsm7", '"Größe" - ok'),
    "punctuation leaves letters": ("“Čeština” – ok", "ucs2", "“Čeština” – ok"),
    "full": ("“Čeština” – ok", "gsm7", '"Cestina" - ok'),
    "full cannot": ("“Čeština” жук", "ucs2", "“Čeština” жук"),
}


@pytest.mark.parametrize("case", TRANSLIT)
def test_transliteration(site, settings, case):
    text, encoding, want = TRANSLIT[case]
    settings(translit=case.split()[0])
    parts, said, _ = site.send_sms(text)
    assert ([part["text"] for part in parts], said["encoding"]) == ([want], encoding)
    assert said["forced_by"] == {"none": "“", "full cannot": "ж", "punctuation leaves letters": "Č"}.get(case)


@pytest.mark.parametrize("text, tables", [("Işık şimdi söndü, bekleyin.", {"03240101", "03250101"}),
                                          ("Plain text", {""})])
def test_turkish_table(site, settings, text, tables):
    """The cheapest way that the setting allows; the TPDU in explain is that of what was sent."""
    settings(languages=["1"])
    parts, said, _ = site.send_sms(text)
    assert said["encoding"] == "gsm7" and parts[0]["udh"].upper() in tables
    assert said["language"] == (1 if parts[0]["udh"] else None)
    pdu, = decode(site, *(part["pdu"] for part in said["parts"]))
    assert (pdu["text"], pdu["udh"].upper()) == (parts[0]["text"], parts[0]["udh"].upper())
    assert pdu["address"] == parts[0]["number"]


def test_turkish_not_allowed(site):
    parts, said, _ = site.send_sms("Işık")
    assert (parts[0]["encoding"], said["forced_by"], said["language"]) == ("ucs2", "ş", None)


def test_long_turkish(site, settings):
    """Every part names the table."""
    settings(languages=["Turkish"])
    parts, said, _ = site.send_sms("Işık şimdi söndü, bekleyin. " * 8)
    assert len(parts) == 2 and said["encoding"] == "gsm7"
    read = decode(site, *(part["pdu"] for part in said["parts"]))
    assert [(pdu["part"], pdu["parts"]) for pdu in read] == [(1, 2), (2, 2)]
    assert all(1 in (pdu["locking_shift"], pdu["single_shift"]) for pdu in read)
    assert "".join(pdu["text"] for pdu in read) == said["text"]


# What the text is

NEWSLETTER = """\
From: anna@allowed.example
To: x@example.test
Message-ID: <%s@client.example.test>
Date: Mon, 23 Nov 2026 10:00:00 +0100
MIME-Version: 1.0
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: 8bit

<html><head><style>.pre { display: none }</style><title>News</title></head><body>
<div class="pre">Preheader nobody reads</div>
<table><tr><td>Item</td><td>Price</td></tr><tr><td>Tea</td><td>3&nbsp;&euro;</td></tr></table>
<ul><li>One</li><li>Two</li></ul>
<p>See <a href="https://shop.example/sale?utm_source=news&amp;id=7">the sale</a>.</p>
<img src="https://t.example/pixel.gif" width="1" height="1" alt="">
</body></html>
"""


def test_newsletter(site):
    """Only HTML: lists and tables line by line, the link readable, nothing that nobody sees."""
    mail = (NEWSLETTER % os.urandom(4).hex()).encode()
    parts, said, _ = site.send_sms(None, mail=mail)
    text = "".join(part["text"] for part in parts)
    assert text == said["text"] and "Preheader" not in text and "pixel" not in text and "utm_source" not in text
    lines = text.split("\n")
    assert "Tea" in text and "3 €" in text and "- One" in lines and "- Two" in lines
    assert "https://shop.example/sale?id=7" in text


ENCRYPTED = """\
From: anna@allowed.example
To: x@example.test
Subject: Plan
Message-ID: <%s@client.example.test>
Date: Mon, 23 Nov 2026 10:00:00 +0100
MIME-Version: 1.0
Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m
Content-Transfer-Encoding: base64

MIIBnwYJKoZIhvcNAQcDoIIBkDCCAYwCAQAxggFHMIIBQwIBADArMCYxJDAiBgNVBAMTG0Fubg==
"""


def test_encrypted(site, settings):
    """A placeholder, or a refusal that says why."""
    settings(message="%%Subject%%\n%%Body%%")
    parts, _, _ = site.send_sms(None, mail=(ENCRYPTED % os.urandom(4).hex()).encode())
    assert [part["text"] for part in parts] == ["Plan\n(encrypted mail)"]
    settings(encrypted="refuse")
    sender, number = site.sender(), site.number()
    mail = (ENCRYPTED % os.urandom(4).hex()).encode()
    said = site.postsms.explain(sender, f"{number}@{DOMAIN}", mail)
    assert (said["decision"], said["status"], said["reason"]) == ("reject", "5.6.0", "the mail is encrypted")
    bounce, line = refused(site, site.send(sender, f"{number}@{DOMAIN}", mail), sender)
    assert bounce.status == "5.6.0" and "encrypted" in line and not site.postsms.sent(number)


def test_left_out_is_noted(site, settings):
    """What a setting took away is in the log; switched off, it is sent."""
    text = "Works for me.\n-- \nAnna\nPhone 123"
    parts, _, sent = site.send_sms(text)
    assert parts[0]["text"] == "Works for me."
    assert [line for line in site.postsms.logs["postsmsd"].lines() if sent.queue_id in line and "signature" in line]
    settings(strip_signature=False)
    parts, _, sent = site.send_sms(text)
    assert parts[0]["text"] == "Works for me.\n--\nAnna\nPhone 123"
    assert not [line for line in site.postsms.logs["postsmsd"].lines() if sent.queue_id in line and "left out" in line]


# Binary data

DATA, UDH = bytes(range(256))[100:240], bytes.fromhex("0605040B8423F0")


def binary_address(number, **params):
    return f"\"sms:{number}?binary=1&{'&'.join(f'{name}={value}' for name, value in params.items())}\"@{DOMAIN}"


def test_binary(site):
    """Data, header, coding scheme and protocol identifier reach the gateway as they were given."""
    number = site.number()
    recipient = binary_address(number, udh=base64.b64encode(UDH).decode(), dcs=245, pid=65, maxmsgs=3)
    mail = build(base64.encodebytes(DATA).decode())
    said = site.postsms.explain(SENDER, recipient, mail)
    assert (said["decision"], said["encoding"], said["text"]) == ("send", "8bit", None)
    assert all(part["text"] is None for part in said["parts"])
    sent = site.send(SENDER, recipient, mail)
    assert sent.accepted
    site.postfix.wait_removed(sent.queue_id)
    parts = site.postsms.sent(number)
    assert len(parts) == len(said["parts"]) == 2
    assert b"".join(bytes.fromhex(part["data"]) for part in parts) == DATA
    for part, expected, pdu in zip(parts, said["parts"], decode(site, *(part["pdu"] for part in said["parts"]))):
        assert (part["encoding"], part["text"], part["dcs"], part["pid"]) == ("8bit", None, 245, 65)
        assert part["udh"].lower() == expected["udh"].lower() and part["udh"].upper().endswith(UDH.hex().upper()[2:])
        assert pdu["data"].lower() == part["data"].lower()
        assert (pdu["dcs"], pdu["pid"], pdu["class"], pdu["port_to"]) == (245, 65, 1, 2948)
    trace = site.postsms.admin("trace", sent.queue_id).stdout
    assert "accepted" in trace


BINARY_FAULTS = {
    "not base64": ("Hello there!", {}, "binary=1: the mail's text is not base64"),
    "header": ("3q2+7w==", {"udh": "AAUEC4Qj8A=="}, "udh: the first octet is not the number of octets that follow"),
    "header base64": ("3q2+7w==", {"udh": "BgUEC4Qj8"}, "udh: not base64"),
    "coding": ("3q2+7w==", {"dcs": 128}, "dcs=128: not for this kind of data"),
    "too long": (base64.b64encode(bytes(141)).decode(), {"maxmsgs": 1}, "the data need 2 SMS, at most 1 are allowed"),
}


@pytest.mark.parametrize("case", BINARY_FAULTS)
def test_binary_refused(site, case):
    text, params, reason = BINARY_FAULTS[case]
    sender, number = site.sender(), site.number()
    recipient, mail = binary_address(number, **params), build(text, sender=sender)
    said = site.postsms.explain(sender, recipient, mail)
    assert (said["decision"], said["status"], said["reason"]) == ("reject", "5.6.0", reason)
    bounce, line = refused(site, site.send(sender, recipient, mail), sender)
    assert bounce.status == "5.6.0" and reason in " ".join(bounce.text.split()) and reason in line
    assert not site.postsms.sent(number)


def test_flash(site):
    """A text of class 0; where it needs UCS-2 the class stays."""
    for text, dcs in (("Fire!", 16), ("Пожар!", 24)):
        number = site.number()
        parts, said, _ = site.send_sms(text, number=number, recipient=f'"sms:{number}?dcs=16"@{DOMAIN}')
        assert parts[0]["dcs"] == dcs
        assert decode(site, said["parts"][0]["pdu"])[0]["class"] == 0


@pytest.mark.parametrize("parameter", ["dcs=256", "dcs=x", "pid=-1", "binary=yes"])
def test_parameters_refused(site, parameter):
    """Before Postfix takes the mail's text for anything: the address is wrong."""
    sender, number = site.sender(), site.number()
    recipient, mail = f'"sms:{number}?{parameter}"@{DOMAIN}', build("x", sender=sender)
    said = site.postsms.explain(sender, recipient, mail)
    assert (said["decision"], said["status"]) == ("reject", "5.1.3") and parameter.split("=")[0] in said["reason"]
    bounce, _ = refused(site, site.send(sender, recipient, mail), sender)
    assert bounce.status == "5.1.3"


@pytest.mark.parametrize("field", ["To", "Cc", "Bcc", None])
def test_address_in_any_field(site, field):
    """Quoted, with a name and parameters, where a mail program puts it; blind copies are in no field at all."""
    number = site.number()
    local = f'"sms:{number}?maxmsgs=1"'
    headers = [(field, f'"John Doe" <{local}@{DOMAIN}>')] if field and field != "To" else []
    to = f'John <{local}@{DOMAIN}>' if field == "To" else "somebody@mailbox.example"
    parts, _, _ = site.send_sms(None, number=number, recipient=f"{local}@{DOMAIN}",
                                mail=build("ein Text", to=to, headers=headers))
    assert [part["text"] for part in parts] == ["ein Text"]


# Too long

LONG = "Die Wartung beginnt um zehn Uhr. " * 12  # 396 characters
CYRILLIC = "Поезд отменён, ждите. " * 12


@pytest.mark.parametrize("text, ellipsis", [(LONG, "..."), (CYRILLIC, "…")])
def test_cut(site, text, ellipsis):
    """At a word; said by log, trace and explain."""
    number = site.number()
    parts, said, sent = site.send_sms(text, number=number, recipient=f'"sms:{number}?maxmsgs=2"@{DOMAIN}')
    whole = "".join(part["text"] for part in parts)
    assert len(parts) == 2 and said["truncated"] and said["parts_needed"] > 2
    assert whole.endswith(ellipsis)
    kept = whole.removesuffix(ellipsis)
    assert text.startswith(kept) and text[len(kept)] == " " and kept[-1] != " "
    note = f"text cut to 2 of {said['parts_needed']} parts"
    assert [line for line in site.postsms.logs["postsmsd"].lines() if sent.queue_id in line and note in line]
    assert "cut" in site.postsms.admin("trace", sent.queue_id).stdout
    printed = site.postsms.admin("explain", "-s", SENDER, "-r", f'"sms:{number}?maxmsgs=2"@{DOMAIN}',
                                 mail=build(text)).stdout
    assert note in printed and f"parts: 2 of {said['parts_needed']} needed" in printed


def test_too_long_refused(site, settings):
    """Parts needed and allowed, wherever somebody looks."""
    settings(too_long="reject", maxmsgs=2)
    sender, number = site.sender(), site.number()
    mail, reason = build(LONG, sender=sender), "the text needs 3 SMS, at most 2 are allowed"
    said = site.postsms.explain(sender, f"{number}@{DOMAIN}", mail)
    assert (said["decision"], said["status"], said["reason"]) == ("reject", "5.6.0", reason)
    sent = site.send(sender, f"{number}@{DOMAIN}", mail)
    bounce, line = refused(site, sent, sender)
    assert bounce.status == "5.6.0" and reason in " ".join(bounce.text.split()) and reason in line
    assert reason in site.postsms.admin("trace", sent.queue_id).stdout
    assert not site.postsms.sent(number)


def test_maxmsgs_of_128(site):
    """What is above 128 is 128; all of them leave, in order, as one message."""
    number = site.number()
    recipient = f'"sms:{number}?maxmsgs=500"@{DOMAIN}'
    parts, said, _ = site.send_sms("word " * 4000, number=number, recipient=recipient)
    assert len(parts) == 128 and said["parts_needed"] == 131 and parts[-1]["text"].endswith("word...")


# Concatenation references

def reference(part):
    """(number, is it of 16 bits)"""
    udh = bytes.fromhex(part["udh"])
    return (udh[3] << 8 | udh[4], True) if udh[1] == 8 else (udh[3], False)


def ledger(site, statement, *values):
    with sqlite3.connect(os.path.join(site.postsms.state_dir, "spool.db"), timeout=20) as db:
        return db.execute(statement, values).fetchall()


def test_references_differ(site):
    """Two long messages to one number never look like one; the parts of each share theirs."""
    number, seen = site.number(), []
    for text in (LONG, LONG, CYRILLIC):
        before = len(site.postsms.sent(number))
        mail = build(text)
        said = site.postsms.explain(SENDER, f"{number}@{DOMAIN}", mail)
        sent = site.send(SENDER, f"{number}@{DOMAIN}", mail)
        assert sent.accepted
        site.postfix.wait_removed(sent.queue_id)
        parts = site.postsms.sent(number)[before:]
        site.assert_explained(said, parts, number, SENDER, f"{number}@{DOMAIN}")
        one, = {reference(part) for part in parts}
        seen.append(one)
    assert len(set(seen)) == 3 and not any(wide for _, wide in seen)


def test_octet_that_is_taken(site):
    """The message gets the next one that is free; the mail's own again when a day is over."""
    number, mail = site.number(), build(LONG)
    own = reference(site.postsms.explain(SENDER, f"{number}@{DOMAIN}", mail)["parts"][0])[0]
    now = int(time.time() * 1000)
    ledger(site, "INSERT INTO reference VALUES (?, ?, ?)", number, own, now)
    taken = site.postsms.explain(SENDER, f"{number}@{DOMAIN}", mail)
    assert reference(taken["parts"][0]) == ((own + 1) % 256, False)
    ledger(site, "UPDATE reference SET at = ? WHERE number = ?", now - 86400000 - 1000, number)
    parts, _, _ = site.send_sms(None, number=number, mail=mail)
    assert {reference(part) for part in parts} == {(own, False)}


def test_the_257th(site):
    """All octets were used today: 16 bits, which take room from each part."""
    number = site.number()
    now = int(time.time() * 1000)
    with sqlite3.connect(os.path.join(site.postsms.state_dir, "spool.db"), timeout=20) as db:
        db.executemany("INSERT INTO reference VALUES (?, ?, ?)", [(number, i, now) for i in range(256)])
    parts, said, _ = site.send_sms("x" * 305, number=number)
    assert len(parts) == 3, "152 characters fit into each"
    one, = {reference(part) for part in parts}
    assert one[1] and all(part["udh"].upper().startswith("060804") for part in parts)
    assert [pdu["concatenation"] for pdu in decode(site, *(part["pdu"] for part in said["parts"]))] == [one[0]] * 3
    again, _, _ = site.send_sms("y" * 305, number=site.number())
    assert not reference(again[0])[1], "another number still has its octets"


def test_retry_keeps_its_reference(site):
    """Parts of one message that leave at different attempts belong together, whatever was sent in between."""
    number, mail = site.number(), build(LONG)
    site.postsms.change(gateway={"fail_every": 2})
    site.postsms.reload()
    sent = site.send(SENDER, f"{number}@{DOMAIN}", mail)
    assert sent.accepted
    first = site.postsms.wait_sent(number)
    site.postsms.change(gateway={"fail_every": 0})
    site.postsms.reload()
    site.postfix.flush()
    site.postfix.wait_removed(sent.queue_id, 60)
    assert "deferred" in [one["status"] for one in site.postfix.deliveries(sent.queue_id)]
    parts = site.postsms.sent(number)
    assert sorted(part["part"] for part in parts) == [1, 2, 3]
    one, = {reference(part) for part in parts}
    assert one == reference(first[0])
    assert ledger(site, "SELECT count(*) FROM reference WHERE number = ?", number) == [(1,)]


# Mails made to cost

def peak(site):
    """Octets of memory that the readers have had at most, each."""
    found = {}
    for pid in site.postsms.program_pids("postsms-reader"):
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            found[pid] = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    return found


def mail_of(headers, body):
    return (f"From: {SENDER}\nTo: x@example.test\nMessage-ID: <{os.urandom(8).hex()}@client.example.test>\n"
            f"Date: Mon, 23 Nov 2026 10:00:00 +0100\nMIME-Version: 1.0\n{headers}\n\n").encode() + body


MIXED = "Content-Type: multipart/mixed; boundary=b"


@pytest.mark.skipif("address" in os.environ.get("POSTSMS_BUILD", ""), reason="a sanitizer has its own memory")
def test_attachment_of_20_mb(site):
    """Its text is sent; the attachment lies in the reader's memory once and is never decoded."""
    site.send_sms("warm")
    before = peak(site)
    attached = base64.encodebytes(os.urandom(54) * 20000) * 15
    mail = mail_of(MIXED, b"--b\nContent-Type: text/plain\n\nSee attached.\n--b\nContent-Type: application/pdf\n"
                   b"Content-Disposition: attachment; filename=a.pdf\nContent-Transfer-Encoding: base64\n\n"
                   + attached + b"--b--\n")
    assert len(mail) > 20_000_000
    parts, _, _ = site.send_sms(None, mail=mail)
    assert [part["text"] for part in parts] == ["See attached."]
    after = peak(site)
    assert set(after) == set(before), "no reader died of it"
    grown = max(after[pid] - before[pid] for pid in after)
    assert 0 < grown < len(mail) * 1.1 + 4 * 1024 * 1024, (before, after)


COSTLY = {
    "parts": lambda: (mail_of(MIXED, b"--b\n\nx\n" * 10000), "too many parts (limit 500)"),
    "header fields": lambda: (mail_of("\n".join(f"X-{i}: x" for i in range(100000)), b"x"),
                              "too many header lines (limit 1000)"),
    "nested": lambda: (mail_of("Content-Type: message/rfc822", b"Content-Type: message/rfc822\n\n" * 5000),
                       "parts are nested too deep (limit 32)"),
}


@pytest.mark.parametrize("case", COSTLY)
def test_costly_structure(site, case):
    """Refused for what it is, to the sender, in the log and by explain; no reader dies."""
    mail, reason = COSTLY[case]()
    sender, number, readers = site.sender(), site.number(), site.postsms.program_pids("postsms-reader")
    said = site.postsms.explain(sender, f"{number}@{DOMAIN}", mail)
    sent = site.send(sender, f"{number}@{DOMAIN}", mail)
    assert sent.accepted
    assert (said["decision"], said["status"]) == ("reject", "5.6.0")
    bounce, line = refused(site, sent, sender)
    assert bounce.status == "5.6.0" and reason in " ".join(bounce.text.split()) and reason in line
    assert reason in said["reason"] and site.postsms.program_pids("postsms-reader") == readers


def test_a_megabyte_of_marks(site):
    """One letter with half a million accents: cut, and said to be."""
    mail = mail_of("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit",
                   ("a" + "\u0301" * 400 + "\n").encode() * 1300)
    parts, said, _ = site.send_sms(None, mail=mail)
    assert len(parts) == 5 and said["truncated"] and said["parts_needed"] > 5000
    assert parts[-1]["text"].endswith("…")


# postsms encode and decode

def vectors():
    with open(os.path.join(ROOT, "tests", "data", "sms", "decode.tsv"), encoding="utf-8") as file:
        return [line.rstrip("\n").split("\t") for line in file if line.strip() and line[0] != "#"]


def unescape(text):
    """C escapes, as in the table."""
    for escape, character in (("\\n", "\n"), ("\\r", "\r"), ("\\f", "\f"), ('\\"', '"'), ("\\\\", "\\")):
        text = text.replace(escape, character)
    return text


def described(pdu):
    """The fields that the table's second column begins with."""
    return (f"{pdu['type']} {pdu['address']}{' name' if pdu['alphanumeric'] else ''} mr={pdu['reference']} "
            f"pid={pdu['pid']:02X} dcs={pdu['dcs']:02X} {pdu['encoding']} {pdu['units']}")


def test_decode_vectors(site):
    """Every TPDU of the table, as JSON and as text; what is none is refused with its reason."""
    good = 0
    for pdu, want, text in vectors():
        if not pdu:
            continue  # see test_decode_faults
        if want.split()[0] not in ("submit", "deliver", "status-report"):
            done = site.postsms.admin("decode", pdu, check=False)
            assert (done.returncode, done.stdout) == (1, "") and want in done.stderr, pdu
            continue
        read = site.postsms.json("decode", pdu)
        assert want.startswith(described(read)), (want, read)
        assert (read["text"] if read["text"] is not None else read["data"].upper()) == unescape(text), pdu
        printed = site.postsms.admin("decode", " ".join(pdu[i:i + 2] for i in range(0, len(pdu), 2)).lower()).stdout
        assert f"type: {read['type']}\n" in printed and read["address"] in printed
        good += 1
    assert good > 20


@pytest.mark.parametrize("args", [[], ["zz"], ["0"], [""], ["00", "00"], ["-x", "00"]])
def test_decode_faults(site, args):
    done = site.postsms.admin("decode", *args, check=False)
    assert done.returncode != 0 and done.stdout == "" and done.stderr


def test_encode(site):
    """The argument, or standard input; the parts read back."""
    said = site.postsms.json("encode", "Hello", mail=None)
    assert (said["encoding"], said["parts_needed"], said["text"]) == ("gsm7", 1, "Hello")
    assert said["parts"][0]["pdu"].upper().startswith("0100") and said["truncated"] is False
    text = "Grüße “из” Zürich " * 20
    said = site.postsms.json("encode", "-n", "+41791234567", "-w", mail=text.encode())
    read = decode(site, *(part["pdu"] for part in said["parts"]))
    assert "".join(pdu["text"] for pdu in read) == said["text"] == text
    assert {pdu["address"] for pdu in read} == {"+41791234567"} and said["forced_by"] == "и"
    assert all(part["udh"].upper().startswith("060804") for part in said["parts"])
    printed = site.postsms.admin("encode", "-l", "1,3", "Işık").stdout
    assert "gsm7, Turkish" in printed and "parts: 1 of 1 needed" in printed and "Işık" in printed
    cut = site.postsms.json("encode", "-m", "1", "-a", " (Ops)", "x" * 200)
    assert cut["truncated"] and cut["text"].endswith("x... (Ops)") and cut["parts_needed"] == 2
    assert site.postsms.json("encode", "-t", "full", "Čeština")["text"] == "Cestina"


@pytest.mark.parametrize("args", [["-l", "14", "x"], ["-l", "1,", "x"], ["-t", "some", "x"], ["-m", "0", "x"],
                                  ["-m", "129", "x"], ["x", "y"], ["-q", "x"], ["-n", "41791234567x", "x"],
                                  ["-n", "+123456789012345678901", "x"], [""]])
def test_encode_faults(site, args):
    done = site.postsms.admin("encode", *args, check=False)
    assert done.returncode != 0 and done.stdout == "" and done.stderr


NO_TEXTS = {"not UTF-8": (b"\xff", "not UTF-8"), "too long": (b"x" * (1024 * 1024 + 1), "longer than 1048576"),
            "empty": (b"", "no text to send"), "NUL": (b"a\0b", "not UTF-8")}


@pytest.mark.parametrize("case", NO_TEXTS)
def test_encode_of_no_text(site, case):
    octets, reason = NO_TEXTS[case]
    done = site.postsms.admin("encode", mail=octets, check=False)
    assert (done.returncode, done.stdout) == (1, "") and reason in done.stderr
