// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/generations.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>

#include "common/base/fault.h"
#include "common/base/text.h"
#include "postfix-conf/generate/generation_files.h"
#include "postfix-conf/generate/maps.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPartial = ".partial";

void make_directory(const fs::path& path) {
  if (::mkdir(path.c_str(), 0755) != 0) {
    if (errno == EEXIST && fs::is_directory(path)) return;
    throw Fault("make directory", path.string(), errno_text(errno));
  }
  // Independent of the umask: the daemons read it as other users.
  if (::chmod(path.c_str(), 0755) != 0) {
    throw Fault("make directory", path.string(), errno_text(errno));
  }
}

std::optional<std::uint64_t> number_in(const std::string& target) {
  constexpr std::string_view kDirectory = "generations/";
  if (!target.starts_with(kDirectory)) return std::nullopt;
  return parse_unsigned(std::string_view(target).substr(kDirectory.size()));
}

}  // namespace

Generations::Generations(fs::path state) : state_(std::move(state)) {}

fs::path Generations::directory(std::uint64_t number) const {
  return state_ / "generations" / std::to_string(number);
}

std::optional<Fd> Generations::lock() const {
  std::error_code error;
  fs::create_directories(state_.parent_path(), error);
  make_directory(state_);
  make_directory(state_ / "generations");
  return lock_file(state_ / "apply.lock");
}

std::optional<std::uint64_t> Generations::number_of(const char* link) const {
  const auto target = read_link(state_ / link);
  if (!target) return std::nullopt;
  const auto number = number_in(*target);
  if (!number) {
    throw Fault("read link", (state_ / link).string(),
                "leads to " + escape_untrusted(*target) + ", which is not a generation");
  }
  return number;
}

std::vector<GenerationMeta> Generations::list() const {
  std::vector<GenerationMeta> all;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(state_ / "generations", error)) {
    const auto number = parse_unsigned(entry.path().filename().string());
    if (!number) continue;
    try {
      all.push_back(meta(*number));
    } catch (const Fault&) {
      // Not a generation, or damaged.
    }
  }
  std::sort(all.begin(), all.end(), [](const GenerationMeta& a, const GenerationMeta& b) {
    return a.number < b.number;
  });
  return all;
}

bool Generations::exists(std::uint64_t number) const {
  std::error_code error;
  return fs::is_directory(directory(number), error);
}

GenerationMeta Generations::meta(std::uint64_t number) const {
  return read_meta(directory(number), number);
}

Generated Generations::load(std::uint64_t number) const {
  Generated generated = read_generation(directory(number));
  try {
    const auto meta = read_meta(directory(number), number);
    generated.local = meta.local;
    generated.site = meta.site;
    // What version 0.1.0 wrote is for a dedicated one.
    const bool dedicated = generated.use.dedicated || meta.use.dedicated;
    generated.use = meta.use;
    generated.use.dedicated = dedicated;
  } catch (const Fault&) {
    // Told by meta().
  }
  return generated;
}

std::uint64_t Generations::write(const Generated& generated, GenerationMeta meta) const {
  std::uint64_t last = 0;
  for (const auto& entry : fs::directory_iterator(state_ / "generations")) {
    last = std::max(last, parse_unsigned(entry.path().filename().string()).value_or(0));
  }
  meta.number = last + 1;
  meta.domains = meta.removed = 0;
  meta.local = generated.local;
  meta.site = generated.site;
  meta.use = generated.use;
  for (const auto& one : generated.hosted) {
    if (is_relayed(one.own)) ++meta.domains;
    if (one.own == Row::kept) ++meta.removed;
  }

  const auto final_place = directory(meta.number);
  const fs::path partial = final_place.string() + kPartial;
  make_directory(partial);
  try {
    write_generation(partial, generated, meta);
    sync_directory(partial);
    if (::rename(partial.c_str(), final_place.c_str()) != 0) {
      throw Fault("publish generation", final_place.string(), errno_text(errno));
    }
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(partial, ignored);
    throw;
  }
  sync_directory(state_ / "generations");
  return meta.number;
}

void Generations::point(const char* link, std::uint64_t number) const {
  replace_link(state_ / link, fmt::format("generations/{}", number));
}

void Generations::touch_maps(std::uint64_t number) const {
  for (const auto* const kind : kMaps) {
    const auto path = directory(number) / fmt::format("{}.cdb", kind->name);
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) continue;  // pruned
    // Postfix compares whole seconds, and the last touch may have been in this second.
    const timespec now{std::max(::time(nullptr), found.st_mtim.tv_sec + 1), 0};
    const timespec times[2] = {{0, UTIME_OMIT}, now};
    if (::utimensat(AT_FDCWD, path.c_str(), times, 0) != 0) {
      throw Fault("touch", path.string(), errno_text(errno));
    }
  }
}

void Generations::prune(Time since) const {
  std::map<std::uint64_t, GenerationMeta> known;
  for (auto& one : list()) known.emplace(one.number, std::move(one));
  std::set<std::uint64_t> keep;
  std::uint64_t in_force = 0;
  for (const char* const link : {kCurrent, kCurrentPostfix}) {
    auto number = number_of(link).value_or(0);
    in_force = std::max(in_force, number);
    keep.insert(number);
    auto one = known.find(number);
    // A rollback goes back to the one before the copied one.
    if (one != known.end() && one->second.copy_of != 0) {
      const auto origin = known.find(one->second.copy_of);
      keep.insert(one->second.copy_of);
      if (origin != known.end()) keep.insert(origin->second.previous);
    }
    for (std::size_t n = 1; n < kKeepMost && one != known.end(); ++n) {
      keep.insert(one->second.previous);
      if (one->second.written <= since) break;
      one = known.find(one->second.previous);
    }
  }
  std::vector<std::uint64_t> whole;
  for (const auto& entry : fs::directory_iterator(state_ / "generations")) {
    const std::string name = entry.path().filename().string();
    if (const auto number = parse_unsigned(name)) {
      whole.push_back(*number);
    } else if (name.ends_with(kPartial)) {
      fs::remove_all(entry.path());
    }
  }
  std::sort(whole.rbegin(), whole.rend());
  // The number of the last generation must not be used again: a milter may have loaded
  // it, and distinguishes generations by their numbers.
  if (!whole.empty()) keep.insert(whole.front());
  std::size_t taken = 0;
  for (const auto number : whole) {
    const bool is_recent = number <= in_force && ++taken <= kKeep;
    if (is_recent || keep.contains(number)) continue;
    // Renamed first, so that a crash never leaves a part of a generation.
    const fs::path partial = directory(number).string() + kPartial;
    fs::rename(directory(number), partial);
    fs::remove_all(partial);
  }
}

}  // namespace mxfeed
