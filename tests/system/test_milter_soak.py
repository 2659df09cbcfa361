# SPDX-License-Identifier: ISC
"""Many SMTP sessions at once while the rules are replaced again and again. POSTSMS_SOAK: for how many seconds."""
import itertools
import os
import re
import threading
import time

from harness import build, wait_until
from harness.site import DOMAIN
from harness.wait import PATIENCE

SECONDS = float(os.environ.get("POSTSMS_SOAK", "8"))
SESSIONS = 200
MAILS = 4  # of each kind in a session
KINDS = ("alpha", "beta", "gamma", "delta")
# Which kinds the two rule sets delete: by the body as sent, and by the decoded text.
DELETED = ({"alpha", "gamma"}, {"beta", "gamma"})
RULES = ["[SPAM-FILTER-RULES]\n7;the word is %s;1;\n3;word is GAMMA;1;\n1;X-Nothing;2;\n" % word
         for word in ("alpha", "beta")]
SITE = {"rules": RULES[0], "settings": {"slots": 400},
        "postfix": {"default_process_limit": "450", "smtpd_client_connection_rate_limit": "0",
                    "postsms_destination_concurrency_limit": "100"}}


def memory(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"^VmRSS:\s+(\d+) kB", status.read(), re.M).group(1))


class Load:
    """Clients that open a session, wait until every other one has, and mail each kind in turn."""

    def __init__(self, site):
        self.site = site
        self.stop = threading.Event()
        self.sessions = []  # lists of (kind, queue id)
        self.problems = []
        self._numbers = itertools.count()
        self._threads = [threading.Thread(target=self._client, daemon=True) for _ in range(SESSIONS)]

    def _session(self):
        done = []
        with self.site.smtp() as session:
            for kind in KINDS * MAILS:
                number = f"+4178{next(self._numbers):07d}"
                sent = session.send("a@allowed.example", [f"{number}@{DOMAIN}"], build(f"the word is {kind}"))
                if not sent.accepted:
                    self.problems.append(sent)
                    return
                done.append((kind, sent.queue_id))
        self.sessions.append(done)

    def _client(self):
        try:
            while not self.stop.is_set():
                self._session()
        except Exception as problem:  # a thread's end must not go unseen
            self.problems.append(problem)

    def start(self):
        for thread in self._threads:
            thread.start()

    def end(self):
        self.stop.set()
        for thread in self._threads:
            thread.join(120 * PATIENCE)


def reload_often(site, seconds):
    """A reload a second, every fifth one with a faulty file; returns how many there were."""
    milter = site.postsms.logs["postsms-milter"]
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end:
        due = time.monotonic() + 1
        count += 1
        site.postsms.change(rules="[SPAM-FILTER-RULES]\n7;x;9;\n" if count % 5 == 0 else RULES[count % 2])
        site.postsms.reload("postsms-milter")
        assert "ERROR" not in milter.text()
        while time.monotonic() < due:
            time.sleep(0.05)  # the clock is the event here
    return count


def test_reloads_under_load(site):
    """A session lives by the rules it began with: all its mails of a kind fare alike, by one of the two sets."""
    pid = site.postsms.pid("postsms-milter")
    load = Load(site)
    load.start()
    wait_until(lambda: len(load.sessions) >= SESSIONS or load.problems, 60)  # everything has been used once
    before = memory(pid)
    reloads = reload_often(site, SECONDS)
    load.end()
    after = memory(pid)
    assert not load.problems, load.problems[:3]
    assert site.postsms.pid("postsms-milter") == pid and site.postsms.processes["postsms-milter"].poll() is None
    discarded = {line.split(": ")[1] for line in site.postsms.logs["postsms-milter"].lines()
                 if "status=discarded" in line}
    seen = [0, 0]
    for session in load.sessions:
        fates = {}
        for kind, queue_id in session:
            fates.setdefault(kind, set()).add(queue_id in discarded)
        assert all(len(fate) == 1 for fate in fates.values()), (fates, session)
        seen[DELETED.index({kind for kind, fate in fates.items() if True in fate})] += 1
    assert reloads < 4 or all(seen), seen
    mails = sum(map(len, load.sessions))
    wait_until(lambda: site.postsms.sent_count() == mails - len(discarded), 300,
               lambda: f"{site.postsms.sent_count()} SMS of {mails} mails, {len(discarded)} discarded")
    print(f"\n{mails} mails in {len(load.sessions)} sessions, {reloads} reloads, {before} kB before, {after} kB after")
    if os.path.basename(os.environ.get("POSTSMS_BUILD", "plain")) == "plain":
        assert after < before + 8192
