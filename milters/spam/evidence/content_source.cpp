// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <initializer_list>
#include <iterator>

#include "common/base/text.h"
#include "milters/spam/evidence/table.h"

namespace mxfeed::spam {
namespace {

// In bytes; the preview line of a newsletter has less.
constexpr std::size_t kManyHidden = 400;
constexpr std::size_t kShortText = 200;

std::string_view extension(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot == name.npos ? std::string_view{} : name.substr(dot + 1);
}

bool is_executable(std::string_view extension) {
  static constexpr std::string_view kNames[] = {
      "exe", "scr", "pif", "com", "bat", "cmd", "vbs", "vbe", "jse", "wsf", "wsh",
      "hta", "cpl", "msi", "jar", "lnk", "ps1", "reg", "chm", "iso", "img", "one"};
  return std::find(std::begin(kNames), std::end(kNames), extension) != std::end(kNames);
}

bool is_harmless(std::string_view extension) {
  static constexpr std::string_view kNames[] = {
      "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "txt",
      "rtf", "jpg", "jpeg", "png", "gif",  "bmp", "mp3",  "mp4",
      "avi", "mpg", "wav",  "htm", "html", "csv", "zip"};
  return std::find(std::begin(kNames), std::end(kNames), extension) != std::end(kNames);
}

void judge_structure(const Message& message, Findings& findings) {
  using mime::Anomaly;
  const auto has_any = [&](std::initializer_list<Anomaly> anomalies) {
    return std::any_of(anomalies.begin(), anomalies.end(),
                       [&](Anomaly anomaly) { return message.anomalies.has(anomaly); });
  };
  // A message of which only a part was read seems to lack parts.
  if (has_any({Anomaly::duplicate_field, Anomaly::missing_boundary,
               Anomaly::part_after_end, Anomaly::encoded_container,
               Anomaly::malformed_type}) ||
      (message.whole && message.anomalies.has(Anomaly::no_parts))) {
    findings.add(evidence("mime-broken"));
  }
  if (message.anomalies.exceeded() && message.whole) {
    findings.add(evidence("mime-excessive"));
  }
  if (has_any({Anomaly::bad_base64, Anomaly::unknown_encoding, Anomaly::boundary_prefix,
               Anomaly::header_without_end, Anomaly::odd_boundary})) {
    findings.add(evidence("mime-odd"));
  }
}

void judge_html(const Message& message, Findings& findings) {
  const bool has_plain = std::any_of(
      message.parts.begin(), message.parts.end(),
      [](const PartInfo& part) { return part.type == "text/plain" && part.bytes > 0; });
  if (!message.html_source.empty() && !has_plain) findings.add(evidence("html-only"));
  if (message.html.hidden > kManyHidden) findings.add(evidence("html-hidden-text"));
  if (message.html.refreshes) findings.add(evidence("html-refresh"));
  if (message.html.has_form) findings.add(evidence("html-form"));
  if (message.html.images > 0 && !message.html.links.empty() && !has_plain &&
      trim(message.html.visible).size() < kShortText) {
    findings.add(evidence("html-image-only"));
  }
}

bool is_page(std::string_view extension) {
  static constexpr std::string_view kNames[] = {"htm",   "html", "shtml",
                                                "xhtml", "svg",  "mht"};
  return std::find(std::begin(kNames), std::end(kNames), extension) != std::end(kNames);
}

void judge_attachments(const Message& message, Findings& findings) {
  for (const PartInfo& part : message.parts) {
    const bool is_attached = iequals(part.disposition, "attachment");
    for (const std::string& name : part.file_names) {
      const std::string lower = ascii_lower(trim(name));
      const std::string_view last = extension(lower);
      if (is_attached && is_page(last)) findings.add(evidence("attachment-page"));
      if (!is_executable(last)) continue;
      findings.add(evidence("attachment-executable"));
      const std::string_view stem =
          std::string_view(lower).substr(0, lower.size() - last.size() - 1);
      if (is_harmless(extension(trim(stem)))) {
        findings.add(evidence("attachment-double-extension"));
      }
    }
  }
}

}  // namespace

void ContentSource::judge(const Message& message, Findings& findings) const {
  judge_structure(message, findings);
  judge_html(message, findings);
  judge_attachments(message, findings);
}

}  // namespace mxfeed::spam
