# SPDX-License-Identifier: ISC
"""A slow gateway with far more mail than its share never holds up another one, and is never idle itself."""
import time
from concurrent.futures import ThreadPoolExecutor

from harness import build, wait_until
from harness.site import DOMAIN

SENDER = "anna@allowed.example"
SLOW, FAST = 200, 20
DELAY = 0.2

# Postfix comes back with what was turned away after two or three seconds, as it would after minutes at real speed.
SITE = {"settings": {"slots": 80}, "gateway": {"delay": f"{DELAY}s"}, "gateways": {"fast": {"delay": "0"}}}


def send(site, gateway):
    number = site.number()
    sent = site.send(SENDER, f'"sms:{number}?id={gateway}"@{DOMAIN}', build(f"für {number}"))
    assert sent.accepted
    return number, time.monotonic(), sent


def test_slow_and_fast(site):
    with ThreadPoolExecutor(8) as pool:
        slow = list(pool.map(lambda _: send(site, "demo"), range(SLOW)))
        begin = time.monotonic()
        fast = list(pool.map(lambda _: send(site, "fast"), range(FAST)))
    numbers = {number for number, _, _ in fast}
    wait_until(lambda: numbers <= {part["number"] for part in site.postsms.sent()}, 10, "the fast ones have left")
    assert time.monotonic() - begin < 10

    def times():
        """When each slow part was written, by the file's own growth."""
        return [part for part in site.postsms.sent() if part["gateway"] == "demo"]
    first = wait_until(times, 10, "the first slow one") and time.monotonic()
    already = len(times())
    wait_until(lambda: len(times()) == SLOW, SLOW * DELAY * 2, lambda: f"{len(times())} of {SLOW} slow ones")
    took = time.monotonic() - first
    busy = (SLOW - already) * DELAY / took
    print(f"the slow gateway was busy for {busy:.3f} of the time")  # 0.97 is wanted, on a machine of one's own
    assert busy >= 0.85, "a share that runs dry before mail comes back stays at half of that"
    # Oldest first: nobody is overtaken by a mail more than a minute younger.
    arrived = {number: at for number, at, _ in slow}
    youngest = 0
    for part in times():
        assert arrived[part["number"]] >= youngest - 60
        youngest = max(youngest, arrived[part["number"]])
    assert sorted(arrived) == sorted(part["number"] for part in times())
    for _, _, one in slow + fast:
        site.postfix.wait_removed(one.queue_id)
