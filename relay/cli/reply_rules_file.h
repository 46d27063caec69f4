// Reply rules of the operator, read for a command.
#pragma once

#include <memory>
#include <string>

#include "bounce/qualifier.h"

namespace relay::cli {

// The rules of `path` before the shipped ones; an empty path: the shipped ones alone. Problems are printed on
// stderr; null when there are any, or when an example of a rule is decided by another.
std::shared_ptr<const bounce::Qualifier> qualifier_with(const std::string& path);

}  // namespace relay::cli
