#include "bounce/report/notice.h"

#include <algorithm>
#include <array>

#include "bounce/report/echo.h"
#include "bounce/report/mime_codec.h"
#include "bounce/report/notice_words.h"
#include "bounce/report/text.h"

namespace bounce::report {
namespace {

constexpr size_t kTextOctets = 64 << 10;
constexpr size_t kOriginalOctets = 64 << 10;

bool is_returned_type(std::string_view type) {
  return type == "message/rfc822" || type == "text/rfc822-headers" || type == "text/rfc822-header" ||
         type == "text/rfc822" || type == "message/rfc822-headers" || type == "message/partial" ||
         type == "message/global" || type == "message/global-headers";
}

// Fields that the header of a message has and that a notice does not list.
bool is_header_line(std::string_view line, bool* certain) {
  constexpr std::array<std::string_view, 14> kCertain = {"received:",         "return-path:",
                                                         "message-id:",       "mime-version:",
                                                         "x-mailer:",         "content-type:",
                                                         "delivered-to:",     "dkim-signature:",
                                                         "x-originating-ip:", "domainkey-signature:",
                                                         "in-reply-to:",      "references:",
                                                         "x-received:",       "content-transfer-encoding:"};
  constexpr std::array<std::string_view, 9> kUsual = {
      "from:", "to:", "cc:", "subject:", "date:", "reply-to:", "sender:", "x-priority:", "importance:"};
  const auto begins = [&](std::string_view name) { return starts_with_folded(line, name); };
  *certain = std::any_of(kCertain.begin(), kCertain.end(), begins);
  return *certain || std::any_of(kUsual.begin(), kUsual.end(), begins);
}

std::string_view without_quote(std::string_view line) {
  while (!line.empty() && (line.front() == '>' || line.front() == '|')) line.remove_prefix(1);
  if (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  return line;
}

// True when a header of a message begins at `at`: two fields one after the other of which one is certain.
bool header_begins(std::string_view text, size_t at) {
  LineReader lines(text.substr(at, 4096));
  std::string_view line;
  size_t fields = 0;
  size_t certain_fields = 0;
  for (size_t i = 0; i < 12 && lines.next(&line); ++i) {
    line = without_quote(line);
    if (line.empty()) break;
    bool certain = false;
    if (is_header_line(line, &certain)) {
      ++fields;
      certain_fields += certain ? 1 : 0;
    } else if (line.front() != ' ' && line.front() != '\t' && line.substr(0, 40).find(':') == kNowhere) {
      if (i == 0 && line.starts_with("From ")) continue;
      break;
    }
  }
  return certain_fields >= 2 || (certain_fields == 1 && fields >= 2) || fields >= 4;
}

bool looks_like_heading(std::string_view line) {
  line = trimmed(line);
  const char first = line.front();
  const char last = line.back();
  return first == '-' || first == '=' || first == '*' || first == '_' || first == '#' || first == '+' ||
         first == '<' || first == '[' || first == '|' || last == ':' || last == '-' || last == '=' ||
         line.ends_with("...") || line.ends_with("\xef\xbc\x9a");
}

void append_text(std::string* to, std::string_view text) {
  if (!to->empty()) *to += '\n';
  to->append(text);
}

// An alternative in HTML says the same again.
bool repeats_plain(const Mail& mail, size_t index, bool has_text) {
  if (!has_text || !mail.parts[index].is("text/html")) return false;
  for (size_t i = index; i-- > 0;) {
    if (mail.parts[i].depth < mail.parts[index].depth) return mail.parts[i].is("multipart/alternative");
  }
  return false;
}

}  // namespace

size_t find_original(std::string_view text, size_t* header) {
  LineReader lines(text);
  std::string_view line;
  size_t begin = 0;
  size_t marked = kNowhere;  // a sentence that speaks of it, and nothing but blanks since
  while (begin = lines.at(), lines.next(&line)) {
    const std::string_view bare = trimmed(line);
    if (bare.empty()) continue;
    const std::string_view unquoted = without_quote(line);
    bool certain = false;
    if ((is_header_line(unquoted, &certain) || unquoted.starts_with("From ")) && begin > 0 &&
        header_begins(text, begin) && (certain || marked != kNowhere || !is_blank(line.front()))) {
      const bool list = !certain && marked == kNowhere;
      size_t ignored = 0;
      if (!list) {
        *header = begin;
        return marked == kNowhere ? begin : marked;
      }
      static_cast<void>(ignored);
    }
    if (is_original_mark(bare)) {
      if (looks_like_heading(bare) && begin > 0) {
        *header = lines.at();
        return begin;
      }
      marked = begin;
      continue;
    }
    const bool rule = bare.find_first_not_of("-=_*+# ") == kNowhere;
    if (!rule) marked = kNowhere;
  }
  *header = text.size();
  return text.size();
}

Notice read_notice(const Mail& mail) {
  Notice notice;
  size_t texts = 0;
  for (size_t i = 0; i < mail.parts.size(); ++i) {
    const Part& part = mail.parts[i];
    if (part.is_multipart() && !part.cut) continue;
    const bool status =
        part.type == "message/delivery-status" || part.type == "message/global-delivery-status";
    const bool feedback = part.type == "message/feedback-report";
    notice.has_status = notice.has_status || status;
    notice.has_feedback = notice.has_feedback || feedback;
    if (status || feedback) continue;
    if (is_returned_type(part.type)) {
      if (notice.has_original) continue;
      std::string store;
      notice.original = std::string(part_content(part, kOriginalOctets, &store));
      notice.has_original = true;
      continue;
    }
    const bool readable = part.type.starts_with("text/") || part.type.starts_with("multipart/") ||
                          part.type == "message/plain" || part.type == "plain/text";
    // What a program or a person encloses is no word of theirs; the first part is, however it is called.
    const bool enclosed = texts > 0 && mail.parts.front().report_type.empty() &&
                          starts_with_folded(part.field("content-disposition"), "attachment");
    if (!readable || enclosed || notice.has_original || texts >= 4 || notice.text.size() >= kTextOctets)
      continue;
    if (repeats_plain(mail, i, !trimmed(notice.text).empty())) continue;
    append_text(&notice.text, part_text(part, kTextOctets));
    ++texts;
  }
  size_t header = 0;
  const size_t end = notice.has_original ? notice.text.size() : find_original(notice.text, &header);
  if (end < notice.text.size()) {
    notice.original = notice.text.substr(header, kOriginalOctets);
    notice.has_original = true;
    notice.text.resize(end);
  }
  if (notice.has_original) notice.text = without_echo(notice.text, notice.original);
  return notice;
}

}  // namespace bounce::report
