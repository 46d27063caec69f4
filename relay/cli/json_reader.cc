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

std::string reply_text(const json& object, const char* key) {
  std::string out = text_of(object, "reply_code");
  const std::string status = text_of(object, "enhanced_status"), reply = text_of(object, key);
  for (const std::string& part : {reply.starts_with(status) ? std::string() : status, reply}) {
    if (!out.empty() && !part.empty()) out += ' ';
    out += part;
  }
  return out;
}

std::string to_the_second(std::string time) {
  if (time.size() < 19) return time;
  time.resize(19);
  time[10] = ' ';
  return time;
}

}  // namespace relay::cli
