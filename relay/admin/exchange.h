// One exchange with the admin API: the request as it came in, the response that goes out. Plain
// values.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "conf/vocab/result.h"

namespace relay::admin {

struct Request {
  std::string method;  // "GET"
  std::string path;    // "/v1/queue/messages", decoded, without the query
  std::map<std::string, std::string> query;
  std::string body;
  std::string who;  // asks, by the kernel's word: "alice (uid 1000)"; "": not known
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  bool only_asked = false;  // of an order: a dry run, which changed nothing
};

Response answer(const nlohmann::json& value);
Response refuse(int status, const std::string& why);  // {"error": why}
Response refuse(const conf::Error& error);            // with the status that fits its code

// "limit" as a whole number from 1 to `most`; `*limit` stays when the query has none.
conf::Status read_limit(const Request& request, size_t most, size_t* limit);

}  // namespace relay::admin
