# SPDX-License-Identifier: ISC
"""Many messages through a provider that fails in every way, a part of them each: what it confirmed, or may have taken,
goes no second time, nothing is lost, and whatever is in doubt is said to be (ICE-GEN-06, ICE-GEN-07). The judge is the
provider, by what it made of each reference. POSTSMS_HTTP_FAULTS says how many; "make check" has a short form,
"make http-faults" 10,000."""
import os
import random
import socket
import tempfile
import threading
from collections import Counter, defaultdict
from urllib.parse import parse_qs, urlsplit

from harness import build
from harness.http_place import BUILD
from harness.postsms import Postsms
from harness.provider import Provider, Reply

MESSAGES = int(os.environ.get("POSTSMS_HTTP_FAULTS", "400"))
THREADS = 16
OFFERS = 30
SHARE = 0.05  # of each fault; so much is reset before it is read, too
LONG = "0123456789 " * 20  # two parts, in every eighth message
# What comes instead of an acceptance, and what may be made of it
DOUBT, REFUSED, TAKEN = "doubt", "refused", "taken"
FAULTS = [(DOUBT, Reply(fault=fault)) for fault in ("reset", "close", "truncate", "garbage", "hang")] + [
    (DOUBT, Reply(500, b"?")), (REFUSED, Reply(503, b"busy")), (REFUSED, Reply(429, b"slow")),
    (REFUSED, Reply(402, b"credit"))]


class Failing(Provider):
    """Decides for each request what becomes of it. history: {number: {reference: [what, ...]}}."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.history = defaultdict(lambda: defaultdict(list))
        self.unread = 0
        super().__init__(self.decide, before=self.reset_unread)

    def draw(self):
        with self._changed:
            return int(self.chance.random() / SHARE)

    def reset_unread(self, _number):
        if self.draw():
            return False
        with self._changed:
            self.unread += 1
        return True

    def decide(self, request):
        index = self.draw()
        what, reply = FAULTS[index] if index < len(FAULTS) else (TAKEN, Reply())
        query = parse_qs(urlsplit(request.target).query)
        with self._changed:
            self.history[query["to"][0]][query["ref"][0]].append(what)
        return reply


def offer(path, number, mail):
    """One offer, as postsms-pipe makes it: the line of the answer, "" if there is none."""
    names = {"queue-id": f"4Q{number:08d}zABCD", "sender": "anna@allowed.example",
             "recipient": f"+4179{number:07d}@sms.example.test", "original": f"+4179{number:07d}@sms.example.test",
             "login": "", "client": "127.0.0.1", "deadline": "60"}
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(90)
        connection.connect(path)
        connection.sendall(b"".join(f"{name}={value}".encode() + b"\0" for name, value in names.items()) + b"\0" + mail)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(4096):
            answer += chunk
    return answer.decode()


def deliver(path, numbers, verdicts, lock):
    while True:
        with lock:
            number = next(numbers, None)
        if number is None:
            return
        mail = build(LONG if number % 8 == 0 else f"message {number}")
        for _ in range(OFFERS):
            line = offer(path, number, mail)
            if not line.startswith("75 ") or line.startswith("75 4.4.2"):
                break
        with lock:
            verdicts[f"+4179{number:07d}"] = line


def run(provider):
    """Every message, offered until it is sent or in doubt: {number: last line}, and whom the queue calls unknown."""
    verdicts, lock = {}, threading.Lock()
    with tempfile.TemporaryDirectory() as base:
        os.chmod(base, 0o755)
        postsms = Postsms(base, BUILD, os.path.join(base, "milter.sock"), gateway=None, gateways={"carrier": {
            "type": "http", "url": provider.url + "/send?to=%number%&ref=%ref%", "timeout": "1", "concurrency": 32,
            "split": "local", "out_after": 1000}}, settings={"transport": {"message": "%%Body%%", "maxmsgs": 5}})
        try:
            postsms.admin("init")
            postsms.start_daemon()
            numbers = iter(range(1000000, 1000000 + MESSAGES))
            threads = [threading.Thread(target=deliver, args=(os.path.join(postsms.run_dir, "deliver.sock"), numbers,
                                                              verdicts, lock)) for _ in range(THREADS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            unknown = {row["number"] for row in postsms.json("queue") if row["state"] == "unknown"}
        finally:
            provider.close()
            postsms.stop()
    return verdicts, unknown


def test_every_fault_at_once():
    provider = Failing(4711)
    verdicts, unknown = run(provider)
    sent = {number for number, line in verdicts.items() if line.startswith("0 ")}
    doubt = {number for number, line in verdicts.items() if line.startswith("75 4.4.2")}
    made = Counter(what for refs in provider.history.values() for whats in refs.values() for what in whats)
    print(f"{MESSAGES} messages, {len(provider.requests)} requests ({dict(made)}), {provider.unread} resets unread: "
          f"{len(sent)} sent, {len(doubt)} in doubt")
    assert len(verdicts) == MESSAGES and len(sent) + len(doubt) == MESSAGES, Counter(
        line[:9] for line in verdicts.values())
    assert unknown == doubt, "in doubt, and nobody is told"
    for number, refs in provider.history.items():
        for ref, whats in refs.items():
            assert set(whats[:-1]) <= {REFUSED}, f"{number} {ref}: sent again: {whats}"
    last = {number: [whats[-1] for whats in refs.values()] for number, refs in provider.history.items()}
    for number in sent:
        parts = 2 if int(number[-7:]) % 8 == 0 else 1
        assert last[number] == [TAKEN] * parts, f"{number} is said to be sent: {last[number]}"
    unexplained = {number for number in doubt if DOUBT not in last.get(number, ())}
    assert len(unexplained) <= provider.unread, f"the provider was clear about them: {unexplained}"
    assert min(made[what] for what in (DOUBT, REFUSED, TAKEN)) > 0 < provider.unread, "the test shows nothing"
