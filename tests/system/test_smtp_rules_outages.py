# SPDX-License-Identifier: ISC
"""The SMTP rules file when things are not as usual: sendmail(1), somebody away, aliases, a reload under way."""
import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness import build, wait_until
from harness.site import DOMAIN
from rules_site import (ALIASED, DOUBLE, SITE, UNREADABLE, box, mailed, milter_said, plain, rows, rules, untouched)


# sendmail(1)

def local(site, mail, *recipients, sender=None):
    """Through the maildrop; the queue id it got."""
    sender = sender or site.sender()
    seen = len(site.postfix.maillog.lines())
    site.postfix.sendmail(mail, "-f", sender, *recipients)

    def picked_up():
        return next((found.group(1) for line in site.postfix.maillog.lines()[seen:]
                     if (found := re.search(rf"pickup\[\d+\]: (\w+): uid=\d+ from=<{re.escape(sender)}>", line))), None)
    queue_id = wait_until(picked_up, 30, lambda: site.postfix.maillog.text())
    wait_until(lambda: not os.listdir(os.path.join(site.postfix.queue, "maildrop")), 30, "the maildrop is empty")
    return queue_id


def test_local_mail(site, rules):
    """The same rules as over SMTP."""
    deleted, held, replaced, filtered = (site.number() for _ in range(4))
    rules(DOUBLE + f"[SPAM-FILTER-RULES]\n0;{deleted};1;\n0;{held};2;\n[FILTER-ADDRESSES]\n{filtered};\n")
    queue_id = local(site, build("once"), f"{deleted}@{DOMAIN}")
    assert [row[0] for row in wait_until(lambda: rows(site, queue_id))] == ["delete"]
    queue_id = local(site, build("once"), f"{held}@{DOMAIN}")
    wait_until(lambda: (site.postfix.queued(queue_id) or {}).get("queue_name") == "hold")
    site.postfix.postfix_tool("postsuper", "-d", queue_id)
    queue_id = local(site, build("once", "once"), f"{replaced}@{DOMAIN}", f"{filtered}@{DOMAIN}")
    site.postfix.wait_removed(queue_id)
    assert [part["text"] for part in site.postsms.sent(replaced)] == ["onceonce|onceonce"]
    assert len(milter_said(site, queue_id, "replaced")) == 1
    assert not any(site.postsms.sent(number) for number in (deleted, held, filtered))


@pytest.mark.parametrize("knob", ["remove", "reject"])
def test_local_mail_to_filtered_number(site, rules, knob):
    """Nothing is refused in the maildrop: reject comes back as a bounce."""
    number, sender = site.number(), site.sender()
    rules(f"[FILTER-ADDRESSES]\n{number};\n", filter_addresses=knob)
    local(site, build("x"), f"{number}@{DOMAIN}", sender=sender)
    if knob == "reject":
        bounce, = site.postfix.wait_caught(sender)
        assert bounce.status == "5.1.1"
    else:
        wait_until(lambda: any(f"sender=<{sender}>" in line and "status=removed" in line
                               for line in site.postsms.logs["postsms-milter"].lines()))
    assert not site.postsms.sent(number)


def test_local_mail_that_cannot_be_read(site, rules):
    rules(DOUBLE)
    sender = site.sender()
    local(site, UNREADABLE, f"{site.number()}@{DOMAIN}", sender=sender)
    bounce, = site.postfix.wait_caught(sender)
    assert bounce.status == "5.6.0"


def test_local_mail_in_an_outage(site, rules):
    """The maildrop never waits; the transport replaces what nobody could be asked about: this mail is not plain."""
    rules(DOUBLE)
    number = site.number()
    site.postsms.kill_daemon()
    try:
        queue_id = local(site, build("once ü", "once"), f"{number}@{DOMAIN}")
        site.postfix.wait_delivery(queue_id, "deferred")
    finally:
        site.postsms.start_daemon()
    site.postfix.flush()
    site.postfix.wait_removed(queue_id)
    assert [part["text"] for part in site.postsms.sent(number)] == ["onceonce|onceonce ü"]
    assert any(f": {queue_id}: goes on without SPAM rules" in line
               for line in site.postsms.logs["postsms-milter"].lines())


# Outages

def test_postsmsd_away(site, rules, mailed):
    """451 for the SMS recipient only, and only if a rule needs a reader."""
    rules(DOUBLE)
    site.postsms.kill_daemon()
    try:
        mail = mailed(build("once"), True)
        assert [(reply.code, reply.status) for reply in mail.sent.rcpts] == [(451, "4.3.0"), (250, "2.1.5")]
        assert not re.search(r"sock|postsmsd|reader|/", mail.sent.rcpts[0].text)
        mail.assert_box_untouched()
        site.postsms.change(rules="[SPAM-FILTER-RULES]\n7;once;2;\n2;Subject: once;1;\n[FILTER-ADDRESSES]\n1122;\n")
        site.postsms.reload("postsms-milter")
        number = site.number()
        sent = site.send(site.sender(), f"{number}@{DOMAIN}", build("nothing"))
        assert sent.accepted  # such rules need nobody
        # to be held it would have to be noted: nobody could say why it is there
        held = mailed(build("once"))
        assert (held.sent.data.code, held.sent.data.status) == (451, "4.3.0")
        deleted = mailed(build("x", "once"))
        assert deleted.sent.accepted and not site.postfix.queued(deleted.queue_id)
    finally:
        site.postsms.start_daemon()
    site.postfix.flush()
    site.postfix.wait_removed(sent.queue_id)
    assert site.postsms.sent(number)


def test_postsmsd_restarted_between_recipient_and_text(site, rules):
    """A connection that is gone is made again."""
    rules(DOUBLE)
    number = site.number()
    with site.smtp() as session:
        assert session.command(f"MAIL FROM:<{site.sender()}>").ok
        assert session.command(f"RCPT TO:<{number}@{DOMAIN}>").ok
        site.postsms.stop_daemon()
        site.postsms.start_daemon()
        assert session.command("DATA").code == 354
        assert session.data(build("once", "once")).ok
    assert [part["text"] for part in site.postsms.wait_sent(number)] == ["onceonce|onceonce"]


def test_postsmsd_gone_between_recipient_and_text(site, rules):
    rules(DOUBLE)
    for others in ([], [box()]):
        sender = site.sender()
        with site.smtp() as session:
            assert session.command(f"MAIL FROM:<{sender}>").ok
            for recipient in [f"{site.number()}@{DOMAIN}", *others]:
                assert session.command(f"RCPT TO:<{recipient}>").ok
            site.postsms.kill_daemon()
            try:
                assert session.command("DATA").code == 354
                reply = session.data(build("once ü"))
                assert (reply.code, reply.status) == (451, "4.3.0")
                assert not re.search(r"sock|postsmsd|reader|/", reply.text)
                # at the next attempt everybody else gets it
                again = site.send(sender, [f"{site.number()}@{DOMAIN}", box()], build("once"))
                assert [answer.code for answer in again.rcpts] == [451, 250] and again.accepted
            finally:
                site.postsms.start_daemon()


def test_milter_away(site, rules):
    """default_action=accept: mail flows; the transport replaces and filters."""
    filtered, number = site.number(), site.number()
    rules(DOUBLE + f"[FILTER-ADDRESSES]\n{filtered};\n")
    site.postsms.kill_daemon("postsms-milter")
    try:
        sent = site.send(site.sender(), [f"{number}@{DOMAIN}", f"{filtered}@{DOMAIN}"], build("once", "once"))
        site.postfix.wait_removed(sent.queue_id)
    finally:
        site.postsms.start_milter()
    assert [part["text"] for part in site.postsms.sent(number)] == ["onceonce|onceonce"]
    assert not site.postsms.sent(filtered)
    assert {delivery["status"] for delivery in site.postfix.deliveries(sent.queue_id)} == {"sent"}


# Aliases: the milter sees the mailbox, the transport the number

def test_alias_to_number_and_mailbox(site, plain, rules):
    rules(DOUBLE)
    mail, sender = build("once", "once"), site.sender()
    seen = len(site.postfix.caught("aliasbox@mailbox.example"))
    sent = site.send(sender, "both@mailbox.example", mail)
    site.postfix.wait_removed(sent.queue_id)
    assert site.postsms.sent(ALIASED)[-1]["text"] == "onceonce|onceonce"
    caught = site.postfix.wait_caught("aliasbox@mailbox.example", seen + 1)
    plain.send(sender, "aliasbox@mailbox.example", mail)
    without = plain.postfix.wait_caught("aliasbox@mailbox.example")
    assert untouched(caught[-1].raw) == untouched(without[-1].raw)


# Reload

def test_session_keeps_its_rules(site, rules):
    """Open sessions finish with the rules they began with; a faulty file changes nothing."""
    rules("[SPAM-FILTER-RULES]\n7;first;1;\n")
    milter = site.postsms.logs["postsms-milter"]
    with site.smtp() as session:
        assert session.command(f"MAIL FROM:<{site.sender()}>").ok
        rules("[SPAM-FILTER-RULES]\n7;second;1;\n")
        assert session.command(f"RCPT TO:<{site.number()}@{DOMAIN}>").ok
        assert session.command("DATA").code == 354
        assert session.data(build("first")).ok
        line = wait_until(lambda: [one for one in milter.lines() if "status=discarded" in one])[-1]
        old = int(re.search(r"generation=(\d+)", line).group(1))
    site.postsms.change(rules="[SPAM-FILTER-RULES]\n7;third;9;\n")
    assert any("old rules stay in force" in line for line in site.postsms.reload("postsms-milter"))
    number = site.number()
    sent = site.send(site.sender(), f"{number}@{DOMAIN}", build("second"))
    line, = milter_said(site, sent.queue_id, "discarded")
    assert int(re.search(r"generation=(\d+)", line).group(1)) == old + 1


def holds_mail(pid):
    """Has it a memfd? The milter lends no other."""
    folder = f"/proc/{pid}/fd"
    links = []
    for name in os.listdir(folder):
        try:
            links.append(os.readlink(os.path.join(folder, name)))
        except FileNotFoundError:
            pass
    return any("memfd:" in link for link in links)


def test_reader_killed_once(site, rules):
    """Not the mail's fault: another reader is asked, and the rules hold."""
    rules("[SPAM-FILTER-RULES]\n3;unwanted;1;\n")
    number, mailbox = site.number(), box()
    site.postsms.change(readers=1)  # of two that are killed one after the other the mail might get both
    site.postsms.reload()
    reader, = wait_until(lambda: pids if len(pids := site.postsms.program_pids("postsms-reader")) == 1 else None, 10,
                         "one reader is left")
    os.kill(reader, signal.SIGSTOP)
    with ThreadPoolExecutor() as pool:
        sending = pool.submit(site.send, site.sender(), [f"{number}@{DOMAIN}", mailbox], build("unwanted ü"))
        wait_until(lambda: holds_mail(site.postsms.pid()), 30, "postsmsd has the mail")
        os.kill(reader, signal.SIGKILL)
        sent = sending.result()
    assert sent.accepted
    site.postfix.wait_removed(sent.queue_id)
    assert [row[0] for row in rows(site, sent.queue_id)] == ["delete"]
    assert not site.postsms.sent(number) and len(site.postfix.caught(mailbox)) == 1
    site.postsms.change(readers=2)
    site.postsms.reload()
