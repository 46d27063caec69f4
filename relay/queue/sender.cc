#include "relay/queue/sender.h"

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>

#include "conf/vocab/ascii.h"

namespace relay::queue {

namespace {

bool is_letter_of_any(char c) { return conf::is_letter(c) || static_cast<unsigned char>(c) >= 0x80; }

// Labels in front that have a digit name a machine or a mailing, as long as two others are left.
std::string_view without_numbered_labels(std::string_view domain) {
  for (;;) {
    const size_t dot = domain.find('.');
    if (dot == std::string_view::npos || domain.find('.', dot + 1) == std::string_view::npos) return domain;
    if (std::ranges::none_of(domain.substr(0, dot), conf::is_digit)) return domain;
    domain.remove_prefix(dot + 1);
  }
}

// The word in front: what stands behind a sign or a digit tells messages apart, not senders.
std::string first_word(std::string_view local) {
  std::string word;
  for (const char c : local) {
    if (!is_letter_of_any(c)) break;
    word.push_back(conf::ascii_lower(c));
  }
  return word;
}

}  // namespace

uint32_t sender_of(const conf::Mailbox& reverse_path) {
  if (reverse_path.is_null()) return 0;
  const size_t domain = std::hash<std::string_view>()(without_numbered_labels(reverse_path.domain.text()));
  const size_t local = std::hash<std::string>()(first_word(reverse_path.local));
  constexpr uint32_t kLocalMask = (1U << kLocalBits) - 1;
  return static_cast<uint32_t>(domain) << kLocalBits | (static_cast<uint32_t>(local) & kLocalMask);
}

}  // namespace relay::queue
