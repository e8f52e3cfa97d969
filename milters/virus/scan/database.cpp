// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/database.h"

#include <sys/stat.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace mxfeed::virus {
namespace {

// CLI_DBEXT of libclamav; changes of other files, such as freshclam's, do not count.
bool is_signature_file(const std::filesystem::path& path) {
  static constexpr std::string_view kExtensions[] = {
      ".db",  ".hdb", ".hdu", ".fp",   ".mdb", ".mdu",  ".hsb",  ".hsu", ".sfp", ".msb",
      ".msu", ".ndb", ".ndu", ".ldb",  ".ldu", ".sdb",  ".zmd",  ".rmd", ".pdb", ".gdb",
      ".wdb", ".cbc", ".ftm", ".cfg",  ".cvd", ".cld",  ".cud",  ".cdb", ".cat", ".crb",
      ".idb", ".ioc", ".yar", ".pwdb", ".ign", ".ign2", ".yara", ".imp", ".info"};
  const std::string extension = path.extension().string();
  return std::find(std::begin(kExtensions), std::end(kExtensions), extension) !=
         std::end(kExtensions);
}

void add(const std::filesystem::path& file, std::vector<std::string>& lines,
         Time& newest) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) return;
  newest = std::max(newest, Time(std::chrono::seconds(found.st_mtim.tv_sec)));
  lines.push_back(file.filename().string() + ' ' + std::to_string(found.st_size) + ' ' +
                  std::to_string(found.st_mtim.tv_sec) + '.' +
                  std::to_string(found.st_mtim.tv_nsec) + ' ' +
                  std::to_string(found.st_ino) + '\n');
}

}  // namespace

DatabaseState look_at_database(const std::filesystem::path& path) {
  std::vector<std::string> lines;
  DatabaseState state;
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    for (std::filesystem::directory_iterator at(path, error), end; !error && at != end;
         at.increment(error)) {
      if (is_signature_file(at->path())) add(at->path(), lines, state.newest);
    }
  } else {
    add(path, lines, state.newest);
  }
  std::sort(lines.begin(), lines.end());
  for (const std::string& line : lines) state.fingerprint += line;
  return state;
}

}  // namespace mxfeed::virus
