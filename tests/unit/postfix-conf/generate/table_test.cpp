// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/table.h"

#include "common/base/fault.h"
#include "tests/support/catch.h"

namespace mxfeed {
namespace {

std::string text_of(const Generated& generated) {
  std::string text;
  render_table(generated, [&](std::string_view piece) { text += piece; });
  return text;
}

const std::string kHeader =
    "domain\tservice\town\tbelow\tqueue_lifetime\tcontent_class\tcustomer\troute\t"
    "intake\tgone_since\textended_until\ton_refusal\twhile_up\tblocklist\ttls\t"
    "callout\twhile_down\tqueue_quota\tstandby\n";

// Each row differs from the default in all columns.
Generated whole() {
  Generated all;
  all.policies.resize(2);
  all.policies[1].content_class = 7;
  for (const Row own :
       {Row::none, Row::active, Row::paused, Row::protect, Row::kept, Row::refused}) {
    Hosted one;
    one.name = std::string(1, static_cast<char>('a' + all.hosted.size())) + ".example";
    one.own = own;
    one.below = own == Row::kept ? Row::none : Row::kept;
    one.service = Service::backup;
    one.queue_lifetime = std::chrono::seconds(61);
    one.customer = "acme";
    one.route = "[192.0.2.7]:25, [2001:db8::7]:2525";
    one.policy = 1;
    one.intake = own == Row::kept ? Intake::gone : Intake::suspended;
    one.gone_since = Time(std::chrono::seconds(1'800'000'000));
    one.extended_until = Time(std::chrono::seconds(1'900'000'000));
    one.on_refusal = own == Row::kept ? OnRefusal::hold : OnRefusal::bounce_verified;
    one.while_up = WhileUp::defer;
    one.blocklist = true;
    one.callout = true;
    one.while_down = WhileDown::defer;
    one.queue_quota = 1 << 30;
    one.standby = true;
    one.tls = "verify match=mail.example";
    all.hosted.push_back(std::move(one));
  }
  all.unknown = {{"a.example", {{"later", "1"}}},
                 {"c.example", {{"latest", "x y"}, {"later", "2"}}}};
  return all;
}

TEST_CASE("what is hosted survives storage, with what is unknown", "[postfix-conf]") {
  const auto all = whole();
  const auto text = text_of(all);
  CHECK(text.starts_with(kHeader.substr(0, kHeader.size() - 1) + "\tlater\tlatest\n"));
  auto table = parse_table(text, "x");
  REQUIRE(table.hosted.size() == all.hosted.size());
  for (std::size_t i = 0; i < all.hosted.size(); ++i) {
    const auto& got = table.hosted[i];
    const auto& want = all.hosted[i];
    Hosted whole_row = got;
    whole_row.policy = want.policy;  // not in the table
    INFO(want.name);
    CHECK(whole_row == want);
  }
  Generated again;
  again.hosted = std::move(table.hosted);
  again.unknown = std::move(table.unknown);
  again.policies = {all.policies[1]};
  CHECK(text_of(again) == text);
}

struct TableCase {
  const char* name;
  std::string text;
  std::string want;  // rows "NAME OWN BELOW"; "damaged"
};

const TableCase kTables[] = {
    {"nothing hosted", kHeader, ""},
    {"only the names", "domain\na.b\nc.d\n", "a.b active none\nc.d active none\n"},
    {"another order", "below\tdomain\town\nkept\ta.b\tpaused\n", "a.b paused kept\n"},
    {"version 0.1.0",
     "domain\tstate\tsubdomains\na.b\tremoved\tyes\nc.d\tactive\tremoved\n"
     "e.f\trefused\tno\ng.h\tprotect\tyes\n",
     "a.b kept kept\nc.d active kept\ne.f refused none\ng.h protect protect\n"},
    {"its columns are others beside ours", "domain\town\tstate\na.b\tpaused\tnew\n",
     "a.b paused none\n"},
    {"empty", "", "damaged"},
    {"no domain column", "own\nactive\n", "damaged"},
    {"a column twice", "domain\town\town\na.b\tactive\tactive\n", "damaged"},
    {"a column without name", "domain\t\na.b\t\n", "damaged"},
    {"no end of the header", "domain", "damaged"},
    {"no end of the last line", "domain\na.b", "damaged"},
    {"too few cells", "domain\town\na.b\n", "damaged"},
    {"too many cells", "domain\na.b\tactive\n", "damaged"},
    {"an empty line", "domain\n\na.b\n", "damaged"},
    {"no name", "domain\town\n\tactive\n", "damaged"},
    {"an unknown row", "domain\town\na.b\tmoved\n", "damaged"},
    {"an unknown state", "domain\tstate\na.b\tmoved\n", "damaged"},
    {"an unknown service", "domain\tservice\na.b\tmoved\n", "damaged"},
    {"no duration", "domain\tqueue_lifetime\na.b\t2\n", "damaged"},
    {"an unknown intake", "domain\tintake\na.b\tclosed\n", "damaged"},
    {"a time without zone", "domain\tgone_since\na.b\t2026-12-05T17:00:00\n", "damaged"},
    {"an unknown rule of refusals", "domain\ton_refusal\na.b\tdrop\n", "damaged"},
    {"falling names", "domain\nb\na\n", "damaged"},
    {"a name twice", "domain\na\na\n", "damaged"},
};

TEST_CASE("what other versions wrote is read, what is damaged is not", "[postfix-conf]") {
  for (const auto& c : kTables) {
    DYNAMIC_SECTION(c.name) {
      std::string got;
      try {
        for (const auto& one : parse_table(c.text, "x").hosted) {
          got.append(one.name).append(" ").append(to_string(one.own)).append(" ");
          got.append(to_string(one.below)).append("\n");
        }
      } catch (const Fault&) {
        got = "damaged";
      }
      CHECK(got == c.want);
    }
  }
}

TEST_CASE("a table cut short is damaged or has fewer whole rows", "[postfix-conf]") {
  const auto text = text_of(whole());
  for (std::size_t n = 0; n < text.size(); ++n) {
    try {
      parse_table(text.substr(0, n), "x");
      CHECK(text[n - 1] == '\n');
    } catch (const Fault&) {
    }
  }
}

}  // namespace
}  // namespace mxfeed
