// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/text.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>

#include "common/base/text.h"
#include "milters/virus/scan/formats/mail_like.h"

namespace mxfeed::virus {
namespace {

constexpr std::string_view kEncoding = "content-transfer-encoding";
constexpr std::string_view kType = "content-type";

// "begin 644 name", "begin-base64 644 name", "=ybegin " or what announces BinHex.
bool begins_file(std::string_view line) {
  if (line.starts_with("=ybegin ")) return true;
  if (line.starts_with('(')) return line.starts_with("(This file must be converted");
  if (!line.starts_with("begin")) return false;
  line.remove_prefix(5);
  if (line.starts_with("-base64")) line.remove_prefix(7);
  const std::string_view mode = trim(line);
  return mode.size() < line.size() && !mode.empty() && mode.front() >= '0' &&
         mode.front() <= '7';
}

bool is_field(std::string_view line, std::string_view name) {
  if (!istarts_with(line, name)) return false;
  return trim(line.substr(name.size())).starts_with(':');
}

// What the lines of a content say.
class Lines {
 public:
  explicit Lines(std::string_view content) {
    std::size_t block = 0;  // where the lines since the last empty one begin
    for (std::size_t at = 0; at < content.size();) {
      const std::size_t end = std::min(content.find('\n', at), content.size());
      const std::string_view line = content.substr(at, end - at);
      if (line.empty() || line == "\r") {
        block = end + 1;
        in_header_ = false;
      } else {
        read(line, block);
      }
      at = end + 1;
    }
  }

  bool has_header() const { return has_header_; }
  bool has_file() const { return has_file_; }
  // Where a header that names an encoding begins.
  std::optional<std::size_t> encoded_block() const { return encoded_block_; }

 private:
  void read(std::string_view line, std::size_t block) {
    switch (line.front()) {
      case 'b':
      case '=':
      case '(':
        has_file_ |= begins_file(line);
        break;
      case 'c':
      case 'C':
        if (is_field(line, kEncoding)) {
          has_header_ |= in_header_;
          const std::string_view value = line.substr(kEncoding.size());
          const bool encodes =
              value.find("64") != value.npos || value.find_first_of("qQ") != value.npos;
          if (encodes && !encoded_block_) encoded_block_ = block;
        } else if (in_header_ && is_field(line, kType)) {
          has_header_ = true;
        }
        break;
      default:
        break;
    }
  }

  bool in_header_ = true;  // before the first empty line
  bool has_header_ = false;
  bool has_file_ = false;
  std::optional<std::size_t> encoded_block_;
};

}  // namespace

void examine_text(std::string_view content, Findings& findings) {
  const Lines lines(content);
  const bool is_mail = lines.has_header() && is_mail_like(content);
  if (is_mail) {
    findings.add_message(std::string(content));
  } else if (lines.has_file()) {
    findings.add_message("\r\n" + std::string(content));
  }
  const auto block = lines.encoded_block();
  if (block && (*block > 0 || !is_mail)) {
    findings.add_message(std::string(content.substr(*block)));
  }
}

void examine_mailbox(std::string_view content, Findings& findings) {
  constexpr std::string_view kFrom = "From ";
  if (!content.starts_with(kFrom)) return;
  const auto next = [&](std::size_t from) {
    for (std::size_t at = from;;) {
      at = content.find("\nFrom ", at);
      if (at == std::string_view::npos) return content.size();
      ++at;
      if (content.substr(0, at).ends_with("\n\n") ||
          content.substr(0, at).ends_with("\n\r\n")) {
        return at;
      }
    }
  };
  for (std::size_t at = next(0); at < content.size() && !findings.is_late();) {
    const std::size_t end = next(at);
    findings.add_message(std::string(content.substr(at, end - at)));
    at = end;
  }
}

}  // namespace mxfeed::virus
