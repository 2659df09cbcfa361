# SPDX-License-Identifier: ISC
"""A mail that kills its reader costs itself; the others go on."""
import os

import pytest
from harness import build, wait_until
from harness.site import DOMAIN

SENDER = "anna@allowed.example"
OTHERS = 20

# Postsmsd starts this in the reader's place: the same reader with little memory.
WRAPPER = """\
#!/bin/sh
ulimit -v LIMIT
exec "$(dirname "$0")/postsms-reader.real" "$@"
"""


def reader_pids(site):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/exe").startswith(os.path.join(site.postsms.libdir, "postsms-reader")):
                found.append(int(pid))
        except OSError:
            pass
    return found


@pytest.fixture(scope="module")
def tight_site(new_site):
    """A site whose readers have 4 MB more than they need when idle."""
    site = new_site(postfix={"message_size_limit": "50000000"})
    pid = wait_until(lambda: reader_pids(site), 10, "a reader runs")[0]
    site.send_sms("warm")
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        size = next(int(line.split()[1]) for line in status if line.startswith("VmPeak"))
    reader = os.path.join(site.postsms.libdir, "postsms-reader")
    site.postsms.stop_daemon()
    site.postsms.tolerated = r"AddressSanitizer: allocator is out of memory|AddressSanitizer failed to allocate"
    os.rename(reader, reader + ".real")
    with open(reader, "w", encoding="ascii") as wrapper:
        wrapper.write(WRAPPER.replace("LIMIT", str(size + 4096)))
    os.chmod(reader, 0o755)
    site.postsms.start_daemon()
    return site


def test_mail_that_aborts_the_reader(tight_site):
    """Deferred twice, bounced 5.6.0 at the third try, while 20 others arrive."""
    site, victim = tight_site, tight_site.sender()
    large = build(("y" * 70 + "\n") * 400000, "groß", victim)
    sent = site.send(victim, f"{site.number()}@{DOMAIN}", large)
    assert sent.accepted
    numbers = [site.number() for _ in range(OTHERS)]
    said, others = {}, {}
    for number in numbers:
        mail = build(f"an {number}")
        said[number] = site.postsms.explain(SENDER, f"{number}@{DOMAIN}", mail)
        others[number] = site.send(SENDER, f"{number}@{DOMAIN}", mail)
    for number in numbers:
        site.postfix.wait_removed(others[number].queue_id)
        site.assert_explained(said[number], site.postsms.sent(number), number, SENDER, f"{number}@{DOMAIN}")
    site.postfix.wait_removed(sent.queue_id, 60)
    tries = site.postfix.deliveries(sent.queue_id)
    assert [one["status"] for one in tries] == ["deferred", "deferred", "bounced"]
    assert all(one["dsn"].startswith("4.") for one in tries[:2])
    assert tries[2]["dsn"] == "5.6.0"
    bounce, = site.postfix.wait_caught(victim)
    assert bounce.is_report and bounce.status == "5.6.0"


def test_reader_killed_while_idle(site):
    """A reader that dies costs nobody anything."""
    for pid in wait_until(lambda: reader_pids(site), 10, "readers run"):
        os.kill(pid, 9)
    site.send_sms("geht weiter")
