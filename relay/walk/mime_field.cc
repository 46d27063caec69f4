#include "relay/walk/mime_field.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "conf/vocab/address.h"
#include "conf/vocab/ascii.h"
#include "conf/vocab/text.h"
#include "relay/smtp/mime_entity.h"
#include "relay/walk/mime_words.h"

namespace relay {

namespace {

enum class FieldForm : uint8_t { kText, kPhrases, kParameters };

// RFC 5322 §3.6: all but Subject and Comments, and what nobody specified, has a structure.
FieldForm form_of(std::string_view name) {
  const auto is = [name](std::string_view other) { return conf::equal_ignoring_case(name, other); };
  if (is("Content-Type") || is("Content-Disposition")) return FieldForm::kParameters;
  constexpr std::array kStructured = {"From",
                                      "Sender",
                                      "Reply-To",
                                      "To",
                                      "Cc",
                                      "Bcc",
                                      "Message-ID",
                                      "In-Reply-To",
                                      "References",
                                      "Return-Path",
                                      "Received",
                                      "Errors-To",
                                      "Content-ID",
                                      "Keywords",
                                      "Mail-Followup-To",
                                      "Disposition-Notification-To",
                                      "Return-Receipt-To"};
  const std::string lower = conf::ascii_lower(name);
  if (lower.starts_with("resent-") || lower.starts_with("list-")) return FieldForm::kPhrases;
  return std::ranges::any_of(kStructured, is) ? FieldForm::kPhrases : FieldForm::kText;
}

bool is_fold(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

void append_masked(std::string_view text, std::string* out) {
  for (const char c : text) *out += static_cast<unsigned char>(c) < 0x80 ? c : '?';
}

// The end of what begins at `at` with a quote, behind the closing one; the whole where that is missing.
size_t quoted_end(std::string_view text, size_t at) {
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return text.size();
}

// What a quoted string says.
std::string unquoted(std::string_view quoted) {
  std::string text;
  const size_t end = quoted.size() > 1 && quoted.back() == '"' ? quoted.size() - 1 : quoted.size();
  for (size_t i = 1; i < end; ++i) {
    if (quoted[i] == '\\' && i + 1 < end) ++i;
    if (quoted[i] != '\r' && quoted[i] != '\n') text += quoted[i];
  }
  return text;
}

// Of what is put to `out` next, when the field's value begins at `begin`.
size_t column_of(size_t begin, const std::string& out) {
  const size_t line_end = out.rfind('\n');
  return line_end == std::string::npos ? begin + out.size() : out.size() - line_end - 1;
}

// A run of words of which each has high octets is one text with its spaces (RFC 2047 §6.2).
void append_text(std::string_view text, size_t column, std::string* out) {
  for (size_t at = 0; at < text.size();) {
    if (is_fold(text[at])) {
      *out += text[at++];
      continue;
    }
    const auto word_end = [text](size_t from) {
      return static_cast<size_t>(std::find_if(text.begin() + from, text.end(), is_fold) - text.begin());
    };
    size_t end = word_end(at);
    if (!smtp::has_eight_bit(text.substr(at, end - at))) {
      out->append(text.substr(at, end - at));
      at = end;
      continue;
    }
    while (true) {
      size_t next = end;
      while (next < text.size() && (text[next] == ' ' || text[next] == '\t')) ++next;
      const size_t next_end = word_end(next);
      if (next == end || !smtp::has_eight_bit(text.substr(next, next_end - next))) break;
      end = next_end;
    }
    append_encoded_words(text.substr(at, end - at), column_of(column, *out), out);
    at = end;
  }
}

// Words, quoted strings, comments and what is in angle brackets.
class Phrases {
 public:
  Phrases(std::string_view text, size_t column, std::string* out) : text_(text), column_(column), out_(out) {}

  // False: an address, or an id, lost octets.
  bool append() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '<') {
        bracketed();
      } else if (c == '"') {
        quoted();
      } else if (is_fold(c) || is_special(c)) {
        special(c);
      } else {
        atoms();
      }
    }
    return !lost_;
  }

 private:
  static bool is_special(char c) {
    return std::string_view("<>\"()[],;:@").find(c) != std::string_view::npos;
  }

  // RFC 2047 §5 (3): white space parts an encoded word from what stands beside it, but in a comment. §6.2:
  // that between two of them is not shown.
  void put_word(std::string text) {
    if (depth_ == 0 && !out_->empty() && !is_fold(out_->back())) *out_ += ' ';
    if (behind_word_) text.insert(0, " ");
    append_encoded_words(text, column_of(column_, *out_), out_);
    behind_word_ = true;
  }
  void part_from_word() {
    if (behind_word_ && depth_ == 0 && !is_fold(out_->back())) *out_ += ' ';
    behind_word_ = false;
  }

  void special(char c) {
    if (c != ',' && c != ';' && !is_fold(c)) part_from_word();
    behind_word_ = behind_word_ && is_fold(c);
    if (c == '(') ++depth_;
    if (c == ')' && depth_ > 0) --depth_;
    *out_ += c;
    ++at_;
  }
  void put_masked(std::string_view text) {
    lost_ = lost_ || smtp::has_eight_bit(text);
    append_masked(text, out_);
  }
  void put_domain(std::string_view text) {
    if (!smtp::has_eight_bit(text)) {
      out_->append(text);
      return;
    }
    conf::Result<conf::Domain> domain = conf::Domain::parse(text);
    if (domain.ok()) {
      out_->append(domain->text());
    } else {
      put_masked(text);
    }
  }
  void put_url(std::string_view text) {
    for (const char c : text) {
      if (static_cast<unsigned char>(c) < 0x80) {
        *out_ += c;
      } else {
        *out_ += '%';
        conf::append_hex(c, out_);
      }
    }
  }
  void bracketed() {
    part_from_word();
    const size_t end = std::min(text_.find('>', at_), text_.size() - 1) + 1;
    const std::string_view whole = text_.substr(at_, end - at_);
    at_ = end;
    const bool closed = whole.size() > 1 && whole.ends_with('>');
    const size_t host = whole.rfind('@') + 1;  // 0: none
    if (is_url(whole.substr(1))) {
      put_url(whole);
    } else if (host == 0 || !closed) {
      put_masked(whole);
    } else {
      put_masked(whole.substr(0, host));
      put_domain(whole.substr(host, whole.size() - host - 1));
      *out_ += '>';
    }
  }
  // RFC 3986 §3.1: it begins with a scheme. A source route begins with "@".
  static bool is_url(std::string_view text) {
    const size_t colon = text.find(':');
    return colon != std::string_view::npos && colon > 0 &&
           std::all_of(text.begin(), text.begin() + colon, [](char c) {
             return conf::is_digit(c) || (conf::ascii_lower(c) >= 'a' && conf::ascii_lower(c) <= 'z') ||
                    c == '+' || c == '-' || c == '.';
           });
  }
  void quoted() {
    const size_t end = quoted_end(text_, at_);
    const std::string_view whole = text_.substr(at_, end - at_);
    at_ = end;
    if (!smtp::has_eight_bit(whole)) {
      part_from_word();
      out_->append(whole);
    } else if (at_ < text_.size() && text_[at_] == '@') {  // a local part
      put_masked(whole);
    } else {
      put_word(unquoted(whole));
    }
  }
  size_t atom_end(size_t from) const {
    size_t end = from;
    while (end < text_.size() && !is_fold(text_[end]) && !is_special(text_[end])) ++end;
    return end;
  }
  bool in_address(size_t from, size_t end) const {
    return (end < text_.size() && text_[end] == '@') || (from > 0 && text_[from - 1] == '@');
  }
  void atoms() {
    size_t end = atom_end(at_);
    const std::string_view first = text_.substr(at_, end - at_);
    if (!smtp::has_eight_bit(first) || in_address(at_, end)) {
      part_from_word();
      if (at_ > 0 && text_[at_ - 1] == '@') {
        put_domain(first);
      } else {
        put_masked(first);
      }
      at_ = end;
      return;
    }
    while (true) {
      size_t next = end;
      while (next < text_.size() && (text_[next] == ' ' || text_[next] == '\t')) ++next;
      const size_t next_end = atom_end(next);
      if (next == end || !smtp::has_eight_bit(text_.substr(next, next_end - next)) ||
          in_address(next, next_end))
        break;
      end = next_end;
    }
    put_word(std::string(text_.substr(at_, end - at_)));
    at_ = end;
  }

  std::string_view text_;
  size_t column_;  // where it begins
  std::string* out_;
  bool lost_ = false;
  size_t at_ = 0;
  int depth_ = 0;             // of comments
  bool behind_word_ = false;  // but for white space
};

// RFC 2231 §3, §4: name*0*=charset''%41..., a piece a line.
void append_extended_value(std::string_view name, const std::string& value, std::string* out) {
  constexpr size_t kPiece = 60;
  std::string piece = std::string(charset_of(value)) + "''";
  std::string pieces;
  size_t number = 0;
  const auto flush = [&](bool last) {
    const bool only = number == 0 && last;
    if (number > 0) pieces += ";\r\n ";
    pieces.append(name).append(only ? "*=" : "*" + std::to_string(number) + "*=").append(piece);
    ++number;
    piece.clear();
  };
  for (const char c : value) {
    if (piece.size() > kPiece) flush(false);
    if (conf::is_digit(c) || (conf::ascii_lower(c) >= 'a' && conf::ascii_lower(c) <= 'z') || c == '.' ||
        c == '-') {
      piece += c;
    } else {
      piece += '%';
      conf::append_hex(c, &piece);
    }
  }
  flush(true);
  out->append(pieces);
}

void append_parameters(std::string_view text, std::string* out) {
  size_t at = std::min(text.find(';'), text.size());
  append_masked(text.substr(0, at), out);
  while (at < text.size()) {  // at a semicolon
    size_t end = at + 1;
    while (end < text.size() && text[end] != ';') end = text[end] == '"' ? quoted_end(text, end) : end + 1;
    const std::string_view parameter = text.substr(at, end - at);
    const size_t equals = parameter.find('=');
    at = end;
    if (!smtp::has_eight_bit(parameter) || equals == std::string_view::npos) {
      append_masked(parameter, out);
      continue;
    }
    size_t begin = 1;
    while (begin < equals && is_fold(parameter[begin])) ++begin;
    size_t name_end = equals;
    while (name_end > begin && is_fold(parameter[name_end - 1])) --name_end;
    const std::string_view name = parameter.substr(begin, name_end - begin);
    std::string_view value = parameter.substr(equals + 1);
    while (!value.empty() && is_fold(value.front())) value.remove_prefix(1);
    size_t tail = value.size();
    while (tail > 0 && is_fold(value[tail - 1])) --tail;
    if (name.empty() || name.back() == '*' || smtp::has_eight_bit(name)) {
      append_masked(parameter, out);
      continue;
    }
    out->append(parameter.substr(0, begin));
    const std::string_view said = value.substr(0, tail);
    append_extended_value(name, said.starts_with('"') ? unquoted(said) : std::string(said), out);
    out->append(value.substr(tail));
  }
}

}  // namespace

bool append_seven_bit_field(std::string_view name, std::string_view field, std::string* out) {
  const size_t colon = field.find(':') + 1;  // 0 when there is none
  std::string value;
  const std::string_view end = field.ends_with("\r\n") ? "\r\n" : "";
  const std::string_view text = field.substr(colon, field.size() - colon - end.size());
  bool whole = true;
  switch (form_of(name)) {
    case FieldForm::kText:
      append_text(text, colon, &value);
      fold_encoded_words(colon, &value);
      break;
    case FieldForm::kPhrases:
      whole = Phrases(text, colon, &value).append();
      fold_encoded_words(colon, &value);
      break;
    case FieldForm::kParameters:
      append_parameters(text, &value);
      break;
  }
  append_masked(field.substr(0, colon), out);
  out->append(value).append(end);
  return whole;
}

}  // namespace relay
