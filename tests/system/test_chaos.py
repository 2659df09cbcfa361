# SPDX-License-Identifier: ISC
"""Everything is killed at random while mails flow over two gateways: nothing lost, nothing twice, nothing in doubt.

POSTSMS_CHAOS: how many mails (make chaos: 10,000; else a short form). POSTSMS_SEED: to have one run's choices again.
"""
import collections
import os
import random
import signal
import sqlite3
import threading
import time

import pytest
from harness import Smtp, build, wait_until
from harness.site import DOMAIN, Site

MAILS = int(os.environ.get("POSTSMS_CHAOS") or 150)
SEED = int(os.environ.get("POSTSMS_SEED") or int.from_bytes(os.urandom(4), "big"))
SESSIONS = 4
KILL_EVERY = (2, 12) if MAILS < 1000 else (5, 25)  # parts that leave between two kills
AHEAD = 300  # mails in Postfix at once: the flow goes on to the end
SENDER = "anna@allowed.example"
GATEWAYS = {"demo": {"delay": "0.02s", "concurrency": 8, "fail_every": 23},
            "second": {"delay": "0.05s", "concurrency": 8, "fail_every": 11}}


class Flow:
    """The mails: {number: (recipient, text of its SMS, parts)}, and who sends them."""

    def __init__(self, site, chance):
        self.site = site
        self.mails, self.problems = {}, []
        for count in range(MAILS):
            number, gateway = Site.number(), chance.choice(list(GATEWAYS))
            text = f"Nachricht {count}"
            if chance.random() < 0.25:
                text += " und noch mehr davon, damit es zwei oder drei Teile werden" * chance.choice([3, 6])
            self.mails[number] = f'"sms:{number}?id={gateway}"@{DOMAIN}', text, gateway
        self.accepted = self.gone = self._seen = 0
        self._lock = threading.Lock()

    def look(self):
        """How many have left Postfix."""
        lines = self.site.postfix.maillog.lines()
        self.gone += sum(line.endswith(": removed") for line in lines[self._seen:])
        self._seen = len(lines)

    def _session(self, numbers):
        try:
            with Smtp(self.site.postfix.port) as smtp:
                for number in numbers:
                    recipient, text, _ = self.mails[number]
                    sent = smtp.send(SENDER, [recipient], build(text))
                    with self._lock:
                        self.accepted += sent.accepted
                    if not sent.accepted:
                        self.problems.append(sent)
                    wait_until(lambda: self.accepted - self.gone < AHEAD, 300, "Postfix gets rid of some", step=0.1)
        except BaseException as problem:
            self.problems.append(problem)

    def start(self):
        numbers = list(self.mails)
        threads = [threading.Thread(target=self._session, args=(numbers[first::SESSIONS],))
                   for first in range(SESSIONS)]
        for thread in threads:
            thread.start()
        return threads


def kill_one(site, chance, pids):
    if not pids:
        return False
    try:
        os.kill(chance.choice(sorted(pids)), signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def kill_daemon(site, chance):
    site.postsms.kill_daemon()
    site.postsms.start_daemon()
    return True


VICTIMS = {
    "postsmsd": kill_daemon,
    "reader": lambda site, chance: kill_one(site, chance, site.postsms.program_pids("postsms-reader")),
    "pipe": lambda site, chance: kill_one(site, chance, site.postsms.program_pids("postsms-pipe")),
    "pipe(8)": lambda site, chance: kill_one(site, chance, site.postfix.processes("pipe", "postsms")),
}
WEIGHTS = 3, 1, 3, 2  # few readers: the third that dies over one mail makes it bounce, and rightly so


def chaos(site, flow, threads, chance):
    """Kills as parts leave, until every mail has left Postfix. Returns how often it hit whom."""
    kills = collections.Counter()
    seen = 0
    while True:
        step = chance.randint(*KILL_EVERY)
        victim = chance.choices(list(VICTIMS), WEIGHTS)[0]

        def due():
            flow.look()
            return site.postsms.sent_count() >= seen + step or (
                flow.gone >= MAILS and not any(thread.is_alive() for thread in threads)) or flow.problems
        wait_until(due, 120, lambda: f"mail flows: {flow.gone} of {flow.accepted} left Postfix, killed {dict(kills)}\n"
                   f"{site.postfix.mailq_text()[-3000:]}")
        if flow.gone >= MAILS or flow.problems:
            return kills
        seen = site.postsms.sent_count()
        kills[victim] += VICTIMS[victim](site, chance)


def judge(site, flow):
    sent = collections.defaultdict(list)
    for part in site.postsms.sent():
        sent[part["number"]].append(part)
    lost = [number for number in flow.mails if number not in sent]
    assert not lost, f"{len(lost)} lost: {lost[:20]}"
    twice = [number for number, parts in sent.items()
             if len({part["part"] for part in parts}) != len(parts)]
    assert not twice, f"{len(twice)} sent twice: {[sent[number] for number in twice[:3]]}"
    for number, parts in sent.items():
        _, text, gateway = flow.mails[number]
        parts.sort(key=lambda part: part["part"])
        assert [part["part"] for part in parts] == list(range(1, parts[0]["parts"] + 1)), parts
        assert "".join(part["text"] for part in parts) == f"{SENDER}\n{text}"
        assert {part["gateway"] for part in parts} == {gateway}
    assert len({part["id"] for part in site.postsms.sent()}) == len(site.postsms.sent())
    assert site.postfix.caught(SENDER) == []  # nothing bounced
    assert site.postfix.mailq() == [] and site.postsms.json("queue") == []


def judge_ledger(site):
    """Every delivery sent, every part accepted, nothing ever in doubt; returns what was found out after a crash."""
    with sqlite3.connect(os.path.join(site.postsms.state_dir, "spool.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("SELECT state, count(*) FROM delivery GROUP BY state").fetchall() == [("sent", MAILS)]
        assert db.execute("SELECT DISTINCT state FROM part").fetchall() == [("accepted",)]
        assert db.execute("SELECT * FROM event WHERE what = 'unknown'").fetchall() == []

        def count(what, detail="%"):
            sql = "SELECT count(*) FROM event WHERE what = ? AND detail LIKE ?"
            return db.execute(sql, (what, detail)).fetchone()[0]
        found = {"found at the gateway": count("accepted", "the gateway has it"),
                 "not found there": count("planned", "the gateway has it not"), "offered again": count("offered again")}
    db.close()
    return found


@pytest.mark.parametrize("seed", [SEED], ids=["chaos"])
def test_chaos(new_site, seed):
    chance = random.Random(seed)
    site = new_site(gateway=GATEWAYS["demo"], gateways={"second": GATEWAYS["second"]},
                    postfix={"transport_retry_time": "1s"}, settings={"alarm_to": ""})
    flow = Flow(site, chance)
    print(f"\nPOSTSMS_SEED={seed} POSTSMS_CHAOS={MAILS}")
    begin = time.monotonic()
    threads = flow.start()
    try:
        kills = chaos(site, flow, threads, chance)
    finally:
        flow.gone = MAILS  # whatever happened, nobody goes on waiting
        for thread in threads:
            thread.join()
    took = time.monotonic() - begin
    assert not flow.problems, flow.problems[:3]
    judge(site, flow)
    found = judge_ledger(site)
    print(f"{MAILS} mails, {len(site.postsms.sent())} parts in {took:.0f} s; killed: {dict(kills)}; {found}")
    assert sum(kills.values()) >= MAILS // 50 and len(kills) >= 3
