#include "bounce/text_template.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "bounce/bare_name.h"
#include "bounce/diagnostic.h"
#include "bounce/fold.h"
#include "bounce/template_word.h"
#include "conf/vocab/ascii.h"
#include "conf/vocab/utf8.h"

namespace bounce {
namespace {

constexpr size_t kReadOctets = 1000;  // what follows is boilerplate

// One line: controls and blanks are one space, octets that are not UTF-8 are Latin-1.
std::string one_line(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 1);
  for (size_t at = 0; at < text.size() && out.size() < kReadOctets;) {
    size_t plain = at;  // printable ASCII without a blank
    const size_t most = std::min(text.size(), at + kReadOctets - out.size());
    while (plain < most && text[plain] > 0x20 && text[plain] < 0x7F) ++plain;
    out.append(text, at, plain - at);
    at = plain;
    if (at == most) continue;
    const char32_t c = next_code_point(text, &at);
    if (c <= 0x20 || (c >= 0x7F && c <= 0xA0)) {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else {
      conf::append_utf8(c, &out);
    }
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

constexpr std::string_view kUsers[] = {"user",        "mailbox",  "recipient", "account",  "username",
                                       "member",      "customer", "benutzer",  "postfach", "konto",
                                       "utilisateur", "compte",   "usuario",   "utente",   "gebruiker"};

// What is said of a user, and is no name of one.
bool is_state(std::string_view word) {
  constexpr std::string_view kStates[] = {"unknown",   "full",        "disabled", "inactive", "invalid",
                                          "suspended", "unavailable", "closed",   "blocked",  "expired",
                                          "not",       "is",          "has",      "does",     "name"};
  return std::ranges::find(kStates, conf::ascii_lower(word)) != std::ranges::end(kStates);
}

class Writer {
 public:
  explicit Writer(std::string_view text) : text_(text) { out_.reserve(text.size()); }

  std::string take() {
    keep_code();
    find_names();
    while (at_ < text_.size()) step();
    return std::move(out_);
  }

 private:
  // The code that the text begins with, and the '-' of a line that is not the last.
  void keep_code() {
    const bool code = text_.size() >= 3 && conf::is_digit(text_[0]) && conf::is_digit(text_[1]) &&
                      conf::is_digit(text_[2]) && (text_.size() == 3 || text_[3] == ' ' || text_[3] == '-');
    if (!code) return;
    out_.append(text_.substr(0, 3));
    at_ = 3;
    if (at_ < text_.size()) {
      out_ += ' ';
      ++at_;
    }
  }

  // The local parts of the addresses: servers say them once more, without the domain.
  void find_names() {
    for (size_t at = text_.find('@'); at != std::string_view::npos && names_.size() < kNames;
         at = text_.find('@', at + 1)) {
      size_t begin = at;
      while (begin > 0 && is_address_character(static_cast<unsigned char>(text_[begin - 1]))) --begin;
      if (at - begin >= 2) names_.push_back(text_.substr(begin, at - begin));
    }
  }

  // "User kim (kim@some.example)": behind such a word a name stands, and no word that says something.
  bool behind_user() const {
    std::string_view before = out_;
    while (before.ends_with(' ')) before.remove_suffix(1);
    const std::string word = conf::ascii_lower(before.substr(before.find_last_of(' ') + 1));
    return std::ranges::find(kUsers, word) != std::ranges::end(kUsers);
  }

  bool said_name(std::string_view rest) {
    for (const std::string_view name : names_) {
      if (!rest.starts_with(name) || is_state(name)) continue;
      const std::string_view behind = rest.substr(name.size());
      if (!behind.empty() && (is_word_character(behind[0]) || behind[0] == '@')) continue;
      if (!behind_user()) return false;
      out_ += '*';
      at_ += name.size();
      return true;
    }
    return false;
  }

  // "no such user 'kim'", and the local part in "\"kim lee\"@some.example".
  bool quoted_name() {
    const char mark = text_[at_];
    if (mark != '\'' && mark != '"') return false;
    const size_t end = text_.find(mark, at_ + 1);
    if (end == std::string_view::npos || end == at_ + 1 || end - at_ > 66) return false;
    if (mark == '"' && end + 1 < text_.size() && text_[end + 1] == '@') {
      const size_t behind = end_of_address(text_, end + 1);
      if (behind == end + 2) return false;
      out_ += '*';
      at_ = behind;
      return true;
    }
    const std::string_view inside = text_.substr(at_ + 1, end - at_ - 1);
    if (inside.find(' ') != std::string_view::npos || is_state(inside) || !behind_user()) return false;
    ((out_ += mark) += '*') += mark;
    at_ = end + 1;
    return true;
  }

  void step() {
    const char c = text_[at_];
    if (const size_t made = placeholder_length(text_.substr(at_)); made > 0) {
      out_.append(text_.substr(at_, made));
      at_ += made;
      return;
    }
    if (!is_word_character(c)) {
      if (angle_name() || quoted_name()) return;
      out_ += c;
      ++at_;
      return;
    }
    take_word();
  }

  // "<jdoe>": a name without a domain.
  bool angle_name() {
    if (text_[at_] != '<') return false;
    const size_t end = text_.find('>', at_);
    if (end == std::string_view::npos || end == at_ + 1 || end - at_ > 256) return false;
    const std::string_view inside = text_.substr(at_ + 1, end - at_ - 1);
    if (inside.find_first_of(" :/[#*") != std::string_view::npos || std::ranges::count(inside, '@') > 1)
      return false;
    out_ += "<*>";
    at_ = end + 1;
    return true;
  }

  void take_word() {
    const std::string_view rest = text_.substr(at_);
    if (!names_.empty() && said_name(rest)) return;
    if (const size_t plain = plain_word_length(rest); plain > 0) {
      out_.append(rest.substr(0, plain));
      at_ += plain;
      return;
    }
    if (const size_t url = url_length(rest); url > 0) {
      append_url(rest.substr(0, url));
      at_ += url;
      return;
    }
    if (const size_t date = date_length(rest); date > 0) {
      out_ += "#DATE#";
      at_ += date;
      return;
    }
    if (const size_t phone = phone_length(rest); phone > 0) {
      out_ += "#PHONE#";
      at_ += phone;
      return;
    }
    if (const size_t address = address_length(rest); address > 0) {
      out_ += '*';
      at_ += address;
      return;
    }
    const size_t length = word_length(rest);
    std::string_view word = rest.substr(0, length);
    append_word(word, &out_);
    at_ += length;
  }

  // The whole text may be the address of a page: then its host says which failure it is.
  void append_url(std::string_view url) {
    const std::string_view host = url_host(url), code = url_code(url);
    const bool alone = std::ranges::count(text_, ' ') < 3;
    out_ += "#URL";
    if (alone || is_list_operator(host)) (out_ += ':').append(list_name(host));
    if (!code.empty()) (out_ += '?').append(code);
    out_ += '#';
  }

  static constexpr size_t kNames = 4;
  std::string_view text_;
  size_t at_ = 0;
  std::string out_;
  std::vector<std::string_view> names_;
};

}  // namespace

std::string text_template(std::string_view text) {
  return Writer(one_line(without_product_code(text.substr(0, 2 * kReadOctets)))).take();
}

std::string text_template(const Reply& reply, std::string_view local_part) {
  std::string text = reply.code == 0 ? std::string() : std::to_string(reply.code) + " ";
  text += without_bare_name(joined_text(reply, 2 * kReadOctets), local_part);
  return text_template(text);
}

namespace {

// What stands for a placeholder where words are looked for: no word of any rule, and of the shape of what was
// there.
std::string_view stand_in(std::string_view placeholder, std::string_view behind) {
  if (behind.starts_with('%') || behind.starts_with(" %")) return "100";  // only a share that is full is told
  if (placeholder == "#DOMAIN#") return "x.x";
  if (placeholder == "#IP#") return "0.0.0.0";
  if (placeholder == "#ID#") return "x0";
  return "0";
}

void append_page(std::string_view placeholder, std::string* out) {
  const std::string_view inside = placeholder.substr(4, placeholder.size() - 5);  // ":some.example?p=Code"
  const size_t mark = std::min(inside.find('?'), inside.size());
  const std::string_view host = inside.substr(0, mark).substr(mark > 0 ? 1 : 0);
  *out += "http://";
  out->append(is_list_operator(host) ? host : "x.x");
  if (mark < inside.size()) (*out += '/').append(inside.substr(mark + 1));
}

// Many sign their replies: "... (mx.some.example)", "... https://some.example/help".
std::string_view without_signature(std::string_view words) {
  for (bool signs = true; signs;) {
    while (words.ends_with(' ')) words.remove_suffix(1);
    signs = false;
    for (const std::string_view name : {"(x.x)", "http://x.x"}) {
      if (!words.ends_with(name)) continue;
      words.remove_suffix(name.size());
      signs = true;
    }
  }
  return words;
}

}  // namespace

std::string folded_template(std::string_view text) {
  if (text.size() >= 3 && conf::is_digit(text[0]) && conf::is_digit(text[1]) && conf::is_digit(text[2]))
    text.remove_prefix(std::min<size_t>(text.size(), 4));
  std::string words;
  words.reserve(text.size() + 16);
  size_t begin = 0;
  for (size_t at = text.find('#'); at != std::string_view::npos; at = text.find('#', at)) {
    const size_t length = placeholder_length(text.substr(at));
    if (length == 0) {
      ++at;
      continue;
    }
    words.append(text.substr(begin, at - begin));
    const std::string_view placeholder = text.substr(at, length);
    if (placeholder.starts_with("#URL")) {
      append_page(placeholder, &words);
    } else {
      words += stand_in(placeholder, text.substr(at + length));
    }
    at += length;
    begin = at;
  }
  words.append(text.substr(begin));
  return fold(without_signature(words), words.size());
}

uint64_t row_key(std::string_view text) {
  uint64_t hash = 14695981039346656037ULL;  // FNV-1a, then mixed (the end of MurmurHash3)
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdULL;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  hash ^= hash >> 33;
  return hash == 0 ? 1 : hash;
}

std::string row_text(uint64_t key) {
  std::string out(16, '0');
  for (size_t i = 16; i-- > 0; key >>= 4) out[i] = "0123456789abcdef"[key & 15];
  return out;
}

}  // namespace bounce
