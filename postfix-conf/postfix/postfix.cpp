// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/postfix.h"

#include <fmt/format.h>

#include <functional>
#include <map>

#include "common/base/fault.h"
#include "common/base/process.h"
#include "common/base/text.h"
#include "postfix-conf/postfix/queue.h"

namespace mxfeed {
namespace {

// A parameter as postconf(1) prints it, "NAME = VALUE".
std::optional<std::pair<std::string_view, std::string>> parameter_in(
    std::string_view line) {
  const auto equals = line.find(" =");
  if (equals == std::string_view::npos) return std::nullopt;
  return std::pair(line.substr(0, equals), normalised(trim(line.substr(equals + 2))));
}

}  // namespace

Fault Postfix::failure(std::string_view program, const CommandResult& result) const {
  const std::string_view errors = result.errors;
  const auto first = trim(errors.substr(0, errors.find('\n')));
  return Fault(fmt::format("run {}", program), config_.string(),
               fmt::format("status {}{}{}", result.status, first.empty() ? "" : ": ",
                           escape_untrusted(first)));
}

std::set<RelayKey> Postfix::waiting(const std::set<RelayKey>& wanted) const {
  std::set<RelayKey> found;
  // A listing may miss a message that moves between queues at the time (postqueue(1)), so
  // two are needed to be sure that there is none.
  for (int pass = 0; pass < 2 && found.size() < wanted.size(); ++pass) {
    bool understood = true;
    const auto result = run_command({"postqueue", "-c", config_.string(), "-j"}, "",
                                    [&](std::string_view line) {
                                      const auto recipients = queued_recipients(line);
                                      if (!recipients) {
                                        understood = false;
                                        return;
                                      }
                                      for (const auto& recipient : *recipients) {
                                        for (auto& key : keys_of(recipient, wanted))
                                          found.insert(std::move(key));
                                      }
                                    });
    if (result.status != 0) throw failure("postqueue", result);
    if (!understood) {
      throw Fault("run postqueue", config_.string(), "malformed output");
    }
  }
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
  // Status 1 without an error message: none of the keys was found.
  if (result.status != 0 && (result.status != 1 || !result.errors.empty())) {
    throw failure("postmap", result);
  }
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

PostfixSettings Postfix::settings() const {
  PostfixSettings settings;
  settings.config = config_;
  const auto postconf = [&](std::vector<std::string> options,
                            const std::function<void(std::string_view)>& line) {
    options.insert(options.begin(), {"postconf", "-c", config_.string()});
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
