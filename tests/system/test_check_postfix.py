# SPDX-License-Identifier: ISC
"""postsms check against private configurations of Postfix that never run: a good one, and one fault each."""
import json
import os
import re
import shutil
import subprocess

import pytest
from harness.site import ROOT

BUILD = os.environ.get("POSTSMS_BUILD") or os.path.join(ROOT, "build", "plain")
STOCK = "/usr/share/postfix"
DOMAIN = "sms.example.test"
MILTER = "unix:postsms/milter.sock"
SERVICE = "postsms/unix"

pytestmark = pytest.mark.skipif(not (shutil.which("postconf") and os.path.exists(f"{STOCK}/main.cf.debian")),
                                reason="needs Debian's Postfix")


class Host:
    """A folder with main.cf and master.cf as INSTALL leaves them, and a postsms.conf that fits."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.etc = os.path.join(self.folder, "postfix")
        self.run_dir = os.path.join(self.folder, "run")
        self.conf = os.path.join(self.folder, "postsms.conf")
        os.mkdir(self.etc)
        pieces = {name: self.piece(name) for name in ("main.cf", "master.cf", "transport")}
        self.main = (self.read(f"{STOCK}/main.cf.debian") + "myhostname = mx.example.test\nmydomain = example.test\n"
                     f"queue_directory = {self.folder}/spool\n" + pieces["main.cf"])
        self.master = self.read(f"{STOCK}/master.cf.dist") + pieces["master.cf"]
        self.tables = {"postsms-transport": pieces["transport"]}
        self.settings = {"domains": f'{{ "{DOMAIN}", ".{DOMAIN}" }}', "slots": "200", "remember": '"6d"',
                         "alarm_to": '"root@example.test"'}

    @staticmethod
    def read(path):
        with open(path, encoding="utf-8") as file:
            return file.read()

    def piece(self, name):
        text = self.read(os.path.join(ROOT, "contrib", "postfix", name))
        for old, new in (("/run/postsms/", self.run_dir + "/"), ("/etc/postfix/", self.etc + "/"),
                         ("sms.example.com", DOMAIN), ("user=postsms-pipe:postsms-pipe", "user=nobody")):
            text = text.replace(old, new)
        return text

    def write(self, name, text):
        """An hour ago: Postfix's programs wait before they read a file that is new."""
        path = os.path.join(self.etc, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.utime(path, (os.stat(path).st_mtime - 3600,) * 2)

    def set(self, **settings):
        """Replaces or adds settings of main.cf; None takes one out."""
        for name, value in settings.items():
            self.main = re.sub(rf"^{name}\s*=.*\n", "", self.main, flags=re.M)
            if value is not None:
                self.main += f"{name} = {value}\n"

    def edit(self, old, new):
        """In our service of master.cf."""
        assert old in self.master
        self.master = self.master.replace(old, new)

    def check(self, *args, **environment):
        self.write("main.cf", self.main)
        self.write("master.cf", self.master)
        for name, text in self.tables.items():
            self.write(name, text)
        with open(self.conf, "w", encoding="utf-8") as file:
            file.write("".join(f"{name} = {value}\n" for name, value in self.settings.items()))
            file.write(f'state_dir = "{self.folder}/state"\nrun_dir = "{self.run_dir}"\n'
                       f'milter {{ socket = "unix:{self.folder}/spool/postsms/milter.sock" }}\n'
                       f'access {{ prefixes = {{ "+41" }} }}\n'
                       f'gateway "demo" {{ type = "file" path = "{self.folder}/sent.jsonl" demo = yes }}\n')
        return subprocess.run([os.path.join(BUILD, "sbin", "postsms"), "-c", self.conf, "check", *args], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60,
                              env={**os.environ, "MAIL_CONFIG": self.etc, **environment})

    def warnings(self, **environment):
        """What check says about Postfix."""
        done = self.check("--json", **environment)
        assert done.returncode == 0, done
        found = [fault for fault in json.loads(done.stdout)
                 if fault["file"] in ("postfix", f"{self.etc}/main.cf", f"{self.etc}/master.cf")]
        assert all(fault["severity"] == "warning" for fault in found)
        return found


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


def test_good(host):
    """What contrib/postfix gives has nothing to complain about; what else is said comes from postsms.conf."""
    assert host.warnings() == []
    words = host.check().stdout
    assert "for demos and tests" in words and "alarm_to" not in words


def main_cf(**settings):
    return lambda host: host.set(**settings)


def master_cf(old, new):
    return lambda host: host.edit(old, new)


def conf(**settings):
    return lambda host: host.settings.update(settings)


def several(*changes):
    return lambda host: [change(host) for change in changes]


def table(name, text):
    return lambda host: host.tables.update({name: text})


def no_service(host):
    host.master = host.read(f"{STOCK}/master.cf.dist")


def second_service(*changes):
    """One more service of ours, called alarms."""
    def change(host):
        text = host.piece("master.cf").replace("postsms   unix", "alarms unix")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        host.master += text
        host.set(alarms_destination_recipient_limit=1, alarms_time_limit="3600s")
    return change


OURS = f"{{ {MILTER}, default_action=accept }}"
ALIASES = main_cf(virtual_alias_maps="inline:{john@example.test=anna@example.test}")

# name: (change, [(setting or service, words of the text), ...])
CASES = {
    "dash splits": (main_cf(recipient_delimiter="-"), [("recipient_delimiter", "cuts a number")]),
    "plus and dash": (main_cf(recipient_delimiter="+-"), [("recipient_delimiter", "cuts a number")]),
    "plus with aliases": (several(main_cf(recipient_delimiter="+"), ALIASES),
                          [("recipient_delimiter", "john+x")]),
    "original recipient": (main_cf(enable_original_recipient="no"), [("enable_original_recipient", "alias")]),
    "short ids": (main_cf(enable_long_queue_ids="no"), [("enable_long_queue_ids", "used again")]),
    "short ids by default": (main_cf(enable_long_queue_ids=None), [("enable_long_queue_ids", "set it to yes")]),
    "no service": (no_service, [("postsms", "no service starts postsms-pipe")]),
    "no flag D": (master_cf("flags=DOR ", "flags=OR "), [("postsms", "flag D is missing")]),
    "no flag O": (master_cf("flags=DOR ", "flags=DR "), [("postsms", "flag O is missing")]),
    "no flags": (master_cf("flags=DOR ", ""), [("postsms", "flag D"), ("postsms", "flag O")]),
    "flag X": (master_cf("flags=DOR ", "flags=DORX "), [("postsms", "flag X is there")]),
    "flag u": (master_cf("flags=DOR ", "flags=DORu "), [("postsms", "flag u is there")]),
    "no --recipient": (master_cf("--recipient=${recipient} ", ""),
                       [("postsms", "--recipient=${recipient}")]),
    "no --login, no --client": (master_cf("--login=${sasl_username} --client=${client_address}", ""),
                                [("postsms", "option --login is missing"), ("postsms", "option --client is missing")]),
    "no --deadline": (master_cf("--deadline=3000", ""), [("postsms", "--deadline=3000")]),
    "no -s": (lambda host: host.edit(f"-s {host.run_dir}/deliver.sock ", ""), [("postsms", "option -s is missing")]),
    "other -s": (lambda host: host.edit(f"-s {host.run_dir}/", "-s /run/elsewhere/"),
                 [("postsms", "not where postsmsd listens")]),
    "other macro": (master_cf("--recipient=${recipient}", "--recipient=${user}"),
                    [("postsms", "write --recipient=${recipient}")]),
    "as root": (master_cf("user=nobody", "user=root:nogroup"), [("postsms", "user=root")]),
    "as postfix": (master_cf("user=nobody", "user=postfix"), [("postsms", "user=postfix")]),
    "as nobody we know": (master_cf("user=nobody", "user=no-such-user"), [("postsms", "there is no such user")]),
    "no null_sender": (master_cf("null_sender= ", ""), [("postsms", "null_sender= is missing")]),
    "time limit": (main_cf(postsms_time_limit="50m"), [("postsms_time_limit", "BOUNCES")]),
    "time limit by default": (main_cf(postsms_time_limit=None), [("postsms_time_limit", "at 1000s")]),
    "time limit in master.cf": (master_cf("flags=DOR", "-o postsms_time_limit=10 flags=DOR"),
                                [("postsms_time_limit", "at 10")]),
    "recipients": (main_cf(postsms_destination_recipient_limit=None),
                   [("postsms_destination_recipient_limit", "defers every mail")]),
    "fewer processes": (master_cf("200     pipe", "20      pipe"), [("postsms", "hold up all others")]),
    "default processes": (master_cf("200     pipe", "-       pipe"), [("postsms", "starts 100 processes")]),
    "fewer slots": (conf(slots="50"), [("postsms", "turned away")]),
    "lifetime": (main_cf(maximal_queue_lifetime="6"), [("maximal_queue_lifetime", '"remember"')]),
    "remember": (conf(remember='"2d"'), [("maximal_queue_lifetime", "48 h")]),
    "mydestination": (main_cf(mydestination=f"localhost, {DOMAIN}"), [("mydestination", "refuses numbers")]),
    "alias domain": (main_cf(virtual_alias_domains=DOMAIN), [("virtual_alias_domains", "an alias for each")]),
    "mailbox domain": (main_cf(virtual_mailbox_domains=f"inline:{{{DOMAIN}=x}}"),
                       [("virtual_mailbox_domains", "a mailbox for each")]),
    "not relayed": (main_cf(relay_domains="other.example"),
                    [("relay_domains", f"{DOMAIN} is not in it"), ("relay_domains", f".{DOMAIN} is not in it")]),
    "not relayed by exception": (main_cf(relay_domains=f"!alarm.{DOMAIN}, {DOMAIN}"),
                                 [("relay_domains", f".{DOMAIN} is not in it")]),
    "relayed, says a server": (several(main_cf(relay_domains="ldap:/etc/postfix/ldap.cf"),
                                       conf(domains=f'{{ "{DOMAIN}" }}')),
                               [("relay_domains", "cannot be checked")]),
    "no ETRN": (several(main_cf(fast_flush_domains=""), conf(domains=f'{{ "{DOMAIN}" }}')),
                [("fast_flush_domains", "ETRN does not work")]),
    "no transport": (several(main_cf(transport_maps=""), conf(domains=f'{{ "{DOMAIN}" }}')),
                     [("transport_maps", 'goes to "relay"')]),
    "no transport below": (table("postsms-transport", f"{DOMAIN} postsms:\n"),
                           [("transport_maps", f'.{DOMAIN} goes to "relay"')]),
    "other transport": (several(main_cf(transport_maps=f"inline:{{{DOMAIN}=smtp:[192.0.2.1]}}"),
                                conf(domains=f'{{ "{DOMAIN}" }}')), [("transport_maps", 'goes to "smtp"')]),
    "pattern in front": (
        several(lambda host: host.set(
            transport_maps=f"regexp:{host.etc}/patterns texthash:{host.etc}/postsms-transport"),
            table("patterns", "/@sms\\.example\\.test$/ discard:\n")),
        [("transport_maps", f'{DOMAIN} goes to "discard"')]),
    "transport, says a server": (several(main_cf(transport_maps="mysql:/etc/postfix/sql.cf"),
                                         conf(domains=f'{{ "{DOMAIN}" }}')),
                                 [("transport_maps", "cannot be checked")]),
    "recipients of relayed domains": (several(main_cf(relay_recipient_maps="inline:{@other.example=OK}"),
                                              conf(domains=f'{{ "{DOMAIN}" }}')),
                                      [("relay_recipient_maps", f"inline:{{@{DOMAIN}=OK}}")]),
    "no milter": (main_cf(smtpd_milters="inet:127.0.0.1:8891", non_smtpd_milters=OURS),
                  [("smtpd_milters", "is not in it")]),
    "no milter for sendmail": (main_cf(non_smtpd_milters=""), [("non_smtpd_milters", "is not in it")]),
    "no milter at all": (main_cf(smtpd_milters="", non_smtpd_milters=""),
                         [("smtpd_milters", "is not in it"), ("non_smtpd_milters", "is not in it")]),
    "signer first": (main_cf(smtpd_milters=f"inet:127.0.0.1:8891, {OURS}"),
                     [("smtpd_milters", "put ours first")]),
    "submission without it": (
        lambda host: setattr(host, "master", host.master + "submission inet n - y - - smtpd\n"
                             "  -o smtpd_milters=inet:127.0.0.1:8891\n"),
        [("submission/inet/smtpd_milters", "is not in it")]),
    "milter rejects": (main_cf(smtpd_milters=f"{{ {MILTER}, default_action=reject }}"),
                       [("smtpd_milters", "refused for good")]),
    "milter holds": (main_cf(smtpd_milters=MILTER, non_smtpd_milters="$smtpd_milters",
                             milter_default_action="quarantine"), [("milter_default_action", "put on hold")]),
    "milter stops other mail": (main_cf(smtpd_milters=MILTER, mydestination="localhost, example.test"),
                                [("milter_default_action", "takes no mail")]),
    "alarm flags": (second_service(("flags=DOR", "flags=OR"),
                                   ("--deadline=3000", "--deadline=3000 --class=alarm")),
                    [("alarms", "flag D is missing")]),
}


@pytest.mark.parametrize("name", CASES)
def test_fault(host, name):
    change, expected = CASES[name]
    change(host)
    found = host.warnings()
    assert len(found) == len(expected), found
    for fault, (setting, words) in zip(found, expected):
        assert fault["text"].startswith(setting + ": ") and words in fault["text"], found
        file = "master.cf" if setting in ("postsms", "alarms") or "/" in setting else "main.cf"
        assert fault["file"].endswith("/" + file)
        lines = (host.master if file == "master.cf" else host.main).split("\n")
        word = setting.split("/")[0]
        assert lines[fault["line"] - 1].startswith(word) if fault["line"] else \
            not any(line.startswith((word + " =", word + " ")) for line in lines)


GOOD = {
    "plus without aliases": main_cf(recipient_delimiter="+"),
    "plus that is not passed on": several(main_cf(recipient_delimiter="+", propagate_unmatched_extensions=""), ALIASES),
    "alarm service": second_service(("--deadline=3000", "--deadline=3000 --class=alarm"), ("200     pipe", "20 pipe")),
    "two services share the slots": several(second_service(("200     pipe", "50 pipe")),
                                            master_cf("200     pipe", "150     pipe")),
    "as many as there is mail": master_cf("200     pipe", "0       pipe"),
    "absolute path": lambda host: host.set(smtpd_milters=f"unix:{host.folder}/spool/postsms/milter.sock"),
    "options in two words": master_cf("--deadline=3000", "--deadline 3000"),
    "relay_transport": main_cf(transport_maps="", relay_transport="postsms"),
    "wildcard": main_cf(transport_maps="inline:{*=postsms:}"),
    "list in a file": several(lambda host: host.set(relay_domains=f"{host.etc}/domains"),
                              table("domains", f"other.example\n{DOMAIN}\n")),
    "a table of domains": main_cf(relay_domains=f"inline:{{{DOMAIN}=x}}"),
    "recipients allowed": main_cf(
        relay_recipient_maps=f"inline:{{@{DOMAIN}=OK}}, inline:{{@alarm.{DOMAIN}=OK}}"),
    "service without milters": lambda host: setattr(
        host, "master", host.master + "127.0.0.1:10026 inet n - y - - smtpd -o smtpd_milters=\n"),
    "tempfail for SMS alone": main_cf(smtpd_milters=MILTER, mydestination="$myhostname, localhost"),
}


@pytest.mark.parametrize("name", GOOD)
def test_no_fault(host, name):
    GOOD[name](host)
    assert host.warnings() == []


def test_no_postconf(host, tmp_path):
    """One warning, no error: the ledger and the rules can be checked without Postfix."""
    empty = tmp_path / "bin"
    empty.mkdir()
    found = host.warnings(PATH=str(empty))
    assert len(found) == 1 and found[0]["file"] == "postfix" and "postconf" in found[0]["text"]


def test_no_main_cf(host, tmp_path):
    found = host.warnings(MAIL_CONFIG=str(tmp_path / "nowhere"))
    assert len(found) == 1 and found[0]["file"] == "postfix" and "nowhere" in found[0]["text"]


def test_words(host):
    """As text: file, line, warning; exit 0."""
    host.set(enable_long_queue_ids="no")
    done = host.check()
    line = next(line for line in done.stdout.splitlines() if "enable_long_queue_ids" in line)
    assert done.returncode == 0 and re.match(rf"{re.escape(host.etc)}/main\.cf:\d+: warning: enable_long", line)


def test_alarm_to_is_said_once(host):
    del host.settings["alarm_to"]
    words = host.check().stdout
    assert words.count("alarm_to is empty") == 1 and host.warnings() == []


def test_daemons_do_not_look(host):
    """-n is about our own files."""
    host.set(enable_long_queue_ids="no")
    host.check()
    for program in ("postsmsd", "postsms-milter"):
        done = subprocess.run([os.path.join(BUILD, "sbin", program), "-n", "-c", host.conf], check=False,
                              stdout=subprocess.PIPE, text=True, env={**os.environ, "MAIL_CONFIG": host.etc})
        assert done.returncode == 0 and "enable_long_queue_ids" not in done.stdout
