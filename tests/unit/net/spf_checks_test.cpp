// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/spf_checks.h"

#include <atomic>
#include <future>

#include "common/base/metrics.h"
#include "tests/support/catch.h"
#include "tests/unit/net/zone.h"

namespace mxfeed::spf {
namespace {

using std::chrono::milliseconds;
using Monotonic = std::chrono::steady_clock;

Session from(const std::string& sender) {
  return {IpAddress::parse("192.0.2.1").value(), "helo.example", sender};
}

Checks::Instant in(milliseconds time) {
  return Monotonic::now() + time;
}

// Each check has a zone of its own.
std::unique_ptr<dns::Lookup> zone(Checks::Instant) {
  auto made = std::make_unique<dns::Zone>();
  made->add("pass.example", "v=spf1 ip4:192.0.2.1 -all");
  made->add("fail.example", "v=spf1 -all");
  made->add("helo.example", "v=spf1 ip4:192.0.2.0/24 -all");
  return made;
}

// A lookup that answers when it is let go.
struct Gate {
  std::promise<void> opened;
  std::shared_future<void> open{opened.get_future()};
  std::atomic<unsigned> asked{0};

  class Lookup : public dns::Lookup {
   public:
    explicit Lookup(Gate& gate) : gate_(gate) {}
    dns::Answer ask(const dns::Question&) override {
      ++gate_.asked;
      gate_.open.wait();
      return dns::Answer::found({dns::Text{"v=spf1 include:next.example ?all"}},
                                std::chrono::seconds(60));
    }

   private:
    Gate& gate_;
  };

  Checks::Lookups lookups() {
    return [this](Checks::Instant) { return std::make_unique<Lookup>(*this); };
  }
  void wait_until_asked(unsigned times) const {
    while (asked < times) std::this_thread::yield();
  }
};

TEST_CASE("a check has the verdict of the sender's domain", "[net]") {
  Checks checks(zone);
  struct {
    const char* sender;
    Result want;
  } const rows[] = {
      {"a@pass.example", Result::pass},
      {"a@fail.example", Result::fail},
      {"a@none.example", Result::none},
      {"", Result::pass},  // the null sender: HELO
  };
  for (const auto& row : rows) {
    CAPTURE(row.sender);
    CHECK(checks.begin(from(row.sender), in(milliseconds(60'000))).wait().result ==
          row.want);
  }
}

TEST_CASE("more checks than threads all have their verdict", "[net]") {
  Checks checks(zone, {.threads = 2, .waiting = 1000});
  std::vector<Check> begun;
  for (int i = 0; i < 500; ++i) {
    begun.push_back(checks.begin(from(i % 2 == 0 ? "a@pass.example" : "a@fail.example"),
                                 in(milliseconds(60'000))));
  }
  for (std::size_t i = 0; i < begun.size(); ++i) {
    CHECK(begun[i].wait().result == (i % 2 == 0 ? Result::pass : Result::fail));
  }
  CHECK(gauge("mxfeed_spf_checks_waiting").value() == 0);
}

TEST_CASE("nobody waits beyond the deadline", "[net]") {
  Gate gate;
  {
    Checks checks(gate.lookups(), {.threads = 1, .waiting = 10});
    const auto begin = Monotonic::now();
    Check running = checks.begin(from("a@pass.example"), begin + milliseconds(200));
    Check waiting = checks.begin(from("a@pass.example"), begin + milliseconds(200));
    for (Check* const check : {&running, &waiting}) {
      const Verdict verdict = check->wait();
      CHECK(verdict.result == Result::temperror);
      CHECK(verdict.problem == "timed out");
    }
    const auto took = Monotonic::now() - begin;
    CHECK(took >= milliseconds(200));
    CHECK(took < milliseconds(2'000));
    gate.opened.set_value();
  }
  // The one that waited asked nothing, and the other no more once it was given up.
  CHECK(gate.asked == 1);
}

TEST_CASE("checks beyond the limits are temporary errors at once", "[net]") {
  Metric& refused = counter("mxfeed_spf_checks_refused_total");
  const auto before = refused.value();
  Gate gate;
  Checks checks(gate.lookups(), {.threads = 1, .waiting = 1});
  const auto later = in(milliseconds(60'000));
  const Check running = checks.begin(from("a@pass.example"), later);
  gate.wait_until_asked(1);
  const Check waiting = checks.begin(from("a@pass.example"), later);
  CHECK(gauge("mxfeed_spf_checks_waiting").value() == 1);
  Check third = checks.begin(from("a@pass.example"), later);
  CHECK(third.wait().result == Result::temperror);
  CHECK(refused.value() == before + 1);
  gate.opened.set_value();
}

TEST_CASE("a check that was given up asks no further question", "[net]") {
  Gate gate;
  {
    Checks checks(gate.lookups());
    {
      const Check check = checks.begin(from("a@pass.example"), in(milliseconds(60'000)));
      gate.wait_until_asked(1);
    }
    gate.opened.set_value();
  }
  CHECK(gate.asked == 1);
}

}  // namespace
}  // namespace mxfeed::spf
