// SPDX-License-Identifier: GPL-2.0-or-later
//
// Contents made by real programs while the test runs, and a short form of what is found
// in them.

#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "common/base/file.h"
#include "milters/virus/scan/formats/findings.h"
#include "tests/support/temp_directory.h"

namespace mxfeed::virus {

// What is packed: long enough to be compressed.
inline const std::string& payload() {
  static const std::string text = [] {
    std::string lines;
    for (int i = 0; i < 60; ++i)
      lines += "line " + std::to_string(i) + " of a payload\r\n";
    return lines;
  }();
  return text;
}

// A number of that many bytes, the lowest first.
inline std::string le(std::uint64_t value, std::size_t size) {
  std::string bytes;
  for (; bytes.size() < size; value >>= 8) bytes += static_cast<char>(value);
  return bytes;
}

// Runs a script of the shell in a directory of its own, where the file `payload` is, and
// returns the file `out` that it makes.
inline std::string made(const std::string& script) {
  const TempDirectory directory;
  write_file(directory.path() / "payload", payload());
  write_file(directory.path() / "script", script);
  const std::string command = "cd '" + directory.path().string() +
                              "' && HOME=$PWD sh -eu ./script >log 2>&1 </dev/null";
  const int status = std::system(command.c_str());
  const auto out = read_file(directory.path() / "out");
  if (status != 0 || !out) {
    throw std::runtime_error(script + ": " +
                             read_file(directory.path() / "log").value_or(""));
  }
  return *out;
}

inline bool is_installed(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null").c_str()) == 0;
}

inline UnpackRoom room_of(std::uint64_t bytes = 100 << 20, std::size_t contents = 1000) {
  return {bytes, bytes, contents, [] { return false; }};
}

// "encrypted X", "unscannable Y", "member" and "message" for the payload; "others" if
// there are only other contents.  Nothing found: "".
inline std::string found_in(std::string_view content,
                            void (*examine)(std::string_view, Findings&),
                            UnpackRoom room = room_of()) {
  Findings findings(room);
  examine(content, findings);
  std::string text;
  const auto add = [&](const std::string& what) {
    text += (text.empty() ? "" : ", ") + what;
  };
  if (!findings.encrypted().empty()) add("encrypted " + findings.encrypted());
  if (!findings.unscannable().empty()) add("unscannable " + findings.unscannable());
  bool is_member = false, is_message = false;
  for (const auto& member : findings.members()) is_member |= member == payload();
  for (const auto& message : findings.messages()) {
    is_message |= message.find(payload()) != std::string::npos;
  }
  if (is_member) add("member");
  if (is_message) add("message");
  const bool has_contents = !findings.members().empty() || !findings.messages().empty();
  if (has_contents && !is_member && !is_message) add("others");
  return text;
}

// The names of the files in an archive, with a blank between them, as often as they are
// met.
inline std::string names_in(std::string_view content,
                            void (*examine)(std::string_view, Findings&)) {
  std::string names;
  UnpackRoom room = room_of();
  room.on_name = [&](std::string_view name) {
    names.append(names.empty() ? "" : " ").append(name);
  };
  Findings findings(room);
  examine(content, findings);
  return names;
}

}  // namespace mxfeed::virus
