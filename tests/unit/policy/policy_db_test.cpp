// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/policy/policy_db.h"

#include <sys/stat.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "tests/support/catch.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (fs::temp_directory_path() / "mxfeed-policy.XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  fs::path operator/(const char* name) const { return path_ / name; }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

DomainPolicy domain(std::string name, bool subdomains, std::uint32_t content_class) {
  DomainPolicy policy;
  policy.name = std::move(name);
  policy.subdomains = subdomains;
  policy.content_class = content_class;
  return policy;
}

void write_policy(const fs::path& file, std::uint64_t generation,
                  const std::vector<DomainPolicy>& domains) {
  ConstDbWriter writer(file);
  GatewayPolicy gateway;
  gateway.generation = generation;
  writer.add(PolicyDb::kGatewayKey, encode(gateway));
  DomainPolicy foreign;
  foreign.greylist.when = GreylistWhen::never;
  writer.add(PolicyDb::kForeignKey, encode(foreign));
  for (const auto& one : domains) writer.add(one.name, encode(one));
  writer.commit();
}

struct FindCase {
  const char* name;
  std::string domain;
  std::uint32_t content_class;  // 0: not ours
};

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

// U+10300, which is four octets of UTF-8, 52 times in 63 octets of an A-label.
const std::string kOldItalic = repeated("\U00010300", 52);
const std::string kLongestInULabels =
    kOldItalic + "." + kOldItalic + "." + kOldItalic + "." + repeated("\U00010300", 50);
const std::string kLongest =
    Domain::parse(kLongestInULabels).value_or(*Domain::parse("x")).str();

const FindCase kFinds[] = {
    {"itself", "a.example", 1},
    {"upper case", "A.Example", 1},
    {"final dot", "a.example.", 1},
    {"below one without subdomains", "x.a.example", 0},
    {"below one with subdomains", "x.b.example", 2},
    {"far below one with subdomains", "x.y.z.b.example", 2},
    {"an entry of its own below it", "own.b.example", 3},
    {"below that: the nearest that is for subdomains", "x.own.b.example", 2},
    {"a name that merely ends alike", "xb.example", 0},
    {"A-labels", "XN--bcher-kva.example", 4},
    {"U-labels", "b\u00FCcher.example", 4},
    {"below U-labels", "x.b\u00FCcher.example", 4},
    {"U-labels below U-labels", "\u03B2.b\u00FCcher.example", 4},
    {"an entry of its own in U-labels", "\u00E4.b\u00FCcher.example", 5},
    {"the same in mixed labels: no key", "xn--4ca.b\u00FCcher.example", 4},
    {"not composed: no key", "bu\u0308cher.example", 0},
    {"not composed: no key, but below one", "a\u0308.b\u00FCcher.example", 4},
    {"full width: no key, but below one", "\uFF4F\uFF57\uFF4E.b.example", 2},
    {"soft hyphen: no key, but below one", "o\u00ADwn.b.example", 2},
    {"another full stop is no dot", "x\u3002b.example", 0},
    {"no label of IDNA", "\u2603.b.example", 2},
    {"no label of IDNA, far below", "x.\u2603.\u2603.y.b.example", 2},
    {"not UTF-8", "\xC3.b.example", 2},
    {"control character", "\x01.b.example", 2},
    {"NUL", std::string("\0.b.example", 11), 2},
    {"underscore, hyphens", "_x.-y-.b.example", 2},
    {"empty labels", "..x..b.example", 2},
    {"label of 64", std::string(64, 'x') + ".b.example", 2},
    {"name of 254", repeated("x.", 122) + "b.example", 2},
    {"name of 4 kB", repeated("x.", 2000) + "b.example", 2},
    {"name of 4 kB of one label", std::string(4000, 'x') + ".b.example", 2},
    {"name of 9 kB of U-labels", repeated("\u2603.", 3000) + "b.example", 2},
    {"the longest key", kLongest, 6},
    {"the longest key in U-labels", kLongestInULabels, 6},
    {"below the longest key", "x." + kLongestInULabels, 6},
    {"address literal", "[192.0.2.1]", 0},
    {"address literal below", "[192.0.2.1].b.example", 2},
    {"the parent itself", "example", 0},
    {"empty", "", 0},
    {"dot", ".", 0},
    {"two dots", "..", 0},
    {"the gateway's key", "=", 0},
    {"below the gateway's key", "a.=", 0},
    {"the gateway's key with a dot", "=.", 0},
    {"control bytes", "\x01\xff", 0},
};

TEST_CASE("a domain has its policy or that of its nearest willing parent", "[policy]") {
  const TemporaryDirectory dir;
  write_policy(
      dir / "policy.cdb", 5,
      {domain("a.example", false, 1), domain("b.example", true, 2),
       domain("own.b.example", false, 3), domain("xn--bcher-kva.example", true, 4),
       domain("xn--4ca.xn--bcher-kva.example", false, 5), domain(kLongest, true, 6)});
  REQUIRE(kLongest.size() > 200);
  const PolicyDb db(dir / "policy.cdb");
  CHECK(db.gateway().generation == 5);
  for (const auto& c : kFinds) {
    DYNAMIC_SECTION(c.name) {
      const auto own = db.find_own(c.domain);
      REQUIRE(own.has_value() == (c.content_class != 0));
      if (own) CHECK(own->content_class == c.content_class);
      const auto any = db.find(c.domain);
      CHECK(any.content_class == c.content_class);
      CHECK((any.greylist.when == GreylistWhen::never) == (c.content_class == 0));
    }
  }
  CHECK_FALSE(db.find_own(std::string(254, 'a')));
  CHECK_FALSE(db.find_own(std::string(100'000, '\xC3')));
  CHECK_FALSE(db.find_own(std::string(100'000, '.')));
}

TEST_CASE("the empty policy knows no domain", "[policy]") {
  const PolicyDb db;
  CHECK_FALSE(db.find_own("a.example"));
  CHECK(db.find("a.example") == DomainPolicy{});
  CHECK(db.gateway() == GatewayPolicy{});
}

TEST_CASE("a policy file without its special keys is refused", "[policy]") {
  const TemporaryDirectory dir;
  CHECK_THROWS_AS(PolicyDb(dir / "missing.cdb"), Fault);
  write_file(dir / "empty.cdb", "");
  CHECK_THROWS_AS(PolicyDb(dir / "empty.cdb"), Fault);
  REQUIRE(::mkfifo((dir / "pipe.cdb").c_str(), 0600) == 0);
  CHECK_THROWS_AS(PolicyDb(dir / "pipe.cdb"), Fault);
  write_file(dir / "text.cdb", std::string(5000, '\xff'));
  CHECK_THROWS_AS(PolicyDb(dir / "text.cdb"), Fault);
  const auto with = [&](const char* name, std::vector<std::string> keys) {
    ConstDbWriter writer(dir / name);
    for (const auto& key : keys) {
      writer.add(key, key == "=" ? encode(GatewayPolicy{}) : encode(DomainPolicy{}));
    }
    writer.commit();
    return dir / name;
  };
  CHECK_THROWS_AS(PolicyDb(with("no-gateway.cdb", {"."})), Fault);
  CHECK_THROWS_AS(PolicyDb(with("no-foreign.cdb", {"="})), Fault);
  CHECK_NOTHROW(PolicyDb(with("both.cdb", {"=", "."})));
}

TEST_CASE("a damaged entry is a fault, not another policy", "[policy]") {
  const TemporaryDirectory dir;
  {
    ConstDbWriter writer(dir / "policy.cdb");
    writer.add("=", encode(GatewayPolicy{}));
    writer.add(".", encode(DomainPolicy{}));
    writer.add("bad.example", "rubbish");
    writer.add("other.example", encode(domain("bad.example", false, 1)));
    writer.commit();
  }
  const PolicyDb db(dir / "policy.cdb");
  CHECK_THROWS_AS(db.find("bad.example"), Fault);
  CHECK_THROWS_AS(db.find("x.bad.example"), Fault);
  CHECK_THROWS_AS(db.find("other.example"), Fault);
  CHECK_NOTHROW(db.find("good.example"));
}

std::vector<DomainPolicy> many_domains() {
  std::vector<DomainPolicy> domains;
  for (int i = 0; i < 50; ++i) {
    domains.push_back(domain("d" + std::to_string(i) + ".example", false, 1));
  }
  return domains;
}

TEST_CASE("a truncated policy is a fault before it is opened and after", "[policy]") {
  const TemporaryDirectory dir;
  const auto domains = many_domains();
  const auto file = dir / "policy.cdb";
  write_policy(file, 1, domains);
  const auto whole = *read_file(file);
  for (std::size_t n = 0; n < whole.size(); n += 61) {
    write_file(file, whole);
    const PolicyDb open(file);
    fs::resize_file(file, n);
    CHECK_THROWS_AS(PolicyDb(file), Fault);
    // In force while it is truncated: what lies in front of the end may still be found.
    for (const auto& one : domains) {
      std::optional<DomainPolicy> found;
      try {
        found = open.find(one.name);
      } catch (const Fault&) {
      }
      if (found) CHECK(found == one);
    }
    if (n < 2048) CHECK_THROWS_AS(open.find(domains[0].name), Fault);
  }
}

TEST_CASE("a changed bit is a fault, or the domain is not found", "[policy]") {
  const TemporaryDirectory dir;
  const auto domains = many_domains();
  const auto file = dir / "policy.cdb";
  write_policy(file, 1, domains);
  const auto whole = *read_file(file);
  for (std::size_t bit = 0; bit < whole.size() * 8; bit += 61) {
    auto changed = whole;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    write_file(file, changed);
    try {
      const PolicyDb db(file);
      for (const auto& one : domains) {
        try {
          db.find(one.name);
        } catch (const Fault&) {
        }
      }
      const ConstDb raw(file);
      ConstDbScan scan(raw);
      while (scan.next()) {
      }
      scan.prove();
    } catch (const Fault&) {
    }
  }
}

TEST_CASE("an abandoned database leaves nothing behind", "[policy]") {
  const TemporaryDirectory dir;
  {
    ConstDbWriter writer(dir / "a.cdb");
    writer.add("key", "value");
  }
  CHECK(fs::is_empty(dir.path()));
  CHECK_THROWS_AS(ConstDbWriter(dir / "missing/a.cdb"), Fault);
}

TEST_CASE("the first value of a key is found, an empty one too", "[policy]") {
  const TemporaryDirectory dir;
  ConstDbWriter writer(dir / "a.cdb");
  writer.add("key", "first");
  writer.add("key", "second");
  writer.add("empty", "");
  writer.commit();
  const ConstDb db(dir / "a.cdb");
  CHECK(db.find("key") == "first");
  CHECK(db.find("empty") == "");
  CHECK_FALSE(db.find("ke"));
  CHECK_FALSE(db.find(""));
}

TEST_CASE("a database is gone through in the order of adding", "[policy]") {
  const TemporaryDirectory dir;
  std::vector<std::pair<std::string, std::string>> want;
  {
    ConstDbWriter writer(dir / "a.cdb");
    for (int i = 0; i < 20'000; ++i) {
      want.emplace_back("key" + std::to_string(i), std::string(i % 300, 'v'));
      writer.add(want.back().first, want.back().second);
    }
    want.emplace_back("long", std::string(1'000'000, 'x'));
    writer.add("long", want.back().second);
    writer.commit();
  }
  const ConstDb db(dir / "a.cdb");
  ConstDbScan scan(db);
  for (const auto& [key, value] : want) {
    REQUIRE(scan.next());
    REQUIRE(scan.key() == key);
    REQUIRE(scan.value() == value);
    REQUIRE(db.find(key) == value);
  }
  CHECK_FALSE(scan.next());
  CHECK_NOTHROW(scan.prove());
}

// 256 pairs, all but one of no slots: of a database that has one entry, "k" -> "v".
std::string one_entry(std::uint32_t slots, std::uint32_t slot, std::uint32_t hash) {
  const auto number = [](std::uint32_t value) {
    std::string bytes;
    for (int i = 0; i < 4; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFF);
    return bytes;
  };
  const std::uint32_t key_hash = (5381 * 33) ^ 'k';
  std::string text;
  for (std::uint32_t i = 0; i < 256; ++i) {
    text += number(2048 + 10) + number(i == key_hash % 256 ? slots : 0);
  }
  text += number(1) + number(1) + "kv";
  for (std::uint32_t i = 0; i < slots; ++i) {
    text += number(i == slot ? hash : 0) + number(i == slot ? 2048 : 0);
  }
  return text;
}

TEST_CASE("an entry that is not found is not proved", "[policy]") {
  constexpr std::uint32_t kHash = (5381 * 33) ^ 'k';
  const TemporaryDirectory dir;
  const struct {
    const char* name;
    std::string text;
    bool good;
  } cases[] = {
      {"in its slot", one_entry(4, (kHash >> 8) % 4, kHash), true},
      {"in the slot behind", one_entry(4, ((kHash >> 8) + 1) % 4, kHash), false},
      {"another hash", one_entry(4, (kHash >> 8) % 4, kHash + 256), false},
      {"no slot has it", one_entry(4, 4, kHash), false},
      {"no empty slot", one_entry(1, 0, kHash), false},
  };
  for (const auto& c : cases) {
    DYNAMIC_SECTION(c.name) {
      write_file(dir / "a.cdb", c.text);
      const ConstDb db(dir / "a.cdb");
      ConstDbScan scan(db);
      REQUIRE(scan.next());
      CHECK(scan.key() == "k");
      CHECK_FALSE(scan.next());
      if (c.good) {
        CHECK(db.find("k") == "v");
        CHECK_NOTHROW(scan.prove());
      } else {
        CHECK_THROWS_AS(scan.prove(), Fault);
      }
    }
  }
}

// A state directory with generations 1 to n, `current` at none.
void make_generation(const TemporaryDirectory& state, int n) {
  const auto directory = state.path() / "generations" / std::to_string(n);
  fs::create_directories(directory);
  write_policy(directory / "policy.cdb", static_cast<std::uint64_t>(n),
               {domain("a.example", false, 1)});
}

void point_current(const TemporaryDirectory& state, int n) {
  replace_link(state / "current", "generations/" + std::to_string(n));
}

TEST_CASE("the live policy follows the link", "[policy]") {
  const TemporaryDirectory state;
  LivePolicy live(state.path());
  CHECK(live.get()->gateway().generation == 0);
  CHECK_FALSE(live.reload());

  make_generation(state, 1);
  point_current(state, 1);
  CHECK(live.reload());
  CHECK_FALSE(live.reload());
  const auto kept = live.get();
  CHECK(kept->gateway().generation == 1);

  make_generation(state, 2);
  point_current(state, 2);
  CHECK(live.get()->gateway().generation == 1);
  CHECK(live.reload());
  CHECK(live.get()->gateway().generation == 2);
  fs::remove_all(state.path() / "generations" / "1");
  CHECK(kept->find_own("a.example"));  // what a transaction holds stays readable
  CHECK(LivePolicy(state.path()).get()->gateway().generation == 2);
  CHECK(open_policy(state.path()).gateway().generation == 2);
}

TEST_CASE("a generation that cannot be read leaves the old one in force", "[policy]") {
  const TemporaryDirectory state;
  make_generation(state, 1);
  point_current(state, 1);
  LivePolicy live(state.path());

  point_current(state, 2);  // missing
  CHECK_THROWS_AS(live.reload(), Fault);
  CHECK(live.get()->gateway().generation == 1);

  fs::create_directories(state.path() / "generations" / "2");
  write_file(state.path() / "generations" / "2" / "policy.cdb", "rubbish");
  CHECK_THROWS_AS(live.reload(), Fault);
  CHECK(live.get()->gateway().generation == 1);

  fs::remove(state / "current");
  CHECK_THROWS_AS(live.reload(), Fault);
  CHECK(live.get()->gateway().generation == 1);

  make_generation(state, 2);
  point_current(state, 2);
  CHECK(live.reload());
  CHECK(live.get()->gateway().generation == 2);
}

TEST_CASE("without a policy that can be read each look-up is a fault", "[policy]") {
  struct Case {
    const char* name;
    bool has_link;
    bool has_file;
  };
  const Case cases[] = {
      {"its file is damaged", true, true},
      {"its file is missing", true, false},
      {"the link is missing", false, true},
  };
  for (const auto& c : cases) {
    DYNAMIC_SECTION(c.name) {
      const TemporaryDirectory state;
      fs::create_directories(state.path() / "generations" / "1");
      if (c.has_link) point_current(state, 1);
      if (c.has_file) {
        write_file(state.path() / "generations" / "1" / "policy.cdb", "rubbish");
      }
      LivePolicy live(state.path());
      const auto none = live.get();
      REQUIRE(none->fault());
      CHECK(none->gateway() == GatewayPolicy{});
      CHECK_THROWS_AS(none->find("a.example"), Fault);
      CHECK_THROWS_AS(none->find_own("a.example"), Fault);
      CHECK_THROWS_WITH(live.reload(), none->fault()->what());
      CHECK_THROWS_AS(open_policy(state.path()), Fault);

      make_generation(state, 1);
      point_current(state, 1);
      CHECK(live.reload());
      CHECK_FALSE(live.get()->fault());
      CHECK(live.get()->find_own("a.example"));
    }
  }
}

TEST_CASE("before the first apply there is the empty policy", "[policy]") {
  const TemporaryDirectory state;
  fs::create_directories(state.path() / "generations" / "1.partial");
  LivePolicy live(state.path());
  CHECK_FALSE(live.get()->fault());
  CHECK_FALSE(live.get()->find_own("a.example"));
  fs::create_directories(state.path() / "generations" / "1");
  CHECK_FALSE(live.reload());  // the link is yet to be made
  CHECK_FALSE(open_policy(TemporaryDirectory().path()).find_own("a.example"));
}

TEST_CASE("threads read while the policy is reloaded", "[policy]") {
  const TemporaryDirectory state;
  for (int n = 1; n <= 8; ++n) make_generation(state, n);
  point_current(state, 1);
  LivePolicy live(state.path());
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        const auto db = live.get();
        if (!db || db->find("a.example").content_class != 1) ++wrong;
      }
    });
  }
  for (int n = 2; n <= 8; ++n) {
    point_current(state, n);
    live.reload();
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  CHECK(wrong == 0);
  CHECK(live.get()->gateway().generation == 8);
}

}  // namespace
}  // namespace mxfeed
