// Codes in the words of others: the SMTP reply code (RFC 5321 §4.2) and the enhanced status (RFC 3463) that
// a diagnostic names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bounce::report {

// "5.1.1" anywhere in `text`, not as part of a longer number or an IP address;
// empty when there is none. A status that says more than "x.0.0" is preferred;
// the first of those counts. One of success only where there is no other.
std::string find_status(std::string_view text);

// True when the status carries no more than the class ("5.0.0") or nothing.
bool is_vague_status(std::string_view status);

// A reply code 4yz or 5yz that stands as one ("550 ", "550-5.1.1", "(550)", "error 550:"); 0 when none does.
uint16_t find_code(std::string_view text);

// The same at the front of `text` only. `*length` gets how far the code and its separator reach.
uint16_t leading_code(std::string_view text, size_t* length);

// One line: the type ("smtp;") goes, codes that repeat on every line of a multi-line reply ("550-5.1.1 ")
// stay only once.
std::string clean_diagnostic(std::string_view text);

}  // namespace bounce::report
