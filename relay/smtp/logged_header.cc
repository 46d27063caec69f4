#include "relay/smtp/logged_header.h"

#include <algorithm>
#include <array>
#include <utility>

#include "conf/vocab/ascii.h"
#include "conf/vocab/utf8.h"
#include "relay/smtp/header_fields.h"

namespace relay::smtp {

namespace {

constexpr size_t kLooked = conf::LoggedHeader::kMostFields;

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
  while (missing > 0) {
    const auto [name, value] = take_header_field(&message);
    if (name.empty()) break;  // the header is over
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
