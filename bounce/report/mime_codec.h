// Content transfer encodings, charsets and encoded words (RFC 2045 §6, RFC 2047), by GMime. All results are
// valid UTF-8; what cannot be decoded comes out as U+FFFD. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bounce::report {

// Undoes `encoding` ("base64", "quoted-printable", anything else: none). At most `limit` octets of the input
// are looked at.
std::string decode_transfer(std::string_view encoding, std::string_view body, size_t limit);

// From `charset` to UTF-8. Text that is valid UTF-8 and has no escape sequences is returned as it is. Where
// the charset is not said, is ASCII or is UTF-8 and cannot be, it is guessed (charset_guess.h); an unknown
// one, or bytes that do not belong to it, are read as Windows-1252.
std::string to_utf8(std::string_view charset, std::string text);

// From one charset of iconv to UTF-8. To open it loads a module: who converts often keeps it. One thread.
class Converter {
 public:
  explicit Converter(const char* charset);
  ~Converter();
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  // False when the charset is unknown or the text is hardly ever in it.
  bool read(const std::string& text, std::string* out);

 private:
  void* handle_;  // iconv_t
};

// A field's value with its encoded words decoded, on one line.
std::string decode_words(std::string_view value);

}  // namespace bounce::report
