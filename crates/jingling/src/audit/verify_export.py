#!/usr/bin/env python3
"""Verifies an export of a city's audit trail without the platform: `jingling audit export DIR --output FILE`.

    python3 verify_export.py FILE [--public-key KEY.pem]...

Needs Python 3.8 and the program `openssl` (1.1.1 or newer, with SM2); nothing else. With --public-key the seals
must be made with the keys given; without it, with those that the file names itself, which proves less.

Exit status: 0 whole; 1 broken, and where; 2 it could not be verified (file, openssl, a newer form).

What is checked, as docs/audit.md says: each row's SM3 hash behind the one before it, the numbers, each seal's SM2
signature over its statement, the chain of the seals, that seals and rows agree, that the file has its end.
核验审计日志导出文件，不依赖平台本身：只需要 Python 与 openssl。
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile

USER_ID = "1234567812345678"
BREAKS_MAX = 100


class Unverifiable(Exception):
    """It cannot be said whether the file is whole."""


def rotate(x, n):
    n %= 32
    return ((x << n) | (x >> (32 - n))) & 0xFFFFFFFF


def sm3_slow(message):
    """SM3 (GB/T 32905-2016) in plain Python, where hashlib has none."""
    v = [0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E]
    padded = message + b"\x80" + bytes((55 - len(message)) % 64) + (8 * len(message)).to_bytes(8, "big")
    for at in range(0, len(padded), 64):
        w = [int.from_bytes(padded[at + 4 * i : at + 4 * i + 4], "big") for i in range(16)]
        for j in range(16, 68):
            x = w[j - 16] ^ w[j - 9] ^ rotate(w[j - 3], 15)
            w.append(x ^ rotate(x, 15) ^ rotate(x, 23) ^ rotate(w[j - 13], 7) ^ w[j - 6])
        a, b, c, d, e, f, g, h = v
        for j in range(64):
            t = 0x79CC4519 if j < 16 else 0x7A879D8A
            ss1 = rotate((rotate(a, 12) + e + rotate(t, j)) & 0xFFFFFFFF, 7)
            ss2 = ss1 ^ rotate(a, 12)
            ff = a ^ b ^ c if j < 16 else (a & b) | (a & c) | (b & c)
            gg = e ^ f ^ g if j < 16 else (e & f) | (~e & g & 0xFFFFFFFF)
            tt1 = (ff + d + ss2 + (w[j] ^ w[j + 4])) & 0xFFFFFFFF
            tt2 = (gg + h + ss1 + w[j]) & 0xFFFFFFFF
            a, b, c, d = tt1, a, rotate(b, 9), c
            e, f, g, h = tt2 ^ rotate(tt2, 9) ^ rotate(tt2, 17), e, rotate(f, 19), g
        v = [old ^ new for old, new in zip(v, (a, b, c, d, e, f, g, h))]
    return b"".join(x.to_bytes(4, "big") for x in v)


def sm3_fast(message):
    return hashlib.new("sm3", message).digest()


def openssl(arguments, given=None):
    try:
        return subprocess.run(["openssl", *arguments], input=given, capture_output=True)
    except FileNotFoundError:
        raise Unverifiable("the program openssl is not there")


def choose_sm3():
    """The fast one where Python has it; either must agree with openssl."""
    try:
        sm3_fast(b"")
        sm3 = sm3_fast
    except ValueError:
        sm3 = sm3_slow
    if os.environ.get("JINGLING_SM3") == "slow":
        sm3 = sm3_slow
    probe = "审计".encode() * 100
    told = openssl(["dgst", "-sm3", "-r"], probe)
    if told.returncode != 0 or not told.stdout.startswith(sm3(probe).hex().encode()):
        raise Unverifiable("openssl has no SM3 or computes another one: %r" % told.stderr.decode(errors="replace"))
    return sm3


def s(x):
    """A length and the text, so that no two rows have the same form; nothing is ~."""
    if x is None:
        return b"~,"
    text = str(x).encode()
    return b"%d:%s," % (len(text), text)


def canonical(row):
    names = ("id", "at", "actor_kind", "actor_id", "actor", "action", "target", "detail", "peer")
    return b"jingling audit row 1\n" + b"".join(s(row[name]) for name in names)


def statement(seal):
    names = ("number", "at", "row", "row_hash", "previous", "key")
    return b"jingling audit seal 1\n" + b"".join(s(seal[name]) for name in names)


def point_of(pem):
    """The key's point, 0x04 x y: the last 65 bytes of its DER."""
    told = openssl(["pkey", "-pubin", "-outform", "DER"], pem.encode())
    if told.returncode != 0:
        raise Unverifiable("openssl cannot read a public key: %s" % told.stderr.decode(errors="replace"))
    return told.stdout[-65:]


class Verifier:
    def __init__(self, sm3, trusted, folder):
        self.sm3 = sm3
        self.trusted = trusted
        self.folder = folder
        self.keys = {}
        self.breaks = []
        self.header = None
        self.end = None
        self.previous = None
        self.last = 0
        self.rows = 0
        self.seals = 0
        self.seal = None
        self.sealed_to = 0

    def broken(self, what):
        self.breaks.append(what)

    def add_key(self, pem):
        name = self.sm3(point_of(pem)).hex()
        path = os.path.join(self.folder, name + ".pem")
        with open(path, "w") as file:
            file.write(pem)
        self.keys[name] = path

    def line(self, line):
        kind = line.get("kind")
        if self.header is None:
            if kind != "header" or line.get("format") != "jingling-audit":
                raise Unverifiable("the file is no export of an audit trail")
            if line["version"] != 1:
                raise Unverifiable("the file has version %s, this verifier knows 1: use a newer one" % line["version"])
            self.header = line
            self.previous = bytes.fromhex(line["before_hash"])
            self.last = line["before_row"]
            self.sealed_to = self.last
            if self.last == 0 and self.previous != self.sm3(b"jingling audit chain 1\n"):
                self.broken("the chain does not begin at its beginning")
        elif self.end is not None:
            self.broken("something stands behind the end")
        elif kind == "key":
            if not self.trusted:
                self.add_key(line["public_key"])
        elif kind == "row":
            self.row(line)
        elif kind == "seal":
            self.judge_seal(line)
        elif kind == "end":
            self.end = line
        else:
            self.broken("a line of an unknown kind: %r" % kind)

    def row(self, row):
        self.rows += 1
        number = row["id"]
        own = self.sm3(self.previous + canonical(row)).hex()
        if number != self.last + 1 and (number > self.header["chained_later"] or own != row["hash"]):
            if number > self.last:
                self.broken("rows %d to %d were taken out" % (self.last + 1, number - 1))
            else:
                self.broken("row %d stands behind row %d" % (number, self.last))
        elif own != row["hash"]:
            self.broken("row %d is not what its hash was made of behind row %d: it was changed, or the row before it together with its hash" % (number, self.last))
        self.previous = bytes.fromhex(row["hash"])
        self.last = number

    def judge_seal(self, seal):
        self.seals += 1
        number = seal["number"]
        before = self.seal
        self.seal = seal
        if before is not None:
            signed = statement(before) + bytes.fromhex(before["signature"])
            if number != before["number"] + 1:
                self.broken("seals between %d and %d were taken out" % (before["number"], number))
            elif seal["previous"] != self.sm3(signed).hex():
                self.broken("seal %d does not follow the one before it" % number)
        if seal["row"] != self.last or seal["row_hash"] != self.previous.hex():
            self.broken("rows up to %d were written anew: seal %d has another hash of row %d" % (self.last, number, seal["row"]))
        key = self.keys.get(seal["key"])
        if key is None:
            self.broken("the key %s of seal %d is not among those given or named" % (seal["key"], number))
        elif not self.is_signed(seal, key):
            self.broken("the signature of seal %d is false" % number)
        elif not self.breaks:
            self.sealed_to = self.last

    def is_signed(self, seal, key):
        paths = [os.path.join(self.folder, name) for name in ("statement", "signature")]
        for path, content in zip(paths, (statement(seal), bytes.fromhex(seal["signature"]))):
            with open(path, "wb") as file:
                file.write(content)
        told = openssl(
            ["pkeyutl", "-verify", "-pubin", "-inkey", key, "-in", paths[0], "-sigfile", paths[1],
             "-rawin", "-digest", "sm3", "-pkeyopt", "distid:" + USER_ID]
        )
        return told.returncode == 0

    def finish(self):
        if self.header is None:
            raise Unverifiable("the file is empty")
        if self.end is None:
            self.broken("the file was cut off: it has no end")
        elif (self.end["rows"], self.end["seals"]) != (self.rows, self.seals):
            self.broken("the file should have %(rows)d rows and %(seals)d seals" % self.end + ", it has %d and %d" % (self.rows, self.seals))
        if self.last != self.header["last_row"]:
            self.broken("the rows should go to %d, they go to %d" % (self.header["last_row"], self.last))


def main():
    parser = argparse.ArgumentParser(description="Verifies an export of a city's audit trail.")
    parser.add_argument("file")
    parser.add_argument("--public-key", action="append", default=[], metavar="KEY.pem")
    arguments = parser.parse_args()
    try:
        sm3 = choose_sm3()
        with tempfile.TemporaryDirectory() as folder:
            verifier = Verifier(sm3, bool(arguments.public_key), folder)
            for path in arguments.public_key:
                with open(path) as file:
                    verifier.add_key(file.read())
            with open(arguments.file, encoding="utf-8", newline="\n") as file:
                for number, text in enumerate(file, 1):
                    try:
                        verifier.line(json.loads(text))
                    except (ValueError, KeyError, TypeError, AttributeError) as error:
                        if number == 1:
                            raise Unverifiable("the file is no export of an audit trail")
                        verifier.broken("line %d does not read: %s" % (number, error))
            verifier.finish()
    except (Unverifiable, OSError) as error:
        print("cannot be verified 无法核验: %s" % error, file=sys.stderr)
        return 2
    for what in verifier.breaks[:BREAKS_MAX]:
        print("broken 断: %s" % what)
    if verifier.breaks:
        print("BROKEN 不完整: %d findings in %d rows" % (len(verifier.breaks), verifier.rows))
        return 1
    print("whole 完整: rows %d to %d, %d seals, sealed up to row %d" % (verifier.header["before_row"] + 1, verifier.last, verifier.seals, verifier.sealed_to))
    if verifier.sealed_to < verifier.last:
        print("rows %d to %d are chained but not sealed yet 尚未封印" % (verifier.sealed_to + 1, verifier.last))
    return 0


if __name__ == "__main__":
    sys.exit(main())
