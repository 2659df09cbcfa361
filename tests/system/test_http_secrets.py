# SPDX-License-Identifier: ISC
"""A provider that repeats our secret, with Postfix in front: it is in no report, mailq, alarm, log or ledger; and a
wrong key bounces nothing."""
import json
import os
import shutil
import tempfile

import pytest
from harness import build
from harness.http_place import SECRET
from harness.provider import Provider, Reply
from harness.site import ALARM_TO, DOMAIN

SAID = f"key {SECRET} (s3cr3t%2F%26-value)"


@pytest.fixture(scope="module")
def carrier(new_site):
    """(site, provider, put_secret): a site whose only gateway is HTTP and proves itself by a secret."""
    provider = Provider()
    with tempfile.TemporaryDirectory() as base:
        path = os.path.join(base, "secret")
        os.chmod(base, 0o755)

        def put_secret(secret):
            with open(path, "w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), 0o640)
                file.write(f"secret = {secret}\n")
            shutil.chown(path, "nobody", "nogroup")
        put_secret(SECRET)
        site = new_site(gateway=None, gateways={"carrier": {
            "type": "http", "url": provider.url + "/send?to=%number%&text=%data%", "auth": "bearer",
            "secret_file": path, "out_after": 2, "text": "json:/message"}},
            settings={"transport": {"message": "%%Body%%"}})
        yield site, provider, put_secret
    provider.close()


def says_no_secret(site, *texts):
    """Neither these, nor the ledger and the logs of everybody."""
    texts = [*texts, site.postfix.mailq_text(), site.postfix.maillog.text(),
             *(log.text() for log in site.postsms.logs.values())]
    for name in os.listdir(site.postsms.state_dir):
        with open(os.path.join(site.postsms.state_dir, name), "rb") as file:
            texts.append(file.read().decode("utf-8", "replace"))
    for text in texts:
        assert "s3cr3t" not in text and "-value" not in text


def send(site, text):
    sender = site.sender()
    sent = site.send(sender, f"{site.number()}@{DOMAIN}", build(text, sender=sender))
    assert sent.accepted, sent
    return sender, sent.queue_id


def test_refused_for_good(carrier):
    """The sender is told the provider's reason, with his text."""
    site, provider, _ = carrier
    provider.answer = Reply(400, json.dumps({"message": f"number is blocked, {SAID}"}).encode())
    sender, queue_id = send(site, "unzustellbar")
    report, = site.postfix.wait_caught(sender)
    assert report.is_report and report.status == "5.7.1" and "unzustellbar" in report.raw.decode()
    assert "carrier: HTTP 400: number is blocked, key *** (***)" in " ".join(report.text.split())
    site.postfix.wait_removed(queue_id)
    says_no_secret(site, report.raw.decode())


def test_wrong_key_bounces_nothing(carrier):
    """It waits, mailq says why, the admin is told once; with the right key it goes out, once."""
    site, provider, put_secret = carrier
    provider.clear()
    provider.answer = lambda request: Reply() if dict(request.headers)["Authorization"] == "Bearer right-one" else \
        Reply(401, json.dumps({"message": f"wrong {SAID}"}).encode())
    sender, queue_id = send(site, "wartet")
    deferred = site.postfix.wait_delivery(queue_id, "deferred", 2)
    assert deferred[0]["dsn"] == "4.3.5" and "carrier: HTTP 401: wrong key *** (***)" in deferred[0]["text"]
    assert "carrier: " in site.postfix.queued(queue_id)["recipients"][0]["delay_reason"]
    alarm = site.postfix.wait_caught(ALARM_TO)
    assert [mail.message["Subject"] for mail in alarm] == ["postsms: carrier out"]
    assert "HTTP 401: wrong key *** (***)" in " ".join(alarm[0].text.split())
    says_no_secret(site, *(mail.raw.decode() for mail in alarm))
    put_secret("right-one")
    site.postsms.reload()
    site.postfix.wait_removed(queue_id, 60)
    assert len(provider.confirmed) == 1 and not site.postfix.caught(sender)
