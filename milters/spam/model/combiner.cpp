// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/combiner.h"

#include <algorithm>
#include <iterator>

#include "common/policy/tagged_value.h"

namespace mxfeed::spam {
namespace {

// False for "not a number" too.
bool is_within(const Bounds& bounds, double value) {
  return value >= bounds.least && value <= bounds.most;
}

void put(std::string& out, std::string_view name, double value) {
  put_varint(out, name.size());
  out += name;
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (unsigned shift = 0; shift < 64; shift += 8) {
    out += static_cast<char>(bits >> shift & 0xFF);
  }
}

std::optional<double> take_double(std::string_view& in) {
  if (in.size() < 8) return std::nullopt;
  std::uint64_t bits = 0;
  for (unsigned i = 0; i < 8; ++i) {
    bits |= std::uint64_t{static_cast<unsigned char>(in[i])} << 8 * i;
  }
  in.remove_prefix(8);
  return std::bit_cast<double>(bits);
}

}  // namespace

double Combiner::part(Group group, double sum) const {
  const Cap cap = cap_of(group);
  return std::clamp(weights[group] * sum, cap.least, cap.most);
}

double Combiner::operator()(const GroupValues& sums) const {
  double logit = bias;
  for (const Group group : kGroups) logit += part(group, sums[group]);
  return logit;
}

std::string Combiner::bytes() const {
  std::string out;
  put(out, "", bias);
  for (const Group group : kGroups) put(out, to_string(group), weights[group]);
  return out;
}

std::optional<Combiner> Combiner::from_bytes(std::string_view bytes) {
  Combiner combiner;
  while (!bytes.empty()) {
    const auto name = take_bytes(bytes);
    const auto value = name ? take_double(bytes) : std::nullopt;
    if (!value || !is_within(name->empty() ? kBiasBounds : kWeightBounds, *value)) {
      return std::nullopt;
    }
    const auto* const group =
        std::find_if(std::begin(kGroups), std::end(kGroups),
                     [&](Group one) { return to_string(one) == *name; });
    if (name->empty()) {
      combiner.bias = *value;
    } else if (group != std::end(kGroups)) {
      combiner.weights[*group] = *value;
    }
  }
  return combiner;
}

}  // namespace mxfeed::spam
