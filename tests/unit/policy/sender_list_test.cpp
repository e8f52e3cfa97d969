// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/policy/sender_list.h"

#include <random>

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

using Kind = ListEntry::Kind;

ListEntry entry(std::string_view text) {
  return std::get<ListEntry>(ListEntry::parse(text));
}

SenderList list_of(std::initializer_list<std::string_view> texts) {
  SenderList list;
  for (const auto text : texts) list.add(entry(text));
  return list;
}

TEST_CASE("an entry is read as a network, a host or a sender", "[policy]") {
  struct {
    std::string_view text;
    Kind kind;
    std::string_view str;
  } const rows[] = {
      {"192.0.2.7", Kind::network, "192.0.2.7"},
      {"192.0.2.7/32", Kind::network, "192.0.2.7"},
      {"192.0.2.0/24", Kind::network, "192.0.2.0/24"},
      {"128.0.0.0/1", Kind::network, "128.0.0.0/1"},
      {"2001:DB8::7", Kind::network, "2001:db8::7"},
      {"2001:db8::/32", Kind::network, "2001:db8::/32"},
      {"::ffff:192.0.2.0/120", Kind::network, "192.0.2.0/24"},
      {"Mail.Shop.Example.", Kind::host, "mail.shop.example"},
      {"shop.example", Kind::host, "shop.example"},
      {".Shop.Example.", Kind::hosts_below, ".shop.example"},
      {"B\u00FCcher.example", Kind::host, "xn--bcher-kva.example"},
      {".b\u00FCcher.example", Kind::hosts_below, ".xn--bcher-kva.example"},
      {"User@Shop.Example", Kind::sender, "user@shop.example"},
      {"<user@shop.example.>", Kind::sender, "user@shop.example"},
      {"user@b\u00FCcher.example", Kind::sender, "user@xn--bcher-kva.example"},
      {"\"a b\"@shop.example", Kind::sender, "\"a b\"@shop.example"},
      {"\"a@b\"@shop.example", Kind::sender, "\"a@b\"@shop.example"},
      {"@Shop.Example", Kind::senders_of, "@shop.example"},
      {"@b\u00FCcher.example.", Kind::senders_of, "@xn--bcher-kva.example"},
  };
  for (const auto& row : rows) {
    INFO(row.text);
    const auto parsed = ListEntry::parse(row.text);
    REQUIRE(std::holds_alternative<ListEntry>(parsed));
    const auto& one = std::get<ListEntry>(parsed);
    CHECK(one.kind() == row.kind);
    CHECK(one.str() == row.str);
    CHECK(entry(one.str()) == one);
    CHECK(ListEntry::from_bytes(one.bytes()) == one);
    CHECK(one.needs_spf() == (row.str.find('@') != row.str.npos));
  }
}

TEST_CASE("what is no entry is refused with the cause", "[policy]") {
  constexpr std::string_view kForms = "is neither a network";
  constexpr std::string_view kEveryone = "is every client";
  struct {
    std::string_view text, cause;
  } const rows[] = {
      {"", kForms},
      {".", kForms},
      {"..", kForms},
      {"@", kForms},
      {"@@", kForms},
      {"@.", kForms},
      {"*", kForms},
      {"localhost", kForms},
      {".example", kForms},
      {"@example", kForms},
      {"user@example", kForms},
      {"user@", kForms},
      {"@.shop.example", kForms},
      {"@*.shop.example", kForms},
      {"user@[192.0.2.7]", kForms},
      {"@192.0.2.7", kForms},
      {"shop..example", kForms},
      {"shop example", kForms},
      {" shop.example", kForms},
      {"192.0.2", kForms},
      {"192.0.2.0/33", kForms},
      {"192.0.2.0/", kForms},
      {"192.0.2.0/-1", kForms},
      {"192.0.2.0-192.0.2.9", kForms},
      {"[2001:db8::7]", kForms},
      {"2001:db8::/129", kForms},
      {"\"a\nb\"@shop.example", kForms},
      {"@a.example,@b.example:user@shop.example", kForms},
      {"0.0.0.0/0", kEveryone},
      {"192.0.2.7/0", kEveryone},
      {"::/0", kEveryone},
      {"::ffff:0:0/96", kEveryone},
      {"192.0.2.7/24", "has bits set after its prefix; did you mean \"192.0.2.0/24\"?"},
      {"2001:db8::7/32", "did you mean \"2001:db8::/32\"?"},
      {"*.shop.example", "write \".shop.example\""},
  };
  for (const auto& row : rows) {
    INFO(row.text);
    const auto parsed = ListEntry::parse(row.text);
    REQUIRE(std::holds_alternative<std::string>(parsed));
    CHECK(std::get<std::string>(parsed).find(row.cause) != std::string::npos);
  }
}

TEST_CASE("an entry names a sender by what is verified", "[policy]") {
  struct {
    std::string_view entry;
    const char* address;
    const char* name;
    std::string_view sender;
    bool is_named;
  } const rows[] = {
      {"192.0.2.0/24", "192.0.2.255", "", "a@b.example", true},
      {"192.0.2.0/24", "192.0.3.0", "", "a@b.example", false},
      {"192.0.2.7", "192.0.2.7", "", "", true},
      {"192.0.2.7", "192.0.2.8", "", "", false},
      {"192.0.2.0/24", "::ffff:192.0.2.7", "", "", true},
      {"128.0.0.0/1", "2001:db8::7", "", "", false},
      {"8000::/1", "192.0.2.7", "", "", false},
      {"2001:db8::/32", "2001:db8:ffff::7", "", "", true},
      {"2001:db8::/32", "2001:db9::7", "", "", false},
      {"mail.shop.example", "192.0.2.7", "MAIL.shop.example", "", true},
      {"mail.shop.example", "192.0.2.7", "mail.shop.example.", "", true},
      {"mail.shop.example", "192.0.2.7", "a.mail.shop.example", "", false},
      {"mail.shop.example", "192.0.2.7", "", "a@mail.shop.example", false},
      {".shop.example", "192.0.2.7", "a.b.Shop.example", "", true},
      {".shop.example", "192.0.2.7", "shop.example", "", false},
      {".shop.example", "192.0.2.7", "workshop.example", "", false},
      {".shop.example", "192.0.2.7", "", "", false},
      {"user@shop.example", "192.0.2.7", "", "User@SHOP.example", true},
      {"user@shop.example", "192.0.2.7", "", "other@shop.example", false},
      {"user@shop.example", "192.0.2.7", "", "user@a.shop.example", false},
      {"user@shop.example", "192.0.2.7", "", "x.user@shop.example", false},
      {"user@shop.example", "192.0.2.7", "user.shop.example", "", false},
      {"user@b\u00FCcher.example", "192.0.2.7", "", "user@xn--bcher-kva.example", true},
      {"user@xn--bcher-kva.example", "192.0.2.7", "", "user@B\u00FCcher.example", true},
      {"\"a@b\"@shop.example", "192.0.2.7", "", "\"a@b\"@shop.example", true},
      {"b@shop.example", "192.0.2.7", "", "\"a@b\"@shop.example", false},
      {"@shop.example", "192.0.2.7", "", "any@shop.example", true},
      {"@shop.example", "192.0.2.7", "", "any@a.shop.example", true},
      {"@shop.example", "192.0.2.7", "", "any@workshop.example", false},
      {"@shop.example", "192.0.2.7", "shop.example", "", false},
      {"@shop.example", "192.0.2.7", "", "shop.example", false},
      {"@shop.example", "192.0.2.7", "", "\"any@shop.example\"@other.example", false},
      {"@shop.example", "192.0.2.7", "", "any@", false},
  };
  for (const auto& row : rows) {
    INFO(row.entry << " for " << row.address << " " << row.name << " " << row.sender);
    const auto facts =
        SenderFacts::of({IpAddress::parse(row.address), row.name}, row.sender);
    const auto found = list_of({row.entry}).find(facts, [] { return true; });
    CHECK(found.has_value() == row.is_named);
    if (found) CHECK(*found == entry(row.entry));
  }
}

TEST_CASE("SPF is asked only if nothing but senders are named, and once", "[policy]") {
  const auto facts = SenderFacts::of({IpAddress::parse("192.0.2.7"), "mail.shop.example"},
                                     "user@shop.example");
  struct {
    const char* name;
    SenderList list;
    bool is_confirmed;
    int asked;
    const char* found;
  } const rows[] = {
      {"an empty list", {}, true, 0, ""},
      {"nobody named", list_of({"@other.example", "192.0.2.8"}), true, 0, ""},
      {"a sender", list_of({"@shop.example"}), true, 1, "@shop.example"},
      {"not confirmed", list_of({"@shop.example"}), false, 1, ""},
      {"two senders", list_of({"user@shop.example", "@shop.example"}), false, 1, ""},
      {"and a network", list_of({"@shop.example", "192.0.2.0/24"}), false, 0,
       "192.0.2.0/24"},
      {"and a host", list_of({"@shop.example", ".shop.example"}), true, 0,
       ".shop.example"},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    int asked = 0;
    const auto found = row.list.find(facts, [&] {
      ++asked;
      return row.is_confirmed;
    });
    CHECK(asked == row.asked);
    CHECK((found ? found->str() : "") == row.found);
  }
}

TEST_CASE("a client that is not from the network is in no network", "[policy]") {
  CHECK_FALSE(
      list_of({"192.0.2.0/24"}).find(SenderFacts::of({}, ""), [] { return true; }));
}

TEST_CASE("a list survives storage, and knows what it has", "[policy]") {
  const auto list = list_of({"192.0.2.0/24", "2001:db8::/32", ".shop.example",
                             "user@shop.example", "@shop.example"});
  CHECK(SenderList::from_bytes(list.bytes()) == list);
  CHECK(list.entries().size() == 5);
  CHECK(list.has(entry("@SHOP.example")));
  CHECK_FALSE(list.has(entry("shop.example")));
  CHECK(SenderList::from_bytes("") == SenderList());
  CHECK(SenderList().empty());
}

TEST_CASE("damaged bytes are no list", "[policy]") {
  using namespace std::string_literals;
  const std::string rows[] = {
      "\x01"s,     // cut short
      "\x00"s,     // an empty entry
      "\x01h"s,    // without content
      "\x02xa"s,   // of no kind
      "\x03sab"s,  // a sender without @
      "\x05n\x18\1\2\3"s,
      "\x06n\x21\1\2\3\4"s,
      "\x06n\x00\1\2\3\4"s,
      "\x02n\x18"s,
  };
  for (const auto& bytes : rows) {
    CAPTURE(bytes);
    CHECK_FALSE(SenderList::from_bytes(bytes));
  }
}

TEST_CASE("any bytes are a list that can be asked, or none", "[policy]") {
  std::mt19937 random(20261127);
  const auto facts = SenderFacts::of({IpAddress::parse("192.0.2.7"), "a.b"}, "a@b.c");
  const std::string whole =
      list_of({"192.0.2.0/24", "2001:db8::/32", ".shop.example", "user@shop.example"})
          .bytes();
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = whole;
    for (unsigned i = 0; i <= random() % 3; ++i) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const auto list = SenderList::from_bytes(bytes);
    if (!list) continue;
    static_cast<void>(list->find(facts, [] { return true; }));
    for (const auto& one : list->entries()) CHECK(list->has(one));
  }
}

}  // namespace
}  // namespace mxfeed
