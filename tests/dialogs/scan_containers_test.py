# SPDX-License-Identifier: GPL-2.0-or-later
"""What libclamav does not open is opened by mxfeed-scan, or is not clean."""

import io
import shutil
import subprocess
import zipfile

import daemons
from scan_service import EICAR, NAME, ServiceTestCase, file_part, mail, text_part, zipped

INFECTED = ("infected", NAME)
KEY = """
openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -subj /CN=x -days 30
(printf 'Content-Type: application/octet-stream\\r\\n';
 printf 'Content-Transfer-Encoding: base64\\r\\n\\r\\n'; base64 e.com) >mail
sign() { openssl cms -sign -nodetach -signer cert -inkey key -outform DER -out out "$@"; }
"""
PGP = """
export GNUPGHOME=$PWD/g; mkdir -m 700 g; trap 'gpgconf --kill all' EXIT
g() { gpg --batch --yes --trust-model always -o out "$@"; }
"""


def zip64_forced():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("e.com", "w", force_zip64=True) as file:
            file.write(EICAR)
    return buffer.getvalue()


class ContainersTest(ServiceTestCase):
    def setUp(self):
        super().setUp()
        self.service()

    def made(self, script):
        """The file `out` that a script makes of the file e.com."""
        place = self.directory / "made"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        (place / "e.com").write_bytes(EICAR)
        done = subprocess.run(["sh", "-eu", "-c", script], cwd=place, capture_output=True,
                              text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return (place / "out").read_bytes()

    def check_each(self, cases):
        for name, (content, expected) in cases.items():
            with self.subTest(name):
                if isinstance(content, str):
                    content = self.made(content)
                self.assertEqual(self.check(mail(text_part(), file_part(content))), expected)

    def test_zip_archives_that_programs_read_in_different_ways(self):
        harmless, infected = zipped(b"harmless"), zipped(EICAR)
        commented = io.BytesIO(harmless)
        with zipfile.ZipFile(commented, "a") as archive:
            archive.comment = infected
        nowhere = bytearray(infected)
        nowhere[nowhere.rfind(b"PK\5\6"):] = b""
        sizes = bytearray(infected)
        sizes[18:26] = bytes(8)
        method = bytearray(infected)
        method[8:10] = b"\0\0"
        self.check_each({
            "zip64 in the local header": (zip64_forced(), INFECTED),
            "written to a pipe": ("zip - e.com | cat >out", INFECTED),
            "two archives, the last harmless": (infected + harmless, INFECTED),
            "two archives, the first harmless": (harmless + infected, INFECTED),
            "in the comment": (commented.getvalue(), INFECTED),
            "no end record": (bytes(nowhere), INFECTED),
            "no sizes in the local header": (bytes(sizes), INFECTED),
            "another method in the local header": (bytes(method), INFECTED),
            "behind a program": (b"MZ" + bytes(1000) + infected, INFECTED),
            "in another archive": (zipped(zip64_forced(), "a.zip"), INFECTED),
            "ppmd": ("head -c 999 /dev/zero >z; 7z a -tzip -mm=ppmd o.zip z; mv o.zip out",
                     ("unscannable", "Zip.Method98")),
        })

    def test_archives_of_each_program_are_opened(self):
        scripts = {
            "zip": "zip out.zip e.com; mv out.zip out",
            "zip from a pipe": "cat e.com | zip out.zip -; mv out.zip out",
            "7z": "7z a -tzip out.zip e.com; mv out.zip out",
            "bsdtar": "bsdtar -acf out.zip e.com; mv out.zip out",
            "bsdtar to a pipe": "bsdtar --format zip -cf - e.com | cat >out",
            "python": "python3 -m zipfile -c out e.com",
            "gzip": "gzip -c e.com >out",
            "bzip2": "bzip2 -c e.com >out",
            "xz": "xz -c e.com >out",
            "lzma": "lzma -c e.com >out",
            "lzip": "lzip -c e.com >out",
            "zstd": "zstd -qc e.com >out",
            "7z, 7z": "7z a out.7z e.com; mv out.7z out",
            "tar in zstd": "bsdtar -cf - e.com | zstd -qc >out",
        }
        if shutil.which("jar"):
            scripts["jar"] = "jar cf out e.com"
        self.check_each({name: (script, INFECTED) for name, script in scripts.items()})

    def test_archives_without_a_virus_are_clean(self):
        scripts = {
            "zip": "echo x >x; zip out.zip x; mv out.zip out",
            "zip to a pipe": "echo x >x; zip - x | cat >out",
            "7z": "echo x >x; 7z a out.7z x; mv out.7z out",
            "a program that unpacks itself":
                "echo x >x; zip x.zip x; cat /bin/true x.zip >out; zip -A out",
            "zstd": "echo x | zstd -qc >out",
            "signed": KEY + "echo x >x; sign -binary -in x",
        }
        self.check_each({name: (script, ("clean", "")) for name, script in scripts.items()})

    def test_streams_behind_the_first_are_scanned(self):
        self.check_each({
            program: (f"echo x >x; ({program} -c x; {program} -c e.com) >out", INFECTED)
            for program in ("gzip", "bzip2", "xz", "lzma", "lzip", "zstd")})

    def test_7z_coders_that_libclamav_does_not_know(self):
        self.check_each({
            coder: (f"echo harmless >t; 7z a -m0={coder} out.7z t; mv out.7z out",
                    ("unscannable", f"7z.Coder.{number}"))
            for coder, number in (("bzip2", "040202"), ("deflate", "040108"),
                                  ("deflate64", "040109"))})
        # A stream of bzip2 is found without the 7z around it.
        self.check_each({"bzip2": ("7z a -m0=bzip2 out.7z e.com; mv out.7z out", INFECTED)})

    def test_signed_content_is_scanned(self):
        self.check_each({
            "a mail": (KEY + "sign -in mail", INFECTED),
            "streamed": (KEY + "sign -stream -in mail", INFECTED),
            "a file": (KEY + "sign -binary -in e.com", INFECTED),
            "in base64": (KEY + "sign -in mail; base64 out >b; mv b out", INFECTED),
            "twice": (KEY + "sign -binary -in e.com; mv out a; sign -binary -in a", INFECTED),
            "in an archive": (KEY + "sign -in mail; zip o.zip out; mv o.zip out", INFECTED),
            "by OpenPGP": (PGP + "gpg --batch --passphrase '' --quick-gen-key x@y.example; "
                           "g -s e.com", INFECTED),
            "literal of OpenPGP": (PGP + "g --store e.com", INFECTED),
        })

    def test_encrypted_content_is_recognised(self):
        symmetric = "--passphrase x --pinentry-mode loopback -c"
        self.check_each({
            "zip": ("zip -P x o.zip e.com; mv o.zip out", ("encrypted", "Encrypted.Zip")),
            "zip, AES": ("7z a -tzip -px -mem=AES256 o.zip e.com; mv o.zip out",
                         ("encrypted", "Encrypted.Zip")),
            "7z": ("7z a -px o.7z e.com; mv o.7z out", ("encrypted", "Encrypted.7Zip")),
            "7z with its header": ("7z a -px -mhe=on o.7z e.com; mv o.7z out",
                                   ("encrypted", "Encrypted.7Zip")),
            "CMS": (KEY + "openssl cms -encrypt -in mail -outform DER -out out cert",
                    ("encrypted", "Encrypted.CMS")),
            "OpenPGP": (PGP + f"g {symmetric} e.com", ("encrypted", "Encrypted.PGP")),
            "OpenPGP in an armour": (PGP + f"g -a {symmetric} e.com",
                                     ("encrypted", "Encrypted.PGP")),
            "OpenDocument": ("mkdir META-INF; echo '<m:encryption-data/>' "
                             ">META-INF/manifest.xml; zip -r o.odt META-INF; mv o.odt out",
                             ("encrypted", "Encrypted.OpenDocument")),
            "PDF with a user's password":
                ("qpdf --empty --encrypt user owner 256 -- out",
                 ("encrypted", "Encrypted.PDF")),
            "PDF with an owner's password only":
                ("qpdf --empty --encrypt '' owner 256 -- out", ("clean", "")),
        })

    def test_an_encrypted_message_in_the_text(self):
        armour = self.made(PGP + "g -a --passphrase x --pinentry-mode loopback -c e.com").decode()
        self.assertEqual(self.check(mail(text_part("Hello\r\n" + armour.replace("\n", "\r\n")))),
                         ("encrypted", "Encrypted.PGP"))
        alone = b"From: a@b.example\r\n\r\n" + armour.encode().replace(b"\n", b"\r\n")
        self.assertEqual(self.check(alone), ("encrypted", "Encrypted.PGP"))

    def test_the_worst_finding_counts(self):
        encrypted = file_part(self.made(PGP + "g --passphrase x --pinentry-mode loopback "
                                              "-c e.com"))
        unscannable = file_part(self.made("7z a -m0=deflate o.7z e.com; mv o.7z out"))
        infected = file_part(zip64_forced())
        self.assertEqual(self.check(mail(encrypted, unscannable)),
                         ("unscannable", "7z.Coder.040108"))
        self.assertEqual(self.check(mail(encrypted, unscannable, infected)), INFECTED)

    def test_nesting_has_an_end(self):
        content = EICAR
        for _ in range(30):
            content = self.lz(content)
        self.assertEqual(self.check(mail(file_part(content))), ("unscannable", "MaxRecursion"))

    def lz(self, content):
        return subprocess.run(["lzip", "-c"], input=content, capture_output=True,
                              check=True).stdout


if __name__ == "__main__":
    daemons.main()
