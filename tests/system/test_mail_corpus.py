# SPDX-License-Identifier: ISC
"""The mails of tests/data/mail: the text that each is to become, held against Python's email package and explain.

The first half checks the corpus itself: what a *.want asks for must be in its mail, as an independent reader sees it.
The second half asks the programs.
"""
import concurrent.futures
import email
import email.policy
import functools
import glob
import html
import json
import os
import re
import subprocess

import pytest
from harness.site import DOMAIN, ROOT

MAILS = os.path.join(ROOT, "tests", "data", "mail")
NAMES = sorted(os.path.basename(path)[:-4] for path in glob.glob(os.path.join(MAILS, "*.eml")))
BUILD = os.environ.get("POSTSMS_BUILD") or os.path.join(ROOT, "build", "plain")
SENDER = "anna@allowed.example"

COMMENT = "the sender's name stands in a comment, where mail(1), cron and Postfix put it; Python knows phrases only"
NO_LABEL = "octets beyond ASCII without a charset: Python gives up, people meant UTF-8 or windows-1252"
WRONG_LABEL = "the charset does not fit: Python believes it, the octets say which one it is"
SUPERSET = "letters of the superset that software means by this charset's name; Python takes the name strictly"
ENCRYPTED = "cannot be read; the placeholder says so"
CALENDAR = "the text is made of the event's fields"
TRACKING = "the link's tracking parameters are taken off"
INVISIBLE = "control characters, marks of direction and zero-width ones are dropped"

# Where Python's email package reads a header in another way, and why ours is the wanted one.
HEADERS = {
    "bacula-error": {"from": COMMENT},
    "cron-debian": {"from": COMMENT},
    "cron-no-charset-latin1-de": {"from": COMMENT, "subject": NO_LABEL},
    "header-long-folded-en": {"subject": "Python keeps the tab of a fold; a fold is one blank, whatever it is made of"},
    "label-ascii-is-1252-de": {"subject": WRONG_LABEL},
    "label-gb2312-is-gbk-zh": {"subject": SUPERSET},
    "label-latin1-is-utf8-qp-de": {"subject": WRONG_LABEL},
    "label-none-1252-fr": {"subject": NO_LABEL},
    "label-unknown-8bit-fi": {"subject": WRONG_LABEL},
    "label-utf8-is-latin1-de": {"subject": WRONG_LABEL},
    "nagios-host-down": {"from": COMMENT},
    "postfix-bounce": {"from": COMMENT},
    "words-raw-latin1-and-word-de": {"subject": NO_LABEL},
}

# Wanted texts, or lines of them, that are in no text part as Python's email package decodes it, and why.
TEXTS = {
    "alarm-panel-no-mime-latin1-de": NO_LABEL,
    "apple-calendar-invitation-only": CALENDAR,
    "base64-padding-inside-de": "Python stops at the first padding; two base64 texts behind each other are both text",
    "charset-iso-2022-jp-half-width-ja": "Python's ISO-2022-JP has no half-width katakana (JIS X 0201)",
    "charset-iso-8859-8-he": "Python does not know ISO-8859-8-I (RFC 1556), the one that Hebrew mail uses",
    "content-type-no-semicolon-de": "Python finds no charset without the semicolon",
    "controls-and-bidi-en": INVISIBLE,
    "cron-no-charset-latin1-de": NO_LABEL,
    "encoding-label-trailing-de": "Python does not know an encoding with a semicolon behind it",
    "exchange-winmail-only": "the text is in the TNEF part, which Python does not read",
    "format-flowed-quoted-de": "Python does not join flowed lines; here the second one has a quote mark in front",
    "gnupg-inline-encrypted-de": ENCRYPTED,
    "label-ascii-is-1252-de": WRONG_LABEL,
    "label-cp1251-windows-name-ru": "Python does not know the name cp-1251",
    "label-gb2312-is-gbk-zh": SUPERSET,
    "label-latin1-is-1252-de": SUPERSET,
    "label-latin1-is-utf8-qp-de": WRONG_LABEL,
    "label-none-1252-fr": NO_LABEL,
    "label-none-html-meta-ru": "Python does not look for a charset within HTML",
    "label-none-utf8-fr": NO_LABEL,
    "label-unknown-8bit-fi": WRONG_LABEL,
    "label-utf8-is-latin1-de": WRONG_LABEL,
    "nagios-service-raw-utf8-de": NO_LABEL,
    "newsletter-mailchimp-html-only-de": TRACKING,
    "nul-octets-en": INVISIBLE,
    "one-time-code-html-en": INVISIBLE,
    "outlook-cancellation-calendar-only-de": CALENDAR,
    "outlook-smime-encrypted-de": ENCRYPTED,
    "outlook-smime-opaque-signed-de": ENCRYPTED,
    "parcel-notice-html-fr": TRACKING,
    "qp-wrong-soft-breaks-de": "Python takes a soft line break with a blank behind it as text",
    "servicenow-incident": "a rule line of the HTML is \"---\" in the text",
    "thunderbird-pgp-mime-encrypted": ENCRYPTED,
    "webmail-euc-jp": SUPERSET,
}


@functools.lru_cache(maxsize=None)
def wanted(name):
    """The *.want of a mail: its fields by lower-case name, and "text"."""
    with open(os.path.join(MAILS, name + ".want"), encoding="utf-8", newline="") as file:
        head, _, text = file.read().partition("\n\n")
    fields = dict(line.partition(": ")[::2] if ": " in line else (line.rstrip(":"), "") for line in head.split("\n"))
    return {**{key.lower(): value for key, value in fields.items()}, "text": text.rstrip("\n")}


def octets(name):
    with open(os.path.join(MAILS, name + ".eml"), "rb") as file:
        return file.read()


# The corpus against Python's email package

def squeeze(text):
    """text without white space: where lines end is not what Python is asked about."""
    return re.sub(r"\s+", "", text)


def strip_tags(document, links):
    """The characters of an HTML document; links: each followed by its address, as "text <address>"."""
    document = re.sub(r"(?is)<(style|title)\b.*?</\1\s*>|<!--.*?-->", "", document)
    if links:
        document = re.sub(r"""(?is)<a\b[^>]*?href=["']?([^"'>\s]*)[^>]*>(.*?)</a>""", r"\2 &lt;\1&gt;", document)
        document = re.sub(r"""(?is)<img\b[^>]*?alt="([^"]*)"[^>]*>""", r"\1", document)
    return html.unescape(re.sub(r"(?s)<[^>]*>", "", document))


def parts(message):
    """Every text in the mail that Python can read; HTML without its tags."""
    for part in message.walk():
        if part.get_content_maintype() != "text":
            continue
        try:
            text = part.get_content()
        except (LookupError, UnicodeError):
            continue
        if part.get_content_subtype() == "html":
            yield squeeze(strip_tags(text, False))
            yield squeeze(strip_tags(text, True))
        else:
            yield squeeze(text)


def lines_missing(name):
    """Lines of the wanted text that no part has, list marks and quote marks left aside."""
    read = list(parts(email.message_from_bytes(octets(name), policy=email.policy.default)))

    def found(line):
        bare = re.sub(r"^\s*(- |\d+\. |> )", "", line)
        return any(squeeze(one) in text for one in (line, bare) for text in read)
    return [line for line in wanted(name)["text"].split("\n") if line and not found(line)]


def python_headers(name):
    """Subject and From as Python's email package decodes them; None for what it cannot."""
    message = email.message_from_bytes(octets(name), policy=email.policy.default)
    subject, sender = message["subject"], message["from"]
    try:
        first = sender.addresses[0]
        sender = f"{first.display_name} <{first.addr_spec}>".strip()
    except (AttributeError, IndexError):
        sender = None
    return {"subject": str(subject or "").strip(), "from": sender}


@pytest.mark.parametrize("name", NAMES)
def test_headers_agree_with_python(name):
    """Subject and From are what Python makes of them, but for the differences listed, which must be there."""
    want = wanted(name)
    differ = {field for field, value in python_headers(name).items() if value != want[field]}
    assert differ == set(HEADERS.get(name, ())), (python_headers(name), want)


@pytest.mark.parametrize("name", NAMES)
def test_texts_agree_with_python(name):
    """Each line of the wanted text is in the mail, but for the differences listed, which must be there."""
    missing = lines_missing(name)
    assert bool(missing) == (name in TEXTS), missing


def test_corpus():
    """Each mail has its wanted text and the other way round; texts are as they are to be written."""
    assert NAMES == sorted(os.path.basename(path)[:-5] for path in glob.glob(os.path.join(MAILS, "*.want")))
    assert len(NAMES) >= 160
    assert not (set(HEADERS) | set(TEXTS)) - set(NAMES)
    for name in NAMES:
        text = wanted(name)["text"]
        assert "\n\n\n" not in text and text == "\n".join(line.rstrip() for line in text.split("\n")).strip(), name


# The programs

CONF = """\
domains = {{ "{domain}" }}
state_dir = "{base}"
run_dir = "{base}"
country_code = "41"
transport {{ maxmsgs = 128  message = "{message}"  translit = "none" }}
access {{ require = "none"  prefixes = {{ "+41" }} }}
milter {{ rules = "{base}/smtp.rules" }}
gateway "file" {{ type = "file"  demo = yes  path = "{base}/sent" }}
"""


def unguarded(mail):
    """The mail without what the guards look at: what a refused one's text would have been."""
    mail = re.sub(rb"(?mi)^(?=(Auto-Submitted|Precedence|List-Id):)", b"X-", mail)
    return re.sub(rb"(?i)multipart/report", b"multipart/mixed", mail)


def explain(conf, name, look_inside):
    mail = octets(name)
    done = subprocess.run([os.path.join(BUILD, "sbin", "postsms"), "-c", conf, "explain", "--json", "-s", SENDER,
                           "-r", f"+41791234567@{DOMAIN}"], input=unguarded(mail) if look_inside else mail,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def explained(request, tmp_path_factory):
    """explained(message, name, look_inside): what explain says of a mail with that template. The answers of the
    mails whose tests are selected are made ahead, by as many processes as there are processors."""
    base = str(tmp_path_factory.mktemp("corpus"))
    open(os.path.join(base, "smtp.rules"), "w", encoding="ascii").close()
    confs = {}

    def conf(message):
        if message not in confs:
            confs[message] = os.path.join(base, f"{len(confs)}.conf")
            with open(confs[message], "w", encoding="ascii") as file:
                file.write(CONF.format(domain=DOMAIN, base=base, message=message))
        return confs[message]
    selected = {item.callspec.params["name"] for item in request.session.items
                if item.fspath == request.node.fspath and "explained" in item.fixturenames}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        asked = {}

        def ask(*question):
            if question not in asked:
                asked[question] = pool.submit(explain, conf(question[0]), *question[1:])
            return asked[question]
        for name in sorted(selected):
            ask(BODY, name, "refused" in wanted(name))
        yield lambda *question: ask(*question).result()


BODY = "%%Body%%"
FROM = "%%From_Name%% <%%From_Email%%>"


@pytest.mark.parametrize("name", NAMES)
def test_text(explained, name):
    """%%Body%% and the subject, white space exact; of a refused mail as well, once its guard looks away. Where that
    leaves nothing, there is nothing to send."""
    want = wanted(name)
    said = explained(BODY, name, "refused" in want)
    assert said["subject"] == want["subject"]
    if want["text"]:
        assert said["text"] == want["text"]
        assert said["decision"] == "send" and not said["truncated"]
    else:
        assert (said["decision"], said["status"], said["text"]) == ("reject", "5.6.0", None)


@pytest.mark.parametrize("name", [name for name in NAMES if "refused" in wanted(name)])
def test_refused(explained, name):
    said = explained(BODY, name, False)
    assert said["decision"] == "reject" and said["reason"] == wanted(name)["refused"]


@pytest.mark.parametrize("name", [name for name in NAMES if wanted(name)["subject"] or wanted(name)["text"]])
def test_from(explained, name):
    """The first mailbox of From, its name decoded."""
    want = wanted(name)
    assert explained(FROM, name, "refused" in want)["text"] == want["from"]
