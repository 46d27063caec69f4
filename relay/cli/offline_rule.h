// Which rule would decide by the configuration alone, with every value that it sets as it is written in the
// file. Asks neither the relay nor DNS.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "conf/config.h"
#include "conf/vocab/result.h"

namespace relay::cli {

// {"domain", "hosts", "paths": [{"source", "source_id", "rule", "rule_where", "limits"}]}, a path for each
// source, or for the one named `source`. kNotFound: there is no such source. kInvalid: the rules have errors.
conf::Result<nlohmann::json> offline_explanation(const conf::Config& config, const std::string& domain,
                                                 const std::vector<std::string>& hosts,
                                                 const std::string& source);

}  // namespace relay::cli
