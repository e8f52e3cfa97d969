// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/completeness.h"

#include <algorithm>

#include "tests/support/catch.h"

namespace mxfeed::virus {
namespace {

const std::string kMail =
    "Received: from localhost by localhost; x\r\n"
    "Subject: two\r\n parts\r\n"
    "Content-Type: multipart/mixed;\r\n boundary=b\r\n"
    "\r\n"
    "--b\r\nContent-Type: text/plain\r\n\r\nSome text,  two lines\r\nof it.\r\n"
    "--b\r\nContent-Type: application/octet-stream\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\naGVsbG8gd29ybGQ=\r\n"
    "--b--\r\n";

struct Case {
  const char* name;
  std::vector<std::string> shown;  // by the engine
  FeedRule rule;
  std::vector<std::string> fed;
};

const std::string kText = "Some text,  two lines\r\nof it.";
const std::string kFile = "hello world";

const Case kCases[] = {
    {"all shown as they are", {kText, kFile}, FeedRule::missed, {}},
    {"text with other line ends and blanks",
     {"Some text, two lines\nof it.\n\n", kFile},
     FeedRule::missed,
     {}},
    {"the same, compared byte by byte",
     {"Some text, two lines\nof it.\n\n", kFile},
     FeedRule::exact,
     {kText}},
    {"the file was missed", {kText}, FeedRule::missed, {kFile}},
    {"the file was shown with a blank less",
     {kText, "helloworld"},
     FeedRule::missed,
     {kFile}},
    {"nothing was shown", {}, FeedRule::missed, {kText, kFile}},
    {"nothing was shown, and it does not matter", {}, FeedRule::none, {}},
    {"everything is fed", {kText, kFile}, FeedRule::all, {kText, kFile}},
};

TEST_CASE("a part that the engine did not show is fed", "[virus]") {
  for (const Case& c : kCases) {
    DYNAMIC_SECTION(c.name) {
      Seen seen;
      for (const std::string& object : c.shown) seen.add(object);
      const Inventory inventory = take_inventory(kMail, seen, c.rule);
      CHECK(inventory.parts == 2);
      CHECK(inventory.readings == 1);
      std::vector<std::string> fed;
      for_each_part(kMail, inventory,
                    [&](const mime::Part&, std::string_view content, const Pick& pick) {
                      if (pick.feed) fed.emplace_back(content);
                      return true;
                    });
      CHECK(fed == c.fed);
    }
  }
}

TEST_CASE("text that is saved as a file is compared byte by byte", "[virus]") {
  struct Row {
    const char* name;
    const char* fields;
    bool fed;
  };
  const Row rows[] = {
      {"text to read", "Content-Type: text/plain", false},
      {"text to read, said to be so",
       "Content-Type: text/html\r\nContent-Disposition: inline", false},
      {"a name", "Content-Type: text/plain; name=\"x.exe\"", true},
      {"a name of RFC 2231", "Content-Type: text/plain; name*=utf-8''x.bat", true},
      {"a file name",
       "Content-Type: text/html\r\nContent-Disposition: inline; filename=x.hta", true},
      {"an attachment without a name",
       "Content-Type: text/plain\r\nContent-Disposition: attachment", true},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Seen seen;
      seen.add("MZ 1\n2\n");
      const std::string mail = std::string("Subject: x\r\n") + row.fields +
                               "\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
                               "MZ 1\r\n2\r\n";
      CHECK(take_inventory(mail, seen, FeedRule::missed).to_feed == (row.fed ? 1 : 0));
    }
  }
}

TEST_CASE("feeding stops when told to", "[virus]") {
  const Inventory inventory = take_inventory(kMail, Seen{}, FeedRule::all);
  int calls = 0;
  for_each_part(kMail, inventory, [&](const mime::Part&, std::string_view, const Pick&) {
    ++calls;
    return false;
  });
  CHECK(calls == 1);
}

// Twelve readings, in which the long part is one of six.
std::string ambiguous_mail(std::size_t size) {
  const std::string content(size, 'A');
  return "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
         "--b\r\nContent-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n"
         "Content-Transfer-Encoding: 7bit\r\n\r\n" +
         content + "\r\n--bx\r\n\r\n--b--\r\n";
}

TEST_CASE("a part that only another reading has is fed, and only once", "[virus]") {
  const std::string mail = ambiguous_mail(80);
  const Inventory inventory = take_inventory(mail, Seen{}, FeedRule::missed);
  CHECK(inventory.readings == 12);
  CHECK_FALSE(inventory.too_many_readings);
  std::vector<std::size_t> sizes;
  for_each_part(mail, inventory,
                [&](const mime::Part&, std::string_view content, const Pick&) {
                  sizes.push_back(content.size());
                  return true;
                });
  // Decoded; as it is; the same with the line that is a delimiter for some.
  CHECK(sizes.size() == inventory.to_feed);
  CHECK(std::count(sizes.begin(), sizes.end(), 60) == 1);
  CHECK(std::count(sizes.begin(), sizes.end(), 80) == 1);
  CHECK(std::count(sizes.begin(), sizes.end(), 88) == 1);
}

TEST_CASE("what other readings cost is limited", "[virus]") {
  const std::string mail = ambiguous_mail(100'000);
  const auto take = [&](auto set) {
    ReadingLimits limits;
    set(limits);
    return take_inventory(mail, Seen{}, FeedRule::missed, nullptr, limits);
  };
  CHECK_FALSE(take([](ReadingLimits&) {}).too_many_readings);
  SECTION("their number") {
    CHECK(take([](ReadingLimits& most) { most.readings = 3; }).too_many_readings);
  }
  SECTION("the bytes walked through") {
    const Inventory inventory = take([](ReadingLimits& most) { most.walked = 150'000; });
    CHECK(inventory.too_many_readings);
    CHECK(inventory.readings == 3);
  }
  SECTION("the bytes that grow out of an encoding") {
    // Lines of uuencode that have lost their blanks: 15 times as many zeros.
    std::string growing = ambiguous_mail(80);
    std::string file = "--b\r\n\r\nbegin 644 x\r\n";
    for (int i = 0; i < 1000; ++i) file += "M\r\n";
    growing.insert(growing.find("--b\r\n"), file + "`\r\nend\r\n");
    ReadingLimits limits;
    limits.walked = 60'000;
    const Inventory inventory =
        take_inventory(growing, Seen{}, FeedRule::missed, nullptr, limits);
    CHECK(inventory.too_many_readings);
    CHECK(inventory.readings == 3);
  }
  SECTION("the bytes scanned") {
    const auto most_fed = [](std::uint64_t least) {
      return [least](ReadingLimits& most) {
        most.fed_least = least;
        most.fed_times = 0;
      };
    };
    CHECK(take(most_fed(90'000)).too_many_readings);
    CHECK_FALSE(take(most_fed(400'000)).too_many_readings);
  }
}

TEST_CASE("mail of any shape is walked through", "[virus]") {
  for (const char* mail :
       {"", "\r\n", "no header at all", "A: b", "A: b\r\n", "A: b\r\n c", " c\r\n\r\n",
        "A: b\nno field\nmore\n", ":\r\n\r\nx"}) {
    CHECK_NOTHROW(take_inventory(mail, Seen{}, FeedRule::missed));
  }
}

TEST_CASE("a digest does not depend on how the content was cut", "[virus]") {
  std::string content;
  for (int i = 0; i < 5000; ++i) content += static_cast<char>(i * 7 % 251);
  Fingerprint whole;
  whole.add(content);
  for (const std::size_t step : {1u, 3u, 7u, 8u, 9u, 513u}) {
    Fingerprint pieces;
    for (std::size_t at = 0; at < content.size(); at += step) {
      pieces.add(std::string_view(content).substr(at, step));
    }
    CHECK(pieces.exact.value() == whole.exact.value());
    CHECK(pieces.loose.value() == whole.loose.value());
    CHECK(pieces.size == whole.size);
  }
  Fingerprint longer;
  longer.add(content + '\0');
  CHECK(longer.exact.value() != whole.exact.value());
}

}  // namespace
}  // namespace mxfeed::virus
