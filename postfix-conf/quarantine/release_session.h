// SPDX-License-Identifier: GPL-2.0-or-later
//
// Hands what is released to Postfix, by SMTP on the socket of the service mxfeed-release,
// which has no filters.

#pragma once

#include <filesystem>
#include <string>

#include "common/net/local_session.h"
#include "postfix-conf/quarantine/store.h"

namespace mxfeed::quarantine {

// How handing over a message ended.
struct Handover {
  enum class Outcome {
    taken,    // Postfix has it
    refused,  // Postfix does not have it
    unknown,  // the session was lost before Postfix has answered
  };
  Outcome outcome = Outcome::unknown;
  std::string queue_id;  // if it was taken and Postfix has said it
  std::string problem;   // if it was not taken
};

class ReleaseSession {
 public:
  // Connects, and waits until Postfix serves it.  It serves one client at a time: what
  // the client before has sent is in the queue by then, or never will be.  Throws Fault.
  explicit ReleaseSession(const std::filesystem::path& socket);

  // To the item's recipient and to its receipt.  After `unknown` nothing more can be
  // sent.  Throws Fault if the content cannot be read, before any of it is sent.
  Handover hand_over(const Item& item, const std::filesystem::path& content);

 private:
  smtp::LocalSession session_;
};

}  // namespace mxfeed::quarantine
