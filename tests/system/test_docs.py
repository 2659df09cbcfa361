# SPDX-License-Identifier: ISC
"""The tables in the source against the man pages, the samples and the lists that repeat them."""
import glob
import os
import re
import shutil
import subprocess

import pytest
from harness.site import ROOT

BUILD = os.environ.get("POSTSMS_BUILD") or os.path.join(ROOT, "build", "plain")


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def sources(*patterns):
    return "\n".join(read(os.path.relpath(path, ROOT)) for pattern in patterns
                     for path in sorted(glob.glob(os.path.join(ROOT, pattern))))


def man_pages():
    """Every page that "make install" installs."""
    found = []
    for pattern in ("*/module.mk", "*/*/module.mk"):
        for path in sorted(glob.glob(os.path.join(ROOT, pattern))):
            for line in re.findall(r"^MANPAGES \+= (.*)$", read(os.path.relpath(path, ROOT)), re.M):
                found += line.split()
    return found


def page(name):
    """The text of the man page of that file name."""
    return read(next(path for path in man_pages() if os.path.basename(path) == name))


def items(text):
    """What the .It lines of a page are about: their words without macros and punctuation."""
    return [re.sub(r'["=]', " ", line).split() for line in re.findall(r"^\.It (.*)$", text, re.M)]


def options(text):
    """Option letters and names with an .It line of their own: {"c", "queue-id"}."""
    found = set()
    for words in items(text):
        if words[0] == "Fl":
            name = words[2] if words[1] == "Fl" else words[1]
            found.add(name.lstrip("-"))
    return found


@pytest.mark.parametrize("path", man_pages())
def test_page_is_clean(path):
    assert shutil.which("mandoc"), "the package mandoc is needed"
    done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", os.path.join(ROOT, path)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0 and done.stdout == ""


def usage(program):
    """The lines of the usage text."""
    done = subprocess.run([os.path.join(BUILD, "sbin", program), "-?"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2 and done.stdout == ""
    lines = done.stderr.rstrip("\n").split("\n")
    return lines[next(index for index, line in enumerate(lines) if line.startswith("usage: ")):]


PROGRAMS = {"postsms-milter": "milter/main.c", "postsmsd": "transport/dispatch/main.c", "postsms": "admin/*.c"}


@pytest.mark.parametrize("program", PROGRAMS)
def test_options(program):
    """getopt's letters, the usage line and the page agree."""
    source = sources(PROGRAMS[program])
    letters = set()
    for text in re.findall(r'getopt(?:_long)?\([^,]*, [^,]*, "([^"]*)"', source):
        letters |= set(re.sub(r"[+:-]", "", text))
    assert letters, "no getopt in the source"
    single = {name for name in options(page(program + ".8")) if len(name) == 1}
    assert single == letters
    head = usage(program)[0]
    assert head.startswith(f"usage: {program} ")
    mentioned = set("".join(re.findall(r"\[-(\w+)", head)))
    assert mentioned == letters if program != "postsms" else mentioned <= letters


def envelope_names():
    """The rows of lib/envelope.h: (name, required, macro)."""
    return re.findall(r'X\(\w+, "([^"]*)", (true|false), "([^"]*)"\)', read("lib", "envelope.h"))


def test_pipe_options():
    names = {name for name, _, _ in envelope_names()}
    assert names
    assert options(page("postsms-pipe.8")) == names | {"s", "V"}


def test_master_cf():
    """contrib/postfix/master.cf passes every name of the table, with its macro."""
    text = read("contrib", "postfix", "master.cf")
    given = dict(re.findall(r"--([a-z-]+)=(\S*)", re.sub(r"^#.*$", "", text, flags=re.M)))
    for name, required, macro in envelope_names():
        assert required == "false" or name in given
        if macro:
            assert given[name] == macro
    assert set(given) <= {name for name, _, _ in envelope_names()}
    assert "flags=DOR " in text and "null_sender= " in text


def test_main_cf():
    """A comment behind a value would be part of it."""
    lines = read("contrib", "postfix", "main.cf").split("\n")
    assert all("#" not in line for line in lines if not line.startswith("#"))


def conf_tables():
    """lib/conf.c: {table: {key: (kind, default as written, later)}}."""
    source = sources("lib/conf*.c")
    tables = {}
    macros = {name: body.replace("\\\n", "\n") for name, body in re.findall(
        r"#define (\w+_KEYS)\b(.*?)[^\\]\n", source, re.S)}
    for name, body in re.findall(r"cfg_opt_t (?:conf_)?(\w+)\[\] = \{(.*?)\n\};", source, re.S):
        for macro, keys in macros.items():
            body = re.sub(rf"\b{macro}\b", lambda _, keys=keys: keys + ")", body)
        tables[name] = {key: (kind, default.strip(), "KEY_LATER" in flags) for kind, key, default, flags in re.findall(
            r'CFG_(STR|INT|BOOL|FLOAT|STR_LIST|SEC)\("([\w.]+)",\s*((?:"(?:[^"\\]|\\.)*"|[^",])+),\s*([^()]*?)\)', body)}
    return tables


def http_keys():
    """Those of gateways of type http alone: what a profile may have, and the list beside it."""
    names = re.search(r"http_keys\[\] = \{(.*?)\}", read("lib", "conf_gateway.c"), re.S).group(1)
    shared = {"description", "concurrency", "rate", "burst", "originator_max"}
    return (set(conf_tables()["profile_keys"]) | set(re.findall(r'"(\w+)"', names))) - shared


def conf_keys():
    return {key for table in conf_tables().values() for key in table}


@pytest.mark.parametrize("name", ["postsms.conf.5", "postsms-http.5"])
def test_conf_page(name):
    """Every key has an entry in its page, and every entry is a key."""
    assert {"domains", "state_dir", "maxmsgs", "delay", "socket", "gateway", "body.unicode"} <= conf_keys()
    assert {"url", "auth.user", "untested", "cert_file"} <= http_keys()
    keys = http_keys() if name == "postsms-http.5" else conf_keys() - http_keys()
    text = page(name)
    entries = {word for words in items(text) for word in words if re.fullmatch(r"[a-z][a-z0-9_.]+", word)}
    assert keys - entries == set(), "keys without an entry"
    starts = {words[1] for words in items(text) if words[0] in ("Ic", "Cm", "Va") and len(words) > 1}
    starts = {name for name in starts if re.fullmatch(r"[a-z][a-z0-9_.]+", name)}
    assert starts - keys == set(), "entries without a key"


def test_conf_sample():
    """contrib/postsms.conf is accepted as it stands, and what it says of defaults is true."""
    sample = os.path.join(ROOT, "contrib", "postsms.conf")
    done = subprocess.run([os.path.join(BUILD, "sbin", "postsmsd"), "-n", "-c", sample], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert all("warning: " in line for line in done.stdout.splitlines()), done.stdout
    table, later = "keys", set()
    for line in read("contrib", "postsms.conf").split("\n"):
        opened = re.match(r'(\w+)(?: "\w+")? \{', line)
        if opened:
            table = opened.group(1) + "_keys"
        elif line.startswith("}"):
            table = "keys"
        setting = re.match(r'\s*(#?)(\w+)\s*= ("[^"]*"|\{[^}]*\}|\w+)', line)
        if not setting:
            continue
        kind, default, is_later = conf_tables()[table][setting.group(2)]
        if is_later:
            later.add(setting.group(2))
        if setting.group(1) and default != "NULL":
            written = {'"{}"': "{}", "cfg_true": "yes", "cfg_false": "no"}.get(default, default)
            assert setting.group(3).replace(" ", "") == written.replace(" ", ""), line
    assert not later, "the sample has keys without effect"


def test_rules_page():
    """Every section of the SMTP rules file has its entry."""
    names = set(re.findall(r'"([A-Z]+(?:-[A-Z]+)+)"', sources("rules/smtp*.c")))
    assert len(names) == 5
    text = page("postsms-smtp.rules.5")
    assert all(name.replace("-", "") in text.replace("\\", "").replace("-", "") for name in names)


def test_commands_page():
    """Every command of postsms has an entry in its page, and the other way round."""
    commands = {line.split()[1] for line in usage("postsms")[1:]}
    assert {"init", "check", "explain", "queue", "trace"} <= commands
    entries = {words[1] for words in items(page("postsms.8")) if words[0] in ("Cm", "Ic")}
    assert entries == commands


def test_requirements_list():
    """tests/requirements.tsv: an ID and a test that exists, a pair a line."""
    head, *lines = read("tests", "requirements.tsv").rstrip("\n").split("\n")
    assert head == "requirement\ttest"
    seen = set()
    for line in lines:
        requirement, test = line.split("\t")
        assert re.fullmatch(r"((ICE|UMG)-[A-Z0-9]+|A|ZH)-\d\d[a-z]?", requirement), line
        assert line not in seen
        seen.add(line)
        path, _, name = test.partition("::")
        assert os.path.exists(os.path.join(ROOT, path)), line
        assert not name or re.search(rf"\b{re.escape(name)}\b", read(path)), line


@pytest.mark.parametrize("document", ["README.md", "INSTALL"])
def test_documents_name_what_exists(document):
    folders = "contrib|tests|milter|transport|admin|rules|lib|spool"
    for path in set(re.findall(rf"(?<![\w/.])((?:{folders})/[\w./-]*\w)", read(document))):
        assert os.path.exists(os.path.join(ROOT, path)), path
