// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/postfix.h"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <unordered_set>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/process.h"
#include "common/base/text.h"

namespace mxfeed {
namespace {

// A parameter as postconf(1) prints it, "NAME = VALUE".
std::optional<std::pair<std::string_view, std::string>> parameter_in(
    std::string_view line) {
  const auto equals = line.find(" =");
  if (equals == std::string_view::npos) return std::nullopt;
  return std::pair(line.substr(0, equals), normalised(trim(line.substr(equals + 2))));
}

// postmap(1): none of the keys is in the table.  Warnings are about main.cf.
bool is_not_found(const CommandResult& result) {
  if (result.status != 1) return false;
  for (const auto line : split(result.errors, '\n')) {
    if (!line.empty() && line.find(": warning: ") == std::string_view::npos) return false;
  }
  return true;
}

// A directory of our own for some files, for as long as it lives.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string name =
        (std::filesystem::temp_directory_path() / "mxfeed-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw Fault("make directory", name, errno_text(errno));
    }
    path_ = name;
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

Fault Postfix::failure(std::string_view program, const CommandResult& result) const {
  // Warnings may stand before what ended it.
  std::string_view cause;
  for (const auto line : split(result.errors, '\n')) {
    if (cause.empty() || line.find(": fatal: ") != std::string_view::npos) cause = line;
  }
  cause = trim(cause);
  return Fault(fmt::format("run {}", program), config_.string(),
               fmt::format("status {}{}{}", result.status, cause.empty() ? "" : ": ",
                           escape_untrusted(cause)));
}

std::size_t Postfix::read_queue(const std::function<void(QueuedMessage)>& message) const {
  std::size_t malformed = 0;
  std::unordered_set<std::string> seen;
  const auto result = run_command(
      {"postqueue", "-c", config_.string(), "-j"}, "", [&](std::string_view line) {
        auto one = parse_queued(line);
        if (!one) {
          ++malformed;
        } else if (one->id.empty() || seen.insert(one->id).second) {
          message(*std::move(one));
        }
      });
  if (result.status != 0) throw failure("postqueue", result);
  return malformed;
}

std::set<RelayKey> Postfix::waiting(const std::set<RelayKey>& wanted) const {
  std::set<RelayKey> found;
  // A listing may miss a message that moves between queues at the time (postqueue(1)), so
  // two are needed to be sure that there is none.
  for (int pass = 0; pass < 2 && found.size() < wanted.size(); ++pass) {
    const auto malformed = read_queue([&](const QueuedMessage& message) {
      for (const auto& recipient : message.recipients) {
        for (auto& key : keys_of(recipient.address, wanted)) found.insert(std::move(key));
      }
    });
    if (malformed != 0) {
      throw Fault("run postqueue", config_.string(), "malformed output");
    }
  }
  return found;
}

bool Postfix::has_mail() const {
  bool found = false;
  const auto result = run_command({"postqueue", "-c", config_.string(), "-j"}, "",
                                  [&](std::string_view) { found = true; });
  if (result.status != 0) throw failure("postqueue", result);
  return found;
}

std::vector<std::string> Postfix::wrong_answers(const std::filesystem::path& map,
                                                const std::vector<MapLine>& lines) const {
  std::vector<std::string> wrong;
  if (lines.empty()) return wrong;
  std::string keys;
  for (const auto& line : lines) keys += line.key + "\n";
  std::map<std::string, std::string, std::less<>> answers;
  const auto result =
      run_command({"postmap", "-c", config_.string(), "-q", "-", "cdb:" + map.string()},
                  keys, [&](std::string_view answer) {
                    const auto tab = answer.find('\t');
                    if (tab != std::string_view::npos) {
                      answers.emplace(answer.substr(0, tab), answer.substr(tab + 1));
                    }
                  });
  if (result.status != 0 && !is_not_found(result)) throw failure("postmap", result);
  for (const auto& line : lines) {
    const auto answer = answers.find(line.key);
    const std::string got = answer == answers.end() ? "" : answer->second;
    if (got != line.value) {
      wrong.push_back(fmt::format("{}: {}: got \"{}\", want \"{}\"", map.string(),
                                  line.key, escape_untrusted(got), line.value));
    }
  }
  return wrong;
}

void Postfix::reload() const {
  const auto result = run_command({"postfix", "-c", config_.string(), "reload"}, "",
                                  [](std::string_view) {});
  if (result.status != 0) throw failure("postfix", result);
}

bool Postfix::is_running() const {
  return run_command({"postfix", "-c", config_.string(), "status"}, "",
                     [](std::string_view) {})
             .status == 0;
}

std::vector<std::string> Postfix::keys_in(const std::string& table,
                                          const std::vector<std::string>& keys) const {
  std::string input;
  for (const auto& key : keys) input += key + "\n";
  std::vector<std::string> found;
  const auto result = run_command({"postmap", "-c", config_.string(), "-q", "-", table},
                                  input, [&](std::string_view answer) {
                                    const auto tab = answer.find('\t');
                                    if (tab != std::string_view::npos)
                                      found.emplace_back(answer.substr(0, tab));
                                  });
  if (result.status != 0 && !is_not_found(result)) throw failure("postmap", result);
  return found;
}

std::vector<std::string> Postfix::parameters(
    const std::vector<std::string>& names) const {
  std::vector<std::string> command = {"postconf", "-c", config_.string(), "-x"};
  command.insert(command.end(), names.begin(), names.end());
  std::map<std::string, std::string, std::less<>> found;
  const auto result = run_command(command, "", [&](std::string_view line) {
    if (auto one = parameter_in(line)) found.insert(*std::move(one));
  });
  if (result.status != 0) throw failure("postconf", result);
  std::vector<std::string> values;
  for (const auto& name : names) values.push_back(found[name]);
  return values;
}

PostfixSettings Postfix::settings() const {
  return settings_in(config_);
}

PostfixSettings Postfix::settings_with(const std::string& main_cf,
                                       const std::string& master_cf) const {
  const ScratchDirectory scratch;
  const auto write = [&](const char* name, const std::string& text) {
    const auto file = scratch.path() / name;
    write_file(file, text, 0600);
    // postconf(1) waits for up to two seconds if a file has just been written.
    std::filesystem::last_write_time(
        file, std::filesystem::file_time_type::clock::now() - std::chrono::minutes(1));
  };
  write("main.cf", main_cf);
  write("master.cf", master_cf);
  return settings_in(scratch.path());
}

PostfixSettings Postfix::settings_in(const std::filesystem::path& directory) const {
  PostfixSettings settings;
  settings.config = config_;
  const auto postconf = [&](std::vector<std::string> options,
                            const std::function<void(std::string_view)>& line) {
    options.insert(options.begin(), {"postconf", "-c", directory.string()});
    // What names that directory means the real one.  postconf(1) takes no -o with -m.
    if (directory != config_ && options.back() != "-m") {
      options.push_back("-o");
      options.push_back("config_directory=" + config_.string());
    }
    const auto result = run_command(options, "", line);
    if (result.status != 0) throw failure("postconf", result);
  };
  const auto service_named = [&](std::string_view name) -> PostfixService& {
    for (auto& service : settings.services) {
      if (service.name == name) return service;
    }
    return settings.services.emplace_back(PostfixService{std::string(name), "smtpd", {}});
  };
  postconf({"-x"}, [&](std::string_view line) {
    if (auto one = parameter_in(line)) settings.main.insert(*std::move(one));
  });
  postconf({"-M"}, [&](std::string_view line) {
    // master(5): name, type, four columns, the number of processes, the command.
    const auto fields = list_items(line);
    if (fields.size() < 8) return;
    service_named(fmt::format("{}/{}", fields[0], fields[1])).command = fields[7];
  });
  postconf({"-x", "-P"}, [&](std::string_view line) {
    auto one = parameter_in(line);
    const auto slash = one ? one->first.rfind('/') : std::string_view::npos;
    if (slash == std::string_view::npos) return;
    service_named(one->first.substr(0, slash))
        .options.insert_or_assign(std::string(one->first.substr(slash + 1)),
                                  std::move(one->second));
  });
  postconf({"-m"},
           [&](std::string_view line) { settings.map_types.emplace(trim(line)); });
  return settings;
}

}  // namespace mxfeed
