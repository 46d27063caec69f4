// Words that notices of failure set before an address, in the languages that are read here. Functions of
// their arguments alone; a "label" is what stands before an address in its line, without_ends.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bounce::report {

// Spaces, brackets and punctuation as stand around addresses.
bool is_punctuation(char c);
// Without punctuation at its ends, of full width too.
std::string_view without_ends(std::string_view text);
// Without "SMTP:", "rfc822;" or "mailto:" at its end, which say nothing about the address behind them.
std::string_view without_type(std::string_view before);
// A colon, of full width too, or "=".
bool colon_before(std::string_view before);

// Ends in "recipient", "Empfänger" and their like.
bool names_recipient(std::string_view label);
// Ends in "from", "please contact" and their like.
bool names_sender(std::string_view label);
// Ends in "your message to": the mail that came back, not one that we are asked to write.
bool names_our_mail(std::string_view label);
// Ends in "to", "an", "para" and their like.
bool leads_to_address(std::string_view label);
// What stands behind an address begins with "に" (Japanese), "에게" (Korean) or "adresine" (Turkish): to it.
bool goes_to_address(std::string_view behind);
// "Invalid final delivery userid", "Delivery failed 20 attempts".
bool says_failed(std::string_view label);

// A line that announces the recipients in the lines below it.
bool announces_list(std::string_view line);
// "postmaster", "support": the local part of a place to ask.
bool is_service_name(std::string_view local);
// Where "expanded from" and its like begin in a line; kNowhere without.
size_t alias_mark(std::string_view line);
// "Subject: x", "Gesendet: x": what a notice repeats of the header of the message says nothing about the
// failure.
bool repeats_header(std::string_view line);

// `text` without the lines for which repeats_header() holds: they are words of ours, whatever they say.
std::string without_repeated_header(std::string_view text);

}  // namespace bounce::report
