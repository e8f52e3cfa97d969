// SPDX-License-Identifier: GPL-2.0-or-later
//
// A milter that does nothing, to tell what the passage through Session and libmilter
// costs and what the rest of a milter costs.  The first argument says what it asks for:
//
//   null_milter idle|rcpt|early|all|seen OPTIONS-OF-A-MILTER
//
//   idle  nothing but connection, sender and end
//   rcpt  recipients, each answered
//   early the same, and done at DATA: as mxfeed-greylist
//   all   as mxfeed-virus: recipients answered, headers and body unanswered
//   seen  as mxfeed-spam: recipients, headers and body, all unanswered

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string_view>

#include "common/milter/daemon.h"

namespace mxfeed {
namespace {

class NullFilter : public Filter {};

class NullConnection : public Connection {
 public:
  std::unique_ptr<Filter> begin(const Envelope&) override {
    return std::make_unique<NullFilter>();
  }
};

class NullMilter : public Milter {
 public:
  explicit NullMilter(const Needs& needs) : needs_(needs) {}
  Needs needs() const override { return needs_; }
  std::unique_ptr<Connection> connect(const Client&) override {
    return std::make_unique<NullConnection>();
  }

 private:
  const Needs needs_;
};

class NullDaemon : public Daemon {
 public:
  explicit NullDaemon(const Needs& needs) : milter_(needs) {}
  Milter& milter() override { return milter_; }

 private:
  NullMilter milter_;
};

std::optional<Needs> needs_of(std::string_view shape) {
  if (shape == "idle") return Needs{};
  if (shape == "rcpt") return Needs{.recipient_verdict = true};
  if (shape == "early") return Needs{.recipient_verdict = true, .ends_at_data = true};
  if (shape == "all") {
    return Needs{.headers = true, .body = true, .recipient_verdict = true, .edits = true};
  }
  if (shape == "seen") {
    return Needs{.headers = true, .body = true, .recipients = true, .edits = true};
  }
  return std::nullopt;
}

}  // namespace
}  // namespace mxfeed

int main(int argc, char** argv) {
  const auto needs = mxfeed::needs_of(argc > 1 ? argv[1] : "");
  if (!needs) {
    fmt::print(
        stderr,
        "usage: null_milter idle|rcpt|early|all|seen --socket SPEC [--state DIR]\n");
    return 2;
  }
  return mxfeed::run_milter(argc - 1, argv + 1,
                            {"null", [&](const mxfeed::DaemonContext&) {
                               return std::make_unique<mxfeed::NullDaemon>(*needs);
                             }});
}
