// A report as JSON, one object a line per recipient: the answers of `penstock parse-bounce`.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "bounce/qualifier.h"
#include "bounce/report/report.h"
#include "bounce/return_path.h"
#include "conf/returns_settings.h"

namespace relay::cli {

struct TokenCheck {  // `keys` null: tokens are not looked for
  const bounce::ReturnKeys* keys = nullptr;
  std::vector<conf::ReturnPathSettings> paths;  // whose tokens these are; without a domain: of every one
  conf::WallTime now;
};

struct MailPlace {
  std::string_view file;
  size_t number = 1;  // within an mbox
};

// At least one line, also for mail that is no report.
void append_report_json(const bounce::report::Report& report, const MailPlace& place,
                        const bounce::Qualifier& qualifier, const TokenCheck& tokens, std::string* out);

}  // namespace relay::cli
