# SPDX-License-Identifier: ISC
"""A whole place: Postfix, postsms and the folder they live in."""
import itertools
import os
import shutil
import signal
import tempfile

from .mail import build
from .postfix import Postfix, free_port
from .postsms import Postsms
from .smtp import Smtp
from .wait import wait_exit, wait_until

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".."))
DOMAIN = "sms.example.test"
ALARM_TO = "alarm@allowed.example"

RULES = """\
! whom the tests mail from
[ALLOW-FROM-DOMAIN]
@allowed.example;
[DENY-FROM-DOMAIN]
denied@allowed.example;
"""

# Times of the private Postfix: a deferred mail is offered again after two to three seconds.
FAST = {"queue_run_delay": "2s", "minimal_backoff_time": "2s", "maximal_backoff_time": "3s"}

# Per process, so that parallel test runs and modules never share a number.
_numbers = itertools.count(int.from_bytes(os.urandom(3), "big") % 8999 * 100 + 100000)


def why_not():
    """Why a Site cannot run here, or None."""
    if os.geteuid() != 0:
        return "needs root: a private Postfix changes users"
    for tool in ("postfix", "postconf", "postqueue"):
        if not shutil.which(tool):
            return f"needs Postfix: no {tool} in PATH"
    return None


class Site:
    """build: build/<variant>. glue=False: Postfix alone, without milter and transport.
    settings, gateway, rules, gateways: as in Postsms; postfix: further main.cf settings; virtual: aliases,
    {address: targets}."""

    def __init__(self, build_dir=None, glue=True, settings=(), gateway=(), rules=RULES, postfix=(), virtual=(),
                 user="nobody", gateways=()):
        self.base = tempfile.mkdtemp(prefix="postsms-", dir="/tmp")
        os.chmod(self.base, 0o755)
        build_dir = build_dir or os.environ.get("POSTSMS_BUILD") or os.path.join(ROOT, "build", "plain")
        for name in ("postfix", "postsms"):
            os.mkdir(os.path.join(self.base, name))
        home = os.path.join(self.base, "postsms")
        places = {"domain": DOMAIN, "libdir": os.path.join(home, "tree", "lib", "postsms"),
                  "run_dir": os.path.join(home, "run"), "user": user}
        self.postfix = Postfix(os.path.join(self.base, "postfix"), places if glue else None, user,
                               {**FAST, **dict(postfix)})
        self.postfix.virtual.update(virtual)
        self.postsms = None
        if glue:
            self.postsms = Postsms(home, build_dir, os.path.join(self.postfix.milter_dir, "milter.sock"), user,
                                   settings, gateway, rules, gateways)
            self.postsms.mail_config = self.postfix.etc
            self.postfix.port = free_port()
            self.postsms.change(**{"submit": f"smtp://127.0.0.1:{self.postfix.port}", "alarm_to": ALARM_TO,
                                   **dict(settings)})

    def start(self):
        try:
            if self.postsms:
                self.postsms.start()
            self.postfix.start()
        except BaseException:
            self.close()
            raise
        return self

    def close(self):
        """Ends every process, then removes the folder; what is still there after that is killed and reported."""
        try:
            self.postfix.stop()
            if self.postsms:
                self.postsms.stop()
            self._stragglers()
        finally:
            self._stragglers(signal.SIGKILL)
            shutil.rmtree(self.base, ignore_errors=True)

    def _ours(self):
        """Processes whose command line, program or current folder lies in ours: {pid: command line}."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            if int(pid) == os.getpid():
                continue
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    line = file.read()
                if self.base.encode() in line or any(os.readlink(f"/proc/{pid}/{link}").startswith(self.base)
                                                     for link in ("exe", "cwd")):
                    found[int(pid)] = line.replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                pass
        return found

    def _stragglers(self, number=None):
        """Waits for our last processes; number: kills them instead."""
        if number is not None:
            for pid in self._ours():
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    continue
                wait_exit(pid, 10)
        else:
            def gone():
                self.postfix.stop()  # an interrupted start may have come to its master only now
                return not self._ours()
            wait_until(gone, 15, lambda: f"processes left behind: {self._ours()}")

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    # Mailing

    @staticmethod
    def number():
        """A Swiss mobile number that nobody else got."""
        return f"+4179{next(_numbers) % 10000000:07d}"

    @staticmethod
    def sender():
        """An allowed sender that nobody else got, so that what comes back is this test's own."""
        return f"t{next(_numbers)}@allowed.example"

    def smtp(self, **more):
        return Smtp(self.postfix.port, **more)

    def send(self, sender, recipients, mail, xclient=None, **more):
        """One mail through one session; xclient: attributes of the client it pretends to be."""
        if isinstance(recipients, str):
            recipients = [recipients]
        with self.smtp() as session:
            if xclient:
                session.xclient(**xclient)
            return session.send(sender, recipients, mail, **more)

    def send_sms(self, text, subject="", number=None, sender="anna@allowed.example", recipient=None, login=None,
                 client=None, mail=None, others=(), **build_options):
        """
        The whole way of one SMS, with every promise about it: explain says send; Postfix accepts, delivers and
        forgets; the gateway got exactly what explain said. Returns (parts, explanation, Sent).
        """
        number = number or self.number()
        recipient = recipient or f"{number}@{DOMAIN}"
        mail = mail or build(text, subject, sender, **build_options)
        said = self.postsms.explain(sender, recipient, mail, login, client, others)
        assert said["decision"] == "send", said
        attributes = {**({"LOGIN": login} if login else {}), **({"ADDR": client} if client else {})}
        sent = self.send(sender, [recipient, *others], mail, attributes)
        assert sent.accepted and all(reply.ok for reply in sent.rcpts), sent
        self.postfix.wait_removed(sent.queue_id)
        parts = self.postsms.sent(number)
        self.assert_explained(said, parts, number, sender, recipient)
        return parts, said, sent

    @staticmethod
    def assert_explained(said, parts, number, sender, recipient):
        """explain --json, field by field, against the gateway's lines."""
        assert said["status"] == "2.0.0", said
        assert said["sender"] == sender
        local, _, domain = recipient.rpartition("@")
        assert said["recipient"] == f"{local.strip(chr(34))}@{domain.lower()}"
        assert said["number"] == number
        assert len(parts) == len(said["parts"]), (parts, said)
        assert "".join(part["text"] for part in parts) == said["text"]
        assert said["parts_needed"] >= len(parts) and said["truncated"] == (said["parts_needed"] > len(parts))
        for index, (part, expected) in enumerate(zip(parts, said["parts"]), 1):
            assert part["number"] == number
            assert part["text"] == expected["text"]
            assert (part["part"], part["parts"]) == (index, len(parts))
            assert part["encoding"] == said["encoding"]
            assert (part["originator"] or "") == (said["originator"] or "")
            assert part["gateway"] == said["gateway"]
            assert part["udh"].lower() == expected["udh"].lower()
        assert len({part["id"] for part in parts}) == len(parts)
