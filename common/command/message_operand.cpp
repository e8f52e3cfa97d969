// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/command/message_operand.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/command/exit_code.h"

namespace mxfeed {
namespace {

[[noreturn]] void unreadable(const std::string& file, std::string_view cause) {
  throw CommandError(ExitCode::wrong,
                     fmt::format("read: {}: {}", escape_untrusted(file), cause));
}

// Takes the next line off, without its end.
std::string_view next_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  while (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// RFC 5322, 2.2, and the blanks that Postfix takes before the colon; the length of the
// name, 0 if the line is no header field.
std::size_t name_length(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return 0;
  auto length = colon;
  while (length > 0 && is_blank(line[length - 1])) --length;
  const bool plain = std::all_of(line.begin(), line.begin() + static_cast<long>(length),
                                 [](char c) { return c > ' ' && c < '\x7F'; });
  return plain ? length : 0;
}

class ReceivedMail {
 public:
  explicit ReceivedMail(std::size_t size) { text_.reserve(size + size / 32 + 256); }

  void header(std::string_view name, std::string_view rest) {
    text_ += name;
    line(rest);
  }
  void line(std::string_view content) {
    const auto begin = static_cast<std::ptrdiff_t>(text_.size());
    text_ += content;
    std::replace(text_.begin() + begin, text_.end(), '\r', ' ');
    text_ += "\r\n";
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

bool begins_mailbox(std::string_view line) {
  const auto quotes = line.find_first_not_of('>');
  return quotes != std::string_view::npos && line.substr(quotes).starts_with("From ");
}

}  // namespace

std::string read_operand(const std::string& file, std::size_t most) {
  Fd opened;
  int fd = STDIN_FILENO;
  if (file != "-") {
    opened.reset(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened) unreadable(file, errno_text(errno));
    fd = opened.get();
  }
  std::string content;
  struct stat found {};
  if (::fstat(fd, &found) == 0 && found.st_size > 0) {
    content.reserve(std::min(static_cast<std::size_t>(found.st_size), most) + 1);
  }
  char buffer[65536];
  while (content.size() <= most) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) unreadable(file, errno_text(errno));
    if (got == 0) break;
    content.append(buffer, static_cast<std::size_t>(got));
  }
  if (content.size() > most) content.resize(most + 1);
  return content;
}

std::string as_received(std::string_view mail) {
  ReceivedMail received(mail.size());
  bool first = true;
  while (!mail.empty()) {
    const std::string_view before = mail;
    const std::string_view line = next_line(mail);
    if (first && begins_mailbox(line)) {
      received.header("X-Mailbox-Line: ", line);
      continue;
    }
    const bool continues = !first && !line.empty() && is_blank(line[0]);
    first = false;
    const auto name = continues ? 0 : name_length(line);
    if (continues) {
      received.line(line);
    } else if (name > 0) {
      received.header(line.substr(0, name), line.substr(line.find(':')));
    } else {
      if (!line.empty()) mail = before;  // the body begins without an empty line
      break;
    }
  }
  received.line("");
  while (!mail.empty()) received.line(next_line(mail));
  return received.take();
}

}  // namespace mxfeed
