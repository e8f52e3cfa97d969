// SPDX-License-Identifier: GPL-2.0-or-later
//
// Recognises a mail, or a part of one with its header, at its beginning.

#pragma once

#include <string_view>

namespace mxfeed::virus {

// The first line is a header field, or empty as before a body without a header.
bool is_mail_like(std::string_view content);

}  // namespace mxfeed::virus
