#include "bounce/report/charset_guess.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <deque>
#include <string>

#include "bounce/fold.h"
#include "bounce/report/mime_codec.h"
#include "bounce/report/notice_words.h"
#include "conf/vocab/ascii.h"

namespace bounce::report {
namespace {

constexpr size_t kSampleOctets = 1000;
constexpr size_t kOctetsBefore = 60;  // octets before the first one beyond ASCII

// Of equally good ones the first. UTF-8 is there for a text that was cut within a character.
constexpr std::array<const char*, 11> kCandidates = {"windows-1252", "utf-8",  "windows-1250", "iso-8859-2",
                                                     "windows-1251", "koi8-r", "iso-8859-5",   "cp932",
                                                     "gb18030",      "big5",   "euc-jp"};

// The letters beyond ASCII of the languages of refusals, and the marks of typesetters.
constexpr std::u32string_view kLatin = U"äöüßÄÖÜéèêëàâçîïôûùœÉÈÀÇñáíóúÑÁÍÓÚ¿¡ãõÃÕìòÌÒąćęłńśźżĄĆĘŁŃŚŹŻ";
constexpr std::u32string_view kMarks = U"«»„“”‚‘’–—…•©®°§€№、。「」（）：，！";
constexpr std::u32string_view kLatinWords = U"àèéóÀÈÉÓ";  // each of them is a word, too
// The letters of Russian, the commonest first, and the commonest characters of Chinese notices in both ways
// to write.
constexpr std::array<std::u32string_view, 3> kCyrillicByUse = {U"оеаинт", U"срвлк", U"мдпуыьзб"};
constexpr std::u32string_view kCommonHan =
    U"的不是在有人我他一邮郵件信箱箱发發送收件用户戶地址无無法未能已被拒绝絕退回服务務器系统統错錯误誤失败敗"
    U"到达達"
    U"空间間满滿超过過限制存找没沒此您你请請主机機域名帐帳号號投递遞配信先宛元受者利用存在確認返再度本文上記"
    U"下以了";

bool is_among(std::u32string_view letters, char32_t c) {
  return letters.find(c) != std::u32string_view::npos;
}

bool is_cyrillic_small(char32_t c) { return c >= 0x430 && c <= 0x451; }
bool is_cyrillic(char32_t c) { return c == 0x401 || (c >= 0x410 && c <= 0x451); }
bool is_ascii_letter(char32_t c) { return c < 0x80 && conf::is_letter(static_cast<char>(c)); }

// How well `c` stands behind `before` and in front of `after`. What has two octets weighs twice as much.
int weight(char32_t before, char32_t c, char32_t after) {
  if (c == 0xFFFD) return -8;
  if (is_among(kMarks, c)) return 1;
  if (is_among(kLatin, c)) {
    if (is_ascii_letter(before) || is_ascii_letter(after)) return 3;
    return is_among(kLatinWords, c) ? 1 : -1;
  }
  if (is_cyrillic(c)) {
    if (is_ascii_letter(before) || is_ascii_letter(after)) return -2;
    if (!is_cyrillic(before) && !is_cyrillic(after)) return 0;
    // A capital begins a word, or all of it is in capitals.
    const bool small = is_cyrillic_small(c);
    if (!small && is_cyrillic_small(before)) return -3;
    const char32_t letter = small ? c : c + 0x20;
    for (size_t use = 0; use < kCyrillicByUse.size(); ++use) {
      if (is_among(kCyrillicByUse[use], letter)) return 4 - static_cast<int>(use);
    }
    return 1;
  }
  if (c >= 0x3041 && c <= 0x30FF) return 5;
  if (c >= 0x4E00 && c <= 0x9FFF) return is_among(kCommonHan, c) ? 6 : 0;
  if (c >= 0xC0 && c < 0x250) return is_ascii_letter(before) && is_ascii_letter(after) ? 0 : -2;
  return c >= 0x3000 && c < 0xFF60 ? 0 : -3;
}

int score(const std::string& text) {
  int sum = 0;
  std::array<char32_t, 3> near = {' ', ' ', ' '};
  for (size_t at = 0; at < text.size() || near[2] != '\0';) {
    near = {near[1], near[2], at < text.size() ? next_code_point(text, &at) : U'\0'};
    if (near[1] >= 0x80) sum += weight(near[0], near[1], near[2]);
  }
  const auto words = notice_words().count(text, text.size());
  for (const uint8_t count : words) sum += 10 * count;
  return sum;
}

}  // namespace

const char* guess_charset(std::string_view text) {
  thread_local std::deque<Converter> converters;
  if (converters.empty()) {
    for (const char* candidate : kCandidates) converters.emplace_back(candidate);
  }
  const auto beyond = [](char c) { return static_cast<signed char>(c) < 0; };
  const auto first = static_cast<size_t>(std::ranges::find_if(text, beyond) - text.begin());
  const std::string sample(text.substr(first - std::min(first, kOctetsBefore), kSampleOctets));
  const char* best = kCandidates.front();
  int most = 0;
  bool any = false;
  for (size_t i = 0; i < kCandidates.size(); ++i) {
    std::string read;
    if (!converters[i].read(sample, &read)) continue;
    const int reads = score(read);
    if (any && reads <= most) continue;
    any = true;
    most = reads;
    best = kCandidates[i];
  }
  return best;
}

}  // namespace bounce::report
