// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/postfix.h"

#include <fmt/format.h>

#include <cstring>
#include <map>

#include "common/base/process.h"
#include "common/base/text.h"
#include "common/mail/address.h"

namespace mxfeed {
namespace {

// Goes through JSON text: enough of RFC 8259 for what postqueue(1) writes.
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : rest_(text) {}

  char peek() {
    while (!rest_.empty() &&
           std::string_view(" \t\r\n").find(rest_.front()) != std::string_view::npos) {
      rest_.remove_prefix(1);
    }
    return rest_.empty() ? '\0' : rest_.front();
  }
  bool take(char c) {
    if (peek() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::optional<std::string> string() {
    if (!take('"')) return std::nullopt;
    std::string value;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return value;
      if (c != '\\') {
        value += c;
        continue;
      }
      if (rest_.empty()) return std::nullopt;
      const char escaped = rest_.front();
      rest_.remove_prefix(1);
      if (escaped == 'u') {
        if (rest_.size() < 4) return std::nullopt;
        value += '?';  // a control character, which no domain has
        rest_.remove_prefix(4);
      } else {
        value += escaped;
      }
    }
    return std::nullopt;
  }
  // Skips any value.
  bool skip(int depth = 0) {
    if (depth > 16) return false;
    switch (peek()) {
      case '"':
        return string().has_value();
      case '{':
        return members([&](const std::string&) { return skip(depth + 1); });
      case '[':
        return items([&] { return skip(depth + 1); });
      default: {
        const auto end = rest_.find_first_of(",]} \t\r\n");
        const auto length = end == std::string_view::npos ? rest_.size() : end;
        rest_.remove_prefix(length);
        return length > 0;
      }
    }
  }
  template <typename Take>
  bool members(Take take_value) {
    if (!take('{')) return false;
    if (take('}')) return true;
    do {
      const auto key = string();
      if (!key || !take(':') || !take_value(*key)) return false;
    } while (take(','));
    return take('}');
  }
  template <typename Take>
  bool items(Take take_item) {
    if (!take('[')) return false;
    if (take(']')) return true;
    do {
      if (!take_item()) return false;
    } while (take(','));
    return take(']');
  }

 private:
  std::string_view rest_;
};

std::string failure(const char* program, const CommandResult& result) {
  const auto first = trim(std::string_view(result.errors)
                              .substr(0, std::string_view(result.errors).find('\n')));
  return fmt::format("{}: status {}{}{}", program, result.status,
                     first.empty() ? "" : ": ", escape_untrusted(first));
}

// Blanks at line breaks and commas do not matter in main.cf.
std::string normalised(std::string_view value) {
  std::string all;
  for (const char c : value) {
    if (c == ' ' || c == '\t' || c == '\n') {
      if (!all.empty() && all.back() != ' ' && all.back() != ',') all += ' ';
    } else if (c == ',') {
      if (!all.empty() && all.back() == ' ') all.pop_back();
      all += ',';
    } else {
      all += c;
    }
  }
  while (!all.empty() && all.back() == ' ') all.pop_back();
  return all;
}

// A parameter as postconf(1) prints it, "NAME = VALUE".
std::optional<std::pair<std::string_view, std::string>> parameter_in(
    std::string_view line) {
  const auto equals = line.find(" =");
  if (equals == std::string_view::npos) return std::nullopt;
  return std::pair(line.substr(0, equals), normalised(trim(line.substr(equals + 2))));
}

// Of a service of master.cf, "smtp/inet": whether clients of port 25 come to it, directly
// or from postscreen(8).
bool serves_port_25(std::string_view service) {
  if (service.ends_with("/pass")) return true;
  if (!service.ends_with("/inet")) return false;
  const auto name = service.substr(0, service.size() - std::strlen("/inet"));
  const auto port = name.substr(name.rfind(':') + 1);
  return port == "smtp" || port == "25";
}

// What comes of a parameter that is set to that beside the generated ones, to be read
// after a colon; empty if nothing.
std::string_view effect_beside_ours(std::string_view name, std::string_view value) {
  if (name == "smtpd_milter_maps" && !value.empty()) {
    return "clients that it names come past the filters";
  }
  if (name == "receive_override_options" &&
      value.find("no_milters") != std::string_view::npos) {
    return "mail comes past the filters";
  }
  return {};
}

// The same of a parameter of a service on port 25, in the place of the generated `ours`.
std::string_view effect_in_place_of_ours(std::string_view name, std::string_view value,
                                         std::string_view ours) {
  // Others' milters may stand beside ours.
  if (name == "smtpd_milters" && value.find(ours) == std::string_view::npos) {
    return "mail comes past the filters";
  }
  if (name == "smtpd_relay_restrictions" && value != ours) {
    return "what is relayed is not decided as generated";
  }
  return {};
}

}  // namespace

std::optional<std::vector<std::string>> queued_recipients(std::string_view line) {
  JsonScanner json(line);
  std::vector<std::string> addresses;
  bool has_recipients = false;
  const bool whole = json.members([&](const std::string& key) {
    if (key != "recipients") return json.skip();
    has_recipients = true;
    return json.items([&] {
      return json.members([&](const std::string& member) {
        if (member != "address") return json.skip();
        auto address = json.string();
        if (!address) return false;
        addresses.push_back(*std::move(address));
        return true;
      });
    });
  });
  if (!whole || !has_recipients || json.peek() != '\0') return std::nullopt;
  return addresses;
}

std::vector<RelayKey> keys_of(std::string_view recipient,
                              const std::set<RelayKey>& wanted) {
  std::vector<RelayKey> keys;
  const auto at = recipient.rfind('@');
  if (at == std::string_view::npos) return keys;
  const auto domain = Domain::parse(recipient.substr(at + 1));
  if (!domain) return keys;
  const std::string& name = domain->str();
  if (wanted.contains(name)) keys.push_back(name);
  for (auto dot = name.find('.'); dot != std::string::npos;
       dot = name.find('.', dot + 1)) {
    auto parent = name.substr(dot);
    if (wanted.contains(parent)) keys.push_back(std::move(parent));
  }
  return keys;
}

std::optional<std::set<RelayKey>> Postfix::waiting(const std::set<RelayKey>& wanted,
                                                   std::string& cause) const {
  std::set<RelayKey> found;
  // A listing may miss a message that moves between queues meanwhile (postqueue(1)), so
  // it takes two to say that there is none.
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
    if (result.status != 0 || !understood) {
      cause = understood ? failure("postqueue", result)
                         : std::string("postqueue: output not understood");
      return std::nullopt;
    }
  }
  return found;
}

std::optional<std::vector<std::string>> Postfix::wrong_answers(
    const std::filesystem::path& map, const std::vector<MapLine>& lines,
    std::string& cause) const {
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
  // 1: none of the keys is there; errors are said too.
  if (result.status != 0 && (result.status != 1 || !result.errors.empty())) {
    cause = failure("postmap", result);
    return std::nullopt;
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

std::optional<std::vector<std::string>> Postfix::differing_parameters(
    const Generated& generated, std::string& cause) const {
  std::vector<std::string> command = {"postconf", "-c", config_.string()};
  for (const auto& [name, value] : generated.main_cf) command.push_back(name);
  std::map<std::string, std::string, std::less<>> running;
  const auto result = run_command(command, "", [&](std::string_view line) {
    if (auto one = parameter_in(line)) running.insert(*std::move(one));
  });
  if (result.status != 0) {
    cause = failure("postconf", result);
    return std::nullopt;
  }
  std::vector<std::string> differing;
  for (const auto& [name, value] : generated.main_cf) {
    const auto found = running.find(name);
    if (found == running.end() || found->second != normalised(value)) {
      differing.push_back(name);
    }
  }
  for (const auto& line : generated.master_cf) {
    const auto name = line.substr(0, line.find(' '));
    bool found = false;
    run_command({"postconf", "-c", config_.string(), "-M", name + "/unix"}, "",
                [&](std::string_view) { found = true; });
    if (!found) differing.push_back(name + " (master.cf)");
  }
  return differing;
}

std::optional<std::vector<std::string>> Postfix::bypasses(const Generated& generated,
                                                          std::string& cause) const {
  std::vector<std::string> found;
  const auto add = [&](std::string_view place, std::string_view name,
                       const std::string& value, std::string_view effect) {
    found.push_back(
        fmt::format("{}{}={}: {}", place, name, escape_untrusted(value), effect));
  };
  auto result = run_command(
      {"postconf", "-c", config_.string(), "-x", "smtpd_milter_maps",
       "receive_override_options"},
      "", [&](std::string_view line) {
        const auto one = parameter_in(line);
        if (!one) return;
        const auto effect = effect_beside_ours(one->first, one->second);
        if (effect.empty()) return;
        add((config_ / "main.cf: ").string(), one->first, one->second, effect);
      });
  if (result.status == 0) {
    result = run_command(
        {"postconf", "-c", config_.string(), "-x", "-P"}, "", [&](std::string_view line) {
          const auto one = parameter_in(line);
          const auto slash = one ? one->first.rfind('/') : std::string_view::npos;
          if (slash == std::string_view::npos) return;
          const auto service = one->first.substr(0, slash);
          const auto name = one->first.substr(slash + 1);
          if (!serves_port_25(service)) return;
          auto effect = effect_beside_ours(name, one->second);
          for (const auto& [parameter, value] : generated.main_cf) {
            if (parameter == name) {
              effect = effect_in_place_of_ours(name, one->second, normalised(value));
            }
          }
          if (effect.empty()) return;
          add(fmt::format("{}: {}: -o ", (config_ / "master.cf").string(), service), name,
              one->second, effect);
        });
  }
  if (result.status != 0) {
    cause = failure("postconf", result);
    return std::nullopt;
  }
  return found;
}

}  // namespace mxfeed
