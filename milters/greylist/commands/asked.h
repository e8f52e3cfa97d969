// SPDX-License-Identifier: GPL-2.0-or-later
//
// The message that a command is asked about, as the daemon would see it.

#pragma once

#include <optional>

#include "common/command/command.h"
#include "common/mail/envelope.h"
#include "common/net/spf.h"
#include "common/policy/domain_policy.h"
#include "milters/greylist/identity.h"
#include "milters/greylist/key.h"
#include "milters/greylist/lists.h"

namespace mxfeed::greylist {

struct Question {
  Envelope envelope;
  Recipient recipient;
};

// From the operands IP FROM TO and the options --name and --helo.  Throws CommandError.
Question question_of(const Arguments& arguments);

struct Asked {
  spf::Verdict spf;
  Identities who;
  Keys keys;
  Terms terms;
};

// What the daemon would find out about the message.  Checks SPF once if the daemon does,
// and takes as long.
class Asking {
 public:
  // Both must outlive it.
  Asking(const Question& question, const GatewayPolicy::Greylist& gateway)
      : question_(question), gateway_(gateway) {}

  Listed listed(const DomainPolicy& domain);
  // The zone of a block list that has the client, if the domain asks for it.
  std::string block_list(const DomainPolicy& domain) const;
  Asked asked(const DomainPolicy& domain);

 private:
  const spf::Verdict& spf();

  const Question& question_;
  const GatewayPolicy::Greylist& gateway_;
  std::optional<spf::Verdict> spf_;
};

}  // namespace mxfeed::greylist
