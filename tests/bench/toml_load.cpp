// SPDX-License-Identifier: GPL-2.0-or-later
//
// Time and memory to load, compile and write many domains.  Usage:
// toml_load [files] [domains a file] (1000 1000 unless said).  With 1000 files of 1000
// domains toml++ takes 3.8 s of CPU if each file is freed before the next is read (5
// MiB), 4.2 s and 1.5 GiB if all are kept: so the loader reads one at a time.

#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "common/base/file.h"
#include "common/base/text.h"
#include "postfix-conf/config/load.h"
#include "postfix-conf/generate/compile.h"
#include "postfix-conf/generate/generations.h"

namespace {

using namespace mxfeed;
namespace fs = std::filesystem;

void write_domains(const fs::path& config, std::uint64_t files, std::uint64_t each) {
  fs::create_directories(config / "domains.d");
  write_file(config / "mxfeed.toml", "mx = [\"mx1.isp.example\"]\n");
  std::uint64_t n = 0;
  for (std::uint64_t f = 0; f < files; ++f) {
    std::string text = fmt::format("[customer]\nid = \"c{}\"\n", f);
    for (std::uint64_t i = 0; i < each; ++i, ++n) {
      fmt::format_to(std::back_inserter(text),
                     "\n[[domain]]\nname = \"d{}.c{}.example\"\nservice = \"feed\"\n"
                     "deliver_to = [\"198.{}.{}.{}\", \"[2001:db8:c::{:x}]:2525\"]\n"
                     "queue_lifetime = \"{}d\"\n",
                     n, f, 18 + n / 65'536 % 2, n / 256 % 256, n % 256, 1 + n % 65'535,
                     1 + n % 5);
      if (n % 3 == 0) {
        text +=
            "  [domain.spam]\n  enabled = true\n"
            "  low = { action = \"subject\", text = \"[SPAM: low] \" }\n";
      }
    }
    write_file(config / "domains.d" / fmt::format("c{:06}.toml", f), text);
  }
}

class Stopwatch {
 public:
  void lap(const char* what) {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto cpu = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    const double now = cpu(usage.ru_utime) + cpu(usage.ru_stime);
    fmt::print("{:<8} {:6.2f} s CPU   peak {:5} MiB\n", what, now - last_,
               usage.ru_maxrss / 1024);
    last_ = now;
  }

 private:
  double last_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const auto files = parse_unsigned(argc > 1 ? argv[1] : "1000").value_or(1000);
  const auto each = parse_unsigned(argc > 2 ? argv[2] : "1000").value_or(1000);
  std::string directory = "/tmp/mxfeed-bench.XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) return 1;
  const fs::path config = fs::path(directory) / "config";
  Stopwatch watch;
  write_domains(config, files, each);
  watch.lap("prepare");
  const Config loaded = load_config(config);
  fmt::print("{} domains, {} errors\n", loaded.domains.size(), loaded.errors.size());
  watch.lap("load");
  Generated generated = compile(loaded, nullptr, directory + "/state");
  assign_classes(generated.hosted);
  watch.lap("compile");
  const Generations generations(fs::path(directory) / "state");
  const auto lock = generations.lock();
  generations.write(generated, {});
  watch.lap("write");
  fs::remove_all(directory);
  return 0;
}
