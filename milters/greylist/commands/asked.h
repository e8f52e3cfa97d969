// SPDX-License-Identifier: GPL-2.0-or-later
//
// The message that a command is asked about, as the daemon would see it.

#pragma once

#include "common/command/command.h"
#include "common/mail/envelope.h"
#include "common/net/spf.h"
#include "common/policy/domain_policy.h"
#include "milters/greylist/identity.h"
#include "milters/greylist/key.h"

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

// Checks SPF if the daemon does, and takes as long.
Asked asked_of(const Question& question, const GatewayPolicy::Greylist& gateway,
               const DomainPolicy& domain);

}  // namespace mxfeed::greylist
