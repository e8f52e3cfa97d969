// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/organisation.h"

#include <libpsl.h>

#include <memory>

namespace mxfeed {
namespace {

// A host name has at most 253 octets (RFC 1035, 2.3.4); U-labels may need more.
constexpr std::size_t kLongest = 1000;

struct FreeList {
  void operator()(psl_ctx_t* list) const { psl_free(list); }
};

const psl_ctx_t* list() {
  static const std::unique_ptr<psl_ctx_t, FreeList> latest(psl_latest(nullptr));
  return latest ? latest.get() : psl_builtin();
}

}  // namespace

std::string organisation_of(std::string_view name) {
  const std::string text(name);
  if (text.empty() || text.size() > kLongest || text.front() == '[' ||
      text.find('\0') != std::string::npos) {
    return text;
  }
  const char* const registrable = psl_registrable_domain(list(), text.c_str());
  return registrable == nullptr ? text : registrable;
}

}  // namespace mxfeed
