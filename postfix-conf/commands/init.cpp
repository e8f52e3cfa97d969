// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/init.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "postfix-conf/init/first_config.h"
#include "postfix-conf/init/local_host.h"
#include "postfix-conf/init/other_uses.h"
#include "postfix-conf/postfix/attach/survey.h"
#include "postfix-conf/postfix/postfix.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;

// The default of [virus] database.
constexpr const char* kDatabase = "/var/lib/clamav";

// Whether freshclam(1) or somebody else has put signatures there.
bool has_signatures(const fs::path& directory) {
  constexpr std::string_view kKinds[] = {".cvd", ".cld", ".cud", ".hdb",
                                         ".hsb", ".ndb", ".ldb", ".mdb"};
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    const auto kind = at->path().extension().string();
    if (std::find(std::begin(kKinds), std::end(kKinds), kind) != std::end(kKinds)) {
      return true;
    }
  }
  return false;
}

HostFacts look_at_host(const InitOptions& options) {
  HostFacts host;
  host.name = ascii_lower(canonical_host_name());
  const auto all = interface_addresses();
  std::copy_if(all.begin(), all.end(), std::back_inserter(host.addresses),
               [](const IpAddress& address) { return address.is_public(); });
  host.database = kDatabase;
  host.has_signatures = has_signatures(kDatabase);
  try {
    const Survey found =
        survey(Postfix(options.postfix_config), PostfixUse(), options.state);
    const auto& settings = found.site.settings;
    host.has_cdb = settings.map_types.contains("cdb");
    host.listens_on_loopback_only = listens_on_loopback_only(settings);
    host.other_uses = other_uses(found.site, host.name, all);
    host.milters = milters_of(settings);
  } catch (const Fault& fault) {
    host.postfix_fault = fault.what();
  }
  return host;
}

void make_directory(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw Fault("make directory", path.string(), error.message());
}

// Whether there is a file of domains.
bool has_domains(const fs::path& directory) {
  std::error_code error;
  const fs::directory_iterator all(directory, error);
  return !error && std::any_of(begin(all), end(all), [](const auto& entry) {
    return entry.path().extension() == ".toml";
  });
}

void create(const fs::path& path, std::string_view content) {
  const bool is_new = create_file(path, content);
  fmt::print("{}: {}\n", is_new ? "written" : "left as it is",
             escape_line(path.string()));
}

}  // namespace

ExitCode init(const InitOptions& options) {
  const HostFacts host = look_at_host(options);
  const fs::path domains = options.config / "domains.d";
  make_directory(domains);
  create(options.config / "mxfeed.toml", first_gateway_file(host));
  if (!has_domains(domains)) create(domains / "example.toml", first_domain_file());
  fmt::print("{}", next_steps(host, options.config));
  return ExitCode::fine;
}

}  // namespace mxfeed
