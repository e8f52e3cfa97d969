# SPDX-License-Identifier: GPL-2.0-or-later
"""Wrappings of a file into a ZIP archive, ordinary and as programs differ in reading it."""

import dataclasses
import io
import struct
import zipfile
import zlib

from formats import file_name
from programs import packed

LOCAL, CENTRAL, END = b"PK\3\4", b"PK\1\2", b"PK\5\6"
ZIP64_END, ZIP64_LOCATOR = b"PK\6\6", b"PK\6\7"
STORED, DEFLATED = 0, 8
CLEAN = b"harmless text\r\n"


def ordinary(content, method=zipfile.ZIP_DEFLATED, name=None, before=(), after=(), comment=b""):
    """With Python's library; `before` and `after` are names and contents of other members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.comment = comment
        for other, text in before:
            archive.writestr(other, text)
        archive.writestr(name or file_name(content), content)
        for other, text in after:
            archive.writestr(other, text)
    return buffer.getvalue()


@dataclasses.dataclass
class Member:
    """A member, with what its local header and the central directory say about it."""
    content: bytes
    name: bytes = b""
    method: int = DEFLATED
    flags: int = 0
    extra: bytes = b""
    version: int = 20
    local: dict = dataclasses.field(default_factory=dict)    # what differs there
    central: dict = dataclasses.field(default_factory=dict)
    data: bytes = None       # as it stands in the archive
    descriptor: bytes = b""  # after the data

    def __post_init__(self):
        self.name = self.name or file_name(self.content).encode()
        if self.data is None:
            self.data = self.content if self.method == STORED else deflated(self.content)

    def values(self, where):
        values = {"version": self.version, "flags": self.flags, "method": self.method,
                  "crc": zlib.crc32(self.content), "packed": len(self.data),
                  "size": len(self.content), "name": self.name, "extra": self.extra,
                  "attributes": 0, "disk": 0, **where}
        return values

    def local_part(self):
        v = self.values(self.local)
        return LOCAL + struct.pack("<HHHHHIIIHH", v["version"], v["flags"], v["method"], 0, 33,
                                   v["crc"], v["packed"], v["size"], len(v["name"]),
                                   len(v["extra"])) + v["name"] + v["extra"] + \
            self.data + self.descriptor

    def central_part(self, offset):
        v = self.values(self.central)
        return CENTRAL + struct.pack(
            "<HHHHHHIIIHHHHHII", 20, v["version"], v["flags"], v["method"], 0, 33, v["crc"],
            v["packed"], v["size"], len(v["name"]), len(v["extra"]), 0, v["disk"], 0,
            v["attributes"], v.get("offset", offset)) + v["name"] + v["extra"]


def deflated(content, level=9):
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def end_record(count, size, offset, comment=b"", disk=0, total=None):
    return END + struct.pack("<HHHHIIH", disk, disk, count, count if total is None else total,
                             size, offset, len(comment)) + comment


def zip64_end(count, size, offset, at):
    """The zip64 end record and its locator, which stand at `at`."""
    return (ZIP64_END + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, size, offset) +
            ZIP64_LOCATOR + struct.pack("<IQI", 0, at, 1))


def built(*members, prefix=b"", shift=True, between=b"", before_central=b"", after_central=b"",
          comment=b"", suffix=b"", zip64=False, **end):
    """An archive of the members.  With `shift` the offsets count the prefix."""
    data, offsets = prefix, []
    for member in members:
        offsets.append(len(data) - (0 if shift else len(prefix)))
        data += member.local_part() + between
    data += before_central
    start = len(data) - (0 if shift else len(prefix))
    directory = b"".join(m.central_part(o) for m, o in zip(members, offsets))
    data += directory + after_central
    record = {"count": len(members), "size": len(directory), "offset": start, **end}
    if zip64:
        data += zip64_end(record["count"], record["size"], record["offset"], len(data))
        record.update(count=0xffff, size=0xffffffff, offset=0xffffffff)
    return data + end_record(**record, comment=comment) + suffix


def one(content, **member):
    return built(Member(content, **member))


def zip64_local(content, value=0xffffffff, **end):
    """The sizes in a zip64 field of the local header, as programs write that do not know
    them beforehand."""
    data = deflated(content)
    field = struct.pack("<HHQQ", 1, 16, len(content), len(data))
    local = {"extra": field}
    if value is not None:
        local.update(packed=value, size=value)
    return built(Member(content, version=45, data=data, local=local), **end)


def streamed(content, mark=b"PK\7\x08", wide=False):
    """Sizes only behind the data, as programs write that cannot seek."""
    data = deflated(content)
    form = "<IQQ" if wide else "<III"
    descriptor = mark + struct.pack(form, zlib.crc32(content), len(data), len(content))
    return built(Member(content, flags=8, descriptor=descriptor, data=data,
                        local={"crc": 0, "packed": 0, "size": 0}))


def no_directory(content):
    return Member(content).local_part()


def stored_named_central(content):
    """Stored, with the marks of a directory in front of the member."""
    return built(Member(content, method=STORED), prefix=CENTRAL + b"\0" * 42)


def two_directories(content, last_is_clean):
    """Two members, and two directories of one member each."""
    members = [Member(CLEAN, name=b"a.txt"), Member(content)]
    data = b"".join(m.local_part() for m in members)
    directories = [members[0].central_part(0),
                   members[1].central_part(len(members[0].local_part()))]
    if last_is_clean:
        directories.reverse()
    for directory in directories:
        data += directory + end_record(1, len(directory), len(data))
    return data


def hidden_in_end_comment(content):
    """An end record that says its directory is the one of a clean archive."""
    clean = built(Member(CLEAN, name=b"a.txt"))
    return one(content)[:-2] + struct.pack("<H", len(clean)) + clean


def overlapping(content):
    """Two directory entries for the same data, under two methods."""
    member = Member(content)
    data = member.local_part()
    directory = member.central_part(0) + dataclasses.replace(
        member, name=b"b.txt", central={"method": STORED}).central_part(0)
    return data + directory + end_record(2, len(directory), len(data))


def method_zstd(content):
    frame = packed(content, ["zstd", "-q", "-c", "{file}"])
    return one(content, method=93, data=frame, version=63)


def method_xz(content):
    return one(content, method=95, version=63,
               data=packed(content, ["xz", "-c", "--check=crc32", "{file}"]))


def unicode_name(content):
    name = "e\u0301-\u2603.com".encode()
    return one(content, name=name, flags=0x800)


def repeated(count):
    def wrap(content):
        for _ in range(count):
            content = ordinary(content)
        return content
    return wrap


def seven_zip(method):
    return lambda c: packed(c, ["7z", "a", "-tzip", f"-mm={method}", "{out}", "{file}"])


def table():
    """(name, function) of each."""
    yield "zip", ordinary
    yield "zip-stored", lambda c: ordinary(c, zipfile.ZIP_STORED)
    yield "zip-bzip2", lambda c: ordinary(c, zipfile.ZIP_BZIP2)
    yield "zip-lzma", lambda c: ordinary(c, zipfile.ZIP_LZMA)
    for method in "deflate64", "ppmd", "lzma", "xz":
        yield f"zip-7z-{method}", seven_zip(method)
    yield "zip-info-zip", lambda c: packed(c, ["zip", "-q", "{out}", "{file}"], "e.zip")
    yield "zip-info-zip-streamed", lambda c: packed(c, ["zip", "-q", "-", "{file}"])
    yield "zip-bsdtar", lambda c: packed(c, ["bsdtar", "--format=zip", "-cf", "{out}", "{file}"])
    yield "zip-zstd", method_zstd
    yield "zip-zstd-old-number", lambda c: one(
        c, method=20, version=63, data=packed(c, ["zstd", "-q", "-c", "{file}"]))
    yield "zip-xz", method_xz
    yield "zip64-forced", zip64_local
    yield "zip64-field-unused", lambda c: zip64_local(c, None)
    yield "zip64-end", lambda c: built(Member(c), zip64=True)
    yield "zip64-end-and-forced", lambda c: zip64_local(c, zip64=True)
    yield "zip64-central", lambda c: built(Member(
        c, version=45, central={"packed": 0xffffffff, "size": 0xffffffff, "extra": struct.pack(
            "<HHQQ", 1, 16, len(c), len(deflated(c)))}))
    yield "zip64-central-offset", lambda c: built(Member(
        c, version=45, central={"offset": 0xffffffff, "extra": struct.pack("<HHQ", 1, 8, 0)}))
    yield "zip-streamed", streamed
    yield "zip-streamed-no-mark", lambda c: streamed(c, b"")
    yield "zip-streamed-zip64", lambda c: streamed(c, wide=True)
    yield "zip-streamed-stored", lambda c: built(Member(
        c, method=STORED, flags=8, local={"crc": 0, "packed": 0, "size": 0},
        descriptor=b"PK\7\x08" + struct.pack("<III", zlib.crc32(c), len(c), len(c))))
    yield "zip-concat-clean-first", lambda c: built(Member(CLEAN, name=b"a.txt")) + one(c)
    yield "zip-concat-clean-last", lambda c: one(c) + built(Member(CLEAN, name=b"a.txt"))
    yield "zip-concat-offsets-right", lambda c: (
        lambda first: first + built(Member(c), prefix=first)[len(first):])(
            built(Member(CLEAN, name=b"a.txt")))
    yield "zip-two-directories-clean-first", lambda c: two_directories(c, False)
    yield "zip-two-directories-clean-last", lambda c: two_directories(c, True)
    yield "zip-clean-in-comment", hidden_in_end_comment
    yield "zip-in-comment", lambda c: built(Member(CLEAN, name=b"a.txt"), comment=one(c))
    yield "zip-comment", lambda c: built(Member(c), comment=b"x" * 1000)
    yield "zip-comment-with-end-record", lambda c: built(
        Member(c), comment=end_record(0, 0, 0))
    yield "zip-comment-too-short", lambda c: built(Member(c), comment=b"x" * 50)[:-20]
    yield "zip-prefix-text", lambda c: built(Member(c), prefix=b"some text\r\n" * 20)
    yield "zip-prefix-not-counted", lambda c: built(
        Member(c), prefix=b"some text\r\n" * 20, shift=False)
    yield "zip-prefix-program", lambda c: built(Member(c), prefix=b"MZ" + b"\0" * 600)
    yield "zip-prefix-gif", lambda c: built(Member(c), prefix=b"GIF89a" + b"\0" * 200)
    yield "zip-prefix-jpeg", lambda c: built(Member(c), prefix=b"\xff\xd8\xff\xe0" + b"\0" * 90)
    yield "zip-prefix-pdf", lambda c: built(Member(c), prefix=b"%PDF-1.4\r\n%%EOF\r\n")
    yield "zip-prefix-gzip", lambda c: built(Member(c), prefix=b"\x1f\x8b\x08\0" + b"\0" * 20)
    yield "zip-prefix-header", lambda c: built(Member(c), prefix=b"From: a@b.example\r\n\r\n")
    yield "zip-prefix-100k", lambda c: built(Member(c), prefix=b"\1" * 100000)
    yield "zip-prefix-spanned", lambda c: built(Member(c), prefix=b"PK00")
    yield "zip-prefix-spanned-mark", lambda c: built(Member(c), prefix=b"PK\7\x08")
    yield "zip-prefix-central-mark", stored_named_central
    yield "zip-suffix", lambda c: built(Member(c), suffix=b"text behind" * 10)
    yield "zip-suffix-100k", lambda c: built(Member(c), suffix=b"\1" * 100000)
    yield "zip-suffix-nul", lambda c: built(Member(c), suffix=b"\0" * 512)
    yield "zip-no-directory", no_directory
    yield "zip-no-end-record", lambda c: one(c)[:-22]
    yield "zip-end-cut", lambda c: one(c)[:-2]
    yield "zip-empty-directory", lambda c: built(
        Member(c), count=0, size=0)
    yield "zip-count-zero", lambda c: built(Member(c), count=0)
    yield "zip-count-less", lambda c: built(Member(CLEAN, name=b"a.txt"), Member(c), count=1)
    yield "zip-count-more", lambda c: built(Member(c), count=7)
    yield "zip-offset-wrong", lambda c: built(Member(c), offset=0)
    yield "zip-offset-past-end", lambda c: built(Member(c), offset=99999)
    yield "zip-size-wrong", lambda c: built(Member(c), size=1)
    yield "zip-disk-one", lambda c: built(Member(c), disk=1)
    yield "zip-member-disk-one", lambda c: one(c, central={"disk": 1})
    yield "zip-gap-before-directory", lambda c: built(Member(c), before_central=b"gap" * 30)
    yield "zip-gap-after-directory", lambda c: built(Member(c), after_central=b"gap" * 30)
    yield "zip-gap-between", lambda c: built(
        Member(CLEAN, name=b"a.txt"), Member(c), between=b"gap" * 30)
    yield "zip-local-zero-sizes", lambda c: one(c, local={"packed": 0, "size": 0, "crc": 0})
    yield "zip-local-large-sizes", lambda c: one(c, local={"packed": 99999, "size": 99999})
    yield "zip-local-small-sizes", lambda c: one(c, local={"packed": 4, "size": 4})
    yield "zip-local-other-name", lambda c: one(c, local={"name": b"a.txt"})
    yield "zip-local-other-name-length", lambda c: one(c, local={"name": b"long name.txt"})
    yield "zip-local-empty-name", lambda c: one(c, local={"name": b""})
    yield "zip-local-stored", lambda c: one(c, local={"method": STORED})
    yield "zip-local-bzip2", lambda c: one(c, local={"method": 12})
    yield "zip-local-unknown-method", lambda c: one(c, local={"method": 77})
    yield "zip-local-encrypted-flag", lambda c: one(c, local={"flags": 1})
    yield "zip-local-extra", lambda c: one(c, local={"extra": b"\x99\x99\x20\0" + b"x" * 32})
    yield "zip-local-bad-extra", lambda c: one(c, local={"extra": b"\x99\x99\xff\xff"})
    yield "zip-local-version", lambda c: one(c, local={"version": 99})
    yield "zip-local-mark-wrong", lambda c: one(c).replace(LOCAL, b"PK\3\5", 1)
    yield "zip-central-stored", lambda c: one(c, central={"method": STORED})
    yield "zip-central-zero-sizes", lambda c: one(c, central={"packed": 0, "size": 0})
    yield "zip-central-size-zero", lambda c: one(c, central={"size": 0})
    yield "zip-central-size-small", lambda c: one(c, central={"size": 4})
    yield "zip-central-size-large", lambda c: one(c, central={"size": 99999999})
    yield "zip-central-encrypted-flag", lambda c: one(c, central={"flags": 1})
    yield "zip-central-directory-attribute", lambda c: one(c, central={"attributes": 16})
    yield "zip-central-version", lambda c: one(c, central={"version": 99})
    yield "zip-central-mark-wrong", lambda c: one(c).replace(CENTRAL, b"PK\1\3", 1)
    yield "zip-central-first", lambda c: (lambda m, d: d + m.local_part() + end_record(
        1, len(d), 0))(Member(c), Member(c).central_part(len(Member(c).central_part(0))))
    yield "zip-size-zero-in-both", lambda c: one(
        c, local={"size": 0}, central={"size": 0})
    yield "zip-crc-wrong", lambda c: one(c, local={"crc": 1}, central={"crc": 1})
    yield "zip-crc-zero", lambda c: one(c, local={"crc": 0}, central={"crc": 0})
    yield "zip-stored-as-deflate-blocks", lambda c: one(c, data=deflated(c, 0))
    yield "zip-data-after-deflate", lambda c: one(c, data=deflated(c) + b"junk" * 5)
    yield "zip-strong-encryption-flag", lambda c: one(c, flags=0x40)
    yield "zip-flags-all-unused", lambda c: one(c, flags=0x0480)
    yield "zip-name-directory", lambda c: one(c, name=b"e.com/")
    yield "zip-name-absolute", lambda c: one(c, name=b"/tmp/e.com")
    yield "zip-name-up", lambda c: one(c, name=b"../../e.com")
    yield "zip-name-backslash", lambda c: one(c, name=b"x\\e.com")
    yield "zip-name-nul", lambda c: one(c, name=b"e.com\0.txt")
    yield "zip-name-unicode", unicode_name
    yield "zip-name-long", lambda c: one(c, name=b"x" * 240 + b".com")
    yield "zip-same-name-twice", lambda c: built(Member(CLEAN, name=b"e.com"),
                                                 Member(c, name=b"e.com"))
    yield "zip-overlapping", overlapping
    yield "zip-member-not-in-directory", lambda c: built(
        Member(CLEAN, name=b"a.txt"), before_central=Member(c).local_part())
    yield "zip-in-first-gap", lambda c: built(
        Member(CLEAN, name=b"a.txt"), prefix=Member(c).local_part())
    yield "zip-many-members", lambda c: ordinary(
        c, before=[(f"{i}.txt", "x") for i in range(300)])
    yield "zip-deep-5", repeated(5)
    yield "zip-deep-12", repeated(12)
    yield "zip-deep-30", repeated(30)
    yield "docx-embedded", lambda c: ordinary(
        c, name="word/embeddings/oleObject1.bin",
        before=[("[Content_Types].xml", "<Types/>"), ("word/document.xml", "<document/>")])
    yield "jar", lambda c: ordinary(c, before=[("META-INF/MANIFEST.MF", "Manifest-Version: 1.0")])
