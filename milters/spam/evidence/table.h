// SPDX-License-Identifier: GPL-2.0-or-later
//
// All kinds of evidence and their weights; mxfeed-spam(8) has the same table.
//
// Weights started at about half the points that such rules have in filters where 5 or 6
// points are spam, and were adjusted to current corpora of spam and ham.  Except for
// proof, no piece of evidence and no group reaches a level alone (evidence_test.cpp).

#pragma once

#include <string_view>

#include "milters/spam/evidence/evidence.h"

namespace mxfeed::spam {

// clang-format off
inline constexpr Evidence kEvidence[] = {
    {"date-missing",                Group::incomplete, 0.75},
    {"message-id-missing",          Group::incomplete, 0.75},
    {"to-missing",                  Group::incomplete, 0.50},
    {"from-missing",                Group::incomplete, 0.75},
    {"subject-missing",             Group::incomplete, 0.25},
    {"date-invalid",                Group::irregular,  1.25},
    {"date-future",                 Group::irregular,  1.50},
    {"message-id-invalid",          Group::irregular,  1.25},
    {"from-invalid",                Group::irregular,  1.00},
    {"from-8bit",                   Group::irregular,  0.50},
    {"from-utf8",                   Group::irregular,  0.25},
    {"subject-8bit",                Group::irregular,  0.50},
    {"subject-utf8",                Group::irregular,  0.25},
    {"field-twice",                 Group::irregular,  1.50},
    {"to-undisclosed",              Group::irregular,  1.00},
    {"from-several",                Group::author,     1.50},
    {"from-shows-other-address",    Group::author,     1.00},
    {"reply-to-recipient",          Group::author,     0.75},
    {"protected-name",              Group::impersonation, 4.50, false, Alone::med},
    {"reply-to-other-freemail",     Group::author,     0.75},
    {"subject-empty",               Group::subject,    0.25},
    {"subject-capitals",            Group::subject,    0.75},
    {"subject-exclaims",            Group::subject,    0.50},
    {"subject-money",               Group::subject,    0.50},
    {"subject-url",                 Group::subject,    0.75},
    {"subject-fake-reply",          Group::subject,    0.25},
    {"subject-encoded-ascii",       Group::subject,    0.50},
    {"priority-high",               Group::subject,    0.75},
    {"mime-broken",                 Group::structure,  1.00},
    {"mime-odd",                    Group::structure,  0.50},
    {"mime-excessive",              Group::structure,  1.50},
    {"html-only",                   Group::html,       0.90},
    {"html-hidden-text",            Group::html,       0.75},
    {"html-refresh",                Group::html,       1.50},
    {"html-form",                   Group::html,       0.25},
    {"html-image-only",             Group::html,       1.00},
    {"attachment-executable",       Group::attachment, 1.50},
    {"attachment-double-extension", Group::attachment, 1.50},
    {"attachment-page",             Group::attachment, 0.75},
    {"url-address",                 Group::url,        1.25},
    {"url-misleads",                Group::url,        0.50},
    {"url-only",                    Group::url,        0.75},
    {"url-user",                    Group::url,        1.25},
    {"url-invisible",               Group::url,        1.50},
    {"url-mixed-script",            Group::url,        1.25},
    {"text-advance-fee",            Group::text,       1.25},
    {"text-extortion",              Group::text,       1.50},
    {"text-parts-differ",           Group::text,       0.50},
    {"client-without-name",         Group::client,     0.50},
    {"client-dynamic",              Group::client,     1.00},
    {"helo-address",                Group::client,     1.00},
    {"helo-ours",                   Group::client,     1.50},
    {"helo-no-domain",              Group::client,     0.50},
    {"backup-while-main-answers",   Group::route,      0.75},
    {"list-mail",                   Group::list,      -0.50},
    {"spf-fail",                    Group::authentication, 0.75},
    {"dkim-fail",                   Group::authentication, 0.25},
    {"dmarc-fail",                  Group::authentication, 0.50},
    {"dmarc-fail-quarantine",       Group::authentication, 1.00},
    {"dmarc-fail-reject",           Group::authentication, 1.50},
    {"dmarc-pass",                  Group::authentication, -0.50},
    {"unauthenticated",             Group::authentication, 0.50},
    // The weights of these are those of the lists.
    {"client-listed",               Group::client_lists, 1.50},
    {"client-allowed",              Group::client_lists, -1.50},
    {"url-listed",                  Group::domain_lists, 3.00},
    {"url-allowed",                 Group::domain_lists, -1.50},
    {"sender-listed",               Group::domain_lists, 3.00},
    {"sender-allowed",              Group::domain_lists, -1.50},
    {"allowed-here",                Group::rule,      -60.00},
    {"blocked-here",                Group::rule,       20.00, true},
    {"engine",                      Group::engine,    0.0},
    {"gtube",                       Group::test,      20.00, true},
};
// clang-format on

// The row of the table; an unknown slug does not compile.
consteval Evidence evidence(std::string_view slug) {
  for (const Evidence& row : kEvidence) {
    if (row.slug == slug) return row;
  }
  throw "no such evidence";
}

}  // namespace mxfeed::spam
