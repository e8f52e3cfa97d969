// SPDX-License-Identifier: GPL-2.0-or-later
//
// Who sends to whom, according to SMTP (RFC 5321, 3.3), not to the header.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/text.h"
#include "common/mail/address.h"

namespace mxfeed {

struct Client {
  // From the socket address, not from a macro; nothing for mail that is not from the
  // network (sendmail(1), a unix socket).
  std::optional<IpAddress> address;
  std::string name;  // forward-confirmed reverse name; empty if there is none
};

struct Recipient {
  std::string local_part;  // as received, quoting removed; at most 320 bytes
  // What Postfix looks up: lower case, without a final dot, A-labels or U-labels as they
  // came; any bytes and of any length, since not every address that Postfix takes has a
  // Domain.  Empty only if the address has none.
  std::string domain;
  // Whether Postfix may route it by a transport of ours.  It does if it does not say
  // otherwise.
  bool may_be_hosted = true;
  // As the client wrote it, without angle brackets: what Postfix knows it by.
  std::string as_received{};

  // Takes any address, with or without angle brackets; never fails.
  static Recipient parse(std::string_view address);

  // "postmaster" or "abuse" (RFC 5321, 4.5.1; RFC 2142: complaints must get through);
  // empty for all others.
  std::string_view role() const {
    for (const std::string_view name : {"postmaster", "abuse"}) {
      if (iequals(local_part, name)) return name;
    }
    return {};
  }
};

struct Envelope {
  Client client;
  std::string helo;
  bool authenticated = false;         // the client, by SASL
  bool smtputf8 = false;              // announced with MAIL FROM (RFC 6531)
  std::uint64_t declared_size = 0;    // with MAIL FROM, in octets (RFC 1870); 0: not
  std::string sender;                 // local@domain; empty for the null sender <>
  std::vector<Recipient> recipients;  // those that we accepted so far
  std::string
      queue_id;    // empty until Postfix has one: after the first accepted recipient
  std::string id;  // ours, for the log: unique for the process
};

}  // namespace mxfeed
