// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/stores/store.h"

#include "common/base/fault.h"

namespace mxfeed::greylist {
namespace {

constexpr std::string_view kSqlite = "sqlite:";
constexpr std::string_view kMemory = "memory:";

std::filesystem::path file_of(std::string_view url,
                              const std::filesystem::path& directory) {
  return directory / std::filesystem::path(url.substr(kSqlite.size()));
}

}  // namespace

std::unique_ptr<Store> open_store(std::string_view url,
                                  const std::filesystem::path& directory) {
  if (url.starts_with(kSqlite)) return open_sqlite_store(file_of(url, directory));
  if (url == kMemory) return open_memory_store();
  throw Fault("open greylist store", url, "unknown kind of store");
}

std::unique_ptr<StoreView> view_store(std::string_view url,
                                      const std::filesystem::path& directory) {
  if (url.starts_with(kSqlite)) return view_sqlite_store(file_of(url, directory));
  throw Fault("view greylist store", url, "only a sqlite store can be viewed");
}

}  // namespace mxfeed::greylist
