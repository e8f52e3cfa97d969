// SPDX-License-Identifier: GPL-2.0-or-later
//
// cdb(5): 256 pairs (position, slots) of hash tables; entries (length of key, length of
// value, key, value); the hash tables, slots of (hash, position of the entry), position 0
// for an empty one.  All numbers have 32 bits, lowest octet first.  A key's table is its
// hash modulo 256; the search begins at the slot (hash / 256) modulo slots.
#include "common/policy/constdb.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <vector>

#include "common/base/fault.h"
#include "common/base/file.h"

namespace mxfeed {
namespace {

constexpr std::size_t kTables = 256;
constexpr std::size_t kHeader = kTables * 8;
constexpr std::size_t kSlot = 8;
constexpr std::size_t kSlotsAtOnce = 16;
constexpr std::size_t kEntryAtOnce = 768;  // most entries of ours need one read
constexpr std::size_t kBuffer = 256 * 1024;

std::uint32_t hash_of(std::string_view key) {
  std::uint32_t hash = 5381;
  for (const char c : key) hash = (hash * 33) ^ static_cast<unsigned char>(c);
  return hash;
}

std::uint32_t get(const char* at) {
  const auto octet = [&](int i) {
    return std::uint32_t{static_cast<unsigned char>(at[i])} << (8 * i);
  };
  return octet(0) | octet(1) | octet(2) | octet(3);
}

void put(char* at, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<char>(value >> (8 * i) & 0xFF);
}

struct Table {
  std::uint32_t position = 0;
  std::uint32_t slots = 0;
};

// An entry, as the hash tables have it.
struct Indexed {
  std::uint32_t hash = 0;
  std::uint32_t position = 0;
};

}  // namespace

struct ConstDb::Impl {
  std::string path;
  Fd fd;
  std::array<Table, kTables> tables;
  std::uint64_t entries_end = 0;  // where the first hash table begins

  explicit Impl(const std::filesystem::path& file)
      : path(file.string()),
        fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) {
      throw Fault("open database", path, errno_text(errno));
    }
    if (!S_ISREG(status.st_mode)) {
      throw Fault("open database", path, "not a regular file");
    }
    const auto size = static_cast<std::uint64_t>(status.st_size);
    std::array<char, kHeader> header;
    if (size < kHeader) damaged("open database");
    read(0, header.data(), header.size(), "open database");
    entries_end = size;
    for (std::size_t i = 0; i < kTables; ++i) {
      auto& table = tables[i];
      table = {get(&header[i * 8]), get(&header[i * 8 + 4])};
      if (table.slots == 0) continue;
      if (table.position < kHeader ||
          table.position + std::uint64_t{table.slots} * kSlot > size) {
        damaged("open database");
      }
      entries_end = std::min<std::uint64_t>(entries_end, table.position);
    }
  }

  [[noreturn]] void damaged(std::string_view doing) const {
    throw Fault(doing, path, "not a constant database, or damaged");
  }
  void read(std::uint64_t position, char* to, std::size_t size,
            std::string_view doing) const {
    while (size > 0) {
      const ssize_t got = ::pread(fd.get(), to, size, static_cast<off_t>(position));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw Fault(doing, path, errno_text(errno));
      if (got == 0) throw Fault(doing, path, "truncated");
      to += got;
      size -= static_cast<std::size_t>(got);
      position += static_cast<std::uint64_t>(got);
    }
  }

  // The value of the entry, if it has this key.
  std::optional<std::string> entry_at(std::uint32_t position,
                                      std::string_view key) const {
    constexpr std::string_view kDoing = "look up in database";
    if (position < kHeader || position + kSlot > entries_end) damaged(kDoing);
    std::array<char, kEntryAtOnce> start;
    const auto have = static_cast<std::size_t>(
        std::min<std::uint64_t>(start.size(), entries_end - position));
    read(position, start.data(), have, kDoing);
    const std::uint64_t key_size = get(start.data());
    const std::uint64_t value_size = get(start.data() + 4);
    const std::uint64_t size = kSlot + key_size + value_size;
    if (size > entries_end - position) damaged(kDoing);
    if (key_size != key.size()) return std::nullopt;
    const auto whole = static_cast<std::size_t>(size);
    if (whole <= have) {
      const std::string_view entry(start.data(), whole);
      if (entry.substr(kSlot, key.size()) != key) return std::nullopt;
      return std::string(entry.substr(kSlot + key.size()));
    }
    std::string entry(whole, '\0');
    read(position, entry.data(), whole, kDoing);
    if (entry.compare(kSlot, key.size(), key) != 0) return std::nullopt;
    entry.erase(0, kSlot + key.size());
    return entry;
  }
};

ConstDb::ConstDb(const std::filesystem::path& file)
    : impl_(std::make_unique<Impl>(file)) {}
ConstDb::~ConstDb() = default;
ConstDb::ConstDb(ConstDb&&) noexcept = default;
ConstDb& ConstDb::operator=(ConstDb&&) noexcept = default;

std::optional<std::string> ConstDb::find(std::string_view key) const {
  const std::uint32_t hash = hash_of(key);
  const Table& table = impl_->tables[hash % kTables];
  if (table.slots == 0) return std::nullopt;
  std::uint32_t slot = (hash >> 8) % table.slots;
  std::array<char, kSlotsAtOnce * kSlot> some;
  for (std::uint32_t searched = 0; searched < table.slots;) {
    const auto count = std::min({table.slots - slot, table.slots - searched,
                                 static_cast<std::uint32_t>(kSlotsAtOnce)});
    impl_->read(table.position + std::uint64_t{slot} * kSlot, some.data(), count * kSlot,
                "look up in database");
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto position = get(&some[i * kSlot + 4]);
      if (position == 0) return std::nullopt;
      if (get(&some[i * kSlot]) != hash) continue;
      if (auto value = impl_->entry_at(position, key)) return value;
    }
    searched += count;
    slot = (slot + count) % table.slots;
  }
  return std::nullopt;
}

struct ConstDbScan::Impl {
  const ConstDb::Impl& db;
  std::string buffer;
  std::size_t used = 0;          // of the buffer
  std::uint64_t read = kHeader;  // up to here
  std::vector<Indexed> entries;  // so far

  // Makes that many bytes stand at `used`.
  void need(std::uint64_t size) {
    const std::size_t have = buffer.size() - used;
    if (have >= size) return;
    const auto left = db.entries_end - read;
    if (size - have > left) db.damaged(kDoing);
    buffer.erase(0, used);
    used = 0;
    const auto more = static_cast<std::size_t>(
        std::min(std::max<std::uint64_t>(size - have, kBuffer), left));
    buffer.resize(have + more);
    db.read(read, buffer.data() + have, more, kDoing);
    read += more;
  }

  static constexpr std::string_view kDoing = "read database";
};

ConstDbScan::ConstDbScan(const ConstDb& db)
    : impl_(std::make_unique<Impl>(Impl{*db.impl_, {}, 0, kHeader, {}})) {}
ConstDbScan::~ConstDbScan() = default;

bool ConstDbScan::next() {
  auto& [db, buffer, used, read, entries] = *impl_;
  used += entries.empty() ? 0 : kSlot + key_.size() + value_.size();
  const std::uint64_t position = read - (buffer.size() - used);
  if (position == db.entries_end) return false;
  impl_->need(kSlot);
  const std::size_t key_size = get(&buffer[used]);
  const std::size_t value_size = get(&buffer[used + 4]);
  impl_->need(kSlot + key_size + value_size);
  const std::string_view all(buffer);
  key_ = all.substr(used + kSlot, key_size);
  value_ = all.substr(used + kSlot + key_size, value_size);
  entries.push_back({hash_of(key_), static_cast<std::uint32_t>(position)});
  return true;
}

void ConstDbScan::prove() const {
  const auto& sorted = impl_->entries;  // positions rise
  const auto by_position = [](const Indexed& a, const Indexed& b) {
    return a.position < b.position;
  };
  std::size_t found = 0;
  std::string slots;
  for (std::uint32_t t = 0; t < kTables; ++t) {
    const auto& table = impl_->db.tables[t];
    slots.resize(table.slots * kSlot);
    impl_->db.read(table.position, slots.data(), slots.size(), Impl::kDoing);
    const auto is_empty = [&](std::uint32_t slot) {
      return get(&slots[slot * kSlot + 4]) == 0;
    };
    // Where the search for a key that is in this slot may begin at the earliest: behind
    // the last empty one before it.
    std::uint32_t run = 0;  // of slots that are not empty, up to this one
    for (std::uint32_t i = table.slots; i-- > 0 && !is_empty(i);) ++run;
    if (run == table.slots && run > 0) impl_->db.damaged(Impl::kDoing);
    for (std::uint32_t slot = 0; slot < table.slots; ++slot) {
      if (is_empty(slot)) {
        run = 0;
        continue;
      }
      ++run;
      const Indexed one{get(&slots[slot * kSlot]), get(&slots[slot * kSlot + 4])};
      const auto entry = std::lower_bound(sorted.begin(), sorted.end(), one, by_position);
      const std::uint32_t begin = (one.hash >> 8) % table.slots;
      const std::uint32_t passed = (slot + table.slots - begin) % table.slots;
      if (one.hash % kTables != t || entry == sorted.end() ||
          entry->position != one.position || entry->hash != one.hash || passed >= run) {
        impl_->db.damaged(Impl::kDoing);
      }
      ++found;
    }
  }
  if (found != sorted.size()) impl_->db.damaged(Impl::kDoing);
}

struct ConstDbWriter::Impl {
  std::string path;
  std::string temporary;
  Fd fd;
  std::string buffer;
  std::uint64_t written = kHeader;  // with what is in the buffer
  std::vector<Indexed> added;

  Impl(const std::filesystem::path& file, unsigned mode)
      : path(file.string()), temporary(path + ".XXXXXX") {
    fd.reset(::mkostemp(temporary.data(), O_CLOEXEC));
    if (!fd) throw Fault("create", temporary, errno_text(errno));
    if (::fchmod(fd.get(), mode) != 0 ||
        ::lseek(fd.get(), kHeader, SEEK_SET) != static_cast<off_t>(kHeader)) {
      const int error = errno;
      ::unlink(temporary.c_str());
      throw Fault("create", temporary, errno_text(error));
    }
  }
  ~Impl() {
    if (!temporary.empty()) ::unlink(temporary.c_str());
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void append(std::string_view bytes) {
    if (bytes.size() > std::numeric_limits<std::uint32_t>::max() - written) {
      throw Fault("write", path, "larger than 4 GiB");
    }
    written += bytes.size();
    buffer += bytes;
    if (buffer.size() >= kBuffer) flush();
  }
  void flush() {
    if (!write_all(fd.get(), buffer)) throw Fault("write", path, errno_text(errno));
    buffer.clear();
  }
};

ConstDbWriter::ConstDbWriter(const std::filesystem::path& file, unsigned mode)
    : impl_(std::make_unique<Impl>(file, mode)) {}
ConstDbWriter::~ConstDbWriter() = default;

void ConstDbWriter::add(std::string_view key, std::string_view value) {
  constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();
  if (key.size() > kMost || value.size() > kMost) {
    throw Fault("write", impl_->path, "larger than 4 GiB");
  }
  impl_->added.push_back({hash_of(key), static_cast<std::uint32_t>(impl_->written)});
  std::array<char, kSlot> sizes;
  put(&sizes[0], static_cast<std::uint32_t>(key.size()));
  put(&sizes[4], static_cast<std::uint32_t>(value.size()));
  impl_->append({sizes.data(), sizes.size()});
  impl_->append(key);
  impl_->append(value);
}

void ConstDbWriter::commit() {
  auto& [path, temporary, fd, buffer, written, added] = *impl_;
  // By table, in each in the order of adding.
  std::array<std::size_t, kTables + 1> first{};
  for (const auto& one : added) ++first[one.hash % kTables + 1];
  for (std::size_t i = 0; i < kTables; ++i) first[i + 1] += first[i];
  std::vector<Indexed> sorted(added.size());
  auto next = first;
  for (const auto& one : added) sorted[next[one.hash % kTables]++] = one;

  std::array<char, kHeader> header;
  std::string slots;
  for (std::size_t i = 0; i < kTables; ++i) {
    const auto count = static_cast<std::uint32_t>(2 * (first[i + 1] - first[i]));
    put(&header[i * 8], static_cast<std::uint32_t>(written));
    put(&header[i * 8 + 4], count);
    slots.assign(count * kSlot, '\0');
    for (auto n = first[i]; n < first[i + 1]; ++n) {
      const auto& one = sorted[n];
      std::uint32_t slot = (one.hash >> 8) % count;
      while (get(&slots[slot * kSlot + 4]) != 0) slot = (slot + 1) % count;
      put(&slots[slot * kSlot], one.hash);
      put(&slots[slot * kSlot + 4], one.position);
    }
    impl_->append(slots);
  }
  impl_->flush();
  if (::lseek(fd.get(), 0, SEEK_SET) != 0 ||
      !write_all(fd.get(), {header.data(), header.size()}) || ::fsync(fd.get()) != 0 ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    throw Fault("write", path, errno_text(errno));
  }
  temporary.clear();
  const auto directory = std::filesystem::path(path).parent_path();
  sync_directory(directory.empty() ? "." : directory);
}

}  // namespace mxfeed
