// Words of reports that a message arrived. They are rows of the tables in notice_words.h.
#pragma once

#include <span>

#include "bounce/report/words.h"

namespace bounce::report {

std::span<const Word> success_subjects();
std::span<const Word> success_notices();

}  // namespace bounce::report
