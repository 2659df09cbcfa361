# SPDX-License-Identifier: ISC
"""A wall clock that jumps a day forward and back under a running postsmsd: nothing is lost, nothing expires early."""
import os
import subprocess

import pytest
from harness import build, wait_until
from harness.site import DOMAIN

SENDER = "anna@allowed.example"
DAY = 86400


@pytest.fixture
def clock(site, monkeypatch):
    """Sets postsmsd's wall clock off by so many seconds."""
    shim = os.path.join(site.base, "clock.so")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clock.c")
    subprocess.run(["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    offset = os.path.join(site.base, "offset")

    def set_off(seconds):
        with open(offset + ".new", "w", encoding="ascii") as file:
            file.write(str(seconds))
        os.rename(offset + ".new", offset)
    set_off(0)
    site.postsms.stop_daemon()
    monkeypatch.setenv("LD_PRELOAD", shim)
    monkeypatch.setenv("POSTSMS_TEST_CLOCK", offset)
    site.postsms.start_daemon()
    monkeypatch.delenv("LD_PRELOAD")
    yield set_off
    site.postsms.stop_daemon()
    site.postsms.start_daemon()


@pytest.mark.skipif("address" in os.environ.get("POSTSMS_BUILD", ""), reason="a sanitizer wants to be loaded first")
def test_a_day_forward_and_back(site, clock):
    site.postsms.change(transport={"lifetime": "4h", "warn_after": "4h"}, gateway={"fail_every": 1})
    site.postsms.reload()
    number, sender = site.number(), site.sender()
    one = site.send(sender, f"{number}@{DOMAIN}", build("Alarm", sender=sender))
    site.postfix.wait_delivery(one.queue_id, "deferred")
    for jump in (DAY, 0, -DAY, 0):
        tried = len(site.postfix.deliveries(one.queue_id))
        clock(jump)
        site.postfix.flush()
        wait_until(lambda: len(site.postfix.deliveries(one.queue_id)) > tried, 15, "another try")
        assert {d["status"] for d in site.postfix.deliveries(one.queue_id)} == {"deferred"}
    assert any("the clock jumped by 86400 s" in line for line in site.postsms.logs["postsmsd"].lines())
    site.postsms.change(gateway={"fail_every": 0})
    site.postsms.reload()
    wait_until(lambda: site.postsms.admin_status() == 0, 30, "the gateway is up")
    site.postfix.flush()
    site.postfix.wait_removed(one.queue_id)
    assert len(site.postsms.sent(number)) == 1
    assert not site.postfix.caught(sender), "no warning, no bounce"
