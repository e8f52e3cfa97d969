// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/attachments/collector.h"

#include "milters/virus/scan/attachments/content.h"
#include "milters/virus/scan/attachments/page_search.h"

namespace mxfeed::virus {

void AttachmentCollector::name(std::string_view file_name, NameOf of) {
  const NameLook look = look_at_name(file_name, of);
  list_.kinds.add(look.kinds);
  for (const std::string& suffix : look.suffixes) list_.add_suffix(suffix);
}

void AttachmentCollector::content(std::string_view content, std::string_view file_name) {
  list_.kinds.add(kinds_of_content(content));
  const bool is_page = (begins_as_markup(content) && !begins_as_other_xml(content)) ||
                       (!file_name.empty() && is_page_name(file_name));
  if (!is_page || !may_build_file(content)) return;
  PageSearch search;
  search.add(content);
  if (search.builds_file()) kind(AttachmentKind::html_smuggling);
}

}  // namespace mxfeed::virus
