#include "relay/admin/exchange.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "relay/admin/queue_json.h"

namespace relay::admin {

Response answer(const nlohmann::json& value) {
  Response response;
  response.body = to_text(value) + "\n";
  return response;
}

Response refuse(int status, const std::string& why) {
  Response response = answer({{"error", why}});
  response.status = status;
  return response;
}

Response refuse(const conf::Error& error) {
  switch (error.code) {
    case conf::ErrorCode::kInvalid:
      return refuse(400, error.detail);
    case conf::ErrorCode::kNotFound:
      return refuse(404, error.detail);
    case conf::ErrorCode::kTimeout:
    case conf::ErrorCode::kClosed:
    case conf::ErrorCode::kUnavailable:
      return refuse(503, error.detail);
    default:
      return refuse(500, error.detail);
  }
}

conf::Status read_limit(const Request& request, size_t most, size_t* limit) {
  const auto given = request.query.find("limit");
  if (given == request.query.end()) return conf::success();
  const std::string& value = given->second;
  const char* end = value.data() + value.size();
  const auto parsed = std::from_chars(value.data(), end, *limit);
  if (parsed.ec != std::errc() || parsed.ptr != end || *limit == 0 || *limit > most) {
    return conf::Error{conf::ErrorCode::kInvalid, "limit: a number from 1 to " + std::to_string(most)};
  }
  return conf::success();
}

}  // namespace relay::admin
