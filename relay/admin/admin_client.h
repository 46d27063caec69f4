// A small HTTP/1.1 client over a Unix socket, for the command line: one request, one answer, then closed.
// Blocks.
#pragma once

#include <string>

#include "conf/vocab/result.h"

namespace relay::admin {

struct HttpReply {
  int status = 0;
  std::string body;
};

// `target` is the path with its query, percent-encoded. Waits at most a minute for each read. kIo, kTimeout,
// or kInvalid for an answer that is no HTTP.
conf::Result<HttpReply> request(const std::string& socket, const std::string& method,
                                const std::string& target, const std::string& body = "");

// RFC 3986 §2.1: all but unreserved characters as %XX.
std::string percent_encode(std::string_view text);

// The answer as it came over the wire until the end of the stream.
conf::Result<HttpReply> parse_reply(std::string_view wire);

}  // namespace relay::admin
