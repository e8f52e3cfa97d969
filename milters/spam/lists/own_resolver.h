// SPDX-License-Identifier: GPL-2.0-or-later
//
// Operators of DNS lists do not answer, or answer wrongly, questions that come through
// public resolvers.  Pure.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/mail/address.h"

namespace mxfeed::spam {

// The first name server of a resolv.conf(5) that is a public resolver.
std::optional<IpAddress> public_resolver(std::string_view resolv_conf);

// Why no list is asked through the name servers of /etc/resolv.conf; empty if they may
// be.
std::string why_not_asked(std::string_view resolv_conf);

}  // namespace mxfeed::spam
