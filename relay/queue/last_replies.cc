#include "relay/queue/last_replies.h"

#include <algorithm>
#include <utility>

#include "conf/vocab/ascii.h"

namespace relay::queue {

namespace {

constexpr size_t kLongest = 160;  // octets of a text: what follows parts nobody's mail

// The template of a refusal (bounce/text_template.h) says the same with more care, and takes too long for
// every message of a start. What a receiver puts into the text for one message only: addresses, counts, ids.
// Codes such as S3140 stay.
std::string_view folded(std::string_view word) {
  if (word.find('@') != std::string_view::npos) return "<*>";
  const auto digits = static_cast<size_t>(std::count_if(word.begin(), word.end(), conf::is_digit));
  if (digits == word.size() || (word.size() > 11 && digits > 4)) return "#";
  return word;
}

std::string template_of(std::string_view line) {
  std::string out;
  bool first = true;  // the code, which is all digits
  while (!line.empty() && out.size() < kLongest) {
    const size_t end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    if (!word.empty()) {
      if (!first) out += ' ';
      out += first ? word : folded(word);
      first = false;
    }
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return out;
}

}  // namespace

std::string reply_line(uint16_t code, std::string_view status, std::string_view text) {
  std::string line = code == 0 ? "" : std::to_string(code);
  const bool told = text.starts_with(status);
  for (const std::string_view part : {told ? std::string_view() : status, text}) {
    if (part.empty()) continue;
    if (!line.empty()) line += ' ';
    line += part;
  }
  return line;
}

uint16_t LastReplies::number_of(uint16_t code, std::string_view status, std::string_view text) {
  std::string reply = reply_line(code, status, text);
  const std::string line = template_of(reply);
  if (line.empty()) return kNone;
  const auto known = numbers_.find(line);
  if (known != numbers_.end()) return known->second;
  if (size() < kMost) return intern(line, std::move(reply));
  return intern(
      code == 0 ? "no reply (many different reasons)" : std::to_string(code) + " (many different texts)", {});
}

uint16_t LastReplies::intern(const std::string& text, std::string sample) {
  const auto [place, fresh] = numbers_.try_emplace(text, static_cast<uint16_t>(texts_.size()));
  if (fresh) {
    texts_.push_back(text);
    samples_.push_back(std::move(sample));
  }
  return place->second;
}

}  // namespace relay::queue
