// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/domain_source.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <set>
#include <system_error>
#include <utility>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/command/listing.h"
#include "postfix-conf/commands/problems.h"
#include "postfix-conf/commands/program_output.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;

// Below --state.
constexpr const char* kDirectory = "source";
constexpr const char* kRows = "rows";
constexpr const char* kTrouble = "trouble";
constexpr unsigned kRowsMode = 0600;  // they may hold passwords of mailboxes
constexpr unsigned kTroubleMode = 0644;
constexpr std::size_t kMostOutput = std::size_t{1} << 30;
constexpr std::size_t kMostShown = 100;  // faulty rows
constexpr std::chrono::seconds kMostTime{600};

std::optional<std::string> read_kept(const fs::path& directory) {
  return read_regular_file(directory / kRows, kMostOutput + 1);
}

void store(const fs::path& path, const std::string& text, unsigned mode) {
  if (read_regular_file(path, kMostOutput + 1) == text) return;
  write_file(path, text, mode);
}

}  // namespace

DomainSource::DomainSource(const fs::path& state) : directory_(state / kDirectory) {}

SourceText DomainSource::ask(const std::vector<std::string>& command) {
  if (!name_.empty()) return {name_, rows_};
  name_ = command.front();
  auto output = run_program(command, {}, kMostTime, kMostOutput);
  if (output.problem.empty()) {
    auto rows = rows_of_output(std::move(output.text));
    if (rows) {
      is_fresh_ = true;
      rows_ = *std::move(rows);
      return {name_, rows_};
    }
    output.problem = rows.cause();
  }
  kept_ = read_kept(directory_);
  problems_.push_back(fmt::format(
      "{}: {}; {}", name_, output.problem,
      kept_ ? "the domains that it printed last stay" : "it never printed any"));
  rows_ = kept_.value_or("");
  return {name_, rows_};
}

Config DomainSource::read(const fs::path& directory) {
  return load_config_shown(directory,
                           [this](const auto& command) { return ask(command); });
}

std::set<std::uint32_t> DomainSource::take_faults(Config& config) {
  std::set<std::uint32_t> lines;
  std::erase_if(config.errors, [&](const Problem& error) {
    if (error.place.file != config.source_file) return false;
    if (lines.insert(error.place.line).second && lines.size() <= kMostShown) {
      problems_.push_back(config.describe(error));
    }
    return true;
  });
  if (lines.size() > kMostShown) {
    problems_.push_back(fmt::format("{} more faulty rows", lines.size() - kMostShown));
  }
  return lines;
}

Config DomainSource::load(const fs::path& directory) {
  Config config = read(directory);
  if (!config.source_file) return config;
  if (!is_fresh_ && !kept_) {
    config.errors.push_back({{*config.source_file, 0}, "", "", problems_.back()});
    return config;
  }
  if (is_fresh_ && !config.errors.empty()) kept_ = read_kept(directory_);
  // A row of before may be faulty, too, by now: then the domain is left out, and if that
  // removes too many of them, nothing is changed.
  for (const std::string& kept : {kept_.value_or(""), std::string()}) {
    const auto faulty = take_faults(config);
    if (faulty.empty()) break;
    rows_ = mend_rows(rows_, faulty, kept);
    config = read(directory);
  }
  return config;
}

Json DomainSource::json() const {
  if (name_.empty()) return nullptr;
  Json problems = Json::list();
  for (const auto& one : problems_) problems.add(one);
  return Json::object().set("fresh", is_fresh_).set("problems", std::move(problems));
}

void DomainSource::keep() const {
  if (name_.empty()) {
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
    return;
  }
  if (::mkdir(directory_.c_str(), 0755) != 0 && errno != EEXIST) {
    throw Fault("make directory", directory_.string(), errno_text(errno));
  }
  store(directory_ / kRows, rows_, kRowsMode);
  store(directory_ / kTrouble,
        problems_.empty()
            ? ""
            : fmt::format("{}: {}", count_of(problems_.size(), "problem"), problems_[0]),
        kTroubleMode);
}

AskSource kept_rows(const fs::path& state) {
  return [directory = state / kDirectory,
          rows = std::string()](const std::vector<std::string>& command) mutable {
    rows = read_kept(directory).value_or("");
    return SourceText{command.front(), rows};
  };
}

std::string source_trouble(const fs::path& state) {
  return read_regular_file(state / kDirectory / kTrouble).value_or("");
}

}  // namespace mxfeed
