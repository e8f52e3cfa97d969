// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/protocol/message_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

#include "common/base/digest.h"
#include "milters/virus/protocol/wire.h"

namespace mxfeed::virus {
namespace {

// Most messages are written at once.
constexpr std::size_t kBuffer = std::size_t{128} * 1024;
constexpr std::size_t kUsual = std::size_t{16} * 1024;

// RFC 5322, 3.3; in UTC and without a locale.
std::string date(Time now) {
  const std::time_t seconds = now.time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  char numbers[32];
  const std::size_t length =
      std::strftime(numbers, sizeof numbers, "%Y %H:%M:%S +0000", &parts);
  return std::string(kDays[parts.tm_wday]) + ", " + std::to_string(parts.tm_mday) + " " +
         kMonths[parts.tm_mon] + " " + std::string(numbers, length);
}

}  // namespace

std::uint64_t MemoryBudget::default_size() {
  const long pages = ::sysconf(_SC_PHYS_PAGES), size = ::sysconf(_SC_PAGESIZE);
  const std::uint64_t memory =
      pages > 0 && size > 0
          ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(size)
          : 0;
  return std::max(memory / 4, 2 * kMaxMessage);
}

bool MemoryBudget::take(std::uint64_t bytes) {
  std::uint64_t left = left_.load();
  do {
    if (left < bytes) return false;
  } while (!left_.compare_exchange_weak(left, left - bytes));
  return true;
}

MemoryBudgetSpent::MemoryBudgetSpent()
    : Fault("collect message", "memory", "the memory for large messages is used up") {}

MessageFile::MessageFile(Time now, MemoryBudget* budget)
    : budget_(budget), fd_(::memfd_create("message", MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
  if (!fd_) throw Fault("collect message", "memfd", errno_text(errno));
  buffer_.reserve(kUsual);
  buffer_ += "Received: from localhost by localhost with SMTP; " + date(now) + "\r\n";
  own_ = buffer_.size();
}

MessageFile::~MessageFile() {
  if (taken_ > 0) budget_->give_back(taken_);
}

void MessageFile::add_header(std::string_view name, std::string_view value) {
  add(name);
  add(":");
  for (;;) {
    const auto end = value.find('\n');
    std::string_view line = value.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    add(line);
    add("\r\n");
    if (end == std::string_view::npos) return;
    value.remove_prefix(end + 1);
  }
}

void MessageFile::end_header() {
  add("\r\n");
}

void MessageFile::add(std::string_view bytes) {
  if (buffer_.size() + bytes.size() > kBuffer) flush();
  if (bytes.size() <= kBuffer) {
    buffer_ += bytes;
    return;
  }
  write(bytes);
}

void MessageFile::flush() {
  write(buffer_);
  buffer_.clear();
}

void MessageFile::write(std::string_view bytes) {
  const std::uint64_t after = written_ + bytes.size();
  if (budget_ != nullptr && after > kFree) {
    const std::uint64_t more = after - kFree - taken_;
    if (!budget_->take(more)) throw MemoryBudgetSpent();
    taken_ += more;
  }
  if (!write_all(fd_.get(), bytes)) {
    throw Fault("collect message", "memfd", errno_text(errno));
  }
  written_ = after;
}

int MessageFile::seal() {
  if (is_sealed_) return fd_.get();
  flush();
  constexpr int kSeals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  if (::fcntl(fd_.get(), F_ADD_SEALS, kSeals) != 0) {
    throw Fault("seal message", "memfd", errno_text(errno));
  }
  is_sealed_ = true;
  return fd_.get();
}

std::string MessageFile::digest() const {
  constexpr std::size_t kDigest = 16;
  Digester digester(kDigest);
  std::string piece(kBuffer, '\0');
  for (std::uint64_t at = own_; at < written_;) {
    const ssize_t got =
        ::pread(fd_.get(), piece.data(), piece.size(), static_cast<off_t>(at));
    if (got <= 0) throw Fault("read message", "memfd", errno_text(errno));
    digester.add({piece.data(), static_cast<std::size_t>(got)});
    at += static_cast<std::uint64_t>(got);
  }
  return std::move(digester).finish();
}

}  // namespace mxfeed::virus
