// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/gate.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace mxfeed::virus {
namespace {

Envelope envelope_from(const char* address) {
  Envelope envelope;
  envelope.client.address = IpAddress::parse(address);
  envelope.sender = "a@sender.example";
  return envelope;
}

bool never() {
  return false;
}

const Envelope kStranger = envelope_from("198.51.100.7");

DomainPolicy of_class(std::uint32_t content_class) {
  DomainPolicy policy;
  policy.content_class = content_class;
  return policy;
}

// y or n for each class of the recipients, in order.
std::string admitted(Gate gate, const std::vector<std::uint32_t>& classes) {
  std::string all;
  for (const std::uint32_t content_class : classes) {
    const auto admission =
        gate.admit({"info", "acme.example"}, of_class(content_class), never);
    CHECK(admission != Admission::needs_smtputf8);
    all += admission == Admission::admitted ? 'y' : 'n';
  }
  return all;
}

struct Case {
  const char* name;
  std::vector<std::uint32_t> classes;
  std::string admitted;
};

const Case kCases[] = {
    {"one recipient", {7}, "y"},
    {"many of one class", {7, 7, 7}, "yyy"},
    {"another class", {7, 8}, "yn"},
    {"the first class again after a refusal", {7, 8, 7, 7}, "ynnn"},
    {"a third class after a refusal", {7, 8, 9}, "ynn"},
    {"only domains that are not ours", {0, 0}, "yy"},
    {"ours after one that is not", {0, 1, 0}, "ynn"},
    {"one that is not ours after ours", {1, 0, 1}, "ynn"},
};

TEST_CASE("the first recipient fixes the class and a refusal is sticky", "[virus]") {
  for (const Case& c : kCases) {
    DYNAMIC_SECTION(c.name) {
      CHECK(admitted({kStranger, {}}, c.classes) == c.admitted);
    }
  }
}

TEST_CASE("a recipient that comes again may join those of another class", "[virus]") {
  Gate gate(kStranger, {});
  const auto again = [] { return true; };
  const Recipient recipient{"info", "acme.example"};
  CHECK(gate.admit(recipient, of_class(1), never) == Admission::admitted);
  CHECK(gate.admit(recipient, of_class(2), again) == Admission::admitted);
  CHECK(gate.admit(recipient, of_class(1), never) == Admission::admitted);
  CHECK(gate.admit(recipient, of_class(3), never) == Admission::other_class);
  // No 250 follows a 452.
  CHECK(gate.admit(recipient, of_class(2), again) == Admission::other_class);
}

TEST_CASE("its company does not switch a filter off", "[virus]") {
  const Recipient recipient{"info", "acme.example"};
  const auto again = [] { return true; };
  DomainPolicy classified = of_class(2);
  classified.spam.enabled = true;
  DomainPolicy strict = of_class(3);
  strict.virus.encrypted = EncryptedAction::reject;
  DomainPolicy careful = of_class(4);
  careful.attachments.preset = AttachmentPreset::executables;
  for (const auto& other : {classified, strict, careful, of_class(0)}) {
    Gate gate(kStranger, {});
    CHECK(gate.admit(recipient, of_class(1), never) == Admission::admitted);
    CHECK(gate.admit(recipient, other, again) == Admission::other_class);
  }
}

TEST_CASE("what becomes of the same attachments may differ, if nobody gets them",
          "[virus]") {
  const Recipient recipient{"info", "acme.example"};
  const auto again = [] { return true; };
  const auto with = [](AttachmentAction action) {
    DomainPolicy policy = of_class(static_cast<std::uint32_t>(action) + 1);
    policy.attachments = {AttachmentPreset::strict, {".zip"}, action};
    return policy;
  };
  struct {
    AttachmentAction other;
    Admission admission;
  } const rows[] = {
      {AttachmentAction::quarantine, Admission::admitted},
      {AttachmentAction::discard, Admission::admitted},
      {AttachmentAction::header, Admission::other_class},
  };
  for (const auto& row : rows) {
    Gate gate(kStranger, {});
    CHECK(gate.admit(recipient, with(AttachmentAction::reject), never) ==
          Admission::admitted);
    CHECK(gate.admit(recipient, with(row.other), again) == row.admission);
  }
}

TEST_CASE("a domain takes no message above its max_size", "[virus]") {
  const auto limited = [](std::uint64_t max_size, std::uint32_t content_class) {
    DomainPolicy policy = of_class(content_class);
    policy.max_size = max_size;
    return policy;
  };
  const Recipient recipient{"info", "acme.example"};
  Envelope envelope = kStranger;
  envelope.declared_size = 1000;
  Gate gate(envelope, {});
  CHECK(gate.admit(recipient, limited(999, 1), never) == Admission::too_large);
  // It did not set the class.
  CHECK(gate.admit(recipient, limited(1000, 2), never) == Admission::admitted);
  CHECK(gate.max_size() == 1000);
  CHECK(Gate(envelope, {}).admit(recipient, limited(0, 1), never) == Admission::admitted);
  CHECK(Gate(envelope, {}).admit(recipient, limited(999, 0), never) ==
        Admission::admitted);
  CHECK(Gate(kStranger, {}).admit(recipient, limited(1, 1), never) ==
        Admission::admitted);
  // A trusted client may bring recipients with different limits: the least holds.
  envelope.authenticated = true;
  Gate trusted(envelope, {});
  CHECK(trusted.admit(recipient, limited(5000, 1), never) == Admission::admitted);
  CHECK(trusted.admit(recipient, limited(2000, 2), never) == Admission::admitted);
  CHECK(trusted.admit(recipient, limited(0, 3), never) == Admission::admitted);
  CHECK(trusted.max_size() == 2000);
}

TEST_CASE("recipients of a trusted client are not kept apart", "[virus]") {
  GatewayPolicy gateway;
  gateway.trusted_networks = {*Network::parse("192.0.2.0/24")};
  Envelope authenticated = kStranger;
  authenticated.authenticated = true;
  const std::vector<std::uint32_t> classes = {7, 8, 0, 7};
  CHECK(admitted({kStranger, gateway}, classes) == "ynnn");
  CHECK(admitted({authenticated, gateway}, classes) == "yyyy");
  CHECK(admitted({envelope_from("192.0.2.9"), gateway}, classes) == "yyyy");
  CHECK(admitted({Envelope{}, gateway}, classes) == "yyyy");
}

TEST_CASE("addresses that need SMTPUTF8 are refused where it is not supported",
          "[virus]") {
  struct {
    const char* name;
    bool announced;
    bool supported;
    const char* sender;
    Recipient recipient;
    std::uint32_t content_class;
    Admission admission;
  } const rows[] = {
      {"sender",
       true,
       false,
       "ä@sender.example",
       {"a", "a.example"},
       1,
       Admission::needs_smtputf8},
      {"sender's domain",
       true,
       false,
       "a@bücher.example",
       {"a", "a.example"},
       1,
       Admission::needs_smtputf8},
      {"recipient",
       true,
       false,
       "a@b.example",
       {"ä", "a.example"},
       1,
       Admission::needs_smtputf8},
      {"recipient's domain",
       true,
       false,
       "",
       {"a", "bücher.example"},
       1,
       Admission::needs_smtputf8},
      {"announced only",
       true,
       false,
       "a@b.example",
       {"a", "a.example"},
       1,
       Admission::admitted},
      {"not announced",
       false,
       false,
       "ä@b.example",
       {"ä", "a.example"},
       1,
       Admission::admitted},
      {"supported",
       true,
       true,
       "ä@b.example",
       {"ä", "a.example"},
       1,
       Admission::admitted},
      {"other mail",
       true,
       false,
       "ä@b.example",
       {"ä", "a.example"},
       0,
       Admission::admitted},
  };
  for (const auto& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Envelope envelope = kStranger;
      envelope.sender = row.sender;
      envelope.smtputf8 = row.announced;
      GatewayPolicy gateway;
      gateway.smtputf8 = row.supported;
      Gate gate(envelope, gateway);
      CHECK(gate.admit(row.recipient, of_class(row.content_class), never) ==
            row.admission);
      // A refused one does not set the class.
      CHECK(gate.admit({"b", "b.example"}, of_class(0), never) ==
            (row.admission == Admission::admitted && row.content_class != 0
                 ? Admission::other_class
                 : Admission::admitted));
    }
  }
}

TEST_CASE("a header that needs SMTPUTF8 is refused if no recipient takes it", "[virus]") {
  struct {
    const char* name;
    bool announced;
    bool supported;
    const char* subject;
    std::vector<std::uint32_t> classes;
    bool refused;
  } const rows[] = {
      {"UTF-8", true, false, " Grüße", {1}, true},
      {"ASCII", true, false, " =?utf-8?q?Gr=C3=BC=C3=9Fe?=", {1}, false},
      {"not announced", false, false, " Grüße", {1}, false},
      {"supported", true, true, " Grüße", {1}, false},
      {"trusted, to another domain too", true, false, " Grüße", {1, 0}, false},
      {"trusted, two of ours", true, false, " Grüße", {1, 2}, true},
  };
  for (const auto& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Envelope envelope = kStranger;
      envelope.smtputf8 = row.announced;
      envelope.authenticated = row.classes.size() > 1;
      GatewayPolicy gateway;
      gateway.smtputf8 = row.supported;
      Gate gate(envelope, gateway);
      for (const auto content_class : row.classes) {
        CHECK(gate.admit({"a", "a.example"}, of_class(content_class), never) ==
              Admission::admitted);
      }
      gate.see_header("From", " a@sender.example");
      CHECK_FALSE(gate.header_needs_smtputf8());
      gate.see_header("Subject", row.subject);
      gate.see_header("To", " a@a.example");
      CHECK(gate.header_needs_smtputf8() == row.refused);
    }
  }
}

}  // namespace
}  // namespace mxfeed::virus
