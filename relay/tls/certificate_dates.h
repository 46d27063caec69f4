// How long the certificates of a file are good for. Reads it; any thread.
#pragma once

#include <string>

#include "conf/vocab/time.h"

namespace relay::tls {

// About the first certificate of the chain in a PEM file that ends: "the certificate in FILE has expired on
// 2026-11-20", "... ends on 2026-12-01, in 5 days: renew it", "... is not good before 2026-12-01"; "": all is
// well for another 14 days, or there is none in it.
std::string dates_warning(const std::string& file, conf::WallTime now);

}  // namespace relay::tls
