// SPDX-License-Identifier: GPL-2.0-or-later
//
// Collects the attachments of one message: the names of its parts and of the files in
// archives, and the kinds of all contents that the scan goes through.
//
// Asks nothing of the scan: names and contents come as they are met, in any order, any
// number of times.

#pragma once

#include <string_view>
#include <utility>

#include "milters/virus/protocol/attachment_list.h"
#include "milters/virus/scan/attachments/file_name.h"

namespace mxfeed::virus {

class AttachmentCollector {
 public:
  void name(std::string_view file_name, NameOf of);
  // Of a file that the scan has opened, and its name if that is known.
  void content(std::string_view content, std::string_view file_name);
  void kind(AttachmentKind kind) { list_.kinds.add(kind); }

  AttachmentList take() && { return std::move(list_); }

 private:
  AttachmentList list_;
};

}  // namespace mxfeed::virus
