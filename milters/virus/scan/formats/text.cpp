// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/text.h"

#include <cstddef>
#include <string>
#include <utility>

#include "milters/virus/scan/formats/mail_like.h"
#include "milters/virus/scan/formats/text_lines.h"

namespace mxfeed::virus {
namespace {

constexpr const char* kBase64 = "Content-Transfer-Encoding: base64\r\n\r\n";

}  // namespace

void examine_text(std::string_view content, Findings& findings) {
  const TextLines lines = read_text_lines(content);
  const bool is_mail = lines.has_header && is_mail_like(content);
  if (is_mail) {
    findings.add_message(std::string(content));
  } else if (lines.has_file) {
    findings.add_message("\r\n" + std::string(content));
  }
  for (const TextSection& section : lines.sections) {
    if (findings.is_late()) return;
    if (is_mail && section.begin == 0) continue;
    std::string message = section.has_header ? "" : kBase64;
    message += content.substr(section.begin, section.end - section.begin);
    findings.add_message(std::move(message));
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
