// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/pgp.h"

#include "tests/support/catch.h"
#include "tests/unit/virus/scan/formats/made.h"

namespace mxfeed::virus {
namespace {

constexpr const char* kPrepare =
    "export GNUPGHOME=$PWD/g; mkdir -m 700 g\n"
    "gpg --batch --passphrase '' --quick-gen-key x@y.example rsa2048 default never\n"
    "gpg --batch --passphrase '' --quick-add-key "
    "$(gpg --list-keys --with-colons | sed -n 's/^fpr:*\\([^:]*\\):/\\1/p' | head -1) "
    "rsa2048 encr never\n"
    "trap 'gpgconf --kill all' EXIT\n"
    "g() { gpg --batch --yes --trust-model always -o out \"$@\"; }\n";

struct Case {
  const char* name;
  const char* script;
  const char* found;
};

const Case kCases[] = {
    {"encrypted", "g -e -r x@y.example payload", "encrypted Encrypted.PGP"},
    {"encrypted, in an armour", "g -ea -r x@y.example payload",
     "encrypted Encrypted.PGP"},
    {"encrypted, in an armour with fields",
     "g -ea --comment 'a: b' -r x@y.example payload", "encrypted Encrypted.PGP"},
    {"encrypted, somewhere in a text",
     "g -ea -r x@y.example payload; (echo hello; cat out; echo bye) >text; mv text out",
     "encrypted Encrypted.PGP"},
    {"encrypted, in a text that is not ASCII",
     "g -ea -r x@y.example payload; (printf '\\303\\211h\\n'; cat out) >text; mv text "
     "out",
     "encrypted Encrypted.PGP"},
    {"encrypted, with CRLF", "g -ea -r x@y.example payload; sed -i 's/$/\\r/' out",
     "encrypted Encrypted.PGP"},
    {"encrypted for nobody named", "g --hidden-recipient x@y.example -e payload",
     "encrypted Encrypted.PGP"},
    {"encrypted with a password", "g --passphrase x --pinentry-mode loopback -c payload",
     "encrypted Encrypted.PGP"},
    {"encrypted, large: in pieces",
     "head -c 300000 /dev/urandom >big; g -e -r x@y.example big",
     "encrypted Encrypted.PGP"},
    {"encrypted, cut off",
     "g -e -r x@y.example payload; head -c 500 out >cut; mv cut out",
     "encrypted Encrypted.PGP"},
    {"signed", "g -s payload", "member"},
    {"signed, in an armour", "g -sa payload", "member"},
    {"signed and compressed with zlib", "g --compress-algo zlib -s payload", "member"},
    {"signed and compressed with bzip2", "g --compress-algo bzip2 -s payload", "member"},
    {"signed, not compressed", "g --compress-algo none -s payload", "member"},
    {"a signed part of a mail",
     "(printf 'Content-Type: text/plain\\r\\n\\r\\n'; cat payload) >m; g -s m",
     "message"},
    {"stored", "g --store payload", "member"},
    {"clear-signed", "g --clearsign payload", ""},
    {"a signature alone", "g -b payload", ""},
    {"a signature alone, in an armour", "g -ba payload", ""},
    {"a key", "g --export x@y.example", ""},
    {"a key in an armour", "g --export -a x@y.example", ""},
    {"the mark alone", "echo '-----BEGIN PGP MESSAGE-----' >out", ""},
    {"about the mark",
     "printf 'It begins with\\n-----BEGIN PGP MESSAGE-----\\n\\nand so on.\\n' >out", ""},
    {"no PGP", "cp payload out", ""},
};

TEST_CASE("encrypted messages of OpenPGP are found, signed ones opened", "[virus]") {
  for (const Case& c : kCases) {
    CAPTURE(c.name);
    CHECK(found_in(made(std::string(kPrepare) + c.script), examine_pgp) == c.found);
  }
}

TEST_CASE("random bytes are no message of OpenPGP", "[virus]") {
  std::string bytes = made("head -c 20000 /dev/urandom >out");
  for (int first = 0x80; first < 0x100; ++first) {
    bytes[0] = static_cast<char>(first);
    bytes[2] = '\x77';
    CAPTURE(first);
    CHECK(found_in(bytes, examine_pgp).find("encrypted") == std::string::npos);
  }
}

}  // namespace
}  // namespace mxfeed::virus
