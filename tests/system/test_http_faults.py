# SPDX-License-Identifier: ISC
"""Many messages through a provider that fails in every way, a part of them each: nothing it confirmed goes twice,
nothing is lost, and whatever is in doubt is said to be (ICE-GEN-06, ICE-GEN-07). POSTSMS_HTTP_FAULTS says how many;
"make check" has a short form, "make http-faults" 10,000."""
import os
import random
import socket
import tempfile
import threading
from collections import Counter

from harness import build
from harness.http_place import BUILD
from harness.postsms import Postsms
from harness.provider import Provider, Reply

MESSAGES = int(os.environ.get("POSTSMS_HTTP_FAULTS", "400"))
THREADS = 16
OFFERS = 30
SHARE = 0.05  # of each fault
# What comes instead of an acceptance
FAULTS = [Reply(fault=fault) for fault in ("reset", "close", "truncate", "garbage", "hang")] + [
    Reply(500, b"?"), Reply(503, b"busy"), Reply(429, b"slow"), Reply(402, b"credit")]


class Failing(Provider):
    """Decides for each request what becomes of it."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        super().__init__(self.decide)

    def decide(self, _request):
        with self._changed:
            draw = self.chance.random()
        index = int(draw / SHARE)
        return FAULTS[index] if index < len(FAULTS) else Reply()


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
        mail = build(f"message {number}")
        for _ in range(OFFERS):
            line = offer(path, number, mail)
            if not line.startswith("75 ") or line.startswith("75 4.4.2"):
                break
        with lock:
            verdicts[number] = line


def test_every_fault_at_once():
    provider = Failing(4711)
    verdicts, lock = {}, threading.Lock()
    with tempfile.TemporaryDirectory() as base:
        os.chmod(base, 0o755)
        postsms = Postsms(base, BUILD, os.path.join(base, "milter.sock"), gateway=None, gateways={"carrier": {
            "type": "http", "url": provider.url + "/send?to=%number%&ref=%ref%", "timeout": "1", "concurrency": 32,
            "out_after": 1000}})
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
    sent = {f"+41{79 * 10**7 + number}" for number, line in verdicts.items() if line.startswith("0 ")}
    doubt = {f"+41{79 * 10**7 + number}" for number, line in verdicts.items() if line.startswith("75 4.4.2")}
    confirmed = Counter(request.target.partition("ref=")[2] for request in provider.confirmed)
    told = {request.target.partition("to=%2B")[2].partition("&")[0] for request in provider.confirmed}
    seen = Counter(request.target.partition("ref=")[2] for request in provider.requests)
    print(f"{MESSAGES} messages, {len(provider.requests)} requests: {len(sent)} sent, {len(doubt)} in doubt")
    assert len(verdicts) == MESSAGES and len(sent) + len(doubt) == MESSAGES, Counter(
        line[:9] for line in verdicts.values())
    assert max(confirmed.values()) == 1, "confirmed, and sent again"
    assert {number[1:] for number in sent} == told, "said to be sent, and not confirmed; or the other way round"
    assert unknown == doubt, "in doubt, and nobody is told"
    assert len(seen) >= MESSAGES
