// A report as JSON, one object a line per recipient: the answers of `penstock parse-bounce`.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "bounce/qualifier.h"
#include "bounce/report/report.h"

namespace relay::cli {

struct MailPlace {
  std::string_view file;
  size_t number = 1;  // within an mbox
};

// At least one line, also for mail that is no report.
void append_report_json(const bounce::report::Report& report, const MailPlace& place,
                        const bounce::Qualifier& qualifier, std::string* out);

}  // namespace relay::cli
