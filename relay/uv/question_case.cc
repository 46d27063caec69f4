#include "relay/uv/question_case.h"

#include <strings.h>
#include <sys/random.h>

#include <array>
#include <cstdint>

#include "conf/vocab/ascii.h"

namespace relay::uv {

namespace {

constexpr size_t kHeaderOctets = 12;

}  // namespace

std::string with_random_case(const std::string& name) {
  std::array<uint8_t, 32> chance{};
  if (getrandom(chance.data(), chance.size(), 0) != static_cast<ssize_t>(chance.size())) return name;
  std::string out = name;
  for (size_t i = 0; i < out.size(); ++i) {
    const bool turn = (chance[i / 8 % chance.size()] >> (i % 8) & 1U) != 0;
    if (turn && conf::is_letter(out[i])) out[i] = static_cast<char>(out[i] ^ 0x20);
  }
  return out;
}

Echo echo_of(std::string_view raw, std::string_view asked) {
  if (!asked.empty() && asked.back() == '.') asked.remove_suffix(1);
  std::string question;
  size_t at = kHeaderOctets;
  for (;;) {
    if (at >= raw.size()) return Echo::kNone;
    const auto length = static_cast<uint8_t>(raw[at++]);
    if (length == 0) break;
    if (length > 63 || at + length > raw.size() || question.size() > 255) return Echo::kNone;
    if (!question.empty()) question += '.';
    question += raw.substr(at, length);
    at += length;
  }
  if (question == asked) return Echo::kSame;
  const bool same_name =
      question.size() == asked.size() && strncasecmp(question.data(), asked.data(), asked.size()) == 0;
  return same_name ? Echo::kOtherCase : Echo::kNone;
}

}  // namespace relay::uv
