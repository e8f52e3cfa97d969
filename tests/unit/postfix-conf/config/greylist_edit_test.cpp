// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/greylist_edit.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

ListEntry entry(std::string_view text) {
  return std::get<ListEntry>(ListEntry::parse(text));
}

struct EditCase {
  const char* name;
  std::string before, after;
  std::uint32_t domain_line;
};

const std::string kDomains =
    "[customer]\nid = \"acme\"\n[[domain]]\nname = \"a.example\"\n";

TEST_CASE("an entry is added to a list, which is made if there is none", "[config]") {
  const EditCase rows[] = {
      {"an empty gateway file", "", "\n[greylist]\nallow = [\"@x.example\"]\n", 0},
      {"another table last", "mx = []\n[spam]",
       "mx = []\n[spam]\n\n[greylist]\nallow = [\"@x.example\"]\n", 0},
      {"a table without the list", "[greylist] # c\ndelay = \"5m\"\n",
       "[greylist] # c\nallow = [\"@x.example\"]\ndelay = \"5m\"\n", 0},
      {"a table with its header last", "[greylist]",
       "[greylist]\nallow = [\"@x.example\"]\n", 0},
      {"a table with the list",
       "[greylist]\ndeny = [\"y.example\"]\nallow = [\"192.0.2.7\"]\n",
       "[greylist]\ndeny = [\"y.example\"]\nallow = [\"192.0.2.7\", \"@x.example\"]\n",
       0},
      {"the list of another table", "[greylist]\n[other]\nallow = []\n",
       "[greylist]\nallow = [\"@x.example\"]\n[other]\nallow = []\n", 0},
      {"a domain without greylist", kDomains + "state = \"active\"\n",
       kDomains + "greylist = { allow = [\"@x.example\"] }\nstate = \"active\"\n", 4},
      {"a domain with a word", kDomains + "greylist = false # since May\n",
       kDomains +
           "greylist = { when = \"never\", allow = [\"@x.example\"] } # since May\n",
       4},
      {"a domain with a table in line", kDomains + "greylist = { delay = \"5m\" }\n",
       kDomains + "greylist = { allow = [\"@x.example\"], delay = \"5m\" }\n", 4},
      {"an empty table in line", kDomains + "greylist = {}\n",
       kDomains + "greylist = { allow = [\"@x.example\"] }\n", 4},
      {"a domain with a list in line",
       kDomains + "greylist = { allow = [\"y.example\"] }\n",
       kDomains + "greylist = { allow = [\"y.example\", \"@x.example\"] }\n", 4},
      {"a domain with a table",
       kDomains + "[domain.spam]\n[domain.greylist]\nshadow = true\n",
       kDomains +
           "[domain.spam]\n[domain.greylist]\nallow = [\"@x.example\"]\nshadow = true\n",
       4},
      {"the second of two domains",
       kDomains + "greylist = { allow = [] }\n[[domain]]\nname = \"b.example\"\n",
       kDomains + "greylist = { allow = [] }\n[[domain]]\nname = \"b.example\"\n"
                  "greylist = { allow = [\"@x.example\"] }\n",
       7},
      {"the first of two domains",
       kDomains + "[[domain]]\nname = \"b.example\"\ngreylist = { allow = [] }\n",
       kDomains + "greylist = { allow = [\"@x.example\"] }\n[[domain]]\n"
                  "name = \"b.example\"\ngreylist = { allow = [] }\n",
       4},
  };
  for (const auto& row : rows) {
    DYNAMIC_SECTION(row.name) {
      CHECK(add_entry(row.before, {"allow", row.domain_line}, entry("@x.example")) ==
            row.after);
    }
  }
}

TEST_CASE("an entry is quoted for TOML", "[config]") {
  CHECK(add_entry("[greylist]\nallow = []\n", {"allow", 0}, entry("\"a b\"@x.example")) ==
        "[greylist]\nallow = [\"\\\"a b\\\"@x.example\"]\n");
}

TEST_CASE("an entry is removed in whatever form it is written", "[config]") {
  CHECK(remove_entry("[greylist]\ndeny = [\n  'X.Example.', # c\n  \"y.example\",\n]\n",
                     {"deny", 0}, entry("x.example")) ==
        "[greylist]\ndeny = [\n  \"y.example\",\n]\n");
  CHECK(remove_entry(kDomains + "greylist = { deny = [\"192.0.2.7/32\"] }\n", {"deny", 4},
                     entry("192.0.2.7")) == kDomains + "greylist = { deny = [] }\n");
  CHECK_FALSE(remove_entry("[greylist]\ndeny = [\"y.example\"]\n", {"deny", 0},
                           entry("x.example")));
  CHECK_FALSE(remove_entry("[greylist]\n", {"deny", 0}, entry("x.example")));
  CHECK_FALSE(remove_entry("", {"deny", 4}, entry("x.example")));
}

TEST_CASE("what no line shows is for an operator", "[config]") {
  CHECK_FALSE(add_entry(kDomains + "greylist = 5\n", {"allow", 4}, entry("x.example")));
  CHECK_FALSE(add_entry("domain = [{ name = \"a.example\" }]\n", {"allow", 1},
                        entry("x.example")));
}

}  // namespace
}  // namespace mxfeed
