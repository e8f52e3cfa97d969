// SPDX-License-Identifier: GPL-2.0-or-later
//
// Runs a fuzz target on files and on all files of directories; without any, it is an
// error: a corpus that was moved must not pass as replayed.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/base/file.h"
#include "tests/fuzz/fuzz.h"

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) {
      files.emplace_back(argv[i]);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  for (const std::filesystem::path& file : files) {
    const std::optional<std::string> content = mxfeed::read_file(file);
    mxfeed::fuzz::require(content.has_value(), "the file exists");
    // A block of its own, so that a read past the end is seen by ASan.
    const std::vector<std::uint8_t> bytes(content->begin(), content->end());
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  std::printf("%zu inputs\n", files.size());
  return files.empty() ? 1 : 0;
}
