# SPDX-License-Identifier: GPL-2.0-or-later
"""Attachments that a domain does not take, by their names and by their contents."""

import base64
import io
import json
import pathlib
import shutil
import subprocess
import tarfile
import zipfile

import daemons
from fake_scan import FakeScan
from scan_service import (EICAR, ServiceTestCase, encrypted_zip, file_part, mail, text_part,
                          uuencoded, zipped)

SENDER = "someone@sender.example"
PROGRAM = pathlib.Path("/bin/true").read_bytes()
WINDOWS_PROGRAM = (b"MZ" + bytes(58) + (128).to_bytes(4, "little") + bytes(64) + b"PE\0\0" +
                   bytes(300))
SHORTCUT = bytes.fromhex("4c0000000114020000000000c000000000000046") + bytes(100)
ISO = bytes(32768) + b"\1CD001\1" + bytes(2041) + b"\xffCD001\1" + bytes(2041)
SMUGGLING = (b"<html><body><script>var b = atob('UEsDBA==');"
             b"a.href = URL.createObjectURL(new Blob([b])); a.download = 'a.zip'; a.click();"
             b"</script></body></html>")
NEWSLETTER = (b"<!DOCTYPE html><html><head><style>p { color: red }</style></head><body>"
              b"<a href='https://shop.example/download?id=1'>Download our app</a></body></html>")


def archive(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return buffer.getvalue()


def tarred(members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def office(extra):
    return archive({"[Content_Types].xml": "<?xml version='1.0'?><Types/>",
                    "_rels/.rels": "<?xml version='1.0'?><Relationships/>",
                    "word/document.xml": "<?xml version='1.0'?><w:document/>", **extra})


def compound(names):
    """An OLE2 file whose directory has these names; nothing can be read from it."""
    header = bytearray(512)
    header[:8] = bytes.fromhex("d0cf11e0a1b11ae1")
    header[24:32] = bytes.fromhex("3e000300feff0900")
    header[32:34] = b"\6\0"
    header[44:48] = b"\1\0\0\0"
    header[48:52] = b"\1\0\0\0"
    header[56:60] = (4096).to_bytes(4, "little")
    header[60:64] = header[68:72] = b"\xfe\xff\xff\xff"
    header[76:80] = bytes(4)
    header[80:512] = b"\xff" * 432
    table = b"\xfd\xff\xff\xff\xfe\xff\xff\xff" + b"\xff" * 504
    directory = b""
    for number, name in enumerate(["Root Entry", *names]):
        wide = name.encode("utf-16-le")
        entry = bytearray(128)
        entry[:len(wide)] = wide
        entry[64:66] = (len(wide) + 2).to_bytes(2, "little")
        entry[66:68] = bytes([5 if number == 0 else 2, 1])
        entry[68:80] = b"\xff" * 12
        if number == 0 and names:
            entry[76:80] = (1).to_bytes(4, "little")
        entry[116:120] = b"\xfe\xff\xff\xff"
        directory += bytes(entry)
    return bytes(header) + table + directory.ljust(512, b"\0")


def part(content, kind="application/octet-stream", fields=b""):
    return (f"--b\r\nContent-Type: {kind}\r\n".encode() + fields +
            b"Content-Transfer-Encoding: base64\r\n\r\n" +
            base64.encodebytes(content).replace(b"\n", b"\r\n"))


def disposed(parameter, content=b"x" * 50):
    return part(content, fields=b"Content-Disposition: attachment; " + parameter + b"\r\n")


class ListTest(ServiceTestCase):
    """What the scan finds, whatever the domains."""

    def setUp(self):
        super().setUp()
        self.service()

    def made(self, script, files):
        place = self.directory / "made"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        for name, content in files.items():
            (place / name).write_bytes(content)
        done = subprocess.run(["sh", "-eu", "-c", script], cwd=place, capture_output=True,
                              text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return (place / "out").read_bytes()

    def check_each(self, cases):
        """(parts, kinds) by name; or with suffixes that are to be there besides."""
        for name, (message, kinds, *suffixes) in cases.items():
            with self.subTest(name):
                _, listed = self.listed(message)
                self.assertEqual(listed["kinds"], kinds, listed)
                for suffix in suffixes:
                    self.assertIn(suffix, listed["suffixes"])

    def test_true_types_count_whatever_the_name(self):
        self.check_each({
            "a program as text": (mail(text_part(), file_part(PROGRAM, "a.txt")), ["program"]),
            "for Windows": (mail(file_part(WINDOWS_PROGRAM, "a.pdf")), ["program"]),
            "in a zip": (mail(file_part(archive({"a.txt": WINDOWS_PROGRAM}))), ["program"]),
            "in a tar": (mail(file_part(tarred({"a": PROGRAM}))), ["program"]),
            "a shortcut": (mail(file_part(SHORTCUT, "a.doc")), ["shortcut"]),
            "an image": (mail(file_part(ISO, "a.dat")), ["disk-image"]),
            "an image in a zip": (mail(file_part(archive({"a.dat": ISO}))), ["disk-image"]),
            "macros": (mail(file_part(compound(["VBA", "_VBA_PROJECT"]), "a.doc")), ["macro"]),
            "none": (mail(file_part(compound(["WordDocument"]), "a.doc")), []),
            "uuencoded": (b"From: a@b.example\r\n\r\n" + uuencoded(WINDOWS_PROGRAM),
                          ["program"], ".com"),
            "as it is": (mail(b"--b\r\nContent-Type: application/octet-stream\r\n\r\n" +
                              WINDOWS_PROGRAM + b"\r\n"), ["program"]),
        })

    def test_names_count_in_each_spelling(self):
        cases = {
            "disposition": b'filename="a.js"',
            "in parts": b'filename*0="a."; filename*1=js',
            "in a charset": b"filename*=utf-8''%61%2e%6a%73",
            "encoded words": b'filename="=?utf-8?B?' + base64.b64encode(b"a.js") + b'?="',
            "two names": b'filename="a.txt"; filename="a.js"',
            "a dot behind it": b'filename="a.js ."',
            "turned around": "filename*=utf-8''a%E2%80%AEfdp.js".encode(),
            "two suffixes": b'filename="a.pdf.js"',
            "not quoted": b"filename=a.js",
        }
        self.check_each({name: (mail(text_part(), disposed(parameter)), ["script"], ".js")
                         for name, parameter in cases.items()})
        both = part(b"x" * 50, 'application/octet-stream; name="a.js"',
                    b'Content-Disposition: attachment; filename="a.txt"\r\n')
        small = part(b"x", 'application/octet-stream; name="a.js"')
        self.check_each({"in both fields": (mail(both), ["script"], ".js", ".txt"),
                         "of next to nothing": (mail(small), ["script"], ".js")})

    def test_names_in_archives_count(self):
        script = {"a.js": b"WScript.Echo(1)"}
        inner = mail(file_part(archive({"a.lnk": SHORTCUT}))).replace(
            b"=b\r\n", b"=c\r\n").replace(b"--b", b"--c")
        forwarded = b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + inner
        cases = {
            "zip": (archive(script), ["script"], ".js"),
            "a folder in a zip": (archive({"d/a.js": b"x"}), ["script"], ".js"),
            "a folder's name": (archive({"d.js/": b""}), []),
            "zip in zip": (zipped(archive(script), "b.zip"), ["script"], ".js"),
            "tar": (tarred(script), ["script"], ".js"),
            "7z": (self.made("7z a o.7z a.js; mv o.7z out", script), ["script"], ".js"),
            "encrypted zip": (self.made("7z a -tzip -px o.zip a.js; mv o.zip out", script),
                              ["script"], ".js"),
            "encrypted 7z": (self.made("7z a -px o.7z a.js; mv o.7z out", script), ["script"],
                             ".js"),
            "cpio": (self.made("bsdtar -cf out --format newc a.js", script), ["script"], ".js"),
            "ar": (self.made("bsdtar -cf out --format ar a.js", script), ["script"], ".js"),
            "iso": (self.made("bsdtar -cf out --format iso9660 a.js", script),
                    ["script", "disk-image"], ".js"),
        }
        self.check_each({name: (mail(text_part(), file_part(content)), *rest)
                         for name, (content, *rest) in cases.items()})
        self.check_each({"a zip in a forwarded mail": (mail(forwarded), ["shortcut"], ".lnk")})

    def test_signed_content_is_looked_into(self):
        inner = mail(file_part(archive({"a.lnk": SHORTCUT})))
        signed = self.made(
            "openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -subj /CN=x -days 9\n"
            "openssl cms -sign -nodetach -signer cert -inkey key -outform DER -in mail -out out",
            {"mail": inner})
        self.check_each({"CMS": (mail(part(signed, "application/pkcs7-mime; name=smime.p7m")),
                                 ["shortcut"], ".lnk")})

    def test_macros_are_known_in_documents_of_any_name(self):
        project = compound(["VBA", "_VBA_PROJECT"])
        self.check_each({
            "by the name of a member": (
                mail(file_part(office({"word/vbaProject.bin": b"x" * 100}), "a.docx")), ["macro"]),
            "by its content": (
                mail(file_part(office({"word/other.bin": project}), "a.docx")), ["macro"]),
            "by the suffix": (mail(file_part(office({}), "a.docm")), ["macro"], ".docm"),
            "a macro sheet": (
                mail(file_part(office({"xl/macrosheets/s.xml": "<x/>"}), "a.xlsx")), ["macro"]),
            "none": (mail(file_part(office({}), "a.docx")), [], ".docx"),
        })

    def test_pages_that_build_files(self):
        wide = b"\xff\xfe" + SMUGGLING.decode().encode("utf-16-le")
        self.check_each({
            "in the text": (mail(part(SMUGGLING, "text/html")), ["html-smuggling"]),
            "attached": (mail(part(SMUGGLING, "application/octet-stream; name=a.html")),
                         ["html-smuggling"], ".html"),
            "behind other text": (mail(part(b"Dear Sir,\n" + SMUGGLING, "text/html")),
                                  ["html-smuggling"]),
            "by its name, behind other text": (
                mail(file_part(b"Dear Sir,\n" + SMUGGLING, "a.htm")), ["html-smuggling"]),
            "in an archive": (mail(file_part(archive({"a.html": b"Hi\n" + SMUGGLING}))),
                              ["html-smuggling"]),
            "in UTF-16": (mail(part(wide, "text/html")), ["html-smuggling"]),
            "a newsletter": (mail(part(NEWSLETTER, "text/html")), []),
            "about it": (mail(text_part(SMUGGLING.decode().replace("<", "&lt;"))), []),
        })

    def test_what_people_send_has_no_kind(self):
        pdf = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"
        message = mail(text_part(), part(NEWSLETTER, "text/html"),
                       file_part(office({}), "report.docx"), file_part(pdf, "a.pdf"),
                       file_part(archive({"photo.jpg": b"\xff\xd8\xff" + bytes(50)}), "a.zip"))
        verdict, listed = self.listed(message)
        self.assertEqual(verdict, ("clean", ""))
        self.assertEqual(listed["kinds"], [])
        self.assertEqual(listed["suffixes"], [".docx", ".jpg", ".pdf", ".zip"])

    def test_an_archive_of_too_many_types_says_so(self):
        members = {f"a.{i}x": b"" for i in range(300)}
        _, listed = self.listed(mail(file_part(archive(members))))
        self.assertEqual((len(listed["suffixes"]), listed["has_more"]), (250, True))

    def test_nothing_is_listed_unless_it_is_asked_for(self):
        asked = self.ask(mail(file_part(PROGRAM, "a.exe")))
        self.assertEqual(asked.result(), ("clean", ""))
        self.assertIsNone(asked.attachments)
        # A virus ends the scan, and the list would not be complete.
        self.assertEqual(self.listed(mail(file_part(EICAR, "a.exe")))[1], None)

    def test_the_command_shows_them(self):
        file = self.directory / "mail"
        file.write_bytes(mail(file_part(archive({"a.js": b"x"}), "a.zip")))
        command = [daemons.program("mxfeed"), "virus", "scan", "--state", self.state, file]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.stdout, f"{file}: clean [script .js .zip]\n")
        done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=60,
                              check=False)
        self.assertEqual(json.loads(done.stdout)["attachments"],
                         {"kinds": ["script"], "suffixes": [".js", ".zip"]})


DOMAINS = "\n".join([
    daemons.feed("any.example"),
    daemons.feed("programs.example", attachments='{ preset = "executables" }'),
    daemons.feed("strict.example", attachments='{ preset = "strict", action = "quarantine" }'),
    daemons.feed("zip.example", attachments='{ blocked = [".ZIP", "macro"], action = "delete" }'),
    daemons.feed("header.example",
                 attachments='{ preset = "executables", action = "header" }'),
])
SCRIPT = mail(text_part(), file_part(archive({"a.js": b"x"}), "a.zip"))
IMAGE = mail(text_part(), file_part(ISO, "a.iso"))
MACRO = mail(text_part(), file_part(office({}), "a.docm"))
DISGUISED = mail(text_part(), file_part(PROGRAM, "a.txt"))
CLEAN = mail(text_part(), file_part(office({}), "a.docx"))


class RulesTest(ServiceTestCase):
    """What becomes of them."""

    def setUp(self):
        super().setUp()
        self.service(domains=DOMAINS, gateway="[postfix]\ndedicated = true\n")
        self.virus = self.start("virus")

    def send(self, message, *recipients, address="198.51.100.7"):
        with self.mta(self.virus, address=address) as mta:
            return mta.send(SENDER, list(recipients), message)

    def test_each_domain_has_its_rules(self):
        cases = [
            (SCRIPT, "any.example", "clean"),
            (SCRIPT, "foreign.example", "clean"),
            (SCRIPT, "programs.example", "550 5.7.1 Attachment of type .js is not accepted"),
            (SCRIPT, "strict.example", "held .js"),
            (SCRIPT, "zip.example", "discarded"),
            (SCRIPT, "header.example", "clean; attachment (.js)"),
            (DISGUISED, "programs.example",
             "550 5.7.1 Attachment of type program is not accepted"),
            (DISGUISED, "zip.example", "clean"),
            (IMAGE, "programs.example", "clean"),
            (IMAGE, "strict.example", "held .iso"),
            (MACRO, "strict.example", "held .docm"),
            (MACRO, "zip.example", "discarded"),
            (CLEAN, "strict.example", "clean"),
            (CLEAN, "zip.example", "clean"),
        ]
        for message, domain, expected in cases:
            with self.subTest(domain=domain, expected=expected):
                result = self.send(message, f"a@{domain}")
                if expected == "discarded":
                    self.assertTrue(result.discarded, result)
                elif expected.startswith("550"):
                    self.assertEqual(result.reply, expected)
                elif expected.startswith("held"):
                    reason = expected.split()[1]
                    self.assertEqual(result.held,
                                     [("attachment", domain, reason, f"a@{domain}")])
                    self.assertEqual(result.removed, [f"a@{domain}"])
                    self.assertEqual(result.header("X-Mxfeed-Quarantine"), ["attachment"])
                else:
                    self.assertTrue(result.accepted, result)
                    self.assertEqual(result.held, [])
                    self.assertEqual(result.header("X-Mxfeed-Virus"), [expected])

    def test_a_decision_is_logged_and_counted(self):
        self.send(SCRIPT, "a@zip.example")
        [line] = self.virus.log_lines("verdict=discard")
        for word in ("reason=attachment-blocked", "virus=clean", "attachment=.zip",
                     "domain=zip.example", "rule=attachments=delete"):
            self.assertIn(word, line)
        self.assertEqual(
            self.virus.metric('mxfeed_virus_attachments_total{action="delete"}'), 1)

    def test_a_virus_comes_first_and_encryption_last(self):
        virus = mail(file_part(EICAR, "a.exe"))
        self.assertTrue(self.send(virus, "a@strict.example").discarded)
        [line] = self.virus.log_lines("verdict=discard")
        self.assertIn("reason=virus-infected", line)
        encrypted = mail(file_part(encrypted_zip(), "a.exe"))
        self.assertEqual(len(self.send(encrypted, "a@strict.example").held), 1)

    def test_rules_are_not_switched_off_by_the_company_of_others(self):
        result = self.send(SCRIPT, "a@any.example", "a@programs.example")
        self.assertEqual([reply.accepted for reply in result.recipients], [True, False])
        self.assertTrue(result.recipients[1].startswith("452 4.5.3"))

    def test_of_a_trusted_client_the_least_destructive_action_counts(self):
        held = self.send(SCRIPT, "a@strict.example", "a@zip.example", address=None)
        self.assertEqual(held.held, [("attachment", "strict.example", ".js",
                                      "a@strict.example")])
        self.assertEqual(held.removed, ["a@strict.example", "a@zip.example"])
        taken = self.send(SCRIPT, "a@any.example", "a@programs.example", address=None)
        self.assertTrue(taken.accepted, taken)
        self.assertEqual(taken.header("X-Mxfeed-Virus"), ["clean; attachment (.js)"])


class EarlierServiceTest(daemons.TestCase):
    def test_a_service_that_lists_nothing_lets_nothing_through(self):
        self.apply(DOMAINS)
        with FakeScan(self.state / "scan" / "scan.sock"):
            virus = self.start("virus")
            with self.mta(virus) as mta:
                result = mta.send(SENDER, ["a@strict.example"], CLEAN)
                self.assertTrue(result.reply.startswith("451 4.3.0"), result)
                result = mta.send(SENDER, ["a@any.example"], CLEAN)
                self.assertTrue(result.accepted, result)


if __name__ == "__main__":
    daemons.main()
