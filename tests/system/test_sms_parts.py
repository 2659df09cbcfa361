# SPDX-License-Identifier: ISC
"""Generated texts through `postsms encode`: the number of parts against a search written here, every TPDU against
tshark's dissector and against a decoder written here from the published tables."""
import collections
import concurrent.futures
import glob
import json
import os
import random
import shutil
import struct
import subprocess
import unicodedata

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("POSTSMS_BUILD", os.path.join(ROOT, "build", "plain"))
POSTSMS = os.path.join(BUILD, "sbin", "postsms")
TABLES = os.path.join(ROOT, "tests", "data", "sms")
COUNT = 2000
# What gammu makes of these is its own (it doubles "~" in Unicode).
UNCOMPARED = set("\f\r~")

NAMES = {1: "turkish", 2: "spanish", 3: "portuguese", 4: "bengali", 5: "gujarati", 6: "hindi", 7: "kannada", 8: "malayalam",
         9: "oriya", 10: "punjabi", 11: "tamil", 12: "telugu", 13: "urdu"}


def table(name):
    """septet → character"""
    rows = {}
    with open(os.path.join(TABLES, name + ".tsv"), encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                septet, codepoint, _ = line.rstrip("\n").split("\t")
                rows[int(septet, 16)] = chr(int(codepoint[2:], 16))
    return rows


PLAIN, EXTENSION = table("default"), table("extension")
LOCKS = {n: table(f"lock-{n:02}-{name}") for n, name in NAMES.items() if n != 2}
SHIFTS = {n: table(f"shift-{n:02}-{name}") for n, name in NAMES.items()}
# What a coding is made of: characters of one septet, characters of two, octets of its header alone and concatenated.
Coding = collections.namedtuple("Coding", "base extra elements ucs2")


def codings(languages):
    yield Coding(set(PLAIN.values()), set(EXTENSION.values()), 0, False)
    for n in languages:
        yield Coding(set(PLAIN.values()), set(SHIFTS[n].values()), 1, False)
        if n in LOCKS:
            yield Coding(set(LOCKS[n].values()), set(EXTENSION.values()), 1, False)
            yield Coding(set(LOCKS[n].values()), set(SHIFTS[n].values()), 2, False)
    yield Coding(None, None, 0, True)


def units(coding, character):
    """None: the coding has no such character."""
    if coding.ucs2:
        return len(character.encode("utf-16-be")) // 2
    return 1 if character in coding.base else 2 if character in coding.extra else None


def capacity(coding, concatenated):
    header = 3 * coding.elements + (5 if concatenated else 0)
    octets = 140 - (header + 1 if header else 0)
    return octets // 2 if coding.ucs2 else octets * 8 // 7


def clusters(text):
    """Pieces that a reader sees as one."""
    pieces = []
    for c in text:
        last = pieces[-1] if pieces else ""
        flags = sum(0x1F1E6 <= ord(x) <= 0x1F1FF for x in last)
        if last and (unicodedata.category(c)[0] == "M" or c in "\u200d\u200c" or 0x1F3FB <= ord(c) <= 0x1F3FF
                     or (last[-1] == "\u200d" and ord(c) > 0x7F and c != "…" and not c.isspace())
                     or (last[-1] == "\r" and c == "\n")
                     or (0x1F1E6 <= ord(c) <= 0x1F1FF and flags % 2 == 1 and len(last) == flags)):
            pieces[-1] += c
        else:
            pieces.append(c)
    return pieces


def fewest(text, languages):
    """The fewest parts over all codings and all places to split: a search, breadth first, not a calculation."""
    best = None
    for coding in codings(languages):
        sizes = [[units(coding, c) for c in piece] for piece in clusters(text)]
        if any(size is None for piece in sizes for size in piece):
            continue
        sizes = [sum(piece) for piece in sizes]
        if sum(sizes) <= capacity(coding, False):
            return 1
        room = capacity(coding, True)
        if max(sizes) > room:
            return None  # torn between characters: not searched here
        ends = {0}
        parts = 0
        while len(sizes) not in ends:
            parts += 1
            reached = set()
            for end in ends:
                used = 0
                while end < len(sizes) and used + sizes[end] <= room:
                    used += sizes[end]
                    end += 1
                    reached.add(end)
            ends = reached
        best = parts if best is None else min(best, parts)
    return best


def texts():
    """(text, languages), always the same ones."""
    rand = random.Random(23038)
    sets = [list(PLAIN.values()), list("etaoin shrdlu .,0123456789"), list(EXTENSION.values()) + list("abc "),
            list("абвгд еёжз"), ["😀", "👨\u200d👩\u200d👧", "🇨🇭", "👍🏽", "é", "a", " "], ["e\u0301", "n\u0303", "x"],
            list("日本語テキスト、。"), list("עברית שלום"), ["“", "”", "–", "a", "b", " "]]
    for n in NAMES:
        sets.append(list(SHIFTS[n].values()) + list("aeiou 123"))
        if n in LOCKS:
            sets.append(list(LOCKS[n].values()))
    for i in range(COUNT):
        characters = sets[i % len(sets)]
        mixed = rand.random() < 0.2
        length = rand.choice([1, 5, 40, 69, 70, 71, 130, 152, 153, 159, 160, 161, 300, 306, 307, 500])
        text = "".join(rand.choice(rand.choice(sets) if mixed and rand.random() < 0.02 else characters)
                       for _ in range(length))
        languages = sorted(rand.sample(sorted(NAMES), rand.choice([0, 1, 1, 2, 13])))
        yield text, languages


def encode(case):
    text, languages = case
    # stdin and not an argument: a text may begin with a dash
    args = [POSTSMS, "encode", "--json", "-t", "none", "-n", "+41791234567"]
    if languages:
        args += ["-l", ",".join(map(str, languages))]
    done = subprocess.run(args, input=text.encode(), capture_output=True, check=False, timeout=30)
    assert done.returncode == 0, (text, done.stderr)
    return json.loads(done.stdout)


@pytest.fixture(scope="module", name="messages")
def generated():
    cases = list(texts())
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return list(zip(cases, pool.map(encode, cases)))


def test_fewest_parts(messages):
    """No coding and no other place to split would take fewer."""
    searched = 0
    for (text, languages), message in messages:
        want = fewest(text, languages)
        if want is not None:
            searched += 1
            assert message["parts_needed"] == want == len(message["parts"]), (text, languages)
    assert searched > COUNT * 0.95


def test_nothing_is_lost(messages):
    for (text, _), message in messages:
        assert "".join(part["text"] for part in message["parts"]) == message["text"] == text
        assert (message["encoding"] == "ucs2") == (message["forced_by"] is not None)


def septets(octets, first, count):
    bits = int.from_bytes(octets, "little")
    return [bits >> 7 * i & 0x7F for i in range(first, first + count)]


def decode(tpdu):
    """The text of a SUBMIT of ours by the published tables."""
    data = tpdu[2 + 2 + (tpdu[2] + 1) // 2 + 2:]
    dcs, length, data = tpdu[len(tpdu) - len(data) - 1], data[0], data[1:]
    header = data[:data[0] + 1] if tpdu[0] & 0x40 else b""
    base, extra = PLAIN, EXTENSION
    at = 1
    while at < len(header):
        if header[at] == 0x24:
            extra = SHIFTS[header[at + 2]]
        elif header[at] == 0x25:
            base = LOCKS[header[at + 2]]
        at += 2 + header[at + 1]
    if dcs == 8:
        return data[len(header):].decode("utf-16-be")
    first = (len(header) * 8 + 6) // 7
    text, escaped = "", False
    for septet in septets(data, first, length - first):
        if septet == 0x1B and not escaped:
            escaped = True
        else:
            text += (extra if escaped else base)[septet]
            escaped = False
    return text


def test_own_decoder(messages):
    """By tables alone, national ones as well."""
    for _, message in messages:
        for part in message["parts"]:
            assert decode(bytes.fromhex(part["pdu"])) == part["text"]


def block(kind, body):
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def write_capture(path, tpdus):
    """pcapng: link type "user 0", and every packet inbound, which makes a TPDU one from the handset."""
    with open(path, "wb") as file:
        file.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
        file.write(block(1, struct.pack("<HHI", 147, 0, 65535)))
        for tpdu in tpdus:
            padded = tpdu + bytes(-len(tpdu) % 4)
            options = struct.pack("<HHI", 2, 4, 1) + struct.pack("<HH", 0, 0)
            file.write(block(6, struct.pack("<IIIII", 0, 0, 0, len(tpdu), len(tpdu)) + padded + options))


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
def test_tshark(messages, tmp_path):
    """Wireshark's dissector reads number, coding, lengths, header and text as they were meant. It knows no national
    tables: of those messages all but the text is compared."""
    parts = [(message, part) for _, message in messages for part in message["parts"]]
    capture = tmp_path / "sms.pcapng"
    write_capture(capture, [bytes.fromhex(part["pdu"]) for _, part in parts])
    fields = ["gsm_sms.tp-da", "gsm_sms.tp-dcs", "gsm_sms.tp.user_data_length", "gsm_sms.udh.mm.msg_id",
              "gsm_sms.udh.mm.msg_parts", "gsm_sms.udh.mm.msg_part", "gsm_sms.sms_text"]
    # Output in UTF-8 whatever the locale; no reassembly: each part on its own.
    args = ["tshark", "-r", str(capture), "-o", 'uat:user_dlts:"User 0 (DLT=147)","gsm_sms","0","","0",""',
            "-o", "gsm_sms.reassemble:FALSE", "-T", "json"]
    done = subprocess.run(args, capture_output=True, check=True, timeout=300,
                          env={**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(tmp_path)})
    packets = json.loads(done.stdout, object_pairs_hook=lambda pairs: pairs)
    assert len(packets) == len(parts) >= COUNT
    compared = 0
    for packet, (message, part) in zip(packets, parts):
        found = dict.fromkeys(fields)
        collect(packet, found)
        assert found["gsm_sms.tp-da"] == "41791234567"
        assert int(found["gsm_sms.tp-dcs"]) == (8 if message["encoding"] == "ucs2" else 0)
        if len(message["parts"]) > 1:
            assert int(found["gsm_sms.udh.mm.msg_parts"]) == len(message["parts"])
            assert message["parts"][int(found["gsm_sms.udh.mm.msg_part"]) - 1] is part
        if message["language"] is None:
            compared += 1
            assert same_text(found["gsm_sms.sms_text"], part["text"]), (found, part)
    assert compared > COUNT / 2


def test_gammu(messages):
    """Another decoder, of a program that sends: number, kind, header and text. It knows no national tables either, and
    leaves junk behind a text with escapes."""
    gammu = pytest.importorskip("gammu")
    compared = 0
    for _, message in messages:
        for part in message["parts"]:
            read = gammu.DecodePDU(bytes.fromhex(part["pdu"]), False)
            assert (read["Number"], read["Type"]) == ("+41791234567", "Submit")
            assert read["Coding"].startswith("Unicode" if message["encoding"] == "ucs2" else "Default")
            if len(message["parts"]) > 1 and message["language"] is None:
                assert read["UDH"]["AllParts"] == len(message["parts"])
                assert message["parts"][read["UDH"]["PartNumber"] - 1] is part
            if message["language"] is None and not set(part["text"]) & UNCOMPARED:
                compared += 1
                escapes = message["encoding"] == "gsm7" and set(part["text"]) & set(EXTENSION.values())
                assert read["Text"].startswith(part["text"]) if escapes else read["Text"] == part["text"]
    assert compared > COUNT / 3


def collect(pairs, found):
    for name, value in pairs:
        if name in found and isinstance(value, str):
            found[name] = value
        elif isinstance(value, list) and value and isinstance(value[0], (list, tuple)):
            collect(value, found)


def same_text(got, want):
    return got == want


def test_every_table_is_here():
    assert len(glob.glob(os.path.join(TABLES, "lock-*.tsv"))) == 12 and len(SHIFTS) == 13
