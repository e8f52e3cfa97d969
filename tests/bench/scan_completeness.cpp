// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which parts of a mail does libclamav miss, and which rule finds them without scanning
// clean mail twice?  Usage:
//
//   bench_scan_completeness CORPUS [MAILS]
//
// CORPUS is what tests/support/fetch-corpus prints.  Each rule of completeness.h scans
// the same real mails (by default 600, evenly picked) and the same tricks, all
// of which carry EICAR.  Printed for each rule: mails and parts fed again, errors, CPU
// time a mail, and the tricks that went through.

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "common/base/file.h"
#include "milters/virus/scan/engine_clamav.h"

namespace {

using namespace mxfeed;
using namespace mxfeed::virus;
namespace fs = std::filesystem;

const std::string kReceived =
    "Received: from localhost by localhost with SMTP; Sat, 21 Nov 2026 23:00:00 "
    "+0000\r\n";

std::string eicar() {  // in two halves, for this program not to be taken for it
  return std::string("X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-") +
         "ANTIVIRUS-TEST-FILE!$H+H*";
}
const std::string kBase64 =
    "WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJV"
    "Uy1URVNULUZJTEUhJEgrSCo=";

std::string crlf(std::string text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

std::string attachment(const std::string& boundary, const std::string& encoded = kBase64,
                       const std::string& type = "application/octet-stream; name=e.com") {
  return "--" + boundary + "\nContent-Type: " + type +
         "\nContent-Transfer-Encoding: base64\n\n" + encoded + "\n";
}

std::string mail(const std::string& parts,
                 const std::string& first = "From: a@b.example\n",
                 const std::string& type = "multipart/mixed; boundary=bb") {
  return first + "Subject: x\nMIME-Version: 1.0\nContent-Type: " + type + "\n\n" + parts;
}

std::string nested(int depth) {
  std::string inner = attachment("n" + std::to_string(depth));
  for (int i = depth; i > 0; --i) {
    inner =
        fmt::format("--n{}\nContent-Type: multipart/mixed; boundary=n{}\n\n{}--n{}--\n",
                    i - 1, i, inner, i);
  }
  return mail(inner + "--n0--\n", "From: a@b.example\n", "multipart/mixed; boundary=n0");
}

std::string uuencoded() {
  const std::string bytes = eicar();
  std::string text = "begin 644 e.com\n";
  const auto sign = [](unsigned v) { return static_cast<char>(v == 0 ? '`' : ' ' + v); };
  for (std::size_t at = 0; at < bytes.size(); at += 45) {
    const std::string line = bytes.substr(at, 45);
    text += sign(static_cast<unsigned>(line.size()));
    for (std::size_t i = 0; i < line.size(); i += 3) {
      unsigned group = 0;
      for (std::size_t j = 0; j < 3; ++j) {
        group = group << 8 |
                (i + j < line.size() ? static_cast<unsigned char>(line[i + j]) : 0u);
      }
      for (int shift = 18; shift >= 0; shift -= 6) text += sign(group >> shift & 63);
    }
    text += '\n';
  }
  return text + "`\nend\n";
}

struct Trick {
  std::string name;
  std::string mail;
};

std::vector<Trick> tricks() {
  const std::string end = "--bb--\n";
  const std::string text = "--bb\nContent-Type: text/plain\n\nHello\n";
  const std::string plain = mail(text + attachment("bb") + end);
  std::vector<Trick> all{
      {"plain attachment", plain},
      {"leading From_ and a line From in the body",
       "From x Sat Nov 21 23:00:00 2026\n" +
           mail("hello\n\nFrom here on\n\n" + text + attachment("bb") + end)},
      {"no final boundary", mail(text + attachment("bb"))},
      {"rubbish in base64",
       mail(attachment("bb", kBase64.substr(0, 21) + "!*\xff " + kBase64.substr(21)) +
            end)},
      {"base64 padded in the middle",
       mail(attachment("bb", "WDU=" + std::string("TyFQJUBBUFs0XFBaWDU0KFBeKTdDQyk3fSRF"
                                                  "SUNBUi1TVEFOREFSRC1BTlRJVklSVVMtVEVT"
                                                  "VC1GSUxFISRIK0gq")) +
            end)},
      {"base64 in lines of one letter",
       [&] {
         std::string lines;
         for (const char c : kBase64) lines += std::string(1, c) + "\n";
         return mail(attachment("bb", lines) + end);
       }()},
      {"Content-Type twice, the first text",
       mail(attachment("bb") + end, "From: a@b.example\nContent-Type: text/plain\n")},
      {"Content-Type twice, the last text",
       mail(attachment("bb") + end, "From: a@b.example\n",
            "multipart/mixed; boundary=bb\nContent-Type: text/plain")},
      {"boundary twice, the second counts",
       mail(attachment("bb") + end, "From: a@b.example\n",
            "multipart/mixed; boundary=aa; boundary=bb")},
      {"boundary twice, the first counts",
       mail(attachment("bb") + end, "From: a@b.example\n",
            "multipart/mixed; boundary=bb; boundary=aa")},
      {"boundary in RFC 2231 pieces",
       mail(attachment("bb") + end, "From: a@b.example\n",
            "multipart/mixed; boundary*0=b; boundary*1=b")},
      {"comment in Content-Type", mail(attachment("bb") + end, "From: a@b.example\n",
                                       "multipart/(x)mixed (y); (z) boundary=bb")},
      {"encoding with a blank before the colon",
       mail("--bb\nContent-Type: application/octet-stream\n"
            "Content-Transfer-Encoding : base64\n\n" +
            kBase64 + "\n" + end)},
      {"encoding twice, the first counts",
       mail("--bb\nContent-Type: application/octet-stream\n"
            "Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: 7bit\n\n" +
            kBase64 + "\n" + end)},
      {"encoding twice, the last counts",
       mail("--bb\nContent-Type: application/octet-stream\n"
            "Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n\n" +
            kBase64 + "\n" + end)},
      {"encoding with a comment", mail("--bb\nContent-Type: application/octet-stream\n"
                                       "Content-Transfer-Encoding: (x) base64\n\n" +
                                       kBase64 + "\n" + end)},
      {"8bit attachment without line end",
       mail("--bb\nContent-Type: application/octet-stream\n"
            "Content-Transfer-Encoding: 8bit\n\n" +
            eicar() + "\n" + end)},
      {"quoted-printable with soft breaks",
       mail("--bb\nContent-Type: application/octet-stream\n"
            "Content-Transfer-Encoding: quoted-printable\n\n" +
            eicar().substr(0, 20) + "=\n" + eicar().substr(20) + "=\n\n" + end)},
      {"uuencoded in the body", "From: a@b.example\nSubject: x\n\nhi\n\n" + uuencoded()},
      {"uuencoded in a text part",
       mail("--bb\nContent-Type: text/plain\n\nhi\n" + uuencoded() + end)},
      {"uuencoded after text without an empty line",
       "From: a@b.example\nSubject: x\n\nhi\n" + uuencoded() + "bye\n"},
      {"forwarded message",
       mail("--bb\nContent-Type: message/rfc822\n\n" +
            mail(attachment("cc") + "--cc--\n", "From: c@d.example\n",
                 "multipart/mixed; boundary=cc") +
            end)},
      {"forwarded message in base64",
       mail("--bb\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
            "Q29udGVudC1UeXBlOiBhcHBsaWNhdGlvbi9vY3RldC1zdHJlYW0KQ29udGVudC1U\n"
            "cmFuc2Zlci1FbmNvZGluZzogYmFzZTY0CgpXRFZQSVZBbFFFRlFXelJjVUZwWU5U\n"
            "UW9VRjRwTjBOREtUZDlKRVZKUTBGU0xWTlVRVTVFUVZKRUxVRk9WRWxXU1ZKVlV5\n"
            "MVVSVk5VTFVaSlRFVWhKRWdyU0NvPQo=\n" +
            end)},
      {"attachment in a text/plain type",
       mail(attachment("bb", kBase64, "text/plain") + end)},
      {"attachment after the final boundary", mail(text + end + attachment("bb"))},
      {"boundary that is a prefix of another",
       mail("--bb\nContent-Type: multipart/mixed; boundary=bbb\n\n" + attachment("bbb") +
            "--bbb--\n" + end)},
      {"no MIME-Version and an empty boundary",
       "From: a@b.example\nContent-Type: multipart/mixed; boundary=\"\"\n\n" +
           attachment("") + "----\n"},
      {"single part in base64",
       "From: a@b.example\nContent-Type: application/octet-stream\n"
       "Content-Transfer-Encoding: base64\n\n" +
           kBase64 + "\n"},
  };
  for (const char* first : {"MZ: 1\n", "GIF89a: x\n", "%PDF-1.4: x\n", "Rar!: x\n",
                            "BZh91AY: x\n", "PK\3\4: x\n",
                            "\x7f"
                            "ELF: x\n"}) {
    std::string name = "first header field ";
    for (const char* c = first; *c != ':'; ++c) name += *c < ' ' || *c == 127 ? '?' : *c;
    all.push_back({name, mail(text + attachment("bb") + end, first)});
  }
  for (const int depth : {5, 10, 15, 20, 30, 60}) {
    all.push_back({fmt::format("{} nested multiparts", depth), nested(depth)});
  }
  const std::size_t count = all.size();
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back({all[i].name + ", CRLF", crlf(all[i].mail)});
  }
  std::string bare_cr = plain;
  std::replace(bare_cr.begin(), bare_cr.end(), '\n', '\r');
  const auto body = plain.find("--bb");
  all.push_back(
      {"bare CR in the body", crlf(plain.substr(0, body)) + bare_cr.substr(body)});
  std::string doubled;
  for (const char c : plain)
    doubled += c == '\n' ? std::string("\r\r\n") : std::string(1, c);
  all.push_back({"CR CR LF in the body",
                 crlf(plain.substr(0, body)) + doubled.substr(doubled.find("--bb"))});
  return all;
}

std::vector<std::string> load_mails(const fs::path& corpus, std::size_t wanted) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(corpus)) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> mails;
  for (std::size_t i = 0; i < wanted && !files.empty(); ++i) {
    std::string mail = read_file(files[i * files.size() / wanted]).value_or("");
    // The corpus was taken from mailboxes.
    if (mail.starts_with("From ")) mail.erase(0, mail.find('\n') + 1);
    mails.push_back(crlf(std::move(mail)));
  }
  return mails;
}

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

void measure(Engine& engine, const char* name, FeedRule rule, const std::string& prefix,
             const std::vector<std::string>& mails) {
  std::size_t fed_mails = 0, fed_parts = 0, errors = 0, others = 0;
  double seconds = 0;
  // Each rule sees mails that the engine's cache does not know.
  static int round = 0;
  ++round;
  std::vector<std::string> unique;
  for (std::size_t i = 0; i < mails.size(); ++i) {
    unique.push_back(prefix + fmt::format("X-Round: {} {}\r\n", round, i) + mails[i]);
  }
  const double begin = cpu_seconds();
  for (const std::string& one : unique) {
    const ScanResult result = engine.scan(one, rule);
    fed_mails += result.parts_fed > 0;
    fed_parts += result.parts_fed;
    errors += result.verdict == ScanVerdict::error;
    if (result.verdict == ScanVerdict::error) fmt::print("  error: {}\n", result.name);
    others +=
        result.verdict != ScanVerdict::clean && result.verdict != ScanVerdict::error;
  }
  seconds = cpu_seconds() - begin;
  std::string missed;
  std::size_t found = 0;
  std::vector<Trick> all = tricks();
  for (const Trick& trick : all) {
    const ScanResult result = engine.scan(prefix + trick.mail, rule);
    if (result.verdict == ScanVerdict::infected) {
      ++found;
    } else {
      missed += fmt::format("    {}: {} {}\n", to_string(result.verdict), trick.name,
                            result.name);
    }
  }
  fmt::print(
      "{}: {} mails, {} fed again ({} parts), {} errors, {} not clean, {:.3f} ms CPU a "
      "mail; {} of {} tricks found\n{}",
      name, mails.size(), fed_mails, fed_parts, errors, others,
      1000 * seconds / static_cast<double>(mails.size()), found, all.size(), missed);
}

// Honest mail has one reading.
void count_readings(const std::string& prefix, const std::vector<std::string>& mails) {
  std::size_t several = 0, too_many = 0, exceeded = 0, most = 0;
  const double begin = cpu_seconds();
  for (const std::string& mail : mails) {
    const Inventory inventory = take_inventory(prefix + mail, Seen{}, FeedRule::none);
    several += inventory.readings > 1;
    too_many += inventory.too_many_readings;
    exceeded += inventory.anomalies.exceeded();
    most = std::max(most, inventory.readings);
  }
  fmt::print(
      "readings: {} of {} mails have several (at most {}), {} too many, {} exceed "
      "another limit; {:.3f} ms CPU a mail\n",
      several, mails.size(), most, too_many, exceeded,
      1000 * (cpu_seconds() - begin) / static_cast<double>(mails.size()));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: bench_scan_completeness CORPUS [MAILS]\n");
    return 2;
  }
  try {
    const std::size_t wanted = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 600;
    std::string directory = "/dev/shm/scan_completeness.XXXXXX";
    if (::mkdtemp(directory.data()) == nullptr) return 1;
    GatewayPolicy::Virus settings;
    settings.database = directory + "/test.hdb";
    write_file(settings.database,
               "44d88612fea8a8f36de82e1278abb02f:68:Eicar-Test-Signature\n");
    const std::vector<std::string> mails = load_mails(argv[1], wanted);
    count_readings(kReceived, mails);
    {
      Engine engine(settings, directory, [] {});
      measure(engine, "warm-up", FeedRule::none, kReceived, mails);
      measure(engine, "no Received field, rule none", FeedRule::none, "", mails);
      measure(engine, "rule none", FeedRule::none, kReceived, mails);
      measure(engine, "rule exact", FeedRule::exact, kReceived, mails);
      measure(engine, "rule missed", FeedRule::missed, kReceived, mails);
      measure(engine, "rule all", FeedRule::all, kReceived, mails);
    }
    fs::remove_all(directory);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
