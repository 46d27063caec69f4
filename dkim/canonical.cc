#include "dkim/canonical.h"

#include <cstring>

#include "conf/vocab/ascii.h"

namespace dkim {

void BodyCanonicalizer::flush() {
  sink_->write({out_.data(), used_});
  used_ = 0;
}

void BodyCanonicalizer::put(std::string_view run) {
  if (run.size() > out_.size() - used_) flush();
  if (run.size() > out_.size()) {
    sink_->write(run);
    return;
  }
  std::memcpy(out_.data() + used_, run.data(), run.size());
  used_ += run.size();
}

void BodyCanonicalizer::begin_text() {
  for (; empty_lines_ > 0; --empty_lines_) put("\r\n");
  text_ = any_ = true;
}

void BodyCanonicalizer::end_line() {
  if (text_) {
    put("\r\n");
  } else {
    ++empty_lines_;
  }
  text_ = space_ = false;
}

void BodyCanonicalizer::update(std::string_view piece) {
  how_ == conf::Canonicalization::kSimple ? simple(piece) : relaxed(piece);
}

void BodyCanonicalizer::simple(std::string_view piece) {
  while (!piece.empty()) {
    if (cr_) {
      cr_ = false;
      if (piece.front() == '\n') {
        end_line();
        piece.remove_prefix(1);
        continue;
      }
      begin_text();
      put('\r');
    }
    const void* found = std::memchr(piece.data(), '\r', piece.size());
    const size_t run =
        found == nullptr ? piece.size() : static_cast<size_t>(static_cast<const char*>(found) - piece.data());
    if (run > 0) {
      begin_text();
      put(piece.substr(0, run));
    }
    cr_ = found != nullptr;
    piece.remove_prefix(cr_ ? run + 1 : run);
  }
}

void BodyCanonicalizer::relaxed(std::string_view piece) {
  const char* at = piece.data();
  const char* const end = at + piece.size();
  while (at != end) {
    const char c = *at;
    if (cr_) {
      cr_ = false;
      if (c == '\n') {
        end_line();
        ++at;
        continue;
      }
      begin_text();
      if (space_) put(' ');
      space_ = false;
      put('\r');
      continue;
    }
    if (c == '\r') {
      cr_ = true;
      ++at;
    } else if (conf::is_wsp(c)) {
      space_ = true;
      ++at;
    } else {
      begin_text();
      if (space_) put(' ');
      space_ = false;
      // A run ends at a CR, a tab, or a space that is not between two printing characters.
      const char* const begin = at;
      for (++at; at != end; ++at) {
        if (*at > ' ') continue;
        if (*at == '\r' || *at == '\t') break;
        if (*at == ' ' && (at + 1 == end || at[1] == '\r' || conf::is_wsp(at[1]))) break;
      }
      put(std::string_view(begin, static_cast<size_t>(at - begin)));
    }
  }
}

void BodyCanonicalizer::finish() {
  if (cr_) {
    begin_text();
    if (space_) put(' ');
    put('\r');
  }
  // RFC 6376 §3.4.3: a body without a last CRLF gets one, and an empty one is a CRLF; §3.4.4: not when
  // relaxed.
  if (text_ || (!any_ && how_ == conf::Canonicalization::kSimple)) put("\r\n");
  flush();
}

void append_canonical_field(std::string_view field, conf::Canonicalization how, std::string* out) {
  if (how == conf::Canonicalization::kSimple) {
    out->append(field).append("\r\n");
    return;
  }
  const size_t colon = field.find(':');
  size_t name_end = colon;
  while (name_end > 0 && conf::is_wsp(field[name_end - 1])) --name_end;
  for (const char c : field.substr(0, name_end)) {
    *out += conf::ascii_lower(c);
  }
  *out += ':';
  bool space = false, text = false;
  for (const char c : field.substr(colon + 1)) {
    if (conf::is_wsp(c) || c == '\r' || c == '\n') {
      space = true;
      continue;
    }
    if (space && text) *out += ' ';
    space = false;
    text = true;
    *out += c;
  }
  out->append("\r\n");
}

}  // namespace dkim
