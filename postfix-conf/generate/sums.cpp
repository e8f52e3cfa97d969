// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/sums.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <optional>

#include "common/base/digest.h"
#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/parallel.h"
#include "common/base/text.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFile = "sums";
constexpr std::size_t kSize = 32;
constexpr std::size_t kMostSums = 64 * 1024;

std::string sum_of(const fs::path& file) {
  // A named pipe in its place is not waited for: it is damage as well.
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) throw Fault("read generation", file.string(), errno_text(errno));
  Digester digester(kSize);
  std::string buffer(256 * 1024, '\0');
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got == 0) return to_hex(std::move(digester).finish());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Fault("read generation", file.string(), errno_text(errno));
    digester.add(std::string_view(buffer).substr(0, static_cast<std::size_t>(got)));
  }
}

std::vector<std::string> sums_of(const fs::path& directory,
                                 const std::vector<std::string>& files) {
  std::vector<std::string> sums(files.size());
  for_each_on_all_cores(files.size(),
                        [&](std::size_t i) { sums[i] = sum_of(directory / files[i]); });
  return sums;
}

// The sums by name; nothing if the file "sums" does not exist.
std::optional<std::map<std::string, std::string>> read_sums(const fs::path& directory) {
  const auto text = read_regular_file(directory / kFile, kMostSums);
  if (!text) return std::nullopt;
  std::map<std::string, std::string> sums;
  for (const auto line : split(*text, '\n')) {
    if (line.empty()) continue;
    const auto blanks = line.find("  ");
    if (blanks != 2 * kSize) {
      throw Fault("read generation", (directory / kFile).string(), "damaged");
    }
    sums.emplace(line.substr(blanks + 2), line.substr(0, blanks));
  }
  return sums;
}

}  // namespace

void write_sums(const fs::path& directory, const std::vector<std::string>& files) {
  const auto sums = sums_of(directory, files);
  std::string text;
  for (std::size_t i = 0; i < files.size(); ++i) {
    text.append(sums[i]).append("  ").append(files[i]).append("\n");
  }
  write_file(directory / kFile, text);
}

bool check_sums(const fs::path& directory, const std::vector<std::string>& files) {
  const auto wanted = read_sums(directory);
  if (!wanted) return false;
  std::vector<std::string> known;
  for (const auto& name : files) {
    if (wanted->contains(name)) {
      known.push_back(name);
    } else if (std::error_code error; fs::exists(directory / name, error) || error) {
      throw Fault("read generation", (directory / kFile).string(),
                  "damaged: no checksum of " + name);
    }
  }
  const auto sums = sums_of(directory, known);
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (sums[i] != wanted->at(known[i])) {
      throw Fault("read generation", (directory / known[i]).string(),
                  "damaged: the checksum differs");
    }
  }
  return known.size() == files.size();
}

}  // namespace mxfeed
