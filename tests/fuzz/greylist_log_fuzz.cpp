// SPDX-License-Identifier: GPL-2.0-or-later
//
// A mail log, most of which peers have written, and its replay.

#include <algorithm>
#include <chrono>

#include "common/base/text.h"
#include "milters/greylist/simulation/attempts.h"
#include "milters/greylist/simulation/simulation.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed;
  using namespace mxfeed::greylist;
  using fuzz::require;
  constexpr Time kNow{std::chrono::seconds(1'800'000'000)};
  AttemptReader reader(kNow);
  const auto lines = split(fuzz::as_text(data, size), '\n');
  for (const auto line : lines) {
    const auto event = parse_log_event(line, kNow);
    if (event) {
      require(event->sender.size() + event->recipient.size() + event->helo.size() <
                  line.size(),
              "its texts stand in the line");
    }
    require(reader.see(line), "a short log is read to its end");
  }
  const auto attempts = reader.finish();
  require(attempts.size() <= lines.size(), "a line makes at most one try");
  require(std::ranges::is_sorted(attempts, {}, &Attempt::time), "they are in order");
  for (const Attempt& one : attempts) {
    require(one.client.address.has_value() && !one.recipients.empty(),
            "a try has a client and a recipient");
  }
  SimulationSettings settings;
  settings.domain = [](std::string_view name) {
    DomainPolicy domain;
    domain.name = name;
    return std::optional(domain);
  };
  settings.spf = [](const Envelope&) { return spf::Verdict(); };
  const auto result = simulate(attempts, settings);
  std::size_t by_day = 0;
  for (const auto& [date, day] : result.days) by_day += day.messages;
  require(by_day == result.messages(), "each message has a day");
  require(result.waits.size() == result.all_delayed(), "each delayed one has a wait");
  require(result.messages() + result.exempt + result.never_back + result.passed +
                  result.undecided <=
              attempts.size(),
          "a message has at least one try");
  return 0;
}
