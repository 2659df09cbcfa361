# SPDX-License-Identifier: ISC
"""postsms-milter alone, spoken to in the milter protocol. With Postfix around it: test_send.py and others."""
import grp
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import pytest

from harness.wait import PATIENCE
from milter_client import (ACCEPT, CONTINUE, DISCARD, NO_BODY, NO_DATA, NO_EOH, NO_HEADERS, NO_HELO,
                           NO_RCPT, NR_BODY, NR_HEADER, REPLYCODE, MilterClient)

BUILD = os.environ.get("POSTSMS_BUILD", "build/plain")
PROGRAM = os.path.join(os.path.abspath(BUILD), "sbin", "postsms-milter")
SMS = "<+41791234567@sms.example.test>"
OTHER = "<somebody@example.test>"
MAIL = b"Subject: hi\nFrom: a@dom.ch\n\nhello\n"
TIMEOUT = 20 * PATIENCE
# GLib's own allocator hides from the sanitizers who owns what, and SAN=thread sees libmilter's threads stop untidily:
# reports must not change the exit status but are looked at, see own_races().
os.environ.setdefault("G_SLICE", "always-malloc")
os.environ.setdefault("TSAN_OPTIONS", "exitcode=0")

RULES = """[ALLOW-FROM-DOMAIN]
@dom.ch;
[DENY-FROM-DOMAIN]
usr@dom.ch
"""


class Lines:
    """What a program writes, line by line; waiting for a line needs no polling."""

    def __init__(self, stream):
        self.lines = []
        self._ended = False
        self._more = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream):
        for line in stream:
            with self._more:
                self.lines.append(line.rstrip("\n"))
                self._more.notify_all()
        stream.close()
        with self._more:
            self._ended = True
            self._more.notify_all()

    def find(self, pattern):
        return [line for line in self.lines if re.search(pattern, line)]

    def end(self):
        """Every line, once the program has closed the stream."""
        self._thread.join(TIMEOUT)
        return self.lines

    def wait(self, pattern, count=1):
        """The count-th line that matches."""
        with self._more:
            self._more.wait_for(lambda: len(self.find(pattern)) >= count or self._ended, TIMEOUT)
            found = self.find(pattern)
        assert len(found) >= count, f"no {pattern!r} in {self.lines}"
        return found[count - 1]


def own_races(lines):
    """SAN=thread: the reports with a frame in our code. main() below libmilter's functions is not one."""
    reports = "\n".join(lines).split("WARNING: ThreadSanitizer: ")[1:]
    return [report for report in reports if re.search(r"#\d+ \w+ (milter/|rules/|lib/)", report)]


class Milter:
    """A milter of its own in a folder with a short name: a socket's path has 107 octets at most."""

    def __init__(self, rules=RULES, socket_setting="unix:%s/milter.sock", user=""):
        """socket_setting: as in the configuration, %s is the folder."""
        self.base = tempfile.mkdtemp(prefix="psms-milter-")
        self.conf = os.path.join(self.base, "postsms.conf")
        self.rules = os.path.join(self.base, "smtp.rules")
        setting = socket_setting.replace("%s", self.base)
        self.path = setting.partition(":")[2]
        self.address = self.path
        self.process = None
        self.log = None
        self.write_rules(rules)
        with open(self.conf, "w") as file:
            file.write('domains = { "sms.example.test", ".sms.example.test" }\n'
                       f'user = "{user}" run_dir = "{self.base}"\n'
                       'access { prefixes = { "+41" } }\n'
                       f'milter {{\n socket = "{setting}"\n rules = "{self.rules}"\n}}\n')

    def write_rules(self, text):
        with open(self.rules, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())

    def spawn(self):
        self.process = subprocess.Popen([PROGRAM, "-c", self.conf, "-e"], stderr=subprocess.PIPE, text=True,
                                        errors="replace")
        self.log = Lines(self.process.stderr)
        return self

    def start(self):
        self.spawn()
        self.log.wait(r"^postsms-milter\[\d+\]: ready$")
        return self

    def connect(self, **options):
        return MilterClient(self.address, timeout=TIMEOUT, **options)

    def reload(self):
        self.process.send_signal(signal.SIGUSR1)

    def stop(self, how=signal.SIGTERM):
        """The exit status. libmilter looks every 5 s whether it shall stop, and after each connection."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        end = time.monotonic() + TIMEOUT
        while how == signal.SIGTERM and self.process.poll() is None and time.monotonic() < end:
            family = socket.AF_UNIX if isinstance(self.address, str) else socket.AF_INET
            with socket.socket(family, socket.SOCK_STREAM) as knock:
                try:
                    knock.connect(self.address)
                except OSError:
                    pass
            try:
                self.process.wait(0.1)
            except subprocess.TimeoutExpired:
                pass
        return self.process.wait(TIMEOUT)

    def close(self):
        try:
            if self.process and self.process.poll() is None:
                assert self.stop() == 0
            if self.log:
                assert not own_races(self.log.end())
        finally:
            if self.process and self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            shutil.rmtree(self.base)


@pytest.fixture
def new_milter():
    made = []

    def make(start=True, **options):
        milter = Milter(**options)
        made.append(milter)
        return milter.start() if start else milter
    yield make
    for milter in made:
        milter.close()


@pytest.fixture(scope="module")
def milter():
    """One with RULES for all tests that only ask."""
    one = Milter()
    try:
        yield one.start()
    finally:
        one.close()


def ask(milter, sender, *recipients, **options):
    """The answers to one mail's recipients."""
    with milter.connect(**options) as client:
        client.mail(sender)
        return [client.rcpt(recipient) for recipient in recipients]


def refused(sender):
    return REPLYCODE, f"550 5.7.1 sender <{sender}> may not send SMS here"


PASSED = (CONTINUE, "")


# What it asks for

def test_wanted_steps(milter):
    """Header fields because of those that only we may write; no body if no rule may look at it."""
    with milter.connect() as client:
        for step in (NO_HELO, NO_EOH, NO_BODY, NR_HEADER):
            assert client.steps & step
        assert not client.steps & (NO_RCPT | NO_DATA | NO_HEADERS)
        assert client.actions == 0xBF  # all but the sender's and the macros
        client.mail("<a@dom.ch>")
        assert client.rcpt(OTHER) == PASSED
        assert client.data() == (ACCEPT, "")
        client.mail("<a@dom.ch>")
        assert client.rcpt(SMS) == PASSED
        assert client.send_mail(MAIL) == (CONTINUE, "", [])


@pytest.mark.parametrize("rules, wanted", [
    ("[SPAM-FILTER-RULES]\n0;x;1;\n1;x;1;\n2;x;1;\n[FILTER-ADDRESSES]\nx;\n", False),
    ("[SPAM-FILTER-RULES]\n7;x;1;\n", True), ("[SPAM-FILTER-RULES]\n3;x;1;\n", True),
    ("[REPLACE-TEXT]\n0;x;y;\n", True),
])
def test_body_is_wanted(new_milter, rules, wanted):
    with new_milter(rules=rules).connect() as client:
        assert bool(client.steps & NO_BODY) != wanted
        assert client.steps & NR_BODY


def test_old_mail_server(milter):
    """One that knows neither "no answer" nor DATA: libmilter answers for us."""
    with milter.connect(version=2, steps=0x3F) as client:
        assert client.mail("<usr@dom.ch>") == (CONTINUE, "")
        assert client.rcpt(SMS) == refused("usr@dom.ch")


def test_poor_mail_server(new_milter):
    """One that lets us change header fields and nothing else: said once. Other recipients do not wait for what it cannot do."""
    milter = new_milter(rules=f"[SPAM-FILTER-RULES]\n1;drop;1;\n[FILTER-ADDRESSES]\n{SMS[4:-1]}\n")
    other = SMS.replace("7@", "8@")
    for _ in range(2):
        with milter.connect(actions=0x10) as client:
            for recipients, subject, code in (([SMS], b"drop", DISCARD), ([other], b"x", CONTINUE),
                                              ([SMS, other], b"x", REPLYCODE), ([SMS, OTHER], b"x", CONTINUE)):
                client.mail("<a@dom.ch>")
                assert [client.rcpt(recipient) for recipient in recipients] == [PASSED] * len(recipients)
                assert client.send_mail(MAIL.replace(b"hi", subject))[::2] == (code, [])
    assert len(milter.log.find("the mail server offers actions")) == 1
    assert milter.log.find("dsn=4.3.5") and milter.log.find("goes on as it is")


# What it decides

@pytest.mark.parametrize("sender, may", [
    ("a@dom.ch", True), ("A@DOM.CH", True), ("usr@dom.ch", False), ("Usr@Dom.Ch", False), ("myusr@dom.ch", False),
    ("a@sub.dom.ch", False), ("a@dom.ch.example.test", False), ("a@else.example", False), ("", False),
])
def test_sender(milter, sender, may):
    assert ask(milter, f"<{sender}>", SMS) == [PASSED if may else refused(sender)]


def test_address_forms(milter):
    """As typed, an address has many faces; the rules see the one that the transport will see."""
    assert ask(milter, '<"usr"@dom.ch>', SMS) == [refused("usr@dom.ch")]
    assert ask(milter, '<"u\\sr"@dom.ch>', SMS) == [refused("usr@dom.ch")]
    assert ask(milter, "<@relay.test,@b.test:usr@dom.ch>", SMS) == [refused("usr@dom.ch")]
    assert ask(milter, "<usr@dom.ch.>", SMS) == [refused("usr@dom.ch")]
    for recipient in ('<"+41 79 123 45 67"@sms.example.test>', '<"sms:+41791234567?a=b"@SMS.Example.Test>',
                      "<0791234567@sub.sms.example.test>", "<x@sms.example.test>", "<x@sms.example.test.>"):
        assert ask(milter, "<usr@dom.ch>", recipient) == [refused("usr@dom.ch")], recipient
    for recipient in ("<+41791234567@sms.example.test.other>", "<+41791234567@mysms.example.test>", "<postmaster>",
                      '<"x@sms.example.test"@other.test>', "<>"):
        assert ask(milter, "<usr@dom.ch>", recipient) == [PASSED], recipient


def test_rewritten_recipient(milter):
    """Typed in a way that only the mail server knows to be ours, which it says in a macro."""
    for typed, resolved in (("<sms.example.test!+41791234567>", "+41791234567@sms.example.test"),
                            ("<x%sms.example.test>", '"x y"@sms.example.test')):
        with milter.connect() as client:
            client.mail("<usr@dom.ch>")
            assert client.rcpt(typed, **{"{rcpt_addr}": resolved}) == refused("usr@dom.ch")
            assert client.rcpt(typed, **{"{rcpt_addr}": "x@other.test"}) == PASSED
            assert client.rcpt(OTHER) == PASSED


def test_only_sms_recipients(milter):
    assert ask(milter, "<usr@dom.ch>", OTHER, SMS, OTHER, SMS) == [PASSED, refused("usr@dom.ch"), PASSED,
                                                                   refused("usr@dom.ch")]
    assert ask(milter, "<usr@dom.ch>", OTHER) == [PASSED]
    assert ask(milter, "<a@dom.ch>", OTHER, SMS) == [PASSED, PASSED]


def test_mixed_mail_goes_on(milter):
    with milter.connect() as client:
        client.mail("<usr@dom.ch>")
        assert client.rcpt(OTHER)[0] == CONTINUE
        assert client.rcpt(SMS)[0] == REPLYCODE
        assert client.data() == (ACCEPT, "")  # nobody is left whom the rules speak about


def test_several_messages_on_one_connection(milter):
    with milter.connect() as client:
        for _ in range(2):
            client.mail("<usr@dom.ch>")
            assert client.rcpt(SMS) == refused("usr@dom.ch")
            client.abort()
            client.mail("<a@dom.ch>")
            assert client.rcpt(SMS) == PASSED
            assert client.send_mail(MAIL) == (CONTINUE, "", [])
            client.mail("<>")
            assert client.rcpt(SMS) == refused("")
            client.abort()


def test_reply_text(milter):
    assert ask(milter, "<100%s%n@else.example>", SMS) == [refused("100%%s%%n@else.example")]
    [(code, text)] = ask(milter, "<" + "x" * 900 + "@else.example>", SMS)
    assert code == REPLYCODE and 200 < len(text) < 400
    [(code, text)] = ask(milter, "<a\tb\udcff\x7f@else.example>", SMS)
    assert (code, text) == refused("a b? @else.example")
    assert milter.rules not in text and "DENY" not in text


def test_local_mail_is_not_refused(milter):
    """sendmail(1): a refusal would leave the mail in the maildrop for ever; the transport bounces it."""
    with milter.connect(client=("localhost", "127.0.0.1")) as client:
        client.mail("usr@dom.ch", i="4XYZ")
        assert client.rcpt("+41791234567@sms.example.test", i="4XYZ") == PASSED
        assert client.data() == (ACCEPT, "")
        client.mail("", i="4XYZ")
        assert client.rcpt("+41791234567@sms.example.test", i="4XYZ") == PASSED


def test_smtp_client_without_brackets_is_not_local(milter):
    """Over SMTP there is no queue id before the first recipient."""
    with milter.connect(client=("pc.example.test", "192.0.2.7")) as client:
        client.mail("usr@dom.ch")
        assert client.rcpt("+41791234567@sms.example.test") == refused("usr@dom.ch")


def test_no_connect_step(milter):
    with milter.connect(client=None) as client:
        client.mail("<usr@dom.ch>")


def test_log_line(new_milter):
    milter = new_milter()
    with milter.connect(client=("pc.example.test", "2001:db8::7")) as client:
        client.mail("<usr@dom.ch>")
        client.rcpt(SMS)
        client.rcpt(SMS, i="4XYZabc")
    line = milter.log.wait("status=rejected")
    assert line.split(": ", 1)[1] == (
        f"NOQUEUE: to=<+4179***4567@sms.example.test>, sender=<usr@dom.ch>, client=pc.example.test[2001:db8::7], "
        f"rule={milter.rules}:4 [DENY-FROM-DOMAIN], generation=1, dsn=5.7.1, status=rejected")
    assert ": 4XYZabc: to=<" in milter.log.wait("status=rejected", 2)
    ask(milter, "<x@else.example>", SMS, client=("[192.0.2.7]", "192.0.2.7"))
    assert ", client=unknown[192.0.2.7], " in milter.log.wait("status=rejected", 3)
    assert f"rule={milter.rules}:1 [ALLOW-FROM-DOMAIN]" in milter.log.wait("status=rejected", 3)


def test_no_rules(new_milter):
    milter = new_milter(rules="")
    assert ask(milter, "<>", SMS) == [PASSED]
    milter.log.wait(rf"rules generation 1 from {milter.rules}, 0 lines")


# Reload

def test_reload(new_milter):
    milter = new_milter()
    with milter.connect() as before:
        before.mail("<a@dom.ch>")  # its answer would come from the rules of the connection's begin
        assert before.rcpt(SMS) == PASSED
        milter.write_rules("[DENY-FROM-DOMAIN]\n@dom.ch;\n[FILTER-ADDRESSES]\n790;\n")
        milter.reload()
        milter.log.wait(rf"rules generation 2 from {milter.rules}, 2 lines")
        assert before.rcpt(SMS) == PASSED
        assert ask(milter, "<a@dom.ch>", SMS) == [refused("a@dom.ch")]
        assert ask(milter, "<a@else.example>", SMS) == [PASSED]
    assert ask(milter, "<a@dom.ch>", SMS) == [refused("a@dom.ch")]


def test_faulty_reload_keeps_the_old_rules(new_milter):
    milter = new_milter()
    milter.write_rules("[DENY-FROM-DOMAIN]\n@dom.ch;x;\n[NONSENSE]\n")
    milter.reload()
    milter.log.wait("the old rules stay in force")
    assert milter.log.find(rf"{milter.rules}:2: .*expects 1")
    assert milter.log.find(rf"{milter.rules}:3: .*unknown section")
    assert ask(milter, "<a@dom.ch>", SMS) == [PASSED]
    os.remove(milter.rules)
    milter.reload()
    milter.log.wait("the old rules stay in force", 2)
    milter.write_rules(RULES + "@dom.ch;\n")
    milter.reload()
    milter.log.wait("rules generation 2 ")
    assert ask(milter, "<a@dom.ch>", SMS) == [refused("a@dom.ch")]


@pytest.mark.skipif(os.path.exists("/etc/postsms/smtp.rules"), reason="this host has rules of its own")
def test_rules_that_vanish_are_said(new_milter):
    """The file that nobody names may be missing, but not without a word if there were rules before."""
    milter = new_milter()
    with open(milter.conf) as file:
        text = file.read()
    with open(milter.conf, "w") as file:
        file.write(text.replace(f'rules = "{milter.rules}"', ""))
    for generation in (2, 3):
        milter.reload()
        milter.log.wait(f"rules generation {generation} .*, 0 lines")
        assert len(milter.log.find("warning: reload: .*smtp.rules is gone")) == 1


def test_reload_reads_the_configuration_too(new_milter):
    milter = new_milter(rules="[DENY-FROM-DOMAIN]\n@dom.ch;\n")
    with open(milter.conf) as file:
        text = file.read()
    with open(milter.conf, "w") as file:
        file.write(text.replace('".sms.example.test"', '"second.example.test"').replace("milter.sock", "other.sock"))
    milter.reload()
    milter.log.wait("needs a restart")
    milter.log.wait("rules generation 2 ")
    assert ask(milter, "<a@dom.ch>", "<1@second.example.test>", "<1@x.sms.example.test>") == [refused("a@dom.ch"),
                                                                                             PASSED]
    with open(milter.conf, "a") as file:
        file.write("nonsense = 1\n")
    milter.reload()
    milter.log.wait("the old rules stay in force")


def test_reload_under_load(new_milter):
    """Every answer comes from one of the two rule sets, whole."""
    milter = new_milter()
    stop = threading.Event()
    wrong = []

    def client():
        while not stop.is_set():
            answers = ask(milter, "<a@dom.ch>", SMS, OTHER, SMS)
            if answers not in ([PASSED] * 3, [refused("a@dom.ch"), PASSED, refused("a@dom.ch")]):
                wrong.append(answers)
    threads = [threading.Thread(target=client) for _ in range(4)]
    for thread in threads:
        thread.start()
    for generation in range(2, 22):
        milter.write_rules(RULES if generation % 2 else "[DENY-FROM-DOMAIN]\n@dom.ch;\n")
        milter.reload()
        milter.log.wait(f"rules generation {generation} ")
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong


# Start and end

def test_second_instance_refuses(new_milter):
    milter = new_milter()
    second = subprocess.run([PROGRAM, "-c", milter.conf, "-e"], capture_output=True, text=True, timeout=TIMEOUT)
    assert second.returncode == 1
    assert "another postsms-milter has " + milter.path in second.stderr
    assert "ready" not in second.stderr
    assert ask(milter, "<usr@dom.ch>", SMS) == [refused("usr@dom.ch")]


def test_stale_socket_is_replaced(new_milter):
    milter = new_milter()
    assert milter.stop(signal.SIGKILL) == -signal.SIGKILL
    assert os.path.exists(milter.path)
    milter.start()
    assert ask(milter, "<usr@dom.ch>", SMS) == [refused("usr@dom.ch")]


def test_socket_mode(milter):
    assert os.stat(milter.path).st_mode & 0o007 == 0
    assert os.stat(milter.path).st_mode & 0o060 == 0o060


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_started_by_root(new_milter):
    """The socket's folder is made, root is left, and the socket is for Postfix's group and nobody else."""
    milter = new_milter(start=False, socket_setting="unix:%s/made/milter.sock", user="nobody")
    os.chmod(milter.base, 0o755)
    milter.start()
    made = os.stat(os.path.dirname(milter.path))
    sock = os.stat(milter.path)
    nobody = pwd.getpwnam("nobody")
    try:
        group = grp.getgrnam("postfix").gr_gid
    except KeyError:
        group = nobody.pw_gid
    assert (made.st_mode & 0o7777, made.st_uid, made.st_gid) == (0o2750, nobody.pw_uid, group)
    assert (sock.st_mode & 0o7777, sock.st_uid, sock.st_gid) == (0o770, nobody.pw_uid, group)
    with open(f"/proc/{milter.process.pid}/status") as status:
        assert re.search(rf"^Uid:(\t{nobody.pw_uid}){{4}}$", status.read(), re.M)
    assert ask(milter, "<usr@dom.ch>", SMS) == [refused("usr@dom.ch")]
    milter.write_rules("")
    milter.reload()
    milter.log.wait("rules generation 2 ")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_unknown_user(new_milter):
    milter = new_milter(start=False, user="no-such-user-here")
    result = subprocess.run([PROGRAM, "-c", milter.conf, "-e"], capture_output=True, text=True, timeout=TIMEOUT)
    assert result.returncode == 1 and "no-such-user-here" in result.stderr


def test_inet_socket(new_milter):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    milter = new_milter(start=False, socket_setting=f"inet:{port}@127.0.0.1")
    milter.address = ("127.0.0.1", port)
    milter.start()
    assert ask(milter, "<usr@dom.ch>", SMS) == [refused("usr@dom.ch")]
    second = subprocess.run([PROGRAM, "-c", milter.conf, "-e"], capture_output=True, text=True, timeout=TIMEOUT)
    assert second.returncode == 1 and f"cannot listen on inet:{port}@127.0.0.1" in second.stderr


def test_stop_is_clean(new_milter):
    milter = new_milter()
    ask(milter, "<a@dom.ch>", SMS)
    assert milter.stop() == 0
    milter.log.wait("stopped$")


def test_stop_with_a_session_open(new_milter):
    milter = new_milter()
    with milter.connect() as client:
        client.mail("<a@dom.ch>")
        assert client.rcpt(SMS) == PASSED
        assert milter.stop() == 0


@pytest.mark.parametrize("spoil", ["rules", "conf", "no rules", "no conf"])
def test_start_with_faults(new_milter, spoil):
    milter = new_milter(start=False)
    if spoil == "rules":
        milter.write_rules("\n@dom.ch;\n")
    elif spoil == "conf":
        with open(milter.conf, "a") as file:
            file.write("nonsense = 1\n")
    else:
        os.remove(milter.rules if spoil == "no rules" else milter.conf)
    result = subprocess.run([PROGRAM, "-c", milter.conf, "-e"], capture_output=True, text=True, timeout=TIMEOUT)
    checked = subprocess.run([PROGRAM, "-c", milter.conf, "-n"], capture_output=True, text=True, timeout=TIMEOUT)
    assert result.returncode == 1 and checked.returncode == 1
    where = {"rules": milter.rules + ":2: ", "conf": milter.conf + ":8: "}.get(spoil)
    where = where or (milter.rules if spoil == "no rules" else milter.conf) + ": "
    assert where in result.stderr and "ready" not in result.stderr
    assert where in checked.stdout and "error" not in checked.stderr
    assert not os.path.exists(milter.path)


def test_check_only(new_milter):
    milter = new_milter(start=False)

    def check():
        return subprocess.run([PROGRAM, "-c", milter.conf, "-n"], capture_output=True, text=True, timeout=TIMEOUT)
    result = check()
    assert result.returncode == 0 and milter.rules not in result.stdout
    milter.write_rules(RULES + "*@else.example;\n[SPAM-FILTER-RULES]\n1;x;1;\n")
    result = check()
    assert result.returncode == 0
    assert f"{milter.rules}:5: warning: " in result.stdout and "enforced" not in result.stdout


def test_arguments():
    version = subprocess.run([PROGRAM, "-V"], capture_output=True, text=True)
    assert version.returncode == 0 and re.match(r"postsms-milter \d", version.stdout)
    for arguments in (["-x"], ["extra"], ["-c"]):
        assert subprocess.run([PROGRAM, *arguments], capture_output=True).returncode == 2


# Many at once

def test_parallel_connections(milter):
    results = []
    together = threading.Barrier(50)

    def one(number):
        with milter.connect() as client:
            together.wait(TIMEOUT)
            for _ in range(5):
                client.mail("<usr@dom.ch>" if number % 2 else "<a@dom.ch>")
                answers = [client.rcpt(SMS), client.rcpt(OTHER), client.send_mail(MAIL)]
                results.append(answers == [refused("usr@dom.ch") if number % 2 else PASSED, PASSED,
                                           (ACCEPT if number % 2 else CONTINUE, "", [])])
    threads = [threading.Thread(target=one, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 250


def test_broken_clients(milter):
    """Connections that say nothing, end in the middle or talk nonsense."""
    for data in (b"", b"\0\0", b"\0\0\0\x0dO\0\0\0\6", b"\0\0\0\1Z", b"\xff\xff\xff\xffO" + b"x" * 100,
                 b"GET / HTTP/1.0\r\n\r\n"):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(milter.path)
            sock.sendall(data)
    client = milter.connect()
    client.mail("<usr@dom.ch>")
    client.sock.close()
    assert ask(milter, "<usr@dom.ch>", SMS) == [refused("usr@dom.ch")]
