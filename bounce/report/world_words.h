// How notices of mail systems say in other languages than English that a message was not delivered, or not
// yet.
#pragma once

#include <span>

#include "bounce/report/words.h"

namespace bounce::report {

// A list for notice_words(); lives as long as the program.
std::span<const Word> world_notices();

}  // namespace bounce::report
