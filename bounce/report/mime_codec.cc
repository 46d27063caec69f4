#include "bounce/report/mime_codec.h"

#include <gmime/gmime.h>

#include <algorithm>

#include "bounce/dsn_text.h"
#include "bounce/report/charset_guess.h"
#include "bounce/report/text.h"
#include "conf/vocab/utf8.h"

namespace bounce::report {
namespace {

constexpr size_t kWordsLimit = 4096;  // octets of one field in which encoded words are decoded
constexpr const char* kFallbackCharset = "windows-1252";

const iconv_t kNoConverter = reinterpret_cast<iconv_t>(-1);  // NOLINT(performance-no-int-to-ptr)

void start_gmime() {
  static const bool started = [] {
    g_mime_init();
    return true;
  }();
  static_cast<void>(started);
}

std::string decode_with(GMimeContentEncoding encoding, std::string_view body) {
  GMimeEncoding state;
  g_mime_encoding_init_decode(&state, encoding);
  std::string out(g_mime_encoding_outlen(&state, body.size()), '\0');
  out.resize(g_mime_encoding_flush(&state, body.data(), body.size(), out.data()));
  return out;
}

bool is_plain(std::string_view text) {  // no 8-bit octets, and no escape
                                        // sequences of ISO-2022
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<signed char>(c) < 0 || c == 0x1b; });
}

}  // namespace

std::string decode_transfer(std::string_view encoding, std::string_view body, size_t limit) {
  body = body.substr(0, limit);
  encoding = trimmed(encoding);
  if (equal_ignoring_case(encoding, "base64")) return decode_with(GMIME_CONTENT_ENCODING_BASE64, body);
  if (equal_ignoring_case(encoding, "quoted-printable")) {
    return decode_with(GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE, body);
  }
  if (equal_ignoring_case(encoding, "x-uuencode") || equal_ignoring_case(encoding, "uuencode")) {
    return decode_with(GMIME_CONTENT_ENCODING_UUENCODE, body);
  }
  return std::string(body);
}

Converter::Converter(const char* charset) {
  start_gmime();
  handle_ = g_mime_iconv_open("utf-8", charset);
}

Converter::~Converter() {
  if (handle_ != kNoConverter) g_mime_iconv_close(handle_);
}

bool Converter::read(const std::string& text, std::string* out) {
  if (handle_ == kNoConverter) return false;
  iconv(handle_, nullptr, nullptr, nullptr, nullptr);  // as at the beginning of a text
  out->clear();
  char* in = const_cast<char*>(text.data());
  size_t left = text.size();
  size_t bad = 0;
  char buffer[2048];
  while (left > 0) {
    char* to = buffer;
    size_t room = sizeof buffer;
    const size_t done = iconv(handle_, &in, &left, &to, &room);
    out->append(buffer, static_cast<size_t>(to - buffer));
    if (done != static_cast<size_t>(-1) || errno == E2BIG) continue;
    out->append("\xef\xbf\xbd");
    ++bad;
    ++in;  // iconv stopped at it, so at least one octet is left
    --left;
  }
  return bad * 10 <= text.size();
}

std::string to_utf8(std::string_view charset, std::string text) {
  if (is_plain(text)) return text;
  const bool escapes = text.find('\x1b') != std::string::npos;
  if (!escapes && conf::is_utf8(text)) return text;
  std::string name = conf::ascii_lower(trimmed(charset));
  const bool unnamed = name.empty() || name == "us-ascii" || name == "utf-8" || name == "utf8";
  if (unnamed) name = escapes ? "iso-2022-jp" : guess_charset(text);
  if (name == "gb2312") name = "gb18030";  // its superset, which is what is meant
  if (name == "iso-2022-jp" && !escapes) name = "cp932";
  std::string out;
  if (!Converter(name.c_str()).read(text, &out)) Converter(kFallbackCharset).read(text, &out);
  return out;
}

std::string decode_words(std::string_view value) {
  std::string line = one_line(value.substr(0, kWordsLimit));
  if (line.find("=?") == std::string::npos) return to_utf8("", std::move(line));
  start_gmime();
  char* decoded = g_mime_utils_header_decode_text(nullptr, line.c_str());
  std::string out = decoded == nullptr ? std::string() : one_line(decoded);
  g_free(decoded);
  return out;
}

}  // namespace bounce::report
