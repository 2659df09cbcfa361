# SPDX-License-Identifier: ISC
"""Profiles of providers: each sends what the provider's documents ask for, to the octet, and takes each documented
answer for what it is (ICE-HTTP-01, ICE-HTTP-03, ICE-HTTP-28, ICE-HTTP-29, ICE-GEN-09, ICE-GEN-12, A-29).

tests/data/profiles/NAME.txt has requests and answers, written from the documents; README there explains them. One
postsmsd has every profile as a gateway; a local server stands for all providers.
"""
import base64
import glob
import hashlib
import hmac
import os
import re
import shutil
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from harness import build
from harness.postsms import Postsms
from harness.site import ROOT

BUILD = os.environ.get("POSTSMS_BUILD") or os.path.join(ROOT, "build", "plain")
PROFILES = os.path.join(ROOT, "transport", "gateway", "profiles")
DATA = os.path.join(ROOT, "tests", "data", "profiles")
NAMES = sorted(os.path.basename(path)[:-5] for path in glob.glob(os.path.join(PROFILES, "*.conf")))
SECRETS = "account = AC1\ntoken = T1\nkey = K1\nsecret = S1\nuser = U1\npassword = P1\nid = I1\napi_id = A1\n"
LONG = "a" * 170
TEXTS = {"gsm7": 'Zür & "1+1" 50%', "unicode": "Жук 😀", "long": LONG}
UDH, OCTETS = bytes.fromhex("06050415811581"), bytes.fromhex("00ff1b2526")
EXITS = {"accepted": (0, ""), "temporary": (75, "4.3."), "config": (75, "4.3.5 "), "permanent": (77, "5.7.1 "),
         "unknown": (75, "4.4.2 ")}
PASSED_OVER = {"host", "user-agent", "content-length", "x-amz-date"}


def sections(name):
    """{section: text} of tests/data/profiles/NAME.txt"""
    with open(os.path.join(DATA, name + ".txt"), encoding="utf-8") as file:
        parts = re.split(r"^%%% (\w+)\n", file.read(), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def replies():
    found = []
    for name in NAMES:
        for line in sections(name)["replies"].splitlines():
            row = line.split("\t") + [""] * 6
            found.append((name, *row[:6]))
    return found


class Provider(ThreadingHTTPServer):
    """Keeps the last request; answers with what it is told."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests = []
        self.answer = (200, "", "")
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append((self.command, self.path, list(self.headers.items()), body))
        status, headers, text = self.server.answer
        octets = text.encode()
        self.send_response(int(status))
        for header in filter(None, headers.split("\n")):
            self.send_header(*header.split(": ", 1))
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    do_GET = do_POST = do_PUT = handle_any

    def log_message(self, *args):
        pass


class Place:
    def __init__(self, base):
        self.provider = Provider()
        secret = os.path.join(base, "secret")
        with open(secret, "w", encoding="utf-8") as file:
            file.write(SECRETS)
        shutil.chown(secret, "nobody", "nogroup")
        os.chmod(secret, 0o640)
        text = ""
        for name in NAMES:
            path = os.path.join(base, name + ".conf")
            with open(os.path.join(PROFILES, name + ".conf"), encoding="utf-8") as file:
                profile = re.sub(r"^(url\S* = ')(https?://[^/']+|%var\.base;raw%)", rf"\g<1>{self.provider.url}",
                                 file.read(), flags=re.M)
            with open(path, "w", encoding="utf-8") as file:
                file.write(profile)
            settings = sections(name).get("settings", "")
            if "originator" not in settings:
                settings += 'originator = "ACME"\n'
            text += (f'gateway "{name}" {{\ntype = "http"\nprofile = "{path}"\nsecret_file = "{secret}"\n'
                     f'out_after = 1000\n{settings}}}\n')
        os.mkdir(os.path.join(base, "postsms"))
        os.chmod(os.path.join(base, "postsms"), 0o755)
        self.postsms = Postsms(os.path.join(base, "postsms"), BUILD, os.path.join(base, "milter.sock"), gateway=None,
                               settings={"transport": {"message": "%%Body%%", "maxmsgs": 5}})
        with open(self.postsms.conf, "a", encoding="utf-8") as file:
            file.write(text)
        self.postsms.admin("init")
        self.postsms.start_daemon()
        self.count = 0

    def send(self, name, mail, parameters=""):
        """Exit status and line of postsms-pipe, and our reference."""
        self.count += 1
        queue_id = f"4Q{self.count:08d}zABCD"
        recipient = f"sms:+41791234567?id={name}{parameters}@sms.example.test"
        done = subprocess.run([os.path.join(self.postsms.libdir, "postsms-pipe"), "-s",
                               os.path.join(self.postsms.run_dir, "deliver.sock"), "--deadline=60",
                               f"--queue-id={queue_id}", "--sender=anna@allowed.example",
                               f"--recipient={recipient}", f"--original={recipient}", "--login=",
                               "--client=127.0.0.1"], input=mail, stdout=subprocess.PIPE, check=False, timeout=60)
        return done.returncode, done.stdout.decode().strip(), queue_id

    def part(self, queue_id):
        """The ledger's first part of that mail, None if there is none."""
        deliveries = self.postsms.json("trace", queue_id, check=False)
        return deliveries[0]["parts"][0] if deliveries and deliveries[0]["parts"] else None

    def close(self):
        self.provider.shutdown()
        self.provider.server_close()
        self.postsms.stop()


@pytest.fixture(scope="module")
def place():
    with tempfile.TemporaryDirectory() as base:
        os.chmod(base, 0o755)
        made = Place(base)
        yield made
        made.close()


def signature(request, region, service):
    """What an Authorization header of AWS Signature version 4 has to say about this request."""
    method, path, headers, body = request
    given = {name.lower(): value for name, value in headers}
    signed = re.search(r"SignedHeaders=([^,]+)", given["authorization"]).group(1)
    date = given["x-amz-date"]
    canonical = "\n".join([method, path, "", *(f"{name}:{given[name].strip()}" for name in signed.split(";")), "",
                           signed, hashlib.sha256(body).hexdigest()])
    scope = f"{date[:8]}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4S1"
    for step in (*scope.split("/"), text):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    return f"AWS4-HMAC-SHA256 Credential=U1/{scope}, SignedHeaders={signed}, Signature={key.hex()}"


def as_recorded(request, wanted):
    """The request in the form of the files."""
    method, path, headers, body = request
    lines = []
    for name, value in headers:
        if name.lower() in PASSED_OVER or (name.lower() == "accept" and value == "*/*"):
            continue
        signed = re.search(r"<sigv4 (\S+) (\S+)>", wanted)
        if name.lower() == "authorization" and signed:
            assert value == signature(request, *signed.groups())
            value = signed.group()
        lines.append(f"{name}: {value}")
    text = "\n".join([f"{method} {path}", *sorted(lines)])
    return text + ("\n\n" + body.decode() if body else "") + "\n"


def number_of(ref):
    return str(max(1, int(ref[:8], 16) & 0x7FFFFFFF))


@pytest.mark.parametrize("kind", ["gsm7", "unicode", "long", "binary"])
@pytest.mark.parametrize("name", NAMES)
def test_request(place, name, kind):
    """To the octet what the documents ask for; binary data are refused before anything is sent if nobody says how."""
    wanted = sections(name).get(kind)
    place.provider.requests.clear()
    place.provider.answer = (400, "", "")
    if kind == "binary":
        mail = build(base64.b64encode(OCTETS).decode())
        status, line, queue_id = place.send(name, mail, "&binary=1&udh=" + base64.b64encode(UDH).decode())
    else:
        status, line, queue_id = place.send(name, build(TEXTS[kind]))
    if wanted is None:
        assert kind == "binary" and not place.provider.requests
        assert status == 65 and line == f"5.6.0 {name}: cannot send binary messages"
        return
    request, = place.provider.requests
    ref = place.part(queue_id)["ref"]
    for placeholder, value in (("<ref20>", ref[:20]), ("<ref>", ref), ("<int31>", number_of(ref)), ("<long>", LONG)):
        wanted = wanted.replace(placeholder, value)
    assert as_recorded(request, wanted) == wanted


@pytest.mark.parametrize("name,status,headers,body,kind,ref,word", replies())
def test_reply(place, name, status, headers, body, kind, ref, word):
    """Each documented answer, and garbage, is judged as documented, in the provider's own words."""
    place.provider.answer = (status, headers.replace("\\n", "\n"), body.replace("\\n", "\n"))
    code, line, queue_id = place.send(name, build(f"number {place.count}"))
    wanted_code, beginning = EXITS[kind]
    assert (code, line.startswith(beginning)) == (wanted_code, True), line
    assert kind == "config" or not line.startswith("4.3.5"), line
    if kind == "accepted":
        part = place.part(queue_id)
        assert part["state"] == "accepted"
        assert part["gateway_ref"] == (part["ref"] if ref == "<ref>" else ref)
    else:
        assert f"{name}: " in line and word in line, line
    for secret in re.findall(r"= (\w{4,})", SECRETS):
        assert secret not in line


@pytest.mark.parametrize("name", NAMES)
def test_codes_are_known(name):
    """No documented code is left to the status alone: a rule names it. And each rule but the last is met by an answer."""
    with open(os.path.join(PROFILES, name + ".conf"), encoding="utf-8") as file:
        rules = re.findall(r"^    '(.*?)\s*-> (\w+)',?$", file.read(), re.M)
    classes = {kind for _, kind in rules}
    told = {row.split("\t")[3] for row in sections(name)["replies"].splitlines()}
    assert classes <= told, "a class that no answer of the list has"


def test_every_profile_is_described():
    """postsms gateway profiles lists them all, with a description each."""
    done = subprocess.run([os.path.join(BUILD, "sbin", "postsms"), "gateway", "profiles"], stdout=subprocess.PIPE,
                          text=True, check=True)
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert sorted(lines) == NAMES and all(len(line.split()) > 1 for line in lines.values())
