// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/cms.h"

#include "tests/support/catch.h"
#include "tests/unit/virus/scan/formats/made.h"

namespace mxfeed::virus {
namespace {

// Makes a key, and the part of a mail `mail`.
constexpr const char* kPrepare =
    "openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -subj /CN=x\n"
    "(printf 'Content-Type: text/plain\\r\\n\\r\\n'; cat payload) >mail\n"
    "sign() { openssl cms -sign -signer cert -inkey key \"$@\"; }\n";

struct Case {
  const char* name;
  const char* script;
  const char* found;
};

const Case kCases[] = {
    {"signed", "sign -nodetach -in mail -outform DER -out out", "message"},
    {"signed, streamed: BER", "sign -nodetach -stream -in mail -outform DER -out out",
     "message"},
    {"signed, in an armour", "sign -nodetach -in mail -outform PEM -out out", "message"},
    {"signed, in base64", "sign -nodetach -in mail -outform DER | base64 >out",
     "message"},
    {"signed, of PKCS 7",
     "openssl smime -sign -signer cert -inkey key -nodetach -in mail -outform DER -out "
     "out",
     "message"},
    {"a signed file", "sign -nodetach -binary -in payload -outform DER -out out",
     "member"},
    {"a file signed twice",
     "sign -nodetach -binary -in payload -outform DER -out one\n"
     "sign -nodetach -binary -in one -econtent_type pkcs7-signedData -outform DER -out "
     "out",
     "member"},
    {"a signature alone", "sign -in mail -outform DER -out out", ""},
    {"certificates alone",
     "openssl crl2pkcs7 -nocrl -certfile cert -outform DER -out out", ""},
    {"data", "openssl cms -data_create -in mail -outform DER -out out", "message"},
    {"digested", "openssl cms -digest_create -in mail -outform DER -out out", "message"},
    {"enveloped", "openssl cms -encrypt -in mail -outform DER -out out cert",
     "encrypted Encrypted.CMS"},
    {"enveloped, streamed",
     "openssl cms -encrypt -stream -in mail -outform DER -out out cert",
     "encrypted Encrypted.CMS"},
    {"enveloped, in an armour",
     "openssl cms -encrypt -in mail -outform PEM -out out cert",
     "encrypted Encrypted.CMS"},
    {"authenticated and enveloped",
     "openssl cms -encrypt -aes-256-gcm -in mail -outform DER -out out cert",
     "encrypted Encrypted.CMS"},
    {"encrypted with a known key",
     "openssl cms -EncryptedData_encrypt -secretkey 00112233445566778899aabbccddeeff "
     "-aes128 -in mail -outform DER -out out",
     "encrypted Encrypted.CMS"},
    {"a certificate", "cp cert out", ""},
    {"a key with its certificate",
     "openssl pkcs12 -export -in cert -inkey key -passout pass:x -out out", ""},
    {"no CMS", "cp payload out", ""},
};

TEST_CASE("signed content is taken out and enveloped content is encrypted", "[virus]") {
  for (const Case& c : kCases) {
    CAPTURE(c.name);
    const std::string found =
        found_in(made(std::string(kPrepare) + c.script), examine_cms);
    CHECK(found == c.found);
  }
}

// Elements of definite and of indefinite length.
std::string der(unsigned tag, const std::string& content) {
  std::string length;
  for (std::size_t rest = content.size(); rest != 0; rest /= 256) {
    length.insert(length.begin(), static_cast<char>(rest % 256));
  }
  return static_cast<char>(tag) +
         std::string(1, static_cast<char>(0x80 | length.size())) + length + content;
}

std::string ber(unsigned tag, const std::string& content) {
  return static_cast<char>(tag) + std::string("\x80") + content + std::string(2, '\0');
}

const std::string kData = der(6, "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01");
const std::string kSigned = der(6, "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02");
const std::string kCompressed = der(6, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09");
const std::string kZlib =
    der(0x30, der(6, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x08"));
const std::string kVersion = der(2, std::string(1, '\0'));

std::string compressed(const std::string& packed) {
  return der(0x30,
             kCompressed +
                 der(0xa0, der(0x30, kVersion + kZlib +
                                         der(0x30, kData + der(0xa0, der(4, packed))))));
}

TEST_CASE("compressed content is taken out", "[virus]") {
  const std::string packed = made(
      "python3 -c \"import zlib\n"
      "open('out', 'wb').write(zlib.compress(open('payload', 'rb').read()))\"");
  CHECK(found_in(compressed(packed), examine_cms) == "member");
  CHECK(found_in(compressed("rubbish"), examine_cms) == "unscannable CMS");
  const std::string bomb = made(
      "python3 -c \"import zlib\nopen('out', 'wb').write(zlib.compress(b'0' * "
      "3000000))\"");
  CHECK(found_in(compressed(bomb), examine_cms, room_of(1 << 20)) ==
        "unscannable MaxScanSize");
}

TEST_CASE("content in pieces and of indefinite length is put together", "[virus]") {
  const std::string half = payload().substr(0, 100), rest = payload().substr(100);
  const std::string pieces = der(4, half) + ber(0x24, der(4, rest));
  for (const std::string& octets : {der(0x24, pieces), ber(0x24, pieces)}) {
    CHECK(found_in(der(0x30, kData + der(0xa0, octets)), examine_cms) == "member");
    CHECK(found_in(ber(0x30, kData + ber(0xa0, octets)), examine_cms) == "member");
  }
}

TEST_CASE("what is malformed or nested too deeply is unscannable", "[virus]") {
  CHECK(found_in(der(0x30, kSigned + der(0xa0, der(4, "x"))), examine_cms) ==
        "unscannable CMS");
  CHECK(found_in(der(0x30, kSigned + der(0xa0, der(0x30, kVersion))), examine_cms) ==
        "unscannable CMS");
  std::string nested = der(0x30, kData + der(0xa0, der(4, payload())));
  for (int i = 0; i < 5; ++i) {
    nested = der(0x30, kSigned + der(0xa0, der(0x30, kVersion + nested)));
  }
  CHECK(found_in(nested, examine_cms) == "member");
  for (int i = 0; i < 20; ++i) {
    nested = der(0x30, kSigned + der(0xa0, der(0x30, kVersion + nested)));
  }
  CHECK(found_in(nested, examine_cms) == "unscannable CMS");
}

}  // namespace
}  // namespace mxfeed::virus
