// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/commands/commands.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <getopt.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/policy/policy_db.h"
#include "milters/greylist/exemption.h"
#include "milters/greylist/key.h"
#include "milters/greylist/stores/store.h"

namespace mxfeed::greylist {
namespace {

constexpr int kUsage = 2;
constexpr int kTryLater = 75;  // EX_TEMPFAIL of sysexits.h

struct Arguments {
  std::filesystem::path state = "/var/lib/mxfeed";
  bool json = false;
  std::string name;  // of the client
  std::vector<std::string> words;

  std::filesystem::path data() const { return state / "greylist"; }
};

int usage(std::FILE* to) {
  fmt::print(to,
             "usage: mxfeed-greylist list [--json] [--state DIR] [DOMAIN]\n"
             "       mxfeed-greylist why [--name NAME] [--state DIR] IP FROM TO\n");
  return to == stdout ? 0 : kUsage;
}

std::optional<Arguments> parse(int argc, char** argv) {
  const option known[] = {{"state", required_argument, nullptr, 's'},
                          {"json", no_argument, nullptr, 'j'},
                          {"name", required_argument, nullptr, 'n'},
                          {nullptr, 0, nullptr, 0}};
  Arguments arguments;
  optind = 1;
  for (int c = 0; (c = ::getopt_long(argc, argv, "", known, nullptr)) != -1;) {
    switch (c) {
      case 's':
        arguments.state = optarg;
        break;
      case 'j':
        arguments.json = true;
        break;
      case 'n':
        arguments.name = optarg;
        break;
      default:
        return std::nullopt;
    }
  }
  arguments.words.assign(argv + optind, argv + argc);
  return arguments;
}

// SQLite may make its auxiliary files anew though it only reads: they must be the
// daemon's, not root's.
void become_owner(const std::filesystem::path& directory) {
  struct stat found {};
  if (::geteuid() != 0 || ::stat(directory.c_str(), &found) != 0 || found.st_uid == 0) {
    return;
  }
  if (::setgroups(0, nullptr) != 0 || ::setgid(found.st_gid) != 0 ||
      ::setuid(found.st_uid) != 0) {
    throw Fault("become owner", directory.string(), errno_text(errno));
  }
}

std::string when(Time time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

// What our keys consist of needs no more; a changed file must not break the output.
std::string json_text(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    safe += c >= 0x20 && c <= 0x7E && c != '"' && c != '\\' ? c : '?';
  }
  return '"' + safe + '"';
}

int list(const Arguments& arguments) {
  const LivePolicy policy(arguments.state);
  const std::string url = policy.get()->gateway().greylist.store;
  become_owner(arguments.data());
  const auto view = view_store(url, arguments.data());
  const Time now = system_time();
  const char* separator = "";
  if (arguments.json) {
    fmt::print("[");
  } else {
    fmt::print("{:<24} {:<30} {:<7} {:<20} {:<20} {:<20} {}\n", "NETWORK", "DOMAIN",
               "STATE", "FIRST SEEN", "LAST SEEN", "EXPIRES", "KEY");
  }
  view->each([&](const std::string& key, const Record& record) {
    if (record.expires < now) return;
    auto parts = split(key, ' ');
    parts.resize(3);
    if (!arguments.words.empty() && !iequals(parts[1], arguments.words[0])) return;
    const char* const state = record.passes > 0 ? "passed" : "waiting";
    if (arguments.json) {
      fmt::print(
          "{}\n{{\"network\": {}, \"domain\": {}, \"key\": {}, \"state\": \"{}\", "
          "\"first_seen\": \"{}\", \"last_seen\": \"{}\", \"expires\": \"{}\"}}",
          separator, json_text(parts[0]), json_text(parts[1]), json_text(parts[2]), state,
          when(record.first_seen), when(record.last_seen), when(record.expires));
      separator = ",";
    } else {
      fmt::print("{:<24} {:<30} {:<7} {} {} {} {}\n", escape_untrusted(parts[0]),
                 escape_untrusted(parts[1]), state, when(record.first_seen),
                 when(record.last_seen), when(record.expires),
                 escape_untrusted(parts[2]));
    }
  });
  if (arguments.json) fmt::print("\n]\n");
  return 0;
}

std::string describe(const Decision& decision) {
  switch (decision.outcome) {
    case Outcome::first_seen:
      return fmt::format("deferred: first seen, to wait {}",
                         format_duration(decision.wait));
    case Outcome::too_early:
      return fmt::format("deferred: too early by {}", format_duration(decision.wait));
    case Outcome::passed:
      return "let through: waited long enough";
    case Outcome::known:
      return "let through: known";
  }
  return "?";
}

std::string describe(const std::optional<Record>& record) {
  if (!record) return "none";
  return fmt::format("{} since {}, last written {}, expires {}",
                     record->passes > 0 ? "passed" : "waiting", when(record->first_seen),
                     when(record->last_seen), when(record->expires));
}

int why(const Arguments& arguments) {
  if (arguments.words.size() != 3) return usage(stderr);
  Envelope envelope;
  envelope.client = {IpAddress::parse(arguments.words[0]), arguments.name};
  const auto sender = Path::parse(arguments.words[1]);
  const auto path = Path::parse(arguments.words[2]);
  const auto named = path ? Domain::parse(path->domain) : std::nullopt;
  if (!envelope.client.address || !sender || !named) return usage(stderr);
  envelope.sender = sender->str();
  const Recipient recipient{path->local_part, named->str()};

  const auto policy = LivePolicy(arguments.state).get();
  const auto domain = policy->find_own(recipient.domain);
  fmt::print("client: {}\nsender: {}\nrecipient: {}\n", envelope.client.address->str(),
             escape_untrusted(envelope.sender), escape_untrusted(path->str()));
  if (domain) {
    const GreylistPolicy& greylist = domain->greylist;
    fmt::print("policy: {}: {}{}, delay {}, retry window {}, keep {}\n", domain->name,
               word(greylist.when), greylist.shadow ? " (shadow)" : "",
               format_duration(greylist.delay), format_duration(greylist.retry_window),
               format_duration(greylist.keep));
  }
  const auto exempt = exemption(envelope, recipient, domain, policy->gateway());
  if (!exempt.empty()) {
    fmt::print("now: let through: exempt ({})\n", exempt);
    return 0;
  }
  const auto& gateway = policy->gateway().greylist;
  const std::string key =
      key_of(*envelope.client.address, envelope.sender, recipient, domain->name, gateway);
  become_owner(arguments.data());
  const auto record = view_store(gateway.store, arguments.data())->find(key);
  fmt::print("keyed as: {}\nkey: {}\nrecord: {}\nnow: {}\n",
             escape_untrusted(normalised_sender(envelope.sender, recipient)), key,
             describe(record), describe(decide(record, system_time(), domain->greylist)));
  return 0;
}

}  // namespace

bool is_command(std::string_view word) {
  return word == "list" || word == "why";
}

int run_command(int argc, char** argv) {
  const auto arguments = parse(argc, argv);
  if (!arguments) return usage(stderr);
  try {
    return std::string_view(argv[0]) == "list" ? list(*arguments) : why(*arguments);
  } catch (const Fault& fault) {
    fmt::print(stderr, "mxfeed-greylist: {}\n", escape_untrusted(fault.what()));
    return kTryLater;
  }
}

}  // namespace mxfeed::greylist
