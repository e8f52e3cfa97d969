// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/common_options.h"

#include <fmt/format.h>

#include <system_error>

#include "common/base/text.h"

namespace mxfeed {

std::filesystem::path postfix_config_of(const Arguments& arguments) {
  return absolute_path(arguments.text("--postfix-config").value_or("/etc/postfix"));
}

std::filesystem::path configuration_of(const Arguments& arguments) {
  const auto directory = absolute_path(arguments.config().string());
  std::error_code error;
  if (!std::filesystem::exists(directory, error) && !error) {
    throw CommandError(ExitCode::no_configuration,
                       fmt::format("danger: {}: {}; --config DIR selects another one",
                                   describe(ExitCode::no_configuration),
                                   escape_untrusted(directory.string())));
  }
  return arguments.config();
}

}  // namespace mxfeed
