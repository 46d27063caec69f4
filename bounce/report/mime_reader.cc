#include "bounce/report/mime_reader.h"

#include <algorithm>
#include <iterator>

#include "bounce/report/html_text.h"
#include "bounce/report/mime_codec.h"
#include "bounce/report/text.h"

namespace bounce::report {
namespace {

bool is_name_character(char c) { return c > 32 && c < 127 && c != ':'; }

// The length of the name when `line` begins a field, else 0. Blanks before the colon are let be.
size_t field_name_length(std::string_view line) {
  size_t at = 0;
  while (at < line.size() && is_name_character(line[at])) ++at;
  size_t colon = at;
  while (colon < line.size() && (line[colon] == ' ' || line[colon] == '\t')) ++colon;
  return colon < line.size() && line[colon] == ':' ? at : 0;
}

// A parameter of the type on a line of its own whose fold was lost.
bool is_lost_parameter(std::string_view line, const std::vector<Field>& fields) {
  if (fields.empty() || !equal_ignoring_case(fields.back().name, "content-type")) return false;
  constexpr std::string_view kParameters[] = {"boundary=", "charset=", "report-type=", "name="};
  return std::any_of(std::begin(kParameters), std::end(kParameters),
                     [&](std::string_view name) { return starts_with_folded(line, name); });
}

// Reads the fields of a header at the front of `octets`; gives the place where the body begins.
size_t read_fields(std::string_view octets, const ReadLimits& limits, std::vector<Field>* fields,
                   bool* bounded) {
  LineReader lines(octets);
  std::string_view line;
  size_t begin = 0;
  bool may_extend = false;
  while (begin = lines.at(), lines.next(&line)) {
    if (line.empty()) {
      if (fields->empty()) continue;  // blank lines before the header
      return lines.at();
    }
    const bool folded = line.front() == ' ' || line.front() == '\t';
    if (folded && !fields->empty()) {
      if (trimmed(line).empty()) continue;
      if (may_extend) {
        Field& last = fields->back();
        last.value = {last.value.data(), static_cast<size_t>(line.data() + line.size() - last.value.data())};
      }
      continue;
    }
    const size_t name = field_name_length(line);
    if (name == 0 && may_extend && is_lost_parameter(line, *fields)) {
      Field& last = fields->back();
      last.value = {last.value.data(), static_cast<size_t>(line.data() + line.size() - last.value.data())};
      continue;
    }
    if (name == 0) {
      const bool envelope = line.starts_with("From ") || line.starts_with(">From ");
      if (envelope && fields->size() < 2) continue;
      return begin;  // the body without an empty line before it
    }
    may_extend = fields->size() < limits.fields && begin < limits.header_octets;
    if (!may_extend) {
      *bounded = true;
      continue;
    }
    const size_t colon = line.find(':', name);
    fields->push_back({line.substr(0, name), line.substr(colon + 1)});
  }
  return octets.size();
}

// The value of parameter `name` (lower case) in a Content-Type field (RFC 2045 §5.1). Comments are rare and
// read as text; RFC 2231 continuations are joined for `name*0`.
std::string parameter(std::string_view value, std::string_view name) {
  size_t at = value.find(';');
  std::string out;
  while (at < value.size()) {
    ++at;
    while (at < value.size() && is_blank(value[at])) ++at;
    const size_t begin = at;
    while (at < value.size() && value[at] != '=' && value[at] != ';') ++at;
    std::string_view key = trimmed(value.substr(begin, at - begin));
    if (at >= value.size() || value[at] == ';') continue;
    ++at;
    while (at < value.size() && is_blank(value[at])) ++at;
    std::string text;
    if (at < value.size() && value[at] == '"') {
      for (++at; at < value.size() && value[at] != '"'; ++at) {
        if (value[at] == '\\' && at + 1 < value.size()) ++at;
        if (value[at] != '\r' && value[at] != '\n') text += value[at];
      }
      while (at < value.size() && value[at] != ';') ++at;
    } else {
      const size_t from = at;
      while (at < value.size() && value[at] != ';' && !is_blank(value[at])) ++at;
      text = std::string(value.substr(from, at - from));
      while (at < value.size() && value[at] != ';') ++at;
    }
    if (equal_ignoring_case(key, name)) return text;
    if (key.size() > name.size() && starts_with_folded(key, name) && key[name.size()] == '*') out += text;
  }
  return out;
}

void read_type(Part* part) {
  const std::string_view value = part->field("content-type");
  part->encoding = part->field("content-transfer-encoding");
  const size_t end = value.find_first_of("; \t\r\n");
  part->type = conf::ascii_lower(value.substr(0, end));
  if (part->type.find('/') == std::string::npos) part->type = "text/plain";
  if (value.size() == part->type.size()) return;
  if (part->is_multipart()) {
    part->boundary = parameter(value, "boundary");
    if (part->is("multipart/report")) part->report_type = conf::ascii_lower(parameter(value, "report-type"));
  } else {
    part->charset = parameter(value, "charset");
  }
}

Part read_part(std::string_view octets, const ReadLimits& limits, bool* bounded) {
  Part part;
  part.fields.reserve(octets.size() > 2048 ? 24 : 6);
  part.body = octets.substr(read_fields(octets, limits, &part.fields, bounded));
  read_type(&part);
  return part;
}

// Finds the next line that is the delimiter. `*begin` gets where its line begins, `*after` where the next
// line does; `*closes` tells of the last one.
bool next_delimiter(std::string_view body, std::string_view delimiter, size_t from, size_t* begin,
                    size_t* after, bool* closes) {
  for (size_t at = from; (at = body.find(delimiter, at)) != kNowhere; at += delimiter.size()) {
    if (at != 0 && body[at - 1] != '\n') continue;
    std::string_view rest = body.substr(at + delimiter.size());
    rest = rest.substr(0, rest.find('\n'));
    const size_t next = at + delimiter.size() + rest.size();
    *closes = rest.starts_with("--");
    if (*closes) rest.remove_prefix(2);
    if (!trimmed(rest).empty()) continue;
    *begin = at;
    *after = std::min(next + 1, body.size());
    return true;
  }
  return false;
}

std::string_view without_last_line_end(std::string_view text) {
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  return text;
}

struct Walk {
  const ReadLimits& limits;
  Mail* mail;

  void open(size_t index) {  // NOLINT(misc-no-recursion): as deep as limits.depth
    Part& container = mail->parts[index];
    if (!container.is_multipart()) return;
    const std::string delimiter = "--" + container.boundary;
    const std::string_view body = container.body;
    const uint8_t depth = container.depth;
    size_t begin = 0;
    size_t after = 0;
    bool closes = false;
    if (container.boundary.empty() || depth >= limits.depth ||
        !next_delimiter(body, delimiter, 0, &begin, &after, &closes)) {
      container.cut = true;
      mail->bounded = mail->bounded || depth >= limits.depth;
      return;
    }
    while (!closes) {
      if (mail->parts.size() >= limits.parts) {
        mail->bounded = true;
        return;
      }
      const size_t from = after;
      const bool more = next_delimiter(body, delimiter, from, &begin, &after, &closes);
      const std::string_view octets =
          without_last_line_end(body.substr(from, more ? begin - from : kNowhere));
      if (more || !trimmed(octets).empty()) {
        // A part may begin with its body: an empty line first.
        const bool bare = octets.starts_with("\n") || octets.starts_with("\r\n");
        Part part;
        if (bare) {
          part.body = octets;
          part.type = "text/plain";
        } else {
          part = read_part(octets, limits, &mail->bounded);
        }
        part.depth = static_cast<uint8_t>(depth + 1);
        mail->parts.push_back(std::move(part));
        open(mail->parts.size() - 1);
      }
      if (!more) return;
    }
  }
};

}  // namespace

std::string_view Part::field(std::string_view lower_name) const {
  for (const Field& candidate : fields) {
    if (candidate.name.size() == lower_name.size() && equal_ignoring_case(candidate.name, lower_name)) {
      return trimmed(candidate.value);
    }
  }
  return {};
}

bool Part::has(std::string_view lower_name) const {
  return std::any_of(fields.begin(), fields.end(),
                     [&](const Field& candidate) { return equal_ignoring_case(candidate.name, lower_name); });
}

Mail read_mail(std::string_view octets, const ReadLimits& limits) {
  Mail mail;
  mail.parts.push_back(read_part(octets, limits, &mail.bounded));
  Walk{limits, &mail}.open(0);
  return mail;
}

Part read_header(std::string_view octets, const ReadLimits& limits) {
  bool bounded = false;
  return read_part(octets, limits, &bounded);
}

std::string part_text(const Part& part, size_t limit) {
  std::string text = to_utf8(part.charset, decode_transfer(part.encoding, part.body, limit));
  if (part.is("text/html")) return html_to_text(text);
  return text;
}

std::string_view part_content(const Part& part, size_t limit, std::string* store) {
  const std::string_view encoding = trimmed(part.encoding);
  const bool plain =
      !equal_ignoring_case(encoding, "base64") && !equal_ignoring_case(encoding, "quoted-printable");
  if (plain) return part.body.substr(0, limit);
  *store = decode_transfer(encoding, part.body, limit);
  return *store;
}

}  // namespace bounce::report
