# SPDX-License-Identifier: ISC
"""Which gateway sends: pinned ones, routes, turns, rates; what fails over and what never does; out, trial and back."""
import json
import os
import sqlite3
import threading
import time

import pytest
from harness import build, wait_until
from harness.site import DOMAIN

LONG = "Die Wartung beginnt um zehn Uhr. " * 12  # three parts

# Postfix is not needed here: postsms-pipe is started as it would. demo goes first whenever it can.
HEAVY = {"weight": 1000, "out_after": 1000}
SITE = {"gateway": HEAVY, "gateways": {"second": {"originator": "Second"}, "third": {"active": False}}}
ROUTES = ('route "+4178"', 'route "+41781"')


@pytest.fixture(autouse=True)
def calm(site):
    """Each test finds a fresh postsmsd: nobody is out or owed anything."""
    yield
    site.postsms.stop_daemon()
    if os.path.isdir(site.postsms.sent_file):
        os.rmdir(site.postsms.sent_file)
    for route in ROUTES:
        site.postsms.settings.pop(route, None)
    site.postsms.gateway.pop("rate", None)
    site.postsms.gateway.pop("burst", None)
    settings(site, {"delay": "0", "concurrency": 0, "fail_every": 0, "active": True, "originator_max": 11, **HEAVY},
             second={"active": True, "weight": 1, "delay": "0", "fail_every": 0}, third={"active": False},
             reload=False)
    site.postsms.start_daemon()


def settings(site, demo=(), reload=True, **others):
    site.postsms.change(gateway=dict(demo), gateways=others)
    if reload:
        site.postsms.reload()


_serial = iter(range(100000))


class Mail:
    """One mail, offered as often as wanted."""

    def __init__(self, site, text="kurz", number=None, parameters=""):
        self.site, self.number = site, number or site.number()
        self.queue_id = f"4Q{next(_serial):07d}zABCD"
        self.local = f"sms:{self.number}?{parameters}" if parameters else self.number
        self.mail = build(text)
        self.answer = None

    def offer(self):
        self.answer = self.site.postsms.deliver(self.local, self.mail, self.queue_id)
        return self.answer

    def begin(self):
        """Offers it and does not wait."""
        thread = threading.Thread(target=self.offer)
        thread.start()
        return thread

    def sent(self):
        """The gateways of its parts, in order."""
        return [part["gateway"] for part in self.site.postsms.sent(self.number)]

    def trace(self):
        return self.site.postsms.json("trace", self.number)[0]

    def events(self, what):
        return [event["detail"] for event in self.trace()["events"] if event["what"] == what]

    def wait_state(self, state):
        rows = lambda: {row["number"]: row["state"] for row in self.site.postsms.json("queue")}  # noqa: E731
        wait_until(lambda: rows().get(self.number) == state, 15, lambda: f"{self.number} {state}: {rows()}")


def gateways(site):
    return {row["id"]: row for row in site.postsms.json("gateway")}


def wait_gateway(site, name, state, timeout=20):
    return wait_until(lambda: (lambda row: row if row["state"] == state else None)(gateways(site)[name]), timeout,
                      lambda: f"{name} {state}: {gateways(site)}; {site.postsms.logs['postsmsd'].text()}")


def log_lines(site, piece):
    return [line for line in site.postsms.logs["postsmsd"].lines() if piece in line]


# Who is asked

def test_balance_by_weight(site):
    settings(site, {"weight": 3}, third={"active": True, "weight": 2})
    mails = [Mail(site) for _ in range(12)]
    assert [mail.offer()[0] for mail in mails] == [0] * 12
    taken = [gateway for mail in mails for gateway in mail.sent()]
    assert {name: taken.count(name) for name in set(taken)} == {"demo": 6, "second": 2, "third": 4}
    assert taken[:6] == taken[6:] and taken[:3] != ["demo"] * 3  # in turn, not in blocks


def test_longest_prefix(site):
    """A number's route decides; numbers without one go to all."""
    site.postsms.change(**{ROUTES[0]: {"gateways": ["second"]}, ROUTES[1]: {"gateways": ["third", "demo"]}})
    settings(site)
    for number, gateway in (("+41782345678", "second"), ("+41781345678", "demo"), ("+41791345678", "demo")):
        mail = Mail(site, number=number)
        said = site.postsms.explain("anna@allowed.example", f"{number}@{DOMAIN}", mail.mail)
        assert said["gateway"] == gateway
        assert said["originator"] == ("Second" if gateway == "second" else None)
        assert mail.offer()[0] == 0
        assert mail.sent() == [gateway]
    settings(site, second={"active": False})
    mail = Mail(site, number="+41782345679")
    assert mail.offer() == (75, "4.3.2 route +4178: none of its gateways is active")
    assert not mail.sent()


def test_busy_one_is_left_out(site):
    """Whoever has a free slot takes the next one, whatever the weights."""
    settings(site, {"delay": "1s"})
    first, other = Mail(site), Mail(site)
    thread = first.begin()
    first.wait_state("submitting")
    assert other.offer()[0] == 0
    assert other.sent() == ["second"]
    thread.join()
    assert first.sent() == ["demo"]


# Failover

def test_unpinned_moves(site):
    """A proven failure goes to the next gateway, with the text, sender and references that are right there."""
    settings(site, {"fail_every": 1})
    mail = Mail(site, LONG)
    assert mail.offer()[0] == 0
    assert mail.sent() == ["second"] * 3
    parts = site.postsms.sent(mail.number)
    assert {part["originator"] for part in parts} == {"Second"}
    assert mail.events("moved") == ["to second: demo: refused for now, as fail_every asks"]
    trace = mail.trace()
    assert trace["gateway"] == "second" and trace["originator"] == "Second" and trace["state"] == "sent"
    assert [part["ref"] for part in trace["parts"]] == [part["id"] for part in parts]
    line, = log_lines(site, f"{mail.queue_id}: to=")
    assert "relay=second, parts=3/3" in line
    assert f"demo: {mail.queue_id} moves to second" in "\n".join(log_lines(site, "moves to"))


def test_pinned_never_moves(site):
    settings(site, {"fail_every": 1})
    mail = Mail(site, parameters="id=demo")
    assert mail.offer() == (75, "4.3.0 demo: refused for now, as fail_every asks")
    settings(site, {"active": False})
    assert mail.offer() == (75, "4.3.5 demo: not configured any more, or not active")
    settings(site, {"active": True, "out_after": 1})
    assert mail.offer()[0] == 75
    wait_gateway(site, "demo", "out")
    assert "4.3.2 demo: out since" in mail.offer()[1]
    assert not mail.sent() and mail.trace()["gateway"] == "demo" and not mail.events("moved")
    settings(site, {"fail_every": 0})
    wait_gateway(site, "demo", "up", 60)
    assert mail.offer()[0] == 0
    assert mail.sent() == ["demo"]


def test_everybody_once(site):
    """Each gateway is tried once an offer; the last one's reason is the answer."""
    settings(site, {"fail_every": 1}, second={"fail_every": 1}, third={"active": True, "fail_every": 1})
    mail = Mail(site)
    status, text = mail.offer()
    assert status == 75
    assert sorted(event.split()[1] for event in mail.events("moved")) == ["second:", "third:"]
    last = mail.trace()["gateway"]
    assert text == f"4.3.0 {last}: refused for now, as fail_every asks"
    settings(site, {"fail_every": 0}, second={"fail_every": 0}, third={"fail_every": 0})
    assert mail.offer()[0] == 0
    assert mail.sent() == [last]  # it is well again: no reason to move


def test_nothing_twice(site):
    """Many at once while every other submission fails."""
    settings(site, {"fail_every": 2, "weight": 1})
    mails = [Mail(site, LONG if index % 4 == 0 else "kurz") for index in range(24)]
    threads = [mail.begin() for mail in mails]
    for thread in threads:
        thread.join()
    settings(site, {"fail_every": 0})
    for index, mail in enumerate(mails):
        assert mail.answer[0] == 0 or mail.offer()[0] == 0, mail.answer
        assert len(mail.sent()) == (3 if index % 4 == 0 else 1)
        assert len(set(mail.sent())) == 1


def test_partly_sent_never_moves(site):
    settings(site, {"fail_every": 2})
    mail = Mail(site, LONG)
    status, text = mail.offer()
    assert status == 75 and text.endswith("; 1 of 3 parts were sent before"), text
    settings(site, {"active": False})
    assert mail.offer() == (75, "4.3.5 demo: not configured any more, or not active; 1 of 3 parts were sent before")
    settings(site, {"active": True, "fail_every": 0})
    assert mail.offer()[0] == 0
    assert mail.sent() == ["demo"] * 3 and not mail.events("moved")


def test_doubt_never_moves(site):
    """Nobody knows whether it was sent, and after "resend" it goes where it may be known already."""
    settings(site, {"delay": "2s"})
    mail = Mail(site)
    thread = mail.begin()
    mail.wait_state("submitting")
    site.postsms.kill_daemon()
    thread.join()
    assert mail.answer[0] == 75
    kept = site.postsms.sent_file + ".kept"
    if os.path.exists(site.postsms.sent_file):
        os.rename(site.postsms.sent_file, kept)
    os.mkdir(site.postsms.sent_file)
    settings(site, {"delay": "0"}, reload=False)
    site.postsms.start_daemon()
    mail.wait_state("unknown")
    assert mail.offer()[1].startswith("4.4.2 demo: ")
    site.postsms.admin("resolve", str(mail.trace()["id"]), "resend")
    settings(site, {"active": False})
    assert mail.offer() == (75, "4.3.5 demo: not configured any more, or not active")
    os.rmdir(site.postsms.sent_file)
    if os.path.exists(kept):
        os.rename(kept, site.postsms.sent_file)
    settings(site, {"active": True})
    assert mail.offer()[0] == 0
    assert mail.sent() == ["demo"] and not mail.events("moved")


def test_offered_again_elsewhere(site):
    """What was planned for a gateway that is out, and went nowhere, goes to another one."""
    settings(site, {"fail_every": 1, "out_after": 1}, second={"active": False})
    mail = Mail(site)
    assert mail.offer()[0] == 75
    wait_gateway(site, "demo", "out")
    status, text = mail.offer()
    assert status == 75 and text.startswith("4.3.2 demo: out since ")
    settings(site, second={"active": True})
    assert mail.offer()[0] == 0
    assert mail.sent() == ["second"]
    moved, = mail.events("moved")
    assert moved.startswith("to second: demo: out since ")


def test_gateway_not_configured_any_more(site):
    settings(site, {"fail_every": 1}, second={"active": False})
    mail = Mail(site)
    assert mail.offer()[0] == 75
    kept = site.postsms.gateway
    site.postsms.gateway = None
    settings_without = {"second": {"active": True}}
    site.postsms.change(gateways=settings_without)
    site.postsms.reload()
    try:
        assert mail.offer()[0] == 0
    finally:
        site.postsms.gateway = kept
    assert mail.sent() == ["second"]
    assert mail.events("moved") == ["to second: demo: not configured any more, or not active"]


def test_those_who_wait_move(site):
    """The gateway goes out while others wait for it: they need not go back to Postfix."""
    settings(site, {"delay": "2s", "out_after": 1}, second={"delay": "8s"})
    busy = Mail(site, parameters="id=second")  # whoever comes now waits less for demo
    threads = [busy.begin()]
    busy.wait_state("submitting")
    mails = [Mail(site) for _ in range(3)]
    threads.append(mails[0].begin())
    mails[0].wait_state("submitting")
    pinned = Mail(site, parameters="id=demo")
    for mail in mails[1:] + [pinned]:
        threads.append(mail.begin())
        mail.wait_state("waiting")
    assert {row["gateway"] for row in site.postsms.json("queue") if row["number"] != busy.number} == {"demo"}
    settings(site, {"fail_every": 1}, second={"delay": "0"})
    for thread in threads:
        thread.join()
    assert [mail.answer[0] for mail in mails] == [0, 0, 0], [mail.answer for mail in mails]
    assert [mail.sent() for mail in mails] == [["second"]] * 3
    assert pinned.answer[0] == 75 and pinned.answer[1].startswith("4.3.2 demo: out since ")
    assert not pinned.sent()


def test_ledger_blocked_while_moving(site):
    """The group with the move fails: the result is still there for the next one, and so is the old plan."""
    settings(site, {"delay": "1s", "fail_every": 1})
    mail = Mail(site, LONG)
    thread = mail.begin()
    mail.wait_state("submitting")
    lock = sqlite3.connect(os.path.join(site.postsms.state_dir, "spool.db"), isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    seen = len(log_lines(site, "database is locked"))
    wait_until(lambda: len(log_lines(site, "database is locked")) > seen, 40, "a group fails")
    assert not mail.sent() and mail.trace()["gateway"] == "demo"
    lock.execute("ROLLBACK")
    lock.close()
    thread.join()
    assert mail.answer[0] == 0, mail.answer
    assert mail.sent() == ["second"] * 3 and len(mail.events("moved")) == 1
    assert [part["state"] for part in mail.trace()["parts"]] == ["accepted"] * 3


# Out, trial, back

def test_out_trial_back(site):
    """Each way is logged once; one message tries it, and what that says decides."""
    settings(site, {"fail_every": 1, "out_after": 1})
    first = Mail(site, parameters="id=demo")
    assert first.offer()[0] == 75
    row = wait_gateway(site, "demo", "out")
    assert row["reason"] == "demo: refused for now, as fail_every asks"
    assert "out" in site.postsms.admin("gateway").stdout
    settings(site, {"fail_every": 2})  # the second submission fails, the third does not
    wait_gateway(site, "demo", "trial", 30)
    status = site.postsms.admin("status", check=False)
    assert status.returncode == 1 and "demo: out, the next message tries it: " in status.stdout
    figures = site.postsms.admin("status", "--prometheus", check=False).stdout
    assert 'postsms_gateway_trial{gateway="demo"} 1' in figures and 'postsms_gateway_up{gateway="demo"} 0' in figures
    assert 'postsms_gateway_up{gateway="second"} 1' in figures
    assert first.offer() == (75, "4.3.0 demo: refused for now, as fail_every asks")
    wait_gateway(site, "demo", "out")
    assert first.offer()[1].startswith("4.3.2 demo: out since ")
    wait_gateway(site, "demo", "trial", 60)
    assert first.offer()[0] == 0
    wait_gateway(site, "demo", "up")
    assert first.sent() == ["demo"]
    since = [line for line in log_lines(site, "demo: ") if line.endswith("demo: back") or "demo: out after" in line]
    assert [line.split("demo: ")[1] for line in since[-2:]] == \
        ["out after 1 failure: refused for now, as fail_every asks", "back"]
    assert site.postsms.admin("status").returncode == 0


def test_one_message_tries(site):
    """While it is under way the others are turned away, or go elsewhere."""
    settings(site, {"fail_every": 1, "out_after": 1})
    assert Mail(site, parameters="id=demo").offer()[0] == 75
    settings(site, {"fail_every": 5, "delay": "2s"})
    wait_gateway(site, "demo", "trial", 30)
    trial = Mail(site)
    thread = trial.begin()
    trial.wait_state("submitting")
    assert trial.trace()["gateway"] == "demo"
    pinned, free = Mail(site, parameters="id=demo"), Mail(site)
    assert pinned.offer()[1].startswith("4.3.2 demo: out since ")
    assert free.offer()[0] == 0 and free.sent() == ["second"]
    thread.join()
    assert trial.answer[0] == 0 and trial.sent() == ["demo"]
    wait_gateway(site, "demo", "up")


# How fast

def test_rate_and_burst(site):
    """Two at once, then one each half second: the fifth not before one and a half are over."""
    site.postsms.change(gateway={"rate": "2", "burst": 2})
    site.postsms.reload()
    mails = [Mail(site, parameters="id=demo") for _ in range(5)]
    begin = time.monotonic()
    threads = [mail.begin() for mail in mails]
    assert gateways(site)["demo"]["rate"] == 2
    for thread in threads:
        thread.join()
    assert time.monotonic() - begin >= 1.4
    assert [mail.answer[0] for mail in mails] == [0] * 5
    assert [mail.sent() for mail in mails] == [["demo"]] * 5


def test_rate_fills_the_others(site):
    """What is beyond a gateway's rate goes to those that are idle."""
    site.postsms.change(gateway={"rate": "1/h"})
    site.postsms.reload()
    mails = [Mail(site) for _ in range(4)]
    assert [mail.offer()[0] for mail in mails] == [0] * 4
    assert [mail.sent() for mail in mails] == [["demo"]] + [["second"]] * 3
    pinned = Mail(site, parameters="id=demo")  # would wait longer than its sender
    status, text = pinned.offer()
    assert status == 75 and text.startswith("4.3.2 demo: 0 waiting, about "), text


# What an address asks for

def test_sender_parameter(site):
    settings(site, {"originator_max": 5})
    mail = Mail(site, parameters="sender=Twelve+chars")
    status, text = mail.offer()
    assert status == 67 and text.startswith("5.1.3 the parameter sender has 12 characters"), text
    assert not mail.sent()
    # Only one of them takes eight letters: it is asked, whose ever turn it is.
    mail = Mail(site, parameters="sender=Eight888")
    assert site.postsms.explain("anna@allowed.example", f"{mail.local}@{DOMAIN}", mail.mail)["originator"] == "Eight888"
    assert mail.offer()[0] == 0
    assert mail.sent() == ["second"]
    mail = Mail(site, parameters="sender=%2B41790000000")
    assert mail.offer()[0] == 0
    assert site.postsms.sent(mail.number)[0]["originator"] == "+41790000000" and mail.sent() == ["demo"]


def test_value_parameter(site):
    """Own parameters are for gateways that take some."""
    mail = Mail(site, parameters="value=&unicode=1")
    assert mail.offer() == (77, "5.7.1 this gateway takes no parameters of its own")
    assert not mail.sent()


# postsms gateway

def test_gateway_list(site):
    rows = site.postsms.json("gateway")
    assert [(row["id"], row["type"], row["state"]) for row in rows] == \
        [("demo", "file", "up"), ("second", "file", "up"), ("third", "file", "inactive")]
    assert rows[0]["weight"] == 1000 and rows[0]["share"] == 100 and rows[0]["waiting"] == 0
    text = site.postsms.admin("gateway").stdout.splitlines()
    assert text[0].split()[:4] == ["id", "type", "profile", "state"]
    assert [line.split()[0] for line in text[1:]] == ["demo", "second", "third"]
    site.postsms.stop_daemon()
    rows = site.postsms.json("gateway")
    assert {(row["state"], row["waiting"]) for row in rows} == {("-", None)}
    assert "postsmsd" in site.postsms.admin("gateway").stdout
    site.postsms.start_daemon()
    assert site.postsms.admin("gateway", "nothing", check=False).returncode == 2


def test_profile_list(site):
    folder = os.path.join(site.postsms.tree, "share", "postsms", "profiles")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "zz-test.conf"), "w", encoding="utf-8") as file:
        file.write('description = "Somebody & Sons"\nurl = "https://sms.example/"\nuntested = yes\n')
    rows = {row["name"]: row for row in json.loads(site.postsms.admin("gateway", "profiles", "--json").stdout)}
    assert rows["zz-test"]["description"] == "Somebody & Sons" and rows["zz-test"]["untested"]
    assert "Somebody & Sons (nobody has reported that it works)" in site.postsms.admin("gateway", "profiles").stdout
    with open(os.path.join(folder, "zz-test.conf"), "w", encoding="utf-8") as file:
        file.write('no_such_key = "x"\n')
    done = site.postsms.admin("gateway", "profiles", check=False)
    assert done.returncode == 1 and "zz-test.conf:1" in done.stderr
    os.unlink(os.path.join(folder, "zz-test.conf"))
