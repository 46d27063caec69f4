#include "relay/cli/json_reader.h"

#include <nlohmann/json.hpp>

#include "relay/cli/queue_view.h"

namespace relay::cli {

using nlohmann::json;

const json& member(const json& object, const char* key) {
  static const json kNothing;
  const auto found = object.find(key);
  return found == object.end() ? kNothing : *found;
}

std::string text_of(const json& object, const char* key) {
  const json& found = member(object, key);
  if (found.is_null()) return "";
  const auto* text = found.get_ptr<const std::string*>();
  return text == nullptr ? found.dump(-1, ' ', true, json::error_handler_t::replace) : printable(*text);
}

int64_t number_of(const json& object, const char* key) {
  const json& found = member(object, key);
  return found.is_number() ? found.get<int64_t>() : 0;
}

double real_of(const json& object, const char* key) {
  const json& found = member(object, key);
  return found.is_number() ? found.get<double>() : 0;
}

bool is_true(const json& object, const char* key) { return member(object, key) == json(true); }

std::string last_reply(const json& recipient) {
  std::string out = text_of(recipient, "reply_code");
  const bool told = text_of(recipient, "last_reply").starts_with(text_of(recipient, "enhanced_status"));
  for (const char* key : {"enhanced_status", "last_reply"}) {
    const std::string part =
        told && std::string_view(key) == "enhanced_status" ? "" : text_of(recipient, key);
    if (!out.empty() && !part.empty()) out += ' ';
    out += part;
  }
  return out;
}

}  // namespace relay::cli
