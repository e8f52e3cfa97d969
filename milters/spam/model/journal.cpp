// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "common/base/crc32.h"
#include "common/base/fault.h"
#include "common/base/u32.h"

namespace mxfeed::spam {
namespace {

constexpr std::string_view kStart = "mxfeed spam journal 1\n";
constexpr std::string_view kMark = "\xA7mx\n";
constexpr std::size_t kHead = 12;
constexpr std::size_t kMostBytes = std::size_t{2} << 30;

struct Record {
  std::size_t length = 0;  // with its head
  std::optional<Entry> entry;
};

// The record that the bytes begin with; nothing if there is none that is whole and sound.
std::optional<Record> record_at(std::string_view bytes) {
  if (bytes.size() < kHead || !bytes.starts_with(kMark)) return std::nullopt;
  const std::size_t length = u32_at(bytes, 4);
  if (length > kMostEntry || length > bytes.size() - kHead) return std::nullopt;
  const std::string_view content = bytes.substr(kHead, length);
  if (crc32(content) != u32_at(bytes, 8)) return std::nullopt;
  return Record{kHead + length, Entry::from_bytes(content)};
}

}  // namespace

JournalContent parse_journal(std::string_view bytes) {
  JournalContent content;
  std::size_t at = 0;
  if (bytes.starts_with(kStart)) at = content.sound = kStart.size();
  std::size_t bad_from = bytes.npos;  // where bytes began that are not an entry
  while (at < bytes.size()) {
    const auto record = record_at(bytes.substr(at));
    if (!record) {
      if (bad_from == bytes.npos) bad_from = at;
      at = bytes.find(kMark, at + 1);
      continue;  // npos ends the loop
    }
    if (bad_from != bytes.npos) ++content.damaged;
    bad_from = bytes.npos;
    at += record->length;
    content.sound = at;
    // A sound record that is no entry was written by a program that we do not know.
    if (record->entry) {
      content.entries.push_back(*record->entry);
    } else {
      ++content.damaged;
    }
  }
  content.cut = bad_from != bytes.npos;
  return content;
}

std::string journal_start() {
  return std::string(kStart);
}

std::string journal_record(const Entry& entry) {
  const std::string content = entry.bytes();
  std::string record(kMark);
  put_u32(record, static_cast<std::uint32_t>(content.size()));
  put_u32(record, crc32(content));
  return record + content;
}

Journal::Journal(std::filesystem::path file) : file_(std::move(file)) {
  auto lock = lock_file(file_.string() + ".lock");
  if (!lock) throw JournalInUse("lock", file_.string(), "another process is learning");
  lock_ = *std::move(lock);
  open();
}

void Journal::open() {
  fd_.reset(::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
  struct stat status {};
  if (!fd_ || ::fstat(fd_.get(), &status) != 0) {
    throw Fault("open", file_.string(), errno_text(errno));
  }
  bytes_ = static_cast<std::uint64_t>(status.st_size);
}

JournalContent Journal::read() {
  const std::string bytes = read_regular_file(file_, kMostBytes).value_or("");
  // The beginning may have been cut off too; anything else is not ours to change.
  if (!bytes.starts_with(kStart) && !kStart.starts_with(bytes)) {
    throw Fault("read", file_.string(), "not a journal of this version");
  }
  JournalContent content = parse_journal(bytes);
  if (content.sound < bytes.size() &&
      ::ftruncate(fd_.get(), static_cast<off_t>(content.sound)) != 0) {
    throw Fault("truncate", file_.string(), errno_text(errno));
  }
  bytes_ = content.sound;
  return content;
}

void Journal::append(const std::vector<Entry>& entries) {
  std::string bytes = bytes_ == 0 ? journal_start() : "";
  for (const Entry& entry : entries) bytes += journal_record(entry);
  const bool is_placed = ::lseek(fd_.get(), static_cast<off_t>(bytes_), SEEK_SET) >= 0;
  if (!is_placed || !write_all(fd_.get(), bytes) || ::fdatasync(fd_.get()) != 0) {
    const int error = errno;
    // If that fails too, what was written is found to be cut.
    [[maybe_unused]] const int undone =
        ::ftruncate(fd_.get(), static_cast<off_t>(bytes_));
    throw Fault("write", file_.string(), errno_text(error));
  }
  bytes_ += bytes.size();
}

void Journal::rewrite(const std::vector<const Entry*>& entries) {
  std::string bytes = journal_start();
  for (const Entry* const entry : entries) bytes += journal_record(*entry);
  write_file(file_, bytes, 0640);
  open();
}

}  // namespace mxfeed::spam
