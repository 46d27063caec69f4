// Which stream a message belongs to: decided once, when it comes in. Pure.
#pragma once

#include <string>
#include <string_view>

#include "conf/config.h"
#include "conf/vocab/envelope.h"

namespace relay {

// The name of the first stream of the configuration whose every key matches; "" for none. `message` has CRLF
// line ends; its header is read when a stream asks for a field. O(streams x masks)
std::string stream_of(const conf::Config& config, const conf::Envelope& envelope, std::string_view message);

}  // namespace relay
