// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads and lists the settings of all tables (settings/).

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/json.h"
#include "postfix-conf/config/config.h"
#include "postfix-conf/config/section.h"
#include "postfix-conf/config/setting.h"

namespace mxfeed {

// Replaces the settings that the section contains; the others stay.  Notes unknown keys.
void read_settings(Section& section, SettingsOf kind, DomainSettings& settings);
// The table [customer].
CustomerConfig read_customer(Section& section);
// Reads the top level of mxfeed.toml, without [defaults].
void read_gateway_settings(Section& section, GatewayConfig& gateway);

// A setting of a domain as `mxfeed show` lists it.
struct ShownSetting {
  std::string key;
  SettingType type;
  Json value;
  Place place;

  // For people: "false", ["[192.0.2.7]:25"], "-" for none.
  std::string text() const;
};

std::vector<ShownSetting> list_settings(const DomainConfig& domain);

// The row of a setting, by its key with the tables that it is in: "greylist.delay".  It
// must be there.
const Setting<DomainSettings>& domain_setting(std::string_view key);

// What a list of recipients may contain: printable ASCII without blanks, quotes or an
// "@".
bool is_local_part(std::string_view text);

// What the name of a mailbox may be, lower case: it names a directory, too.
bool is_mailbox_user(std::string_view text);

// A key as described in mxfeed.toml(5).
struct SettingInfo {
  std::string table;  // "[domain.virus]"; empty for the top level of mxfeed.toml
  std::string key;
  SettingType type;
  std::string limits;   // "from 1h to 100d", or empty
  Json built_in;        // its default; null if none
  std::string example;  // a value, as TOML
  bool has_effect;
};

// Every key of the configuration except tables.
std::vector<SettingInfo> all_settings();

std::string_view to_string(SettingType type);

}  // namespace mxfeed
