// A report of the ledger as a table, as CSV and as JSON. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "bounce/ledger/sqlite_report.h"

namespace relay::cli {

// `by`: the name of the first column. Names of others are made harmless for a terminal.
std::string report_table(const bounce::Report& report, const std::string& by);
std::string report_csv(const bounce::Report& report, const std::string& by);  // without the texts
nlohmann::json report_as_json(const bounce::Report& report, const std::string& by);

}  // namespace relay::cli
