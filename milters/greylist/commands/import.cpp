// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/commands/import.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/command/line_operand.h"
#include "common/command/listing.h"
#include "common/policy/policy_db.h"
#include "milters/greylist/commands/opened_store.h"
#include "milters/greylist/import/adoption.h"
#include "milters/greylist/import/postgrey.h"
#include "milters/greylist/import/sqlgrey.h"

namespace mxfeed::greylist {
namespace {

constexpr std::uint64_t kPostgreyDelay = 300;
constexpr std::uint64_t kMostDelay = 30 * 86'400;

using See = std::function<void(const ForeignEntry& entry, std::string_view place)>;

// What is imported.  Made before the command becomes the daemon's user, who cannot open
// the file.
class Source {
 public:
  virtual ~Source() = default;
  // Shows each record and where it stands; false if the end is missing.
  virtual bool each(const See& see) = 0;
};

class PostgreyText : public Source {
 public:
  PostgreyText(const std::string& file, std::chrono::seconds delay)
      : lines_(file), reader_(delay) {}

  bool each(const See& see) override {
    std::size_t number = 0;
    const std::size_t left_out = lines_.each([&](std::string_view line) {
      ++number;
      const auto entry = reader_.take(line);
      if (entry) see(*entry, fmt::format("line {}: {}", number, line));
    });
    for (std::size_t i = 0; i < left_out; ++i) see(Fate::malformed, "a line is too long");
    return reader_.is_complete();
  }

 private:
  LineOperand lines_;
  PostgreyReader reader_;
};

class SqlgreyText : public Source {
 public:
  explicit SqlgreyText(LineOperand lines) : lines_(std::move(lines)) {}

  bool each(const See& see) override {
    std::size_t number = 0;
    const std::size_t left_out = lines_.each([&](std::string_view line) {
      ++number;
      if (trim(line).empty()) return;
      see(parse_sqlgrey(line), fmt::format("line {}: {}", number, line));
    });
    for (std::size_t i = 0; i < left_out; ++i) see(Fate::malformed, "a line is too long");
    return true;
  }

 private:
  LineOperand lines_;
};

// Reads all at once: SQLite opens further files beside the database later.
class SqlgreyDatabase : public Source {
 public:
  explicit SqlgreyDatabase(const std::string& file) {
    try {
      read_sqlgrey(file, [this](std::string_view table, const ForeignEntry& entry) {
        entries_.push_back({table, entry});
      });
    } catch (const Fault& fault) {
      throw CommandError(ExitCode::wrong, escape_untrusted(fault.what()));
    }
  }

  bool each(const See& see) override {
    for (const auto& [table, entry] : entries_) {
      see(entry, fmt::format("a row of {}", table));
    }
    return true;
  }

 private:
  std::vector<std::pair<std::string_view, ForeignEntry>> entries_;
};

std::unique_ptr<Source> source_of(const Arguments& arguments) {
  const std::string from = arguments.text("--from").value_or("");
  const std::string& file = arguments.operands()[0];
  const auto delay = arguments.number("--delay");
  if (from == "postgrey") {
    if (delay && (*delay == 0 || *delay > kMostDelay)) {
      throw CommandError(ExitCode::usage, "--delay: must be from 1 to 2592000");
    }
    return std::make_unique<PostgreyText>(
        file, std::chrono::seconds(delay.value_or(kPostgreyDelay)));
  }
  if (from != "sqlgrey") {
    throw CommandError(ExitCode::usage,
                       from.empty()
                           ? std::string("--from: must be given: postgrey or sqlgrey")
                           : fmt::format("--from: \"{}\" is neither postgrey nor sqlgrey",
                                         escape_untrusted(from)));
  }
  if (delay) throw CommandError(ExitCode::usage, "--delay: is for postgrey only");
  LineOperand lines(file);
  if (is_sqlite(lines.beginning(16))) return std::make_unique<SqlgreyDatabase>(file);
  return std::make_unique<SqlgreyText>(std::move(lines));
}

// What became of the records, and the first ones that could not be read.
class Tally {
 public:
  void add(std::optional<ForeignState> state, Fate fate, std::string_view place) {
    ++counts_[{state, fate}];
    if (fate != Fate::malformed) return;
    constexpr std::size_t kMostNamed = 10;
    constexpr std::size_t kMostShown = 120;
    if (++malformed_ > kMostNamed) return;
    fmt::print(stderr, "mxfeed: malformed: {}\n",
               escape_untrusted(place.substr(0, kMostShown)));
  }

  std::size_t malformed() const { return malformed_; }
  bool is_empty() const { return counts_.empty(); }

  void print(bool json) const {
    Listing listing({{"records", 8}, {"result", 12}, {"count", 0}}, json);
    for (const auto& [what, count] : counts_) {
      const auto& [state, fate] = what;
      listing.row({state ? Json(to_string(*state)) : Json(), to_string(fate), count});
    }
  }

 private:
  std::map<std::pair<std::optional<ForeignState>, Fate>, std::uint64_t> counts_;
  std::size_t malformed_ = 0;
};

// Takes a record into the store; returns what became of it.
using Take = std::function<Fate(const Adoption&, Time now)>;

bool take_all(Source& source, const PolicyDb& policy, const Take& take, Tally& tally) {
  const Time now = system_time();
  return source.each([&](const ForeignEntry& entry, std::string_view place) {
    const auto* const record = std::get_if<ForeignRecord>(&entry);
    if (record == nullptr) {
      tally.add(std::nullopt, std::get<Fate>(entry), place);
      return;
    }
    const auto domain = policy.find_own(Recipient::parse(record->recipient).domain);
    const auto adopted = adopt(*record, domain, policy.gateway().greylist, now);
    const auto* const adoption = std::get_if<Adoption>(&adopted);
    tally.add(record->state,
              adoption == nullptr ? std::get<Fate>(adopted) : take(*adoption, now),
              place);
  });
}

Fate fate_of(const Decision& decision) {
  return decision.changes.empty() ? Fate::known : Fate::taken;
}

bool take_into_store(const Arguments& arguments, Source& source, const PolicyDb& policy,
                     Tally& tally) {
  bool is_complete = false;
  const auto rehearse = [&](StoreView& store) {
    const Take take = [&](const Adoption& adoption, Time now) {
      return fate_of(merge(
          adoption, [&](Slot slot) { return store.find(adoption.keys, slot); }, now));
    };
    is_complete = take_all(source, policy, take, tally);
  };
  const auto write = [&](Store& store) {
    constexpr std::chrono::seconds kPatience{30};
    const Take take = [&](const Adoption& adoption, Time now) {
      return fate_of(store.update(
          adoption.keys, [&](const Look& look) { return merge(adoption, look, now); },
          std::chrono::steady_clock::now() + kPatience));
    };
    is_complete = take_all(source, policy, take, tally);
    store.flush(std::chrono::steady_clock::now() + kPatience);
  };
  if (arguments.has("--dry-run")) {
    with_store(arguments, policy.gateway(), rehearse);
  } else {
    with_writable_store(arguments, policy.gateway(), write);
  }
  return is_complete;
}

ExitCode import(const Arguments& arguments) {
  const auto source = source_of(arguments);
  const PolicyDb policy = open_policy(arguments.state());
  if (policy.gateway().generation == 0) {
    throw CommandError(ExitCode::wrong, "no configuration is in force: mxfeed apply");
  }
  Tally tally;
  const bool is_complete = take_into_store(arguments, *source, policy, tally);
  tally.print(arguments.json());
  if (!is_complete) {
    fmt::print(stderr, "mxfeed: the end of the input is missing: import it again\n");
  }
  if (tally.is_empty()) {
    fmt::print(stderr, "mxfeed: the input has no records; see mxfeed(8)\n");
  }
  const bool is_fine = is_complete && !tally.is_empty() && tally.malformed() == 0;
  return is_fine ? ExitCode::fine : ExitCode::wrong;
}

}  // namespace

Command import_command() {
  return {"greylist import",
          "Take over what postgrey or sqlgrey knows",
          {{"--from", "NAME", "Where it is from: postgrey or sqlgrey"},
           {"--delay", "SECONDS", "The delay of postgrey", Takes::number, "300"},
           {"--dry-run", "", "Tell what would be taken, and write nothing"},
           kJson},
          {{"FILE", "The records; \"-\" is standard input", Takes::file}},
          import};
}

}  // namespace mxfeed::greylist
