// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/resolver.h"

#include <atomic>
#include <future>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/base/fault.h"
#include "common/net/spf.h"
#include "tests/support/catch.h"
#include "tests/unit/net/name_server.h"

namespace mxfeed::dns {
namespace {

using namespace std::chrono_literals;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kBudget = 400ms;
// What a busy machine may add: far less than the servers would make us wait.
constexpr milliseconds kSlack = 1500ms;
constexpr auto kAmple = 30s;

Question question(const std::string& name, RecordType type = RecordType::a) {
  return Question::parse(name, type).value();
}

ResolverSettings asking(const std::vector<std::string>& servers) {
  ResolverSettings settings;
  settings.servers.addresses = servers;
  settings.servers.first_try = 1000ms;
  settings.servers.tries = 4;
  return settings;
}

const Answer kAddress = Answer::found({IpAddress::parse("192.0.2.7").value()}, 60s);

struct ConductCase {
  const char* name;
  Conduct conduct;
};

// None of them ever gives an answer.
const ConductCase kHostile[] = {
    {"silent", Conduct::silent},
    {"wrong id", Conduct::wrong_id},
    {"wrong question", Conduct::wrong_question},
    {"garbage", Conduct::garbage},
    {"empty datagram", Conduct::empty},
    {"echo of the query", Conduct::query_echoed},
    {"malformed reply", Conduct::malformed},
    {"truncated, also over TCP", Conduct::truncated_always},
    {"truncated, then silent over TCP", Conduct::truncated_tcp_silent},
    {"truncated, then the connection ends", Conduct::truncated_tcp_closed},
    {"truncated, then an octet at a time", Conduct::truncated_tcp_dribble},
    {"truncated, then garbage over TCP", Conduct::truncated_tcp_garbage},
    {"SERVFAIL", Conduct::servfail},
    {"REFUSED", Conduct::refused},
    {"NOTIMP", Conduct::notimp},
    {"FORMERR", Conduct::formerr},
    {"flood of wrong ids", Conduct::flood},
};

milliseconds since(Clock::time_point begin) {
  return duration_cast<milliseconds>(Clock::now() - begin);
}

TEST_CASE("a resolver that is slow or lying makes nothing wait beyond its budget",
          "[net]") {
  milliseconds worst{0};
  for (const auto& c : kHostile) {
    DYNAMIC_SECTION(c.name) {
      NameServer server(c.conduct);
      Resolver resolver(asking({server.address()}));
      const auto begin = Clock::now();
      // Of a callback, the time when it is called.
      std::promise<std::pair<Answer, milliseconds>> called;
      resolver.ask_async(question("a.example"), begin + kBudget,
                         [&](const Answer& answer) {
                           called.set_value({answer, since(begin)});
                         });
      auto later = resolver.ask_async(question("b.example"), begin + kBudget);
      const Answer blocking = resolver.ask(question("c.example"), begin + kBudget);
      const auto blocked = since(begin);
      CHECK(blocking.is_temporary());
      CHECK(blocked < kBudget + kSlack);
      const auto [answer, waited] = called.get_future().get();
      CHECK(answer.is_temporary());
      CHECK(waited < kBudget + kSlack);
      CHECK(later.get().is_temporary());

      spf::Session session{IpAddress::parse("192.0.2.1").value(), "mail.example",
                           "a@d.example"};
      const auto spf_begin = Clock::now();
      auto lookup = resolver.by(spf_begin + kBudget);
      CHECK(check_mail_from(session, lookup).result == spf::Result::temperror);
      CHECK(since(spf_begin) < kBudget + kSlack);

      worst = std::max({blocked, waited, since(spf_begin)});
      std::cout << c.name << ": waited at most " << worst.count() << " ms of "
                << kBudget.count() << " ms\n";

      // It is not lost for ever.
      server.behave(Conduct::honest);
      CHECK(resolver.ask(question("after.example"), Clock::now() + kAmple) == kAddress);
    }
  }
}

TEST_CASE("a server that is dead or lying does not keep the next from being asked",
          "[net]") {
  for (const auto conduct :
       {Conduct::silent, Conduct::servfail, Conduct::refused, Conduct::wrong_id}) {
    NameServer bad(conduct);
    NameServer good(Conduct::honest);
    auto settings = asking({bad.address(), good.address()});
    settings.servers.first_try = 50ms;
    Resolver resolver(settings);
    CHECK(resolver.ask(question("a.example"), Clock::now() + kAmple) == kAddress);
  }
  SECTION("nor does a closed port") {
    std::string closed;
    { closed = NameServer(Conduct::honest).address(); }
    NameServer good(Conduct::honest);
    Resolver resolver(asking({closed, good.address()}));
    CHECK(resolver.ask(question("a.example"), Clock::now() + kAmple) == kAddress);
  }
}

TEST_CASE("a server that nobody listens at is temporary", "[net]") {
  std::string closed;
  { closed = NameServer(Conduct::honest).address(); }
  Resolver resolver(asking({closed}));
  CHECK(resolver.ask(question("a.example"), Clock::now() + kAmple).is_temporary());
}

TEST_CASE("found and absent are told apart", "[net]") {
  NameServer server(Conduct::honest);
  Resolver resolver(asking({server.address()}));
  const auto deadline = Clock::now() + kAmple;
  CHECK(resolver.ask(question("a.example"), deadline) == kAddress);
  CHECK(resolver.ask(question("a.example", RecordType::mx), deadline) ==
        Answer::found({MailExchange{10, "mx.example"}}, 60s));
  CHECK(resolver.ask(question("a.example", RecordType::tlsa), deadline) ==
        Answer::absent(true, 0s));
  CHECK(resolver.ask(question("absent.example"), deadline) == Answer::absent(false, 0s));
}

// As macros of SPF make them from local parts.
TEST_CASE("an unusual name is asked for as it is, or said to be unsendable", "[net]") {
  NameServer server(Conduct::honest);
  Resolver resolver(asking({server.address()}));
  for (const char* const name : {"a+b=c.example", "a b.example", R"(a\b.example)"}) {
    const Answer answer = resolver.ask(question(name), Clock::now() + kAmple);
    INFO(name << ": " << to_string(answer.trouble));
    CHECK((answer == kAddress || answer.trouble == Trouble::unsendable));
    std::cout << "unusual name: "
              << (answer.is_found() ? "found" : to_string(answer.trouble)) << '\n';
  }
}

TEST_CASE("a truncated reply is asked for over TCP", "[net]") {
  NameServer server(Conduct::truncated_then_honest);
  Resolver resolver(asking({server.address()}));
  CHECK(resolver.ask(question("a.example"), Clock::now() + kAmple) == kAddress);
}

TEST_CASE("equal questions share one query, and later ones the cache", "[net]") {
  NameServer server(Conduct::late);
  Resolver resolver(asking({server.address()}));
  std::vector<std::future<Answer>> answers;
  for (int i = 0; i < 50; ++i) {
    answers.push_back(resolver.ask_async(question("a.example"), Clock::now() + kAmple));
  }
  for (auto& answer : answers) CHECK(answer.get() == kAddress);
  CHECK(resolver.ask(question("A.example."), Clock::now() + kAmple) == kAddress);
  CHECK(server.queries() == 1);
  CHECK(resolver.ask(question("b.example"), Clock::now() + kAmple) == kAddress);
  CHECK(server.queries() == 2);
}

TEST_CASE("an answer that comes after the deadline is kept for the next", "[net]") {
  NameServer server(Conduct::late);
  Resolver resolver(asking({server.address()}));
  CHECK(resolver.ask(question("a.example"), Clock::now() + 10ms).trouble ==
        Trouble::timed_out);
  CHECK(resolver.ask(question("a.example"), Clock::now() + kAmple) == kAddress);
  CHECK(server.queries() == 1);
}

TEST_CASE("a deadline that has passed asks nobody", "[net]") {
  NameServer server(Conduct::honest);
  Resolver resolver(asking({server.address()}));
  CHECK(resolver.ask(question("a.example"), Clock::now() - 1s).trouble ==
        Trouble::timed_out);
  CHECK(resolver.ask(question("b.example"), Clock::now() + kAmple) == kAddress);
  CHECK(server.queries() == 1);
}

TEST_CASE("a destroyed resolver has answered every question once", "[net]") {
  NameServer server(Conduct::silent);
  auto resolver = std::make_unique<Resolver>(asking({server.address()}));
  std::vector<int> calls(100, 0);
  std::vector<std::future<Answer>> futures;
  const auto deadline = Clock::now() + kAmple;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const std::string name = "n" + std::to_string(i % 40) + ".example";
    resolver->ask_async(question(name), deadline, [&calls, i](const Answer& answer) {
      calls[i] += answer.trouble == Trouble::stopped ? 1 : 100;
    });
    futures.push_back(resolver->ask_async(question(name), deadline));
  }
  futures.erase(futures.begin(), futures.begin() + 50);  // dropped
  resolver.reset();
  CHECK(Clock::now() < deadline);
  CHECK(calls == std::vector<int>(100, 1));
  for (auto& answer : futures) CHECK(answer.get().trouble == Trouble::stopped);
}

TEST_CASE("a callback may ask the next question", "[net]") {
  NameServer server(Conduct::honest);
  std::promise<Answer> promise;
  Resolver resolver(asking({server.address()}));
  const auto deadline = Clock::now() + kAmple;
  resolver.ask_async(
      question("a.example", RecordType::mx), deadline, [&](const Answer& answer) {
        const auto host = answer.all<MailExchange>().at(0).host;
        resolver.ask_async(question(host), deadline, [&promise](const Answer& address) {
          promise.set_value(address);
        });
      });
  CHECK(promise.get_future().get() == kAddress);
}

TEST_CASE("questions that wait are bounded", "[net]") {
  NameServer server(Conduct::silent);
  auto settings = asking({server.address()});
  const auto deadline = Clock::now() + 300ms;
  SECTION("in number") {
    settings.most_waiting = 2;
    Resolver resolver(settings);
    auto first = resolver.ask_async(question("a.example"), deadline);
    auto second = resolver.ask_async(question("a.example"), deadline);
    CHECK(resolver.ask(question("a.example"), deadline).trouble == Trouble::overloaded);
    CHECK(first.get().trouble == Trouble::timed_out);
    CHECK(second.get().trouble == Trouble::timed_out);
    server.behave(Conduct::honest);
    CHECK(resolver.ask(question("b.example"), Clock::now() + kAmple) == kAddress);
  }
  SECTION("in queries") {
    settings.most_queries = 1;
    Resolver resolver(settings);
    auto first = resolver.ask_async(question("a.example"), deadline);
    CHECK(resolver.ask(question("b.example"), deadline).trouble == Trouble::overloaded);
    CHECK(first.get().trouble == Trouble::timed_out);
  }
}

TEST_CASE("many threads ask at once", "[net]") {
  NameServer server(Conduct::honest);
  Resolver resolver(asking({server.address()}));
  std::atomic<int> found{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        const auto name = "n" + std::to_string((t + i) % 37) + ".example";
        if (resolver.ask(question(name), Clock::now() + kAmple).is_found()) ++found;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(found == 800);
}

TEST_CASE("what is no address of a server is a fault", "[net]") {
  CHECK_THROWS_AS(Resolver(asking({"ns.example"})), Fault);
}

}  // namespace
}  // namespace mxfeed::dns
