// By what mail that came back was matched with the message that it is about.
#pragma once

#include <cstdint>

namespace conf {

enum class MatchedBy : uint8_t { kNothing, kToken, kMessageId, kRecipient };

}  // namespace conf
