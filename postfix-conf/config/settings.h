// SPDX-License-Identifier: GPL-2.0-or-later
//
// The keys of [[domain]] and [defaults], read and listed.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "postfix-conf/config/config.h"
#include "postfix-conf/config/section.h"

namespace mxfeed {

// [defaults] lacks what belongs to one domain only.
enum class SettingsOf { domain, defaults };

// Replaces the settings that the section has; the others stay.  Does not finish the
// section.
void read_settings(Section& section, SettingsOf kind, DomainSettings& settings);

// A setting as `mxfeed show` lists it.
struct ShownSetting {
  std::string_view key;
  std::string value;
  Place place;
};

std::vector<ShownSetting> list_settings(const DomainSettings& settings,
                                        const GatewayConfig& gateway);

}  // namespace mxfeed
