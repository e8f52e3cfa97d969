// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/mailbox_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <vector>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/command/exit_code.h"
#include "common/command/message_operand.h"

namespace mxfeed::spam {
namespace {

namespace fs = std::filesystem;

// More than the classifier reads of a mail.
constexpr std::size_t kMostMail = std::size_t{8} << 20;
constexpr std::size_t kMostLine = std::size_t{1} << 20;

[[noreturn]] void unreadable(const std::string& name, std::string_view cause) {
  throw CommandError(ExitCode::wrong,
                     fmt::format("read: {}: {}", escape_untrusted(name), cause));
}

std::vector<fs::path> files_in(const fs::path& directory) {
  std::error_code error;
  std::vector<fs::path> files;
  fs::directory_iterator at(directory, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    if (at->is_regular_file(error)) files.push_back(at->path());
  }
  if (error) unreadable(directory.string(), error.message());
  std::sort(files.begin(), files.end());
  return files;
}

// The directories of a Maildir in which mails are; the directory itself if it is none.
std::vector<fs::path> places_in(const fs::path& directory) {
  if (!fs::is_directory(directory / "cur") && !fs::is_directory(directory / "new")) {
    return {directory};
  }
  std::vector<fs::path> places;
  for (const char* const name : {"cur", "new"}) {
    if (fs::is_directory(directory / name)) places.push_back(directory / name);
  }
  return places;
}

std::size_t each_in_stream(const std::string& name, int fd, const SeeMail& see) {
  std::size_t count = 0;
  const SeeMail counted = [&](std::string_view mail) {
    ++count;
    see(mail);
  };
  MboxSplitter splitter(kMostMail);
  std::string single;
  bool first = true;
  bool mbox = false;
  std::string buffer(65536, '\0');
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) unreadable(name, errno_text(errno));
    if (got == 0) break;
    const auto piece = std::string_view(buffer).substr(0, static_cast<std::size_t>(got));
    if (first) mbox = is_mbox(piece);
    first = false;
    if (mbox) {
      splitter.feed(piece, counted);
    } else {
      single += piece.substr(0, kMostMail - std::min(kMostMail, single.size()));
    }
  }
  if (mbox) {
    splitter.finish(counted);
  } else if (!single.empty()) {
    counted(single);
  }
  return count;
}

}  // namespace

bool is_mbox(std::string_view text) {
  if (!text.starts_with("From ")) return false;
  // "From jane@example.org Thu Aug 22 12:36:23 2002": a time of day somewhere.
  const std::string_view line = text.substr(0, text.find('\n'));
  for (std::size_t at = line.find(':'); at != line.npos; at = line.find(':', at + 1)) {
    if (at >= 7 && at + 2 < line.size() && is_digit(line[at - 1]) &&
        is_digit(line[at + 1]) && is_digit(line[at + 2])) {
      return true;
    }
  }
  return false;
}

void MboxSplitter::end_line(const SeeMail& see) {
  if (after_empty_ && is_mbox(line_)) {
    if (any_) see(mail_);
    mail_.clear();
    any_ = true;
  } else {
    std::string_view line = line_;
    if (line.starts_with('>')) {
      const std::size_t text = line.find_first_not_of('>');
      if (text != line.npos && line.substr(text).starts_with("From ")) {
        line.remove_prefix(1);
      }
    }
    mail_ += line.substr(0, most_ - std::min(most_, mail_.size()));
    any_ = true;
  }
  after_empty_ = line_ == "\n" || line_ == "\r\n";
  line_.clear();
}

void MboxSplitter::feed(std::string_view piece, const SeeMail& see) {
  while (!piece.empty()) {
    const std::size_t end = piece.find('\n');
    const std::size_t length = end == piece.npos ? piece.size() : end + 1;
    // A longer line goes on in pieces; none of them begins a mail.
    line_ += piece.substr(0, length);
    piece.remove_prefix(length);
    if (end != std::string_view::npos || line_.size() >= kMostLine) end_line(see);
  }
}

void MboxSplitter::finish(const SeeMail& see) {
  if (!line_.empty()) end_line(see);
  if (any_) see(mail_);
  mail_.clear();
  any_ = false;
  after_empty_ = true;
}

std::size_t each_mail(const std::string& operand, const SeeMail& see) {
  if (operand == "-") return each_in_stream(operand, STDIN_FILENO, see);
  std::error_code error;
  if (fs::is_directory(operand, error)) {
    std::size_t count = 0;
    for (const fs::path& place : places_in(operand)) {
      for (const fs::path& file : files_in(place)) {
        see(read_operand(file, kMostMail));
        ++count;
      }
    }
    return count;
  }
  const Fd fd(::open(operand.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) unreadable(operand, errno_text(errno));
  return each_in_stream(operand, fd.get(), see);
}

}  // namespace mxfeed::spam
