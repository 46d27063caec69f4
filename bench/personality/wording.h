// How providers word it when a limit of theirs is broken. The texts are those that senders see (documented by
// the providers or kept in public logs), with the variable parts filled in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

enum class Limit : uint8_t {
  kConnections,
  kNewConnections,
  kMessagesPerConnection,
  kMessages,
  kRecipients,
  kGreylist
};
inline constexpr size_t kLimits = 6;
inline constexpr const char* kLimitNames[kLimits] = {
    "connections", "new_connections", "messages_per_connection", "messages", "recipients", "greylist"};

const std::vector<const char*>& wording_names();
// The reply without CRLF. An unknown wording is "plain".
std::string limit_reply(const std::string& wording, Limit limit, const std::string& source);

}  // namespace bench
