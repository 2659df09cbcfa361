# SPDX-License-Identifier: ISC
"""What test_killpoints.py does with an HTTP gateway: postsmsd dies before a request or behind its answer."""
import os
import tempfile

from harness import wait_until
from harness.http_place import Place
from harness.provider import Provider


def http(_site, kill, settings):
    """The ledger cannot tell whether the request left, so the message is in doubt; the operator asks the provider."""
    assert not settings
    provider = Provider()
    with tempfile.TemporaryDirectory() as base:
        os.chmod(base, 0o755)
        place = Place(base, {"carrier": {}}, {"carrier": provider})
        try:
            place.postsms.stop_daemon()
            place.postsms.start_daemon(kill=kill)
            wait_until(lambda: sum(line.endswith("ready") for line in place.postsms.logs["postsmsd"].lines()) == 2, 20,
                       "the postsmsd that is to die is ready")
            process = place.pipe("carrier")
            place.postsms.wait_death()
            assert place.answer(process)[0] == 75
            place.postsms.start_daemon()
            for _ in range(2):
                code, line = place.again(process)
                assert code == 75 and line.startswith("4.4.2 carrier: part 1 of 1 may have been sent"), line
            delivery, = place.postsms.json("trace", process.again[0])
            place.postsms.admin("resolve", str(delivery["id"]), "sent" if provider.confirmed else "resend")
            assert place.again(process)[0] == 0
            assert len(provider.confirmed) == len(provider.requests) == 1
        finally:
            place.close()
