# SPDX-License-Identifier: ISC
"""A thousand mails through ten sessions, each exactly once."""
import collections
import threading

import pytest
from harness import Smtp, build, wait_until
from harness.site import DOMAIN, Site

MAILS, SESSIONS = 1000, 10
SENDER = "anna@allowed.example"


@pytest.mark.parametrize("delay", ["0", "50ms"])
def test_thousand_mails(new_site, delay):
    site = new_site(gateway={"delay": delay, "concurrency": 10})
    texts = {Site.number(): f"Nachricht {number}" for number in range(MAILS)}
    said = {number: site.postsms.explain(SENDER, f"{number}@{DOMAIN}", build(text))
            for number, text in list(texts.items())[::100]}
    problems = []

    def session(numbers):
        try:
            with Smtp(site.postfix.port) as smtp:
                for number in numbers:
                    sent = smtp.send(SENDER, [f"{number}@{DOMAIN}"], build(texts[number]))
                    if not sent.accepted:
                        problems.append(sent)
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=session, args=(list(texts)[start::SESSIONS],)) for start in range(SESSIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    wait_until(lambda: sum(line.endswith(": removed") for line in site.postfix.log()) >= MAILS, 300,
               lambda: f"every mail leaves the queue; sent {len(site.postsms.sent())}", step=0.2)
    parts = site.postsms.sent()
    counts = collections.Counter(part["number"] for part in parts)
    assert {number for number, count in counts.items() if count > 1} == set()
    assert set(texts) - set(counts) == set()
    assert {part["number"]: part["text"] for part in parts} == {n: f"{SENDER}\n{t}" for n, t in texts.items()}
    assert len({part["id"] for part in parts}) == MAILS
    for number, explanation in said.items():
        site.assert_explained(explanation, site.postsms.sent(number), number, SENDER, f"{number}@{DOMAIN}")
    assert site.postfix.mailq() == [] and site.postsms.json("queue") == []
