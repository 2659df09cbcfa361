# SPDX-License-Identifier: ISC
"""Altered mails (tests/data/rewrite, made by the reader, see tests/unit/test_alter.c) as Python's own reader sees
them: subject and text are the new ones, everything else is what it was."""
import email
import email.policy
import glob
import os

import pytest

DATA = os.path.join(os.path.dirname(__file__), "..", "data", "rewrite")
CASES = sorted(os.path.basename(path)[:-4] for path in glob.glob(os.path.join(DATA, "*.eml")))
MAY_CHANGE = {"subject", "mime-version", "content-type", "content-transfer-encoding"}


def octets(name, kind):
    with open(os.path.join(DATA, f"{name}.{kind}"), "rb") as file:
        return file.read()


def asked(name):
    """The new subject and the new text, None for what stays."""
    rest, subject = octets(name, "ask").decode(), None
    if rest.startswith("subject "):
        subject, rest = rest[len("subject "):].split("\n", 1)
    return subject, rest[len("text\n"):] if rest.startswith("text\n") else None


def text_of(part):
    text = part.get_payload(decode=True).decode(part.get_content_charset("us-ascii"))
    return text.replace("\r\n", "\n")


def mail_text(mail):
    """The part a person reads first."""
    for part in mail.walk():
        if part.get_content_type() == "text/plain" and part.get_content_disposition() != "attachment":
            return part
    return None


def others(part):
    return [(name, str(value)) for name, value in part.items() if name.lower() not in MAY_CHANGE]


@pytest.mark.parametrize("name", CASES)
def test_another_reader_agrees(name):
    before, after = (email.message_from_bytes(octets(name, kind), policy=email.policy.compat32)
                     for kind in ("eml", "want"))
    subject, text = asked(name)
    decoded = email.message_from_bytes(octets(name, "want"), policy=email.policy.default)
    if subject is not None:
        assert decoded["subject"].strip() == subject
    else:
        assert after.get_all("subject") == before.get_all("subject")
    chosen = mail_text(after)
    parts_before, parts_after = list(before.walk()), list(after.walk())
    assert len(parts_before) == len(parts_after)
    for old, new in zip(parts_before, parts_after):
        assert others(old) == others(new)
        assert (old.preamble, old.epilogue) == (new.preamble, new.epilogue)
        if new is chosen and text is not None:
            assert text_of(new) == text
            assert new.get_param("name") == old.get_param("name")
            # Flowed lines were joined before they were altered.
            assert new.get_param("format") is None and new.get_param("delsp") is None
        elif not old.is_multipart():
            assert new.as_bytes() == old.as_bytes() or new is after
            assert new.get_payload() == old.get_payload()


@pytest.mark.parametrize("name", CASES)
def test_lines_are_as_smtp_takes_them(name):
    """No line is too long, and none has an end that the mail did not have before."""
    before, after = octets(name, "eml"), octets(name, "want")
    assert max(map(len, after.split(b"\n"))) <= 999
    assert (b"\r\n" in before) == (b"\r\n" in after)
    assert after.count(b"\r") == (after.count(b"\n") if b"\r\n" in before else 0)
    for line in after.split(b"\n\n")[0].replace(b"\r", b"").split(b"\n"):
        if b"=?UTF-8?" in line:
            assert len(line) <= 76
