// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/policy/constdb.h"

#include <cdb.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

#include "common/base/fault.h"
#include "common/base/file.h"

namespace mxfeed {
namespace {

// libcdb says EPROTO for a file that is no such database.
std::string cause(int error) {
  return error == EPROTO ? "not a constant database, or damaged" : errno_text(error);
}

unsigned length(std::string_view bytes) {
  if (bytes.size() > std::numeric_limits<unsigned>::max()) {
    throw Fault("write database", "entry", "larger than 4 GiB");
  }
  return static_cast<unsigned>(bytes.size());
}

}  // namespace

struct ConstDb::Impl {
  std::string path;
  cdb db{};

  explicit Impl(const std::filesystem::path& file) : path(file.string()) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) throw Fault("open database", path, errno_text(errno));
    // The mapping outlives the descriptor.
    if (cdb_init(&db, fd.get()) != 0) throw Fault("open database", path, cause(errno));
  }
  ~Impl() {
    db.cdb_fd = -1;
    cdb_free(&db);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
};

ConstDb::ConstDb(const std::filesystem::path& file)
    : impl_(std::make_unique<Impl>(file)) {}
ConstDb::~ConstDb() = default;
ConstDb::ConstDb(ConstDb&&) noexcept = default;
ConstDb& ConstDb::operator=(ConstDb&&) noexcept = default;

std::optional<std::string_view> ConstDb::find(std::string_view key) const {
  if (key.size() > std::numeric_limits<unsigned>::max()) return std::nullopt;
  cdb look_up = impl_->db;  // cdb_find() notes in it where the value is
  const int found = cdb_find(&look_up, key.data(), length(key));
  if (found == 0) return std::nullopt;
  const void* const value = found > 0 ? cdb_getdata(&look_up) : nullptr;
  if (value == nullptr) throw Fault("look up in database", impl_->path, cause(errno));
  return std::string_view(static_cast<const char*>(value), cdb_datalen(&look_up));
}

struct ConstDbWriter::Impl {
  std::string path;
  std::string temporary;
  Fd fd;
  cdb_make make{};
  bool finished = false;

  Impl(const std::filesystem::path& file, unsigned mode)
      : path(file.string()), temporary(path + ".XXXXXX") {
    fd.reset(::mkostemp(temporary.data(), O_CLOEXEC));
    if (!fd) throw Fault("create", temporary, errno_text(errno));
    if (::fchmod(fd.get(), mode) != 0 || cdb_make_start(&make, fd.get()) != 0) {
      const int error = errno;
      ::unlink(temporary.c_str());
      throw Fault("create", temporary, errno_text(error));
    }
  }
  ~Impl() {
    if (!finished) cdb_make_finish(&make);  // the only way to free what it holds
    if (!temporary.empty()) ::unlink(temporary.c_str());
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
};

ConstDbWriter::ConstDbWriter(const std::filesystem::path& file, unsigned mode)
    : impl_(std::make_unique<Impl>(file, mode)) {}
ConstDbWriter::~ConstDbWriter() = default;

void ConstDbWriter::add(std::string_view key, std::string_view value) {
  if (cdb_make_add(&impl_->make, key.data(), length(key), value.data(), length(value)) !=
      0) {
    throw Fault("write", impl_->path, errno_text(errno));
  }
}

void ConstDbWriter::commit() {
  impl_->finished = true;
  if (cdb_make_finish(&impl_->make) != 0 || ::fsync(impl_->fd.get()) != 0 ||
      ::rename(impl_->temporary.c_str(), impl_->path.c_str()) != 0) {
    throw Fault("write", impl_->path, errno_text(errno));
  }
  impl_->temporary.clear();
  const auto directory = std::filesystem::path(impl_->path).parent_path();
  sync_directory(directory.empty() ? "." : directory);
}

}  // namespace mxfeed
