#include "bounce/reply.h"

#include <algorithm>
#include <cctype>

#include "conf/limits.h"
#include "conf/vocab/ascii.h"
#include "conf/vocab/utf8.h"

namespace bounce {

namespace {

using conf::Error;
using conf::ErrorCode;

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::string printable(std::string_view text) {
  std::string out(text);
  std::replace_if(out.begin(), out.end(), is_control, '?');
  return out;
}

// One to three digits at `*at` (RFC 3463 §2); moves `*at` past them.
bool take_number(std::string_view text, size_t* at, uint16_t* out) {
  uint16_t value = 0;
  const size_t begin = *at;
  while (*at < text.size() && conf::is_digit(text[*at])) {
    if (*at - begin == 3) return false;
    value = static_cast<uint16_t>(value * 10 + (text[*at] - '0'));
    ++*at;
  }
  *out = value;
  return *at > begin;
}

// RFC 5321 §4.2: the first digit is 2 to 5; the second is at most 5, but odd servers are let be.
bool begins_as_reply(std::string_view line) {
  return line.size() >= 3 && line[0] >= '2' && line[0] <= '5' && conf::is_digit(line[1]) &&
         conf::is_digit(line[2]) && (line.size() == 3 || line[3] == ' ' || line[3] == '-');
}

Error not_a_reply(std::string_view line) {
  constexpr size_t kShown = 80;  // enough to recognise the speaker in a log line
  return Error{ErrorCode::kInvalid, "not an SMTP reply: \"" + printable(line.substr(0, kShown)) + "\""};
}

}  // namespace

std::string EnhancedStatus::text() const {
  if (!present()) return {};
  return std::to_string(klass) + "." + std::to_string(subject) + "." + std::to_string(detail);
}

EnhancedStatus EnhancedStatus::parse(std::string_view text, size_t* consumed) {
  if (consumed != nullptr) *consumed = 0;
  if (text.size() < 5 || text[1] != '.') return {};
  if (text[0] != '2' && text[0] != '4' && text[0] != '5') return {};
  EnhancedStatus status;
  size_t at = 2;
  if (!take_number(text, &at, &status.subject)) return {};
  if (at >= text.size() || text[at] != '.') return {};
  ++at;
  if (!take_number(text, &at, &status.detail)) return {};
  if (at < text.size()) {
    if (text[at] != ' ') return {};
    ++at;
  }
  status.klass = static_cast<uint8_t>(text[0] - '0');
  if (consumed != nullptr) *consumed = at;
  return status;
}

std::string Reply::text() const {
  std::string out;
  size_t total = 0;
  for (const std::string& line : lines) total += line.size() + 1;
  out.reserve(total);
  for (const std::string& line : lines) {
    if (!out.empty()) out += ' ';
    out += line;
  }
  std::replace_if(out.begin(), out.end(), is_control, '?');
  return out;
}

Reply Reply::make(uint16_t code, std::string text) {
  Reply reply;
  reply.code = code;
  reply.enhanced = EnhancedStatus::parse(text);
  reply.lines.push_back(std::move(text));
  return reply;
}

void Reply::cut_to(size_t octets) {
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].size() > octets) lines[i].resize(conf::utf8_prefix(lines[i], octets).size());
    octets -= std::min(octets, lines[i].size() + 1);  // the end of a line counts: empty ones are no way out
    if (octets == 0) lines.resize(i + 1);
  }
}

conf::Status ReplyParser::take_line(std::string_view line, bool* complete) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (!begins_as_reply(line)) return not_a_reply(line);
  // RFC 5321 §4.2.1: all lines have the same code. Nobody fails for good by a reply that contradicts itself.
  if (line[0] == '5' && !partial_.lines.empty() && !partial_.permanent()) {
    return Error{ErrorCode::kInvalid,
                 "the lines of a reply contradict each other: " + std::to_string(partial_.code) + " and " +
                     std::string(line.substr(0, 3))};
  }
  partial_.code = static_cast<uint16_t>((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
  const std::string_view text = line.size() > 4 ? line.substr(4) : std::string_view();
  if (!partial_.enhanced.present()) partial_.enhanced = EnhancedStatus::parse(text);
  if (partial_.lines.size() < conf::limits::kReplyLines) partial_.lines.emplace_back(text);
  *complete = line.size() == 3 || line[3] == ' ';
  return conf::success();
}

conf::Result<bool> ReplyParser::feed(std::string_view* input, Reply* out, bool pass_empty) {
  while (!input->empty()) {
    const size_t end = input->find('\n');
    const size_t length = end == std::string_view::npos ? input->size() : end;
    std::string_view line = input->substr(0, std::min(length, conf::limits::kReplyLineOctets - line_.size()));
    octets_ += length;
    if (octets_ > kMostOctets) {
      return Error{ErrorCode::kInvalid, "a reply is longer than " + std::to_string(kMostOctets) + " octets"};
    }
    if (end == std::string_view::npos) {
      line_.append(line);
      input->remove_prefix(length);
      if (line_.size() == conf::limits::kReplyLineOctets && !begins_as_reply(line_))
        return not_a_reply(line_);
      return false;
    }
    // The usual reply lies whole in the input and is read in place.
    if (!line_.empty()) line = line_.append(line);
    input->remove_prefix(length + 1);
    ++octets_;
    if (pass_empty && partial_.lines.empty() && (line.empty() || line == "\r")) {
      line_.clear();
      continue;
    }
    bool complete = false;
    conf::Status taken = take_line(line, &complete);
    line_.clear();
    if (!taken.ok()) return taken.error();
    if (complete) {
      *out = std::move(partial_);
      partial_ = Reply();
      octets_ = 0;
      return true;
    }
  }
  return false;
}

void ReplyParser::reset() {
  line_.clear();
  partial_ = Reply();
  octets_ = 0;
}

}  // namespace bounce
