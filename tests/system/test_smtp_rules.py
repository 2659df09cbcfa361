# SPDX-License-Identifier: ISC
"""The SMTP rules file with a real Postfix around it: what client, queue, recipients, ledger and log show."""
import email
import email.policy
import os
import re
import sqlite3
import subprocess

import pytest
from harness import build, wait_until
from harness.site import DOMAIN
from rules_site import (ALIASED, DOUBLE, SITE, TARGET, UNREADABLE, box, mailed, milter_said, plain, rows, rules,
                        untouched)


# SPAM-FILTER-RULES

@pytest.mark.parametrize("mixed", [False, True])
def test_delete(site, rules, mailed, mixed):
    """Action 1: 250, then nothing of it is ever seen by anybody but the ledger and the log."""
    rules("[SPAM-FILTER-RULES]\n! documented\n7;buy viagra ;1;\n")
    mail = mailed(build("please buy viagra now"), mixed)
    assert mail.sent.accepted
    assert rows(site, mail.queue_id) == [("delete", "", "smtp.rules:3", f"{mail.number}@{DOMAIN}")]
    if mixed:
        mail.assert_box_untouched()
        site.postfix.wait_removed(mail.queue_id)
    assert not site.postfix.queued(mail.queue_id)
    assert not site.postsms.sent(mail.number)
    assert not site.postfix.caught(mail.sender)
    line, = milter_said(site, mail.queue_id, "discarded")
    assert re.search(rf"to=<\{mail.number[:5]}\*\*\*{mail.number[-4:]}@{DOMAIN}>, sender=<{mail.sender}>, client=\S+, "
                     r"rule=\S+/smtp\.rules:3 \[SPAM-FILTER-RULES\], generation=\d+, status=discarded$", line)
    assert "viagra" not in site.postsms.logs["postsms-milter"].text()


def test_hold(site, rules, mailed):
    """Action 2: in the hold queue; once released it goes its way, with the replacements it would have had."""
    rules(DOUBLE + "[SPAM-FILTER-RULES]\n2;Subject: Read: WG: Hotelreservation;2;\n")
    mail = mailed(build("once", "Read: WG: Hotelreservation"))
    assert mail.sent.accepted
    assert site.postfix.queued(mail.queue_id)["queue_name"] == "hold"
    assert rows(site, mail.queue_id) == [("hold", "", "smtp.rules:5", f"{mail.number}@{DOMAIN}")]
    assert milter_said(site, mail.queue_id, "held")
    waiting, = [row for row in site.postsms.json("queue") if row["queue_id"] == mail.queue_id]
    assert (waiting["number"], waiting["state"]) == (mail.number, "waiting")
    assert "on hold" in waiting["reason"] and "postsuper -H" in waiting["reason"]
    assert not site.postsms.sent(mail.number)
    site.postfix.postfix_tool("postsuper", "-H", mail.queue_id)
    site.postfix.flush()
    assert mail.parts() == ["Read: WG: Hotelreservation|onceonce"]


def test_released_mail_keeps_its_class(site, rules, mailed):
    rules("[SPAM-FILTER-RULES]\n1;marker;4;\n1;marker;2;\n")
    mail = mailed(build("x", "marker"))
    assert rows(site, mail.queue_id) == [("hold", "list", "smtp.rules:3", f"{mail.number}@{DOMAIN}")]


@pytest.mark.parametrize("mixed", [False, True])
def test_redirect(site, rules, mailed, mixed):
    """One copy for spam_target, as it was sent."""
    rules("[SPAM-FILTER-RULES]\n0;790001122@sms.;2;\n0;@sms.;2;\n", spam_action="redirect", spam_target=TARGET)
    seen = len(site.postfix.caught(TARGET))
    mail = mailed(build("unwanted"), mixed)
    assert mail.parts() == []
    caught = site.postfix.wait_caught(TARGET, seen + 1)
    assert len(caught) == seen + 1
    copy, = [one for one in caught if one.queue_id == mail.queue_id]
    if mixed:
        mail.assert_box_untouched()
        assert untouched(copy.raw) == untouched(site.postfix.caught(mail.box)[0].raw)
    assert "X-" not in copy.raw.decode()
    assert rows(site, mail.queue_id) == [("redirect", "", "smtp.rules:3", f"{mail.number}@{DOMAIN}")]
    assert f"(to <{TARGET}>)" in milter_said(site, mail.queue_id, "redirected")[0]


def test_redirect_of_several_recipients_is_one_copy(site, rules):
    rules("[SPAM-FILTER-RULES]\n1;Subject: unwanted;2;\n", spam_action="redirect", spam_target=TARGET)
    seen = len(site.postfix.caught(TARGET))
    numbers = [site.number() for _ in range(3)]
    sent = site.send(site.sender(), [f"{number}@{DOMAIN}" for number in numbers] + [TARGET], build("x", "unwanted"))
    site.postfix.wait_removed(sent.queue_id)
    assert len(site.postfix.caught(TARGET)) == seen + 1
    assert not any(site.postsms.sent(number) for number in numbers)


def test_hold_in_mixed_mail(site, rules, mailed):
    """Nobody else waits because of a spam rule: the SMS half goes to spam_target, or nowhere."""
    rules("[SPAM-FILTER-RULES]\n1;unwanted;2;\n", spam_target=TARGET)
    mail = mailed(build("x", "unwanted"), True)
    mail.assert_box_untouched()
    assert mail.parts() == []
    assert [one for one in site.postfix.caught(TARGET) if one.queue_id == mail.queue_id]
    rules("[SPAM-FILTER-RULES]\n1;unwanted;2;\n")
    mail = mailed(build("x", "unwanted"), True)
    mail.assert_box_untouched()
    assert mail.parts() == []
    assert not site.postfix.queued(mail.queue_id)
    assert len(rows(site, mail.queue_id)) == 1
    assert milter_said(site, mail.queue_id, "discarded")[0].endswith("status=discarded (no spam_target)")


@pytest.mark.parametrize("action, name", [(3, "copy-to"), (4, "list")])
@pytest.mark.parametrize("mixed", [False, True])
def test_class(site, rules, mailed, action, name, mixed):
    """Actions 3 and 4: it is delivered, and header or ledger say what it is."""
    rules(f"[SPAM-FILTER-RULES]\n1;newsletter;{action};\n")
    mail = mailed(build("x", "newsletter"), mixed)
    assert mail.parts() == ["newsletter|x"]
    assert rows(site, mail.queue_id) == [("declare", name, "smtp.rules:2", f"{mail.number}@{DOMAIN}")]
    assert f"({name})" in milter_said(site, mail.queue_id, "declared")[0]
    if mixed:
        mail.assert_box_untouched()
    ledger = sqlite3.connect(f"file:{site.postsms.state_dir}/spool.db?mode=ro", uri=True)
    assert ledger.execute("SELECT declared FROM delivery WHERE queue_id = ?", (mail.queue_id,)).fetchall() == [(name,)]
    ledger.close()


@pytest.mark.parametrize("action", [3, 4])
def test_class_and_reports(site, rules, action):
    """What the client wants to be told: of copies no success, of lists nothing. The recipient stays what it was."""
    rules(f"[SPAM-FILTER-RULES]\n1;newsletter;{action};\n")
    sender, bad, number = site.sender(), "12@" + DOMAIN, site.number()
    mail = build("x", "newsletter", sender)
    sent = site.send(sender, [f"{number}@{DOMAIN}"], mail, rcpt_options="NOTIFY=SUCCESS,FAILURE")
    site.postfix.wait_removed(sent.queue_id)
    assert [part["text"] for part in site.postsms.sent(number)] == ["newsletter|x"]
    delivery, = site.postfix.deliveries(sent.queue_id)
    assert (delivery["to"], delivery["orig_to"]) == (f"{number}@{DOMAIN}", None)
    failed = site.send(sender, [bad], mail, rcpt_options="NOTIFY=SUCCESS,FAILURE")
    site.postfix.wait_removed(failed.queue_id)
    if action == 3:
        site.postfix.wait_caught(sender)
    # Postfix hands a report to its queue before it says "removed": if there were one, it would be logged by now
    assert not any("delivery status notification" in line for line in site.postfix.log(sent.queue_id))
    assert len([line for line in site.postfix.log(failed.queue_id) if "notification" in line]) == (action == 3)


@pytest.mark.parametrize("knob, queue", [("spam", "hold"), ("drop", None)])
def test_list_action(site, rules, mailed, knob, queue):
    rules("[SPAM-FILTER-RULES]\n1;newsletter;4;\n", list_action=knob)
    mail = mailed(build("x", "newsletter"))
    assert mail.sent.accepted
    queued = site.postfix.queued(mail.queue_id)
    assert (queued and queued["queue_name"]) == queue
    assert not site.postsms.sent(mail.number)


def test_alias_in_sms_domain(site, rules):
    """A recipient that is added anew for its parameters goes through the aliases as it did before."""
    rules("[SPAM-FILTER-RULES]\n1;newsletter;4;\n")
    site.postfix.virtual[f"team@{DOMAIN}"] = f"{ALIASED}@{DOMAIN}"
    site.postfix.reload()
    sent = site.send(site.sender(), [f"team@{DOMAIN}"], build("x", "newsletter"))
    site.postfix.wait_removed(sent.queue_id)
    delivery, = site.postfix.deliveries(sent.queue_id)
    assert (delivery["to"], delivery["orig_to"], delivery["status"]) == (f"{ALIASED}@{DOMAIN}", f"team@{DOMAIN}", "sent")


# REPLACE-TEXT

def test_documented_example(rules, mailed):
    rules("[REPLACE-TEXT]\n0; Gateway ; GATEWAY ;\n")
    assert mailed(build("x", "The Gateway is a Gateway")).parts() == ["The GATEWAY is a Gateway|x"]


@pytest.mark.parametrize("mixed", [False, True])
def test_replaced_once(site, rules, mailed, mixed):
    """In the mail itself, or in a mixed mail at conversion."""
    rules(DOUBLE)
    mail = mailed(build("just once, once more", "once"), mixed)
    assert mail.parts() == ["onceonce|just onceonce, onceonce more"]
    assert len(milter_said(site, mail.queue_id, "replaced")) == (0 if mixed else 1)
    if mixed:
        mail.assert_box_untouched()


@pytest.mark.parametrize("lines, subject", [("0;cut;  ;", "cut"), ("0;cut;a\x07\x1b[1m\tb;", "cut cut"),
                                            ("1;cut; ^n ;", "s"), ("1;cut;x\u202e\x85;", "s"), ("0;s;;\n1;cut; ^n;", "s")])
def test_replaced_alike_on_every_way(site, rules, mailed, lines, subject):
    """Whoever replaces, milter, transport or explain: the text is the same, or there is none."""
    rules(f"[REPLACE-TEXT]\n{lines}\n")
    mail = build("cut", subject)
    said = site.postsms.explain(site.sender(), f"{site.number()}@{DOMAIN}", mail)
    parts = mailed(mail).parts()
    assert parts == mailed(build("cut", subject), True).parts()
    assert parts == [part["text"] for part in said["parts"]]


@pytest.fixture
def deferred(site):
    """Mail for SMS stays in the queue; deferred(False) lets it go."""
    def set_to(value):
        site.postfix.settings["defer_transports"] = "postsms" if value else ""
        site.postfix.reload()
    set_to(True)
    yield set_to
    set_to(False)


@pytest.mark.parametrize("mixed", [False, True])
def test_replaced_once_after_requeue(site, rules, mailed, deferred, mixed):
    """postsuper -r lets a mail go through cleanup(8) once more, under another queue id."""
    rules(DOUBLE)
    mail = mailed(build("once", "once"), mixed)
    site.postfix.wait_delivery(mail.queue_id, "deferred")
    site.postfix.postfix_tool("postsuper", "-r", mail.queue_id)
    site.postfix.postfix_tool("postkick", "public", "pickup", "W")
    wait_until(lambda: any(f"<{mail.sender}> orig_id={mail.queue_id}" in line for line in site.postfix.log()), 30,
               lambda: f"requeued: {site.postfix.log()[-8:]}")
    deferred(False)
    site.postfix.flush()
    assert [part["text"] for part in site.postsms.wait_sent(mail.number)] == ["onceonce|onceonce"]


def encoded(name):
    """Mails whose text has "once" in it, in whatever form."""
    head = b"From: a@allowed.example\nTo: b@sms.example.test\nSubject: =?utf-8?Q?=C3=BC_=6Fnce?=\nMIME-Version: 1.0\n"

    def part(kind, body, encoding=b"7bit"):
        return b"Content-Type: " + kind + b"\nContent-Transfer-Encoding: " + encoding + b"\n\n" + body + b"\n"

    def multi(kind, *parts, boundary=b"=_edge"):
        return (b"Content-Type: multipart/" + kind + b'; boundary="' + boundary + b'"\n\npreamble\n' +
                b"".join(b"--" + boundary + b"\n" + one for one in parts) + b"--" + boundary + b"--\n")
    text, html = b"text/plain; charset=utf-8", b"text/html; charset=utf-8"
    alternative = multi(b"alternative", part(text, "grün once".encode(), b"8bit"),
                        part(html, b"<p>gr&uuml;n once</p>"))
    return head + {
        "base64": part(text, b"Z3LDvG4gb25jZQ==", b"base64"),
        "quoted-printable": part(text, b"gr=C3=BCn =6Fnc=\ne", b"quoted-printable"),
        "8bit": part(text, "grün once".encode(), b"8bit"),
        "latin1": part(b"text/plain; charset=iso-8859-1", b"gr\xfcn once", b"8bit"),
        "wrong label": part(b"text/plain; charset=us-ascii", "grün once".encode(), b"8bit"),
        "flowed": part(b"text/plain; charset=utf-8; format=flowed", "> a \n> b\n\ngrün once".encode(), b"8bit"),
        "alternative": alternative,
        "nested": multi(b"mixed", alternative, part(b"application/pdf", b"JVBERi0=", b"base64"), boundary=b"=_outer"),
    }[name]


FORMS = ["base64", "quoted-printable", "8bit", "latin1", "wrong label", "flowed", "alternative", "nested"]


@pytest.mark.parametrize("form", FORMS)
def test_replaced_in_every_form(rules, mailed, form):
    rules(DOUBLE)
    part, = mailed(encoded(form), mail_options="BODY=8BITMIME").parts()
    assert part.startswith("ü onceonce|") and part.endswith("grün onceonce") and part.count("once") == 4


@pytest.mark.parametrize("form", FORMS)
def test_found_in_every_form(site, rules, mailed, form):
    """Fields 3-6 see what a person would read, after replacement."""
    rules(DOUBLE + "[SPAM-FILTER-RULES]\n4;GRÜN ONCEONCE;2;\n3;GRÜN ONCEONCE;1;\n")
    mail = mailed(encoded(form), mail_options="BODY=8BITMIME")
    assert mail.sent.accepted
    assert [row[0] for row in rows(site, mail.queue_id)] == ["delete"]


def test_rewritten_mail_is_correct(site, rules, deferred):
    """What is in the queue is a mail again: parsed by somebody else, only the text is another."""
    rules(DOUBLE)
    sender = site.sender()
    sent = site.send(sender, f"{site.number()}@{DOMAIN}", encoded("nested"), mail_options="BODY=8BITMIME")
    site.postfix.wait_delivery(sent.queue_id, "deferred")
    raw = subprocess.run(["postcat", "-c", site.postfix.etc, "-hbq", sent.queue_id], check=True,
                         stdout=subprocess.PIPE).stdout
    site.postfix.postfix_tool("postsuper", "-d", sent.queue_id)
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert message["Subject"] == "ü onceonce"
    assert message["X-Postsms-Replaced"].startswith("generation ")
    alternative, document = message.iter_parts()
    assert document.get_content() == b"%PDF-"
    assert alternative.get_content_type() == "multipart/alternative"
    assert "grün onceonce" in message.get_body(("plain",)).get_content()


def test_signed_mail_is_not_altered(site, rules, mailed):
    """Its SMS has the replaced text all the same."""
    rules(DOUBLE)
    mail = (b"From: a@allowed.example\nSubject: s\nMIME-Version: 1.0\nContent-Type: multipart/signed; "
            b'protocol="application/pgp-signature"; boundary="=_s"\n\n--=_s\nContent-Type: text/plain\n\nonce\n'
            b"--=_s\nContent-Type: application/pgp-signature\n\nxxxx\n--=_s--\n")
    mail = mailed(mail)
    assert mail.parts() == ["s|onceonce"]
    assert "signed or encrypted" in milter_said(site, mail.queue_id, "unaltered")[0]


@pytest.mark.parametrize("forged", ["X-Postsms-Replaced: generation 1", "x-postsms-REPLACED : generation 1",
                                    "X-Postsms-Replaced: a\nX-Postsms-Replaced: b", "X-SMS-Class: list",
                                    "X-SMS-Class: list\nX-SMS-Class: copy-to"])
@pytest.mark.parametrize("mixed", [False, True])
def test_forged_headers(site, rules, mailed, forged, mixed):
    """Only we say what has been replaced and declared."""
    rules(DOUBLE)
    mail = mailed(forged.encode() + b"\n" + build("once", "once"), mixed)
    assert mail.parts() == ["onceonce|onceonce"]
    if mixed:
        caught, = site.postfix.wait_caught(mail.box)
        assert not re.search(rb"(?im)^x-(sms-class|postsms-replaced)", caught.raw)
    ledger = sqlite3.connect(f"file:{site.postsms.state_dir}/spool.db?mode=ro", uri=True)
    assert ledger.execute("SELECT declared FROM delivery WHERE queue_id = ?", (mail.queue_id,)).fetchall() == [("",)]
    ledger.close()


FORMS = {"route": "@relay.example,@b.example:{number}@{domain}", "bang": "{domain}!{number}",
         "percent": "{number}%{domain}", "blank": "{number}@{domain} ", "dot": "{number}@{domain}.",
         "quotes": '"{number}"@{domain}'}


@pytest.mark.parametrize("form", FORMS)
def test_however_the_recipient_is_written(site, rules, form):
    """What Postfix makes an SMS recipient is one for the rules, and does not outlive its removal."""
    def send(text, *others):
        number = site.number()
        sent = site.send(site.sender(), [FORMS[form].format(number=number, domain=DOMAIN), *others],
                         build(text, "once"))
        site.postfix.wait_removed(sent.queue_id)
        return [part["text"] for part in site.postsms.sent(number)], rows(site, sent.queue_id)
    rules(DOUBLE + "[SPAM-FILTER-RULES]\n7;unwanted;2;\n", spam_action="redirect", spam_target=TARGET)
    for others in [], [box()]:
        parts, (row,) = send("unwanted", *others)
        assert (parts, row[0]) == ([], "redirect")
        assert send("once", *others) == (["onceonce|onceonce"], [])
    rules(f"[FILTER-ADDRESSES]\n@{DOMAIN};\n")
    parts, (row,) = send("x", box())
    assert (parts, row[0]) == ([], "remove")


# FILTER-ADDRESSES

def test_filtered_recipients(site, rules, mailed):
    """The others are still served."""
    filtered, served = site.number(), site.number()
    rules(f"[FILTER-ADDRESSES]\n{filtered[3:]};\n")
    forms = [f"{filtered}@{DOMAIN}", f"0{filtered[3:]}@{DOMAIN}", f"00{filtered[1:]}@sub.{DOMAIN}"]
    sent = site.send(site.sender(), [*forms, f"{served}@{DOMAIN}"], build("hi", "s"))
    assert sent.accepted and all(reply.code == 250 for reply in sent.rcpts)
    site.postfix.wait_removed(sent.queue_id)
    assert [part["text"] for part in site.postsms.sent(served)] == ["s|hi"]
    assert not site.postsms.sent(filtered)
    assert {delivery["to"] for delivery in site.postfix.deliveries(sent.queue_id)} == {f"{served}@{DOMAIN}"}
    assert rows(site, sent.queue_id) == [("remove", "", "smtp.rules:2", "\n".join(forms))]
    # in written form the text does not occur, in the number it does
    line, = milter_said(site, sent.queue_id, "removed")
    assert line.count("to=<") == 3


def test_nobody_left(site, rules):
    """Accepted, then nothing."""
    number, sender = site.number(), site.sender()
    rules(f"[FILTER-ADDRESSES]\n{number[3:]};\n")
    sent = site.send(sender, f"{number}@{DOMAIN}", build("hi"))
    assert sent.accepted and not site.postfix.queued(sent.queue_id)
    assert "(no recipient is left)" in milter_said(site, sent.queue_id, "removed")[0]
    assert not site.postfix.caught(sender) and not site.postsms.sent(number)


def test_filtered_in_mixed_mail(site, rules, mailed):
    rules(f"[FILTER-ADDRESSES]\n@{DOMAIN};\n")
    mail = mailed(build("hi"), True)
    mail.assert_box_untouched()
    assert mail.parts() == []


def test_filter_rejects(site, rules):
    """filter_addresses = "reject": that recipient is refused, and still counts for field 0."""
    number, other, sender = site.number(), site.number(), site.sender()
    rules(f"[FILTER-ADDRESSES]\n{number[3:]};\n[SPAM-FILTER-RULES]\n0;{number[3:]};1;\n", filter_addresses="reject")
    sent = site.send(sender, [f"{number}@{DOMAIN}", f"{other}@{DOMAIN}"], build("hi"))
    assert [(reply.code, reply.status) for reply in sent.rcpts] == [(550, "5.1.1"), (250, "2.1.5")]
    assert number[3:] not in sent.rcpts[0].text and "rules" not in sent.rcpts[0].text
    assert rows(site, sent.queue_id) == [("delete", "", "smtp.rules:4", f"{other}@{DOMAIN}")]
    assert not site.postsms.sent(other)


# Senders

@pytest.mark.parametrize("sender, options", [("ODD.Case@Allowed.EXAMPLE", ""), ("grün@allowed.example", "SMTPUTF8"),
                                             ("user+tag=x@allowed.example", "")])
def test_senders(rules, mailed, sender, options):
    rules(DOUBLE)
    assert mailed(build("once", "once"), sender=sender, mail_options=options).parts() == ["onceonce|onceonce"]


def test_null_sender(site, rules):
    """A report to a number: the rules are asked, nothing comes back to nobody."""
    rules("[SPAM-FILTER-RULES]\n1;report;1;\n")
    number = site.number()
    sent = site.send("", f"{number}@{DOMAIN}", build("x", "report"))
    assert sent.accepted
    assert [row[0] for row in rows(site, sent.queue_id)] == ["delete"]


# Mail that cannot be read

def test_nested_too_deep(site, rules, mailed):
    """What the transport would bounce is refused while its sender is there; in a mixed mail it is bounced."""
    rules(DOUBLE)
    mail = UNREADABLE
    alone = mailed(mail)
    assert (alone.sent.data.code, alone.sent.data.status) == (554, "5.6.0"), alone.sent
    mixed = mailed(mail, True)
    mixed.assert_box_untouched()
    bounce, = site.postfix.wait_caught(mixed.sender)
    assert bounce.status == "5.6.0" and mixed.parts() == []


@pytest.mark.parametrize("mail", [
    b"Subject: once\n\nonce\n",
    b"Subject: once\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nonce\n",
    b"Subject: once\nContent-Type: text/plain; charset=\"no such\"\n\nonce\n",
    b"Subject: once\nContent-Transfer-Encoding: nonsense\n\nonce\n",
], ids=["no MIME", "no end", "no charset", "no encoding"])
def test_broken_mime(rules, mailed, mail):
    """Whatever text the mail has, it is replaced once, here or there."""
    rules(DOUBLE)
    parts = mailed(mail).parts()
    assert parts == ["onceonce|onceonce"]


def memory(site):
    with open(f"/proc/{site.postsms.pid('postsms-milter')}/status", encoding="ascii") as status:
        return int(re.search(r"^VmRSS:\s+(\d+) kB", status.read(), re.M).group(1))


def peak(site):
    with open(f"/proc/{site.postsms.pid('postsms-milter')}/status", encoding="ascii") as status:
        return int(re.search(r"^VmHWM:\s+(\d+) kB", status.read(), re.M).group(1))


@pytest.mark.skipif("plain" not in os.environ.get("POSTSMS_BUILD", "plain"), reason="sanitizers keep memory")
def test_large_attachment(site, rules, plain):
    """Kept once while it is looked at, and then no more."""
    rules(DOUBLE)
    size = 10 * 1024 * 1024
    site.postfix.settings["message_size_limit"] = "40000000"
    site.postfix.reload()
    line = b"A" * 76 + b"\n"
    mail = (b"From: a@allowed.example\nSubject: once\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n"
            b"--x\nContent-Type: text/plain\n\nonce\n--x\nContent-Type: application/octet-stream\n"
            b"Content-Transfer-Encoding: base64\n\n" + line * (size // len(line)) + b"--x--\n")
    site.send(site.sender(), f"{site.number()}@{DOMAIN}", build("once"))
    before = memory(site)
    for _ in range(3):
        number = site.number()
        sent = site.send(site.sender(), f"{number}@{DOMAIN}", mail)
        assert sent.accepted, sent
        site.postfix.wait_removed(sent.queue_id, 60)
        assert [part["text"] for part in site.postsms.sent(number)] == ["onceonce|onceonce"]
    assert peak(site) - before < 1.3 * size / 1024
    assert memory(site) - before < 2048
