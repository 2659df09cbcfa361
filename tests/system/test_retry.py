# SPDX-License-Identifier: ISC
"""What is not sent now waits in Postfix's queue, and leaves once."""
import os
import signal

import pytest
from harness import build, wait_until
from harness.site import DOMAIN

SENDER = "anna@allowed.example"


@pytest.fixture(autouse=True)
def fast_gateway(site):
    """Each test finds postsmsd running with a gateway that answers at once."""
    yield
    if "postsmsd" not in site.postsms.processes:
        site.postsms.start_daemon()
    set_gateway(site)


def set_gateway(site, delay="0", **more):
    site.postsms.change(gateway={"delay": delay, "concurrency": 0, "fail_every": 0, **more})
    site.postsms.reload()


def states(site):
    return sorted(row["state"] for row in site.postsms.json("queue"))


def assert_each_once(site, sent):
    """sent: {number: (Sent, what explain said)}. All leave the queue as sent, each number got its one part."""
    for number, (one, said) in sent.items():
        site.postfix.wait_removed(one.queue_id)
        assert site.postfix.deliveries(one.queue_id)[-1]["status"] == "sent"
        assert len(site.postsms.sent(number)) == 1, site.postsms.sent(number)
        site.assert_explained(said, site.postsms.sent(number), number, SENDER, f"{number}@{DOMAIN}")


def send_some(site, count):
    sent = {}
    for _ in range(count):
        number = site.number()
        mail = build(f"für {number}")
        said = site.postsms.explain(SENDER, f"{number}@{DOMAIN}", mail)
        sent[number] = site.send(SENDER, f"{number}@{DOMAIN}", mail), said
        assert sent[number][0].accepted
    return sent


def test_postsmsd_stopped(site):
    """mailq shows the reason; after the start the SMS leaves exactly once."""
    number = site.number()
    mail = build("später")
    said = site.postsms.explain(SENDER, f"{number}@{DOMAIN}", mail)
    assert site.postsms.stop_daemon() == 0
    sent = site.send(SENDER, f"{number}@{DOMAIN}", mail)
    deferred = site.postfix.wait_delivery(sent.queue_id, "deferred")[0]
    assert deferred["dsn"].startswith("4.") and "postsmsd" in deferred["text"]
    queued = site.postfix.queued(sent.queue_id)
    assert queued["recipients"][0]["delay_reason"] == deferred["text"]
    assert not site.postsms.sent(number)
    site.postsms.start_daemon()
    site.postfix.flush()
    assert_each_once(site, {number: (sent, said)})


def test_sigterm_with_waiting_mail(site):
    """What waits is answered 75 at once; what is being submitted is finished; each is sent once after the restart."""
    set_gateway(site, "2s", concurrency=1)
    sent = send_some(site, 3)
    wait_until(lambda: states(site) == ["submitting", "waiting", "waiting"], 10, lambda: states(site))
    assert site.postsms.stop_daemon() == 0
    wait_until(lambda: sum(len(site.postsms.sent(number)) for number in sent) == 1, 5, "the one in flight is finished")
    for one, _ in sent.values():
        wait_until(lambda one=one: site.postfix.deliveries(one.queue_id), 10, "an answer")
    answers = [site.postfix.deliveries(one.queue_id)[0] for one, _ in sent.values()]
    assert sorted(answer["status"] for answer in answers) == ["deferred", "deferred", "sent"]
    assert all(answer["dsn"].startswith("4.") for answer in answers if answer["status"] == "deferred")
    site.postsms.change(gateway={"delay": "0"})
    site.postsms.start_daemon()
    site.postfix.flush()
    assert_each_once(site, sent)


def test_sigterm_without_work(site):
    """Nothing in flight: gone in 5 seconds."""
    assert site.postsms.stop_daemon(timeout=5) == 0


@pytest.mark.parametrize("parts", [1, 4])
def test_kill_while_sending(site, parts):
    """kill -9 in mid delay: what the gateway has is found by its id, the rest is sent, nothing twice."""
    number = site.number()
    mail = build("Die Wartung beginnt um zehn Uhr. " * (parts * 4 - 2) if parts > 1 else "kurz")
    said = site.postsms.explain(SENDER, f"{number}@{DOMAIN}", mail)
    assert len(said["parts"]) == parts
    set_gateway(site, "0.7s", concurrency=1)
    sent = site.send(SENDER, f"{number}@{DOMAIN}", mail)
    wait_until(lambda: states(site) == ["submitting"] and len(site.postsms.sent(number)) == parts // 2, 20, "half way")
    site.postsms.kill_daemon()
    deferred = site.postfix.wait_delivery(sent.queue_id, "deferred")[0]
    assert deferred["dsn"].startswith("4.")
    site.postsms.change(gateway={"delay": "0"})
    site.postsms.start_daemon()
    site.postfix.flush()
    site.postfix.wait_removed(sent.queue_id)
    site.assert_explained(said, site.postsms.sent(number), number, SENDER, f"{number}@{DOMAIN}")


def test_readers_end_with_postsmsd(site):
    """A reader is gone within a second of its postsmsd, however that died."""
    def readers():
        found = set()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{pid}/exe") == os.path.join(site.postsms.libdir, "postsms-reader"):
                    found.add(pid)
            except OSError:
                pass
        return found
    wait_until(readers, 10, "readers run")
    site.postsms.kill_daemon()
    wait_until(lambda: not readers(), 2, "readers end")


def test_gateway_refuses_for_now(site):
    """Deferred with a reason that names the gateway; a later attempt gets it out, once."""
    set_gateway(site, fail_every=2)
    sent = send_some(site, 4)

    def deferred():
        every = [d for one, _ in sent.values() for d in site.postfix.deliveries(one.queue_id)]
        return [d for d in every if d["status"] == "deferred"]
    wait_until(deferred, 20, "a mail is deferred")
    set_gateway(site)
    assert_each_once(site, sent)
    assert all(d["dsn"].startswith("4.") and "demo" in d["text"] for d in deferred())


def test_reload(site):
    """SIGHUP: new settings are in force; a faulty file leaves the old ones and is reported with its line."""
    long = "Die Wartung beginnt um zehn Uhr. " * 12
    site.postsms.change(transport={"maxmsgs": 1})
    site.postsms.reload()
    assert len(site.send_sms(long)[0]) == 1
    site.postsms.change(transport={"maxmsgs": 2})
    site.postsms.reload()
    assert len(site.send_sms(long)[0]) == 2
    pid = site.postsms.pid()
    site.postsms.change(transport={"maxmsgs": 3, "no_such_key": 1})
    said = "\n".join(site.postsms.reload())
    assert "postsms.conf:" in said and "no_such_key" in said
    number = site.number()
    sent = site.send(SENDER, f"{number}@{DOMAIN}", build(long))
    site.postfix.wait_removed(sent.queue_id)
    assert len(site.postsms.sent(number)) == 2
    assert site.postsms.processes["postsmsd"].poll() is None and site.postsms.pid() == pid
    del site.postsms.settings["transport"]["no_such_key"]
    site.postsms.change(transport={"maxmsgs": 5})
    site.postsms.reload()


def test_requeued_mail_is_known(site):
    """postsuper -r gives a mail a new queue id; it is the same message all the same."""
    set_gateway(site, fail_every=1)
    number = site.number()
    sent = site.send(SENDER, f"{number}@{DOMAIN}", build("x"))
    site.postfix.wait_delivery(sent.queue_id, "deferred")
    site.postfix.postfix_tool("postsuper", "-r", "ALL")
    set_gateway(site)
    site.postfix.flush()
    site.postsms.wait_sent(number)
    wait_until(lambda: site.postfix.mailq() == [], 30, "the queue empties")
    assert len(site.postsms.sent(number)) == 1


def test_second_daemon_keeps_off(site):
    """A second postsmsd on the same sockets ends at once and leaves the first in place."""
    with pytest.raises(RuntimeError):
        first = site.postsms.processes["postsmsd"]
        try:
            site.postsms.start_daemon()
        finally:
            site.postsms.processes["postsmsd"] = first
    site.send_sms("geht noch")


@pytest.fixture(scope="module")
def impatient(new_site):
    """A Postfix that warns after two seconds and gives up after five."""
    place = new_site(postfix={"delay_warning_time": "2s", "maximal_queue_lifetime": "6s",
                              "bounce_queue_lifetime": "6s"})
    place.postsms.stop_daemon()
    return place


def test_warning_and_expiry(impatient):
    """The sender is warned after Postfix's delay_warning_time, and in the end gets the text back with the reason."""
    sender, number = impatient.sender(), impatient.number()
    sent = impatient.send(sender, f"{number}@{DOMAIN}", build("Geduld", "Warten", sender))
    assert sent.accepted
    reports = impatient.postfix.wait_caught(sender, 2, 60)
    final, warning = sorted(reports, key=lambda mail: b"Action: delayed" in mail.raw)
    assert b"Action: delayed" in warning.raw and warning.status.startswith("4.")
    assert b"Action: failed" in final.raw
    for mail in (warning, final):
        assert "postsmsd" in mail.text
    assert b"Geduld" in final.raw
    impatient.postfix.wait_removed(sent.queue_id)


def test_no_report_without_a_sender(impatient):
    """The null sender gets no report when its mail expires."""
    sent = impatient.send("", "nobody@mailbox.example", build("x"))
    impatient.postfix.wait_removed(sent.queue_id)
    caught = len(impatient.postfix.caught())
    impatient.postsms.stop_daemon("postsms-milter")  # it would refuse the null sender in the session
    sent = impatient.send("", f"{impatient.number()}@{DOMAIN}", build("x"))
    assert sent.accepted
    impatient.postfix.wait_removed(sent.queue_id, 60)
    assert len(impatient.postfix.caught()) == caught


def test_expiry_is_five_days(site):
    """Postfix's own default, which the glue leaves alone."""
    assert site.postfix.postfix_tool("postconf", "-h", "maximal_queue_lifetime").stdout.strip() == "5d"
    assert site.postsms.admin("check", check=False).returncode in (0, 1)


def test_kill_signal_is_not_bounced(site):
    """SIGABRT of postsmsd with mail in hand defers it."""
    set_gateway(site, "1s", concurrency=1)
    sent = send_some(site, 1)
    wait_until(lambda: states(site) == ["submitting"], 10, "being submitted")
    site.postsms.stop_daemon(number=signal.SIGABRT)
    for one, _ in sent.values():
        site.postfix.wait_delivery(one.queue_id, "deferred")
    site.postsms.change(gateway={"delay": "0"})
    site.postsms.start_daemon()
    site.postfix.flush()
    assert_each_once(site, sent)
