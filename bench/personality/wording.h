// How providers word it when a limit of theirs is broken. The texts are those that senders see (documented by
// the providers or kept in public logs), with the variable parts filled in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// kGreylist comes last: it is worded like a limit but it is none that a sender could keep.
enum class Limit : uint8_t {
  kConnections,
  kNewConnections,
  kMessagesPerConnection,
  kMessages,
  kRecipients,
  kGreylist
};
inline constexpr size_t kLimits = 5;  // that can be broken
inline constexpr const char* kLimitNames[kLimits] = {"connections", "new_connections",
                                                     "messages_per_connection", "messages", "recipients"};

const std::vector<const char*>& wording_names();
// The reply without CRLF. An unknown wording is "plain".
std::string limit_reply(const std::string& wording, Limit limit, std::string_view source,
                        std::string_view host);
// Puts `value` in the place of the first `name`, such as "{source}".
void fill_in(std::string* text, std::string_view name, std::string_view value);

}  // namespace bench
