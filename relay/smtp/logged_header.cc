#include "relay/smtp/logged_header.h"

#include <algorithm>
#include <array>
#include <utility>

#include "conf/vocab/ascii.h"
#include "conf/vocab/utf8.h"

namespace relay::smtp {

namespace {

constexpr size_t kLooked = conf::LoggedHeader::kMostFields;

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (is_blank(text.front()) || text.front() == '\r' || text.front() == '\n'))
    text.remove_prefix(1);
  while (!text.empty() && (is_blank(text.back()) || text.back() == '\r' || text.back() == '\n'))
    text.remove_suffix(1);
  return text;
}

// The field at the front, with its folded lines and without the last CRLF; taken off the message. Empty: the
// header is over.
std::string_view take_field(std::string_view* message) {
  size_t end = 0;
  for (;;) {
    const size_t line_end = message->find("\r\n", end);
    if (line_end == std::string_view::npos) return std::exchange(*message, {});
    end = line_end + 2;
    if (end >= message->size() || !is_blank((*message)[end]) || line_end == 0) break;
  }
  const std::string_view field = message->substr(0, end - 2);
  message->remove_prefix(end);
  return field;
}

// Unfolding takes the CRLF out; a blank follows it.
std::string unfolded(std::string_view value, size_t most) {
  value = trimmed(value);
  std::string out;
  out.reserve(std::min(value.size(), most));
  for (const char c : value) {
    if (out.size() > most) break;
    if (c == '\r' || c == '\n') continue;
    out.push_back(c == '\t' ? ' ' : c);
  }
  out.resize(conf::utf8_prefix(out, most).size());
  return out;
}

std::string message_id_in(std::string_view value) {
  std::string id = unfolded(value, conf::LoggedHeader::kIdOctets + 2);
  const size_t begin = id.find('<');
  if (begin != std::string::npos) id = id.substr(begin + 1, id.find('>', begin + 1) - begin - 1);
  return std::string(conf::utf8_prefix(id, conf::LoggedHeader::kIdOctets));
}

}  // namespace

conf::LoggedHeaderPtr logged_header(std::string_view message, const std::vector<std::string>& names) {
  std::string_view id;
  std::array<std::string_view, kLooked> values{};
  const size_t count = std::min(names.size(), kLooked);
  size_t missing = count + 1;
  while (missing > 0 && !message.empty()) {
    const std::string_view field = take_field(&message);
    const size_t colon = field.find(':');
    if (colon == 0 || colon == std::string_view::npos) break;  // the header is over
    const std::string_view name = trimmed(field.substr(0, colon));
    const std::string_view value = field.substr(colon + 1);
    if (id.data() == nullptr && conf::equal_ignoring_case(name, "message-id")) {
      id = value;
      --missing;
    }
    for (size_t i = 0; i < count; ++i) {
      if (values[i].data() != nullptr || !conf::equal_ignoring_case(name, names[i])) continue;
      values[i] = value;
      --missing;
    }
  }
  auto header = std::make_shared<conf::LoggedHeader>();
  header->message_id = message_id_in(id);
  for (size_t i = 0; i < count; ++i) {
    if (values[i].data() == nullptr) continue;
    header->fields.emplace_back(names[i], unfolded(values[i], conf::LoggedHeader::kValueOctets));
  }
  if (header->message_id.empty() && header->fields.empty()) return nullptr;
  return header;
}

}  // namespace relay::smtp
