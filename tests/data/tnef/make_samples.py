#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Writes the samples of winmail.dat in this folder, as [MS-OXTNEF] and [MS-OXRTFCP] have them: Debian has
programs that read them, none that writes them. Run by hand; the samples are kept as files."""
import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
MESSAGE, ATTACHMENT = 1, 2
DICTIONARY = (b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
              b"\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
              b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx")


def attribute(level, number, data):
    return struct.pack("<BII", level, number, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def stream(*attributes):
    return struct.pack("<IH", 0x223E9F78, 1) + attribute(MESSAGE, 0x00089006, struct.pack("<I", 0x10000)) + \
        b"".join(attributes)


def padded(data):
    return struct.pack("<I", len(data)) + data + b"\0" * (-len(data) % 4)


def string8(number, data):
    return struct.pack("<HHI", 0x001E, number, 1) + padded(data + b"\0")


def string16(number, text):
    return struct.pack("<HHI", 0x001F, number, 1) + padded(text.encode("utf-16-le") + b"\0\0")


def binary(number, data):
    return struct.pack("<HHI", 0x0102, number, 1) + padded(data)


def integer(number, value):
    return struct.pack("<HHI", 0x0003, number, value)


def properties(*values):
    return attribute(MESSAGE, 0x00069003, struct.pack("<I", len(values)) + b"".join(values))


def code_page(page):
    return attribute(MESSAGE, 0x00069007, struct.pack("<II", page, 0))


def crc32(data):
    table = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ 0xEDB88320 if i & 1 else i >> 1
        table.append(i)
    crc = 0
    for octet in data:
        crc = crc >> 8 ^ table[(crc ^ octet) & 0xFF]
    return crc


def compressed(rtf):
    """LZFu: the longest match in the last 4,096 octets, flags for eight tokens in front of them."""
    window = bytearray(4096)
    window[:len(DICTIONARY)] = DICTIONARY
    write, filled = len(DICTIONARY), len(DICTIONARY)
    tokens, at = [], 0
    while at < len(rtf):
        best, where = 0, 0
        for start in range(min(filled, 4096)):
            if start == write % 4096:
                continue
            n = 0
            while n < 17 and at + n < len(rtf) and (start + n) % 4096 != write % 4096 and \
                    start + n < filled and window[(start + n) % 4096] == rtf[at + n]:
                n += 1
            if n > best:
                best, where = n, start
        if best >= 2:
            tokens.append(struct.pack(">H", where << 4 | best - 2))
            step = best
        else:
            tokens.append(rtf[at:at + 1])
            step = 1
        for octet in rtf[at:at + step]:
            window[write % 4096] = octet
            write += 1
            filled = min(filled + 1, 4096)
        at += step
    tokens.append(struct.pack(">H", (write % 4096) << 4))
    out = b""
    for i in range(0, len(tokens), 8):
        eight = tokens[i:i + 8]
        out += bytes([sum(1 << k for k, token in enumerate(eight) if len(token) == 2)]) + b"".join(eight)
    return struct.pack("<IIII", len(out) + 12, len(rtf), 0x75465A4C, crc32(out)) + out


def uncompressed(rtf):
    return struct.pack("<IIII", len(rtf) + 12, len(rtf), 0x414C454D, 0) + rtf


def rtf_property(rtf):
    return properties(binary(0x1009, compressed(rtf)))


NAMED = struct.pack("<HH", 0x001F, 0x8001) + b"\x01" * 16 + struct.pack("<I", 1) + \
    padded("Keywords".encode("utf-16-le") + b"\0\0") + struct.pack("<I", 1) + padded("x".encode("utf-16-le") + b"\0\0")
NAMED_NUMBER = struct.pack("<HH", 0x000B, 0x8002) + b"\x02" * 16 + struct.pack("<II", 0, 0x8503) + \
    struct.pack("<HH", 1, 0)
MULTIPLE = struct.pack("<HHI", 0x101F, 0x3A58, 2) + 2 * padded("a".encode("utf-16-le") + b"\0\0")
MULTIPLE_FIXED = struct.pack("<HHI", 0x1003, 0x3A59, 3) + struct.pack("<III", 1, 2, 3)
TIME = struct.pack("<HHQ", 0x0040, 0x0039, 0x01DC4C8D00000000)
FROM_HTML = (
    b"{\\rtf1\\ansi\\ansicpg1252\\fromhtml1 \\deff0{\\fonttbl\r\n{\\f0\\fswiss Arial;}\r\n{\\f1\\fmodern Courier New;}}"
    b"\r\n{\\colortbl\\red0\\green0\\blue0;\\red5\\green99\\blue193;}\r\n\\uc1\\pard\\plain\\deftab360 \\f0\\fs24 \r\n"
    b"{\\*\\htmltag19 <html>}\r\n{\\*\\htmltag34 <head>}\r\n{\\*\\htmltag241 <style>}{\\*\\htmltag241 p {margin:0}}\r\n"
    b"{\\*\\htmltag249 </style>}\r\n{\\*\\htmltag41 </head>}\r\n{\\*\\htmltag50 <body>}\\htmlrtf \\lang1031 \\htmlrtf0 "
    b"\r\n{\\*\\htmltag64 <p>}\\htmlrtf {\\htmlrtf0 Gr\\'fc\\'dfe aus Halle{\\*\\htmltag84 &nbsp;}\\htmlrtf \\'a0\\htmlrtf0 3,"
    b"\\htmlrtf\\par}\\htmlrtf0\r\n{\\*\\htmltag72 </p>}\r\n{\\*\\htmltag64 <p>}\\htmlrtf {\\htmlrtf0 Pumpe "
    b"{\\*\\htmltag84 <b>}\\htmlrtf {\\b \\htmlrtf0 steht\\htmlrtf }\\htmlrtf0 {\\*\\htmltag92 </b>}.\\htmlrtf\\par}\\htmlrtf0\r\n"
    b"{\\*\\htmltag72 </p>}\r\n{\\*\\htmltag58 </body>}\r\n{\\*\\htmltag27 </html>}}\x00")

SAMPLES = {
    "body": (stream(code_page(1252), attribute(MESSAGE, 0x0002800C, b"Pump 3 is down.\r\nK\xf6ln\r\n\0"))),
    "body-cyrillic": stream(code_page(1251), attribute(MESSAGE, 0x0002800C, "Насос 3 стоит.\0".encode("cp1251"))),
    "body-japanese": stream(code_page(932), attribute(MESSAGE, 0x0002800C, "ポンプ3が停止\0".encode("cp932"))),
    "unicode": stream(code_page(1252), properties(TIME, NAMED, NAMED_NUMBER, MULTIPLE, MULTIPLE_FIXED,
                                                  string16(0x0037, "Subject"), string16(0x1000, "Pumpe 3 – Köln 😀\r\n"))),
    "unicode-before-body": stream(code_page(1252), attribute(MESSAGE, 0x0002800C, b"????? 3\0"),
                                  properties(string16(0x1000, "Насос 3"))),
    "string8": stream(properties(integer(0x3FFD, 1250), string8(0x1000, "Čerpadlo 3 stojí".encode("cp1250")))),
    "blank-body-then-rtf": stream(attribute(MESSAGE, 0x0002800C, b" \r\n\0"),
                                  rtf_property(b"{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 Arial;}}\\f0 From RTF\\par}")),
    "rtf-html": stream(code_page(1252), rtf_property(FROM_HTML)),
    "rtf-cyrillic-font": stream(rtf_property(
        b"{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0\\fswiss\\fcharset0 Arial;}{\\f1\\fswiss\\fcharset204 Arial CYR;}}"
        b"{\\stylesheet{\\s0 Normal;}}{\\info{\\author Anna}}\\pard\\plain\\f0 Pump \\'a7 3: {\\f1 \\'ed\\'e0\\'f1\\'ee\\'f1}"
        b" \\'fcber\\par}")),
    "rtf-unicode": stream(rtf_property(
        b"{\\rtf1\\ansi\\ansicpg932\\uc2 \\u12509\\'83\\'7c\\u12531\\'83\\'93\\uc1 \\u-10179?\\u-8704? \\{\\\\\\}\\line "
        b"\\ldblquote a\\rdblquote\\~b\\endash c\\tab d{\\v hidden}\\bin4 }}}}\\'83\\'7c{\\pict ffd8}{\\*\\new x{y}}.\\par}")),
    "rtf-uncompressed": stream(properties(binary(0x1009, uncompressed(b"{\\rtf1\\ansi As it is}")))),
    "rtf-empty": stream(properties(binary(0x1009, uncompressed(b"")), binary(0x1013, b""))),
    "rtf-destinations": stream(rtf_property(
        b"{\\rtf1{\\info{\\title\\plain not this}\\plain nor this}{\\v gone\\plain  here}{\\header x}\\u-10179?a\\par}")),
    "html": stream(properties(integer(0x3FDE, 65001), binary(0x1013, "<p>Köln</p>".encode()))),
    "attachment-only": stream(attribute(ATTACHMENT, 0x00069002, b"\1\0" + b"\0" * 12),
                              attribute(ATTACHMENT, 0x0002800C, b"not the body\0"),
                              attribute(ATTACHMENT, 0x0006800F, b"data")),
    "not-tnef": b"MZ\x90\0 this is something else",
}
SAMPLES["cut-off"] = SAMPLES["unicode"][:-14]
SAMPLES["wrong-length"] = SAMPLES["body"].replace(struct.pack("<I", 24), b"\xff\xff\xff\xff")

if __name__ == "__main__":
    for name, data in SAMPLES.items():
        with open(os.path.join(HERE, name + ".dat"), "wb") as file:
            file.write(data)
