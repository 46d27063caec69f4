// Takes out of a message what the log says of its header (RFC 5322 §2.2). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conf/vocab/logged_header.h"

namespace relay::smtp {

// `message` has CRLF line ends; only its header is read. `names` in any case; of a field that occurs twice
// the first one counts. Null when there is neither a Message-ID nor one of the fields.
conf::LoggedHeaderPtr logged_header(std::string_view message, const std::vector<std::string>& names);

}  // namespace relay::smtp
