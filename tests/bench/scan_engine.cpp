// SPDX-License-Identifier: GPL-2.0-or-later
//
// Scans mails in one process and tells what that costs.  Usage:
//
//   bench_scan_engine|bench_bare_clamav DATABASE FILE-LIST
//
// FILE-LIST names a file with one mail file a line.  Loads the signatures, prints
// "ready", and for each line that it reads scans all mails once and prints the processor
// time in seconds.  bench_scan_engine scans as mxfeed-scan does, with its sscanf();
// bench_bare_clamav hands the mail to libclamav alone.  tests/bench/scan_engine runs
// both.

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "tests/bench/scan_engine.h"

namespace mxfeed::virus {
namespace {

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::vector<std::string> read_mails(const char* list) {
  std::vector<std::string> mails;
  std::ifstream names(list);
  for (std::string name; std::getline(names, name);) {
    std::string mail =
        "Received: from localhost by localhost with SMTP; "
        "Sat, 21 Nov 2026 23:00:00 +0000\r\n";
    for (const char c : read_file(name).value_or("")) {
      if (c == '\n') mail += '\r';
      mail += c;
    }
    mails.push_back(std::move(mail));
  }
  return mails;
}

void run(const char* database, const char* list) {
  const auto mails = read_mails(list);
  const auto scanner = make_scanner(database);
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    const double before = cpu_seconds();
    for (const auto& mail : mails) scanner->scan(mail);
    std::cout << cpu_seconds() - before << std::endl;
  }
}

}  // namespace
}  // namespace mxfeed::virus

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: " << argv[0] << " DATABASE FILE-LIST\n";
    return 2;
  }
  try {
    mxfeed::virus::run(argv[1], argv[2]);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
