// Words of what answers mail: people who are away or gone, programs that ask who writes, and complaints. They
// are rows of the tables in notice_words.h.
#pragma once

#include <span>

#include "bounce/report/words.h"

namespace bounce::report {

std::span<const Word> answer_subjects();
std::span<const Word> answer_notices();

}  // namespace bounce::report
