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
  SimulationSettings settings;
  settings.domain = [](std::string_view name) {
    DomainPolicy domain;
    domain.name = name;
    return std::optional(domain);
  };
  settings.spf = [](const Envelope&) { return spf::Verdict(); };
  Simulation simulation(settings);
  std::size_t tries = 0;
  AttemptReader reader(kNow, [&](const Attempt& one) {
    ++tries;
    require(one.client.address.has_value() && !one.recipients.empty(),
            "a try has a client and a recipient");
    simulation.take(one);
  });
  const auto lines = split(fuzz::as_text(data, size), '\n');
  for (const auto line : lines) {
    const auto event = parse_log_event(line, kNow);
    if (event) {
      // They may overlap: a peer can write the name of a field into a text.
      require(std::max({event->sender.size(), event->recipient.size(),
                        event->helo.size()}) < line.size(),
              "each of its texts stands in the line");
    }
    reader.see(line);
  }
  reader.finish();
  require(tries <= lines.size(), "a line makes at most one try");
  const auto result = simulation.finish();
  std::size_t by_day = 0;
  for (const auto& [date, day] : result.days) by_day += day.messages;
  require(by_day == result.messages(), "each message has a day");
  require(result.waits.size() == result.all_delayed(), "each delayed one has a wait");
  require(result.messages() + result.exempt + result.never_back + result.passed +
                  result.undecided <=
              tries,
          "a message has at least one try");
  return 0;
}
